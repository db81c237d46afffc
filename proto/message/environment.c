/* The variables that a campaign gives its script. */
#include "proto/message/environment.h"

#include "proto/message/limits.h"

#include <string.h>

#define SPACES " \t\r"

static bool environment_is_name(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && !(i > 0 && c >= '0' && c <= '9')) {
            return false;
        }
    }
    return name.size > 0 && name.size <= LIMIT_NAME_BYTES;
}

static bool environment_refuse_name(struct bytes name, struct error *error)
{
    if (name.size > LIMIT_NAME_BYTES || !bytes_is_printable(name)) {
        return error_set(error, "the name of a variable has to be letters, digits and _, at most %u of them",
                         LIMIT_NAME_BYTES);
    }
    return error_set(error,
                     "\"%.*s\" is no name of a variable: letters, digits and _, and no digit at the start",
                     (int)(name.size < 40 ? name.size : 40), (const char *)name.data);
}

bool environment_next(struct bytes *rest, struct bytes *name, struct bytes *value)
{
    if (rest->size == 0) {
        return false;
    }
    const uint8_t *end = memchr(rest->data, '\0', rest->size);
    size_t size = end != NULL ? (size_t)(end - rest->data) : rest->size;
    const uint8_t *equals = memchr(rest->data, '=', size);
    size_t name_size = equals != NULL ? (size_t)(equals - rest->data) : size;
    size_t value_at = equals != NULL ? name_size + 1 : size;
    *name = bytes_of(rest->data, name_size);
    *value = bytes_of(rest->data + value_at, size - value_at);
    size_t taken = end != NULL ? size + 1 : size;
    *rest = bytes_of(rest->data + taken, rest->size - taken);
    return true;
}

/* The place of the variable from its name to its zero byte; no data where there is none. */
static struct bytes environment_find(struct bytes environment, struct bytes wanted)
{
    struct bytes name;
    struct bytes value;
    while (environment_next(&environment, &name, &value)) {
        if (bytes_equal(name, wanted)) {
            return bytes_of(name.data, name.size + value.size + 2);
        }
    }
    return bytes_of(NULL, 0);
}

bool environment_check(struct bytes environment, struct error *error)
{
    struct bytes rest = environment;
    struct bytes name;
    struct bytes value;
    if (environment.size > ENVIRONMENT_MAX_BYTES) {
        return error_set(error, "the variables have %zu bytes, at most %u are allowed", environment.size,
                         ENVIRONMENT_MAX_BYTES);
    }
    if (environment.size > 0 && environment.data[environment.size - 1] != '\0') {
        return error_set(error, "the last variable is cut off");
    }
    for (unsigned count = 1; environment_next(&rest, &name, &value); count++) {
        if (!environment_is_name(name)) {
            return environment_refuse_name(name, error);
        }
        if (value.data == name.data + name.size) {
            return error_set(error, "the variable %.*s has no value", BYTES_FORMAT(name));
        }
        if (count > ENVIRONMENT_MAX_NAMES) {
            return error_set(error, "more than %u variables", ENVIRONMENT_MAX_NAMES);
        }
        struct bytes before = bytes_of(environment.data, (size_t)(name.data - environment.data));
        if (environment_find(before, name).data != NULL) {
            return error_set(error, "the variable %.*s is given twice", BYTES_FORMAT(name));
        }
    }
    return true;
}

void environment_init(struct buffer *environment)
{
    buffer_init(environment, ENVIRONMENT_MAX_BYTES);
}

static unsigned environment_count(struct bytes environment)
{
    unsigned count = 0;
    struct bytes name;
    struct bytes value;
    while (environment_next(&environment, &name, &value)) {
        count++;
    }
    return count;
}

static bool environment_is_text(struct bytes value)
{
    while (value.size > 0) {
        uint32_t character = 0;
        size_t size = bytes_character(value, &character);
        if (size == 0 || character == 0) {
            return false;
        }
        value = bytes_of(value.data + size, value.size - size);
    }
    return true;
}

