/* Folds what differs from one error of a kind to the next. */
#include "agent/script/error_key.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Hexadecimal digits and dashes from here on are an id, if a digit is among them. */
#define ID_LEAST_BYTES 8u

struct error_key {
    struct bytes text;
    size_t at;
    char *into;
    size_t size;
    size_t capacity;
};

static bool key_is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool key_is_letter(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool key_is_hexadecimal(uint8_t byte)
{
    return key_is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static void key_add(struct error_key *key, const void *data, size_t size)
{
    size_t room = key->capacity - 1 - key->size;

    size = size < room ? size : room;
    memcpy(key->into + key->size, data, size);
    key->size += size;
}

static bool key_begins(const struct error_key *key, const char *word)
{
    size_t size = strlen(word);

    return key->text.size - key->at >= size && memcmp(key->text.data + key->at, word, size) == 0;
}

static bool key_is_within_word(const struct error_key *key)
{
    uint8_t before = key->at > 0 ? key->text.data[key->at - 1] : ' ';
    return key_is_letter(before) || key_is_digit(before);
}

/* How many bytes an address has here; 0: there is none. What ends a sentence does not belong to it. */
static size_t key_url_bytes(const struct error_key *key)
{
    struct bytes text = key->text;
    size_t end = key->at;

    if (key_is_within_word(key) || !(key_begins(key, "http://") || key_begins(key, "https://") ||
                                     key_begins(key, "ws://") || key_begins(key, "wss://"))) {
        return 0;
    }
    while (end < text.size && text.data[end] > ' ' && strchr("\"'<>`", text.data[end]) == NULL) {
        end++;
    }
    while (end > key->at && strchr(":,.;)", text.data[end - 1]) != NULL) {
        end--;
    }
    return end - key->at;
}

/* "[::1]" */
static size_t key_literal_bytes(const struct error_key *key)
{
    size_t end = key->at + 1;
    bool has_colon = false;

    if (key->text.data[key->at] != '[') {
        return 0;
    }
    while (end < key->text.size &&
           (key_is_hexadecimal(key->text.data[end]) || strchr(":.", key->text.data[end]) != NULL)) {
        has_colon = has_colon || key->text.data[end] == ':';
        end++;
    }
    return has_colon && end < key->text.size && key->text.data[end] == ']' ? end + 1 - key->at : 0;
}

/* "0x7f3a…", "9f86d081-884c-…" */
static size_t key_id_bytes(const struct error_key *key)
{
    size_t start = key->at + (key_begins(key, "0x") ? 2 : 0);
    size_t end = start;
    bool has_digit = start > key->at;

    if (key_is_within_word(key)) {
        return 0;
    }
    while (end < key->text.size && (key_is_hexadecimal(key->text.data[end]) || key->text.data[end] == '-')) {
        has_digit = has_digit || key_is_digit(key->text.data[end]);
        end++;
    }
    bool is_word_over = end == key->text.size || !key_is_letter(key->text.data[end]);
    bool is_long = end - key->at >= ID_LEAST_BYTES || (start > key->at && end > start);
    return is_word_over && is_long && has_digit ? end - key->at : 0;
}

/* With its fraction, and further parts: "0.25", "127.0.0.1". */
static size_t key_number_bytes(const struct error_key *key)
{
    struct bytes text = key->text;
    size_t end = key->at;

    while (end < text.size &&
           (key_is_digit(text.data[end]) || (text.data[end] == '.' && end > key->at && end + 1 < text.size &&
                                             key_is_digit(text.data[end + 1])))) {
        end++;
    }
    return end - key->at;
}

static bool key_follows(const struct error_key *key, size_t end, const char *word)
{
    size_t size = strlen(word);

    return end >= size && strncasecmp((const char *)key->text.data + end - size, word, size) == 0;
}

/* The number of `size` bytes that begins here says where in a script, or is a status. */
static bool key_keeps_number(const struct error_key *key, size_t size)
{
    size_t end = key->at + size;
    size_t before = key->at;

    if (key_follows(key, key->at, ".lua:") && end < key->text.size && key->text.data[end] == ':') {
        return true;
    }
    if (size != 3 || key->text.data[key->at] < '1' || key->text.data[key->at] > '5' ||
        memchr(key->text.data + key->at, '.', size) != NULL) {
        return false;
    }
    if (size == key->text.size) {
        return true;
    }
    while (before > 0 && strchr(" =:", key->text.data[before - 1]) != NULL) {
        before--;
    }
    return key_follows(key, before, "status") || key_follows(key, before, "http");
}

/* How many bytes differ from one error to the next, and what stands for them; 0: none here. */
static size_t key_variable_bytes(const struct error_key *key, const char **stand_in)
{
    size_t size = key_url_bytes(key);

    *stand_in = size > 0 ? "URL" : "N";
    size = size > 0 ? size : key_literal_bytes(key);
    return size > 0 ? size : key_id_bytes(key);
}

static void key_fold_next(struct error_key *key)
{
    const char *stand_in;
    size_t size = key_variable_bytes(key, &stand_in);
    size_t number = size == 0 ? key_number_bytes(key) : 0;

    if (number > 0 && !key_keeps_number(key, number)) {
        size = number;
    }
    if (size > 0) {
        key_add(key, stand_in, strlen(stand_in));
    } else {
        size = number > 0 ? number : 1;
        key_add(key, key->text.data + key->at, size);
    }
    key->at += size;
}

void error_key_fold(struct bytes text, char *into, size_t capacity)
{
    struct error_key key = {.text = text, .into = into, .capacity = capacity};

    while (key.at < text.size && key.size + 1 < capacity) {
        key_fold_next(&key);
    }
    into[key.size] = 0;
}
