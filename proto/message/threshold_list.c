/* Several thresholds in one text. Pure. */
#include "proto/message/tag_combinations.h"

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

/* After what is in brackets, braces or quotes and begins at `at`: the end of the text if it is not closed. */
static size_t end_of_enclosed(struct bytes text, size_t at)
{
    uint8_t closing = text.data[at] == '[' ? ']' : text.data[at] == '{' ? '}' : '"';
    bool is_quoted = closing == ']' && at + 1 < text.size && text.data[at + 1] == '"';
    at += is_quoted ? 2 : 1;
    while (at < text.size && text.data[at] != (is_quoted ? '"' : closing)) {
        bool is_value = closing == '}' && text.data[at] == '"' && text.data[at - 1] == '=';
        at = is_value ? end_of_enclosed(text, at) : at + 1;
    }
    return at < text.size ? at + 1 : at;
}

/* Where the threshold at the start ends: a name in brackets, and a tag in braces, may have any character. */
static size_t end_of_first(struct bytes text)
{
    size_t at = 0;
    while (at < text.size && text.data[at] != ';' && text.data[at] != '\n') {
        bool is_enclosed = text.data[at] == '[' || text.data[at] == '{';
        at = is_enclosed ? end_of_enclosed(text, at) : at + 1;
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
    struct tag_combinations *combinations SCOPED(tag_combinations_free) =
        tag_combinations_new(bytes_of("", 0));
    struct bytes one;
    size_t count = 0;
    while (thresholds_next(&text, &one)) {
        struct threshold threshold;
        struct error why;
        if (++count > THRESHOLDS_MAX) {
            return error_set(error, "more than %u thresholds", THRESHOLDS_MAX);
        }
        if (!threshold_parse(one, &threshold, &why) ||
            !tag_combinations_add(combinations, &threshold, &why)) {
            char shown[SHOWN_BYTES];
            bytes_to_text(bytes_is_printable(one) ? one : bytes_of("", 0), shown, sizeof shown);
            return error_set(error, "\"%s\", %s", shown + strspn(shown, " \t\r"), why.text);
        }
    }
    return true;
}
