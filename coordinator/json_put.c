/* Fills JSON objects. */
#include "coordinator/json_put.h"

#include "common/escape.h"
#include "common/memory.h"

#include <assert.h>
#include <stdlib.h>

#define TEXT_MAX_BYTES 8192u
#define REAL_DIGITS 9
#define US_PER_MS 1000.0

void json_put(json_t *object, const char *key, json_t *value)
{
    int result = json_object_set_new(object, key, value);
    assert(result == 0);
    (void)result;
}

void json_put_count(json_t *object, const char *key, uint64_t count)
{
    json_put(object, key, json_integer((json_int_t)count));
}

void json_put_ms(json_t *object, const char *key, uint64_t microseconds)
{
    json_put(object, key, json_real((double)microseconds / US_PER_MS));
}

/* jansson refuses what is not UTF-8, so it goes through our own escape first. */
json_t *json_text(struct bytes text)
{
    SCOPED(buffer_finish) struct buffer escaped;
    buffer_init(&escaped, TEXT_MAX_BYTES);
    escape_text(&escaped, text);
    return json_stringn(buffer_string(&escaped), escaped.size);
}

void json_put_text(json_t *object, const char *key, struct bytes text)
{
    json_put(object, key, json_text(text));
}

char *json_to_text(const json_t *value, bool is_indented)
{
    size_t layout = is_indented ? JSON_INDENT(2) : JSON_COMPACT;
    char *text = json_dumps(value, layout | JSON_REAL_PRECISION(REAL_DIGITS));
    assert(text != NULL);
    char *copy = memory_format("%s%s", text, is_indented ? "\n" : "");
    free(text);
    return copy;
}
