/* What the control commands share: the id on the command line, requests and their errors, output. */
#pragma once
#include "cli/base/exit_code.h"
#include "cli/base/table.h"
#include "cli/remote/api_client.h"

#include <stdint.h>

/* `text` is the word on the command line; NULL if there was none. False after logging what is wrong as `who`.
 */
MUST_CHECK bool control_parse_id(const char *who, const char *text, uint64_t *campaign);

/* The exit code of a command that got this result. */
enum exit_code control_exit_code(enum api_result result);

/* "/v1/campaigns/7" and what follows; for memory_free. */
MUST_CHECK char *control_path(uint64_t campaign, const char *rest);

struct control_request {
    const char *who; /* the command, for what is logged */
    struct api_client *client;
    const char *path;
    const char *body; /* NULL: GET */
};

/* A coordinator that was killed may be back within this. */
#define CONTROL_PATIENCE_MS 60000u
#define CONTROL_PATIENCE_BYTES 64
/* "a minute", "5 s" */
const char *control_patience_text(uint64_t milliseconds, char text[CONTROL_PATIENCE_BYTES]);

/* Makes the request, and logs the error if there is one. While there is no coordinator it asks again, for as
 * long as the client is patient. */
MUST_CHECK enum api_result control_ask(const char *who, struct api_client *client, const char *path,
                                       const char *body, json_t **answer);

/* Makes the request, and repeats it for a minute if the connection broke off: a coordinator that was killed
 * may be back by then. The request has to be idempotent. */
MUST_CHECK enum api_result control_ask_patiently(const struct control_request *request, json_t **answer,
                                                 struct error *error);

/* Logs the error, with a hint. */
void control_tell_error(const char *who, enum api_result result, const struct error *error);

/* What was counted second by second, for json_decref; NULL if the coordinator does not have it. */
MUST_CHECK json_t *control_series(struct api_client *client, uint64_t campaign);
/* The report as text for memory_free, with what was counted second by second where the coordinator has it. */
MUST_CHECK char *control_report_text(struct api_client *client, uint64_t campaign, const json_t *report);

/* The body of a request to stop; for memory_free. */
MUST_CHECK char *control_stop_body(bool is_at_once, const char *reason);

/* JSON for a person or a program, on standard output. */
void control_print_json(const json_t *object);
/* In one line. Takes it. */
void control_print_json_line(json_t *object);

/* Adds a cell: the number under this key, with or without commas. */
void control_add_count(struct table *table, const json_t *object, const char *key, bool has_commas);
void control_print_table(const struct table *table);
