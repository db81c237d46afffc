/* The labels of an agent. */
#include "proto/message/labels.h"

#include <string.h>

static struct bytes cut(struct bytes *rest, char end)
{
    const uint8_t *found = rest->size > 0 ? memchr(rest->data, end, rest->size) : NULL;
    size_t size = found != NULL ? (size_t)(found - rest->data) : rest->size;
    struct bytes piece = bytes_of(rest->data, size);
    size_t used = found != NULL ? size + 1 : size;
    *rest = bytes_of(rest->data + used, rest->size - used);
    return piece;
}

bool labels_next(struct bytes *rest, struct bytes *name, struct bytes *value)
{
    if (rest->size == 0) {
        return false;
    }
    *value = cut(rest, ',');
    *name = cut(value, '=');
    return true;
}

static bool is_word(struct bytes word)
{
    for (size_t i = 0; i < word.size; i++) {
        uint8_t c = word.data[i];
        bool is_alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alphanumeric && (c == 0 || strchr("-_./", c) == NULL)) {
            return false;
        }
    }
    return word.size > 0 && word.size <= LABEL_MAX_BYTES;
}

/* The value of the label, or NULL data. */
static struct bytes find(struct bytes labels, struct bytes name)
{
    struct bytes each;
    struct bytes value;
    while (labels_next(&labels, &each, &value)) {
        if (bytes_equal(each, name)) {
            return value;
        }
    }
    return bytes_of(NULL, 0);
}

bool labels_check(struct bytes labels, struct error *error)
{
    struct bytes rest = labels;
    struct bytes name;
    struct bytes value;
    if (labels.size > LABELS_MAX_BYTES) {
        return error_set(error, "labels of %zu bytes, at most %u are allowed", labels.size, LABELS_MAX_BYTES);
    }
    if (labels.size > 0 && labels.data[labels.size - 1] == ',') {
        return error_set(error, "labels end with a comma");
    }
    while (labels_next(&rest, &name, &value)) {
        if (!is_word(name) || !is_word(value)) {
            return error_set(error,
                             "labels must be pairs like zone=a,disk=ssd, with names and values of at most %u "
                             "letters, digits or -_./",
                             LABEL_MAX_BYTES);
        }
        struct bytes before = bytes_of(labels.data, (size_t)(name.data - labels.data));
        if (find(before, name).data != NULL) {
            return error_set(error, "label %.*s is given twice", BYTES_FORMAT(name));
        }
    }
    return true;
}

bool labels_have(struct bytes labels, struct bytes wanted)
{
    struct bytes name;
    struct bytes value;
    while (labels_next(&wanted, &name, &value)) {
        struct bytes found = find(labels, name);
        if (found.data == NULL || !bytes_equal(found, value)) {
            return false;
        }
    }
    return true;
}
