/* What the control commands have in common: the id in their words, and what becomes of an answer. */
#pragma once
#include "cli/base/exit_code.h"
#include "cli/base/table.h"
#include "cli/remote/api_client.h"

#include <stdint.h>

/* `text` is the word of the command line; NULL if there was none. False after `who` has said what is wrong.
 */
MUST_CHECK bool control_parse_id(const char *who, const char *text, uint64_t *campaign);

/* The exit code of a command that got this result. */
enum exit_code control_exit_code(enum api_result result);

/* "/v1/campaigns/7" and what follows; for memory_free. */
MUST_CHECK char *control_path(uint64_t campaign, const char *rest);

/* Asks, and says what went wrong, if anything. */
MUST_CHECK enum api_result control_ask(const char *who, struct api_client *client, const char *path,
                                       const char *body, json_t **answer);

/* Asks, and once more and again for a minute if the connection broke off in the middle: a coordinator that
 * was killed may be back by then. What is asked for must do no harm when it is done twice. */
MUST_CHECK enum api_result control_ask_patiently(const char *who, struct api_client *client, const char *path,
                                                 const char *body, json_t **answer, struct error *error);

/* Says what went wrong, with what helps. */
void control_tell_error(const char *who, enum api_result result, const struct error *error);

/* The body of a request to stop; for memory_free. */
MUST_CHECK char *control_stop_body(bool is_at_once, const char *reason);

/* JSON for a person or a program, on standard output. */
void control_print_json(const json_t *object);
/* In one line. Takes it. */
void control_print_json_line(json_t *object);

/* A cell: the number of this key, with or without commas. */
void control_add_count(struct table *table, const json_t *object, const char *key, bool has_commas);
void control_print_table(const struct table *table);