bool environment_set(struct buffer *environment, struct bytes name, struct bytes value, struct error *error)
{
    if (!environment_is_name(name)) {
        return environment_refuse_name(name, error);
    }
    if (!environment_is_text(value)) {
        return error_set(error, "the value of %.*s is not text in UTF-8", BYTES_FORMAT(name));
    }
    struct bytes old = environment_find(buffer_bytes(environment), name);
    size_t size = name.size + value.size + 2;
    if (size > ENVIRONMENT_MAX_BYTES || environment->size - old.size > ENVIRONMENT_MAX_BYTES - size) {
        return error_set(error, "with %.*s the variables have more than %u bytes", BYTES_FORMAT(name),
                         ENVIRONMENT_MAX_BYTES);
    }
    if (old.data == NULL && environment_count(buffer_bytes(environment)) == ENVIRONMENT_MAX_NAMES) {
        return error_set(error, "more than %u variables", ENVIRONMENT_MAX_NAMES);
    }
    if (old.data != NULL) {
        uint8_t *at = environment->data + (old.data - environment->data);
        size_t after = environment->size - (size_t)(at - environment->data) - old.size;
        memmove(at, at + old.size, after);
        environment->size -= old.size;
    }
    return buffer_append(environment, name.data, name.size) && buffer_append(environment, "=", 1) &&
           buffer_append(environment, value.data, value.size) && buffer_append(environment, "", 1);
}

bool environment_set_word(struct buffer *environment, const char *word, struct error *error)
{
    size_t size = strcspn(word, "=");
    if (word[size] == '\0') {
        return error_set(error, "expected NAME=VALUE; \"%.40s\" has no =", word);
    }
    return environment_set(environment, bytes_of(word, size), bytes_of_string(word + size + 1), error);
}

static struct bytes environment_trim(struct bytes text)
{
    while (text.size > 0 && strchr(SPACES, text.data[0]) != NULL) {
        text = bytes_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && strchr(SPACES, text.data[text.size - 1]) != NULL) {
        text.size--;
    }
    return text;
}

/* What a backslash and this character mean in "…"; 0: nothing. */
static char environment_escape(uint8_t character)
{
    static const char from[] = "nrt\\\"$";
    static const char to[] = "\n\r\t\\\"$";
    const char *found = character != 0 ? strchr(from, character) : NULL;
    return found != NULL ? to[found - from] : '\0';
}

/* `text` begins with a quote. */
static bool environment_unquote(struct bytes text, struct buffer *value, struct error *error)
{
    uint8_t quote = text.data[0];
    size_t at = 1;
    for (; at < text.size && text.data[at] != quote; at++) {
        char character = (char)text.data[at];
        if (quote == '"' && character == '\\' && at + 1 < text.size) {
            character = environment_escape(text.data[++at]);
            if (character == '\0') {
                return error_set(error, "in \"…\" a backslash stands before n, r, t, \\, \" or $");
            }
        }
        (void)buffer_append(value, &character, 1);
    }
    if (at == text.size) {
        return error_set(error, "the quote is not closed");
    }
    struct bytes rest = environment_trim(bytes_of(text.data + at + 1, text.size - at - 1));
    return rest.size == 0 || rest.data[0] == '#' || error_set(error, "something follows the closing quote");
}

/* Up to a # with a space before it. */
static struct bytes environment_uncomment(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '#' && (i == 0 || strchr(SPACES, text.data[i - 1]) != NULL)) {
            return environment_trim(bytes_of(text.data, i));
        }
    }
    return text;
}

static bool environment_set_line(struct buffer *environment, struct bytes line, struct error *error)
{
    static const char export[] = "export ";
    struct bytes text = environment_trim(line);
    if (text.size == 0 || text.data[0] == '#') {
        return true;
    }
    if (text.size > strlen(export) && memcmp(text.data, export, strlen(export)) == 0) {
        text = environment_trim(bytes_of(text.data + strlen(export), text.size - strlen(export)));
    }
    const uint8_t *equals = memchr(text.data, '=', text.size);
    if (equals == NULL) {
        return error_set(error, "expected NAME=VALUE");
    }
    size_t name_size = (size_t)(equals - text.data);
    struct bytes name = environment_trim(bytes_of(text.data, name_size));
    struct bytes given = environment_trim(bytes_of(equals + 1, text.size - name_size - 1));
    if (given.size == 0 || strchr("\"'", given.data[0]) == NULL) {
        return environment_set(environment, name, environment_uncomment(given), error);
    }
    SCOPED(buffer_finish) struct buffer value;
    environment_init(&value);
    if (!environment_unquote(given, &value, error)) {
        return false;
    }
    return !value.has_overflowed
               ? environment_set(environment, name, buffer_bytes(&value), error)
               : error_set(error, "the value is longer than %u bytes", ENVIRONMENT_MAX_BYTES);
}

bool environment_set_lines(struct buffer *environment, const char *text, struct error *error)
{
    for (unsigned number = 1; *text != '\0'; number++) {
        size_t size = strcspn(text, "\n");
        if (!environment_set_line(environment, bytes_of(text, size), error)) {
            return error_wrap(error, "line %u: ", number);
        }
        text += size + (text[size] == '\n');
    }
    return true;
}
