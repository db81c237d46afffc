/* The API's answers in JSON, and its errors. */
#include "coordinator/api/api_inside.h"

#include "common/compose.h"
#include "common/memory.h"

#include <stdarg.h>

void api_answer_json(struct http_exchange *request, unsigned status, json_t *value)
{
    SCOPED(memory_free_at) char *text = json_to_text(value, false);
    json_decref(value);
    http_answer(request,
                &(struct http_answer){.status = status,
                                      .content_type = "application/json",
                                      .body = bytes_of_string(text),
                                      .headers = {{status == 401 ? "WWW-Authenticate" : NULL, "Bearer"}}});
}

void api_answer_error(struct http_exchange *request, unsigned status, const char *format, ...)
{
    char text[ERROR_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    compose_list(text, sizeof text, format, arguments);
    va_end(arguments);
    json_t *object = json_object();
    json_put_text(object, "error", bytes_of_string(text));
    api_answer_json(request, status, object);
}

void api_answer_unknown(struct http_exchange *request, uint64_t campaign)
{
    api_answer_error(request, 404, "there is no campaign %llu", (unsigned long long)campaign);
}
