/* Bodies of requests: JSON that is bounded before it is parsed. */
#include "coordinator/api/api_inside.h"

#define DEPTH_MAX 16u
#define VALUES_MAX 20000u

/* Bounds the depth and the number of values before parsing: counts brackets, commas and colons outside of
 * strings. */
static bool is_modest(struct bytes body, struct error *error)
{
    size_t depth = 0;
    size_t values = 0;
    bool is_string = false;
    for (size_t i = 0; i < body.size; i++) {
        uint8_t byte = body.data[i];
        if (is_string) {
            i += byte == '\\';
            is_string = byte != '"';
            continue;
        }
        is_string = byte == '"';
        values += byte == '[' || byte == '{' || byte == ',' || byte == ':';
        depth += byte == '[' || byte == '{';
        depth -= depth > 0 && (byte == ']' || byte == '}');
        if (depth > DEPTH_MAX || values > VALUES_MAX) {
            return error_set(error, depth > DEPTH_MAX ? "it is nested too deeply" : "it has too many values");
        }
    }
    return true;
}

json_t *api_parse_object(struct bytes body, struct error *error)
{
    json_error_t parse_error;
    if (!is_modest(body, error)) {
        (void)error_wrap(error, "the body is not JSON that is accepted here: ");
        return NULL;
    }
    json_t *object = json_loadb(body.size > 0 ? (const char *)body.data : "", body.size,
                                JSON_REJECT_DUPLICATES, &parse_error);
    if (object == NULL) {
        (void)error_set(error, "the body is not valid JSON: %s, at byte %d", parse_error.text,
                        parse_error.position);
    } else if (!json_is_object(object)) {
        (void)error_set(error, "the body is not a JSON object");
        json_decref(object);
        object = NULL;
    }
    return object;
}

json_t *api_body_object(struct http_exchange *request)
{
    struct error error;
    json_t *object = api_parse_object(http_body(request), &error);
    if (object == NULL) {
        api_answer_error(request, 400, "%s", error.text);
    }
    return object;
}
