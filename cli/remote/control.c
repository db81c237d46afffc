/* What the control commands have in common. */
#include "cli/remote/control.h"
#include "cli/base/format.h"
#include "common/clock.h"
#include "common/digits.h"
#include "common/duration.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"
#include "coordinator/json/series_json.h"
#include "proto/message/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_WAIT_MS 100
#define LAST_WAIT_MS 1000
#define NAME_COLUMNS 40u
#define TABLE_MAX_BYTES (16u * 1024u * 1024u)

bool control_parse_id(const char *who, const char *text, uint64_t *campaign)
{
    if (text == NULL) {
        log_line(LOG_ERROR, who, "which campaign? (see tutti help %s, tutti status)", who);
        return false;
    }
    if (!digits_are(text, campaign) || *campaign > LIMIT_CAMPAIGN_ID) {
        log_line(LOG_ERROR, who, "\"%.40s\" is not the id of a campaign, which is an integer", text);
        return false;
    }
    return true;
}

enum exit_code control_exit_code(enum api_result result)
{
    static const enum exit_code codes[] = {
        [API_DONE] = EXIT_CODE_PASSED,      [API_REFUSED] = EXIT_CODE_USAGE,
        [API_NOT_FOUND] = EXIT_CODE_USAGE,  [API_CONFLICT] = EXIT_CODE_USAGE,
        [API_UNREACHABLE] = EXIT_CODE_LOST, [API_INTERRUPTED] = EXIT_CODE_INTERRUPTED,
    };
    return codes[result];
}

char *control_path(uint64_t campaign, const char *rest)
{
    return memory_format("/v1/campaigns/%" PRIu64 "%s", campaign, rest);
}

void control_tell_error(const char *who, enum api_result result, const struct error *error)
{
    log_line(LOG_ERROR, who, "%s%s", error->text, result == API_NOT_FOUND ? " (see tutti status)" : "");
}

const char *control_patience_text(uint64_t milliseconds, char text[CONTROL_PATIENCE_BYTES])
{
    if (milliseconds == CONTROL_PATIENCE_MS) {
        return "a minute";
    }
    duration_describe(milliseconds, text, CONTROL_PATIENCE_BYTES);
    return text;
}

/* After the first failure, which is logged. */
static enum api_result control_ask_again(const struct control_request *request, uint64_t patience_ms,
                                         json_t **answer, struct error *error)
{
    char patience[CONTROL_PATIENCE_BYTES];
    uint64_t until_ns = clock_now_ns() + patience_ms * NS_PER_MS;
    enum api_result result = API_UNREACHABLE;
    int wait_ms = FIRST_WAIT_MS;
    log_line(LOG_WARNING, request->who, "%s; trying again for %s", error->text,
             control_patience_text(patience_ms, patience));
    while (result == API_UNREACHABLE && clock_now_ns() < until_ns) {
        if (!api_client_rest(request->client, wait_ms)) {
            error_set(error, "interrupted");
            return API_INTERRUPTED;
        }
        wait_ms = wait_ms < LAST_WAIT_MS ? 2 * wait_ms : wait_ms;
        result = api_client_ask(request->client, request->path, request->body, answer, error);
    }
    return result;
}

enum api_result control_ask(const char *who, struct api_client *client, const char *path, const char *body,
                            json_t **answer)
{
    struct error error;
    const struct control_request request = {who, client, path, body};
    uint64_t patience_ms = api_client_patience_ms(client);
    enum api_result result = api_client_ask(client, path, body, answer, &error);
    if (result == API_UNREACHABLE && patience_ms > 0 && api_client_is_away(client)) {
        result = control_ask_again(&request, patience_ms, answer, &error);
    }
    if (result != API_DONE) {
        control_tell_error(who, result, &error);
    }
    return result;
}

enum api_result control_ask_patiently(const struct control_request *request, json_t **answer,
                                      struct error *error)
{
    enum api_result result = api_client_ask(request->client, request->path, request->body, answer, error);
    if (result != API_UNREACHABLE || !api_client_broke_off(request->client)) {
        return result;
    }
    return control_ask_again(request, CONTROL_PATIENCE_MS, answer, error);
}

json_t *control_series(struct api_client *client, uint64_t campaign)
{
    struct error error;
    json_t *series = NULL;
    SCOPED(memory_free_at) char *path = control_path(campaign, "/series");
    return api_client_ask(client, path, NULL, &series, &error) == API_DONE ? series : NULL;
}

char *control_report_text(struct api_client *client, uint64_t campaign, const json_t *report)
{
    json_t *series = control_series(client, campaign);
    SCOPED(memory_free_at) char *text = series != NULL ? json_to_text(series, false) : NULL;
    char *both = report_json_with_series(report, text);
    json_decref(series);
    return both;
}

char *control_stop_body(bool is_at_once, const char *reason)
{
    json_t *object = json_object();
    json_put(object, "at_once", json_boolean(is_at_once));
    json_put_text(object, "reason", bytes_of_string(reason));
    char *text = json_to_text(object, false);
    json_decref(object);
    return text;
}

void control_print_json(const json_t *object)
{
    SCOPED(memory_free_at) char *text = json_to_text(object, true);
    (void)fputs(text, stdout);
}

void control_print_json_line(json_t *object)
{
    (void)json_dumpf(object, stdout, 0);
    (void)putchar('\n');
    json_decref(object);
}

void control_add_count(struct table *table, const json_t *object, const char *key, bool has_commas)
{
    uint64_t count = json_get_count(object, key);
    if (has_commas) {
        table_add_count(table, count);
    } else {
        char text[FORMAT_BYTES];
        (void)snprintf(text, sizeof text, "%" PRIu64, count);
        table_add(table, bytes_of_string(text));
    }
}

void control_print_table(const struct table *table)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, TABLE_MAX_BYTES);
    table_print(table, NAME_COLUMNS, false, &text);
    (void)fwrite(text.data, 1, text.size, stdout);
}
