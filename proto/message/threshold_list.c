/* Several thresholds in one text. Pure. */
#include "proto/message/threshold.h"

#include <string.h>

#define SHOWN_BYTES 300

static bool is_blank(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != ' ' && text.data[i] != '\t' && text.data[i] != '\r') {
            return false;
        }
    }
    return true;
}

/* Where the threshold at the start ends: a name in brackets may have any character. */
static size_t end_of_first(struct bytes text)
{
    size_t at = 0;
    while (at < text.size && text.data[at] != ';' && text.data[at] != '\n') {
        if (text.data[at] == '[') {
            bool is_quoted = at + 1 < text.size && text.data[at + 1] == '"';
            at += is_quoted ? 2 : 1;
            const uint8_t *close = memchr(text.data + at, is_quoted ? '"' : ']', text.size - at);
            at = close == NULL ? text.size : (size_t)(close - text.data);
        }
        at += at < text.size ? 1 : 0;
    }
    return at;
}

bool thresholds_next(struct bytes *text, struct bytes *one)
{
    while (text->size > 0) {
        size_t end = end_of_first(*text);
        size_t separator = end < text->size ? 1 : 0;
        *one = bytes_of(text->data, end);
        *text = bytes_of(text->data + end + separator, text->size - end - separator);
        if (!is_blank(*one)) {
            return true;
        }
    }
    return false;
}

bool thresholds_check(struct bytes text, struct error *error)
{
    struct bytes one;
    size_t count = 0;
    while (thresholds_next(&text, &one)) {
        struct threshold threshold;
        struct error why;
        if (++count > THRESHOLDS_MAX) {
            return error_set(error, "more than %u thresholds", THRESHOLDS_MAX);
        }
        if (!threshold_parse(one, &threshold, &why)) {
            char shown[SHOWN_BYTES];
            bytes_to_text(bytes_is_printable(one) ? one : bytes_of("", 0), shown, sizeof shown);
            return error_set(error, "\"%s\", %s", shown + strspn(shown, " \t\r"), why.text);
        }
    }
    return true;
}
