/* The forms of an answer. */
#include "coordinator/http/negotiation.h"

#include <string.h>
#include <strings.h>

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

/* Cuts off what stands before the first of `mark`, without blanks around it. */
static struct bytes negotiation_cut(struct bytes *rest, char mark)
{
    const uint8_t *end = rest->size > 0 ? memchr(rest->data, mark, rest->size) : NULL;
    struct bytes part = bytes_of(rest->data, end != NULL ? (size_t)(end - rest->data) : rest->size);
    *rest = end != NULL ? bytes_of(end + 1, rest->size - part.size - 1) : bytes_of(NULL, 0);
    while (part.size > 0 && is_blank(part.data[0])) {
        part = bytes_of(part.data + 1, part.size - 1);
    }
    while (part.size > 0 && is_blank(part.data[part.size - 1])) {
        part.size--;
    }
    return part;
}

static bool is_word(struct bytes text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

/* "q=0", "q=0.000": not at all. */
static bool refuses(struct bytes parameter)
{
    if (parameter.size < 3 || (parameter.data[0] | 0x20) != 'q' || parameter.data[1] != '=') {
        return false;
    }
    for (size_t i = 2; i < parameter.size; i++) {
        if (parameter.data[i] != '0' && parameter.data[i] != '.') {
            return false;
        }
    }
    return true;
}

bool accepts_gzip(struct bytes accept_encoding)
{
    bool takes_any = false;
    while (accept_encoding.size > 0) {
        struct bytes item = negotiation_cut(&accept_encoding, ',');
        struct bytes name = negotiation_cut(&item, ';');
        bool is_taken = !refuses(negotiation_cut(&item, ';'));
        if (is_word(name, "gzip") || is_word(name, "x-gzip")) {
            return is_taken;
        }
        takes_any = is_word(name, "*") ? is_taken : takes_any;
    }
    return takes_any;
}

/* A tag has no comma of ours in it; one of another server, cut in two, matches nothing. */
bool etag_is_known(struct bytes if_none_match, const char *etag)
{
    while (if_none_match.size > 0) {
        struct bytes item = negotiation_cut(&if_none_match, ',');
        if (item.size > 2 && item.data[0] == 'W' && item.data[1] == '/') {
            item = bytes_of(item.data + 2, item.size - 2);
        }
        if (bytes_equal_string(item, etag) || bytes_equal_string(item, "*")) {
            return true;
        }
    }
    return false;
}
