/* The latest lines that the coordinator has logged of campaigns and agents. */
#include "coordinator/api/api_inside.h"

#include "common/clock.h"
#include "common/digits.h"
#include "common/memory.h"
#include "common/text.h"

struct api_log_line {
    uint64_t wall_ns;
    enum log_level level;
    uint64_t campaign;
    struct text agent;
    struct text text;
};

static void api_log_line_finish(struct api_log_line *line)
{
    text_finish(&line->agent);
    text_finish(&line->text);
}

void api_log(struct api *api, enum log_level level, const struct log_subject *subject, const char *text)
{
    struct bytes words = bytes_of_string(text);
    if (api->log_lines == NULL) {
        api->log_lines = memory_new(API_LOG_LINES, sizeof *api->log_lines);
    }
    struct api_log_line *line = &api->log_lines[api->log_count++ % API_LOG_LINES];
    api_log_line_finish(line);
    words.size = words.size < API_LOG_LINE_BYTES ? words.size : API_LOG_LINE_BYTES;
    *line = (struct api_log_line){.wall_ns = clock_wall_ns(),
                                  .level = level,
                                  .campaign = subject->campaign,
                                  .agent = text_copy(subject->agent),
                                  .text = text_copy(words)};
}

void api_log_close(struct api *api)
{
    for (size_t i = 0; i < API_LOG_LINES && api->log_lines != NULL; i++) {
        api_log_line_finish(&api->log_lines[i]);
    }
    memory_free(api->log_lines);
    api->log_lines = NULL;
}

static json_t *log_line_object(uint64_t number, const struct api_log_line *line)
{
    static const char *const levels[] = {
        [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
    json_t *object = json_object();
    json_put_count(object, "number", number);
    /* Whole: a real number is written with ten digits, and would be rounded up. */
    json_put_count(object, "at", line->wall_ns / NS_PER_S);
    json_put(object, "level", json_string(levels[line->level]));
    json_put(object, "campaign", line->campaign > 0 ? json_integer((json_int_t)line->campaign) : json_null());
    json_put_text(object, "agent", line->agent.bytes);
    json_put_text(object, "text", line->text.bytes);
    return object;
}

void api_show_log(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    const char *text = http_argument(request, "after");
    uint64_t after = 0;
    (void)campaign;
    if (text != NULL && !digits_are(text, &after)) {
        api_answer_error(request, 400, "after is not a number");
        return;
    }
    uint64_t first = api->log_count > API_LOG_LINES ? api->log_count - API_LOG_LINES : 0;
    /* Numbers of an earlier process, which had more: all of ours are new. */
    first = after > first && after <= api->log_count ? after : first;
    json_t *list = json_array();
    for (uint64_t number = first; number < api->log_count; number++) {
        json_array_append_new(list, log_line_object(number + 1, &api->log_lines[number % API_LOG_LINES]));
    }
    json_t *answer = json_object();
    json_put(answer, "lines", list);
    api_answer_json(request, 200, answer);
}
