/* CURVE keys as text. */
#include "proto/keys/keys.h"

#include "proto/keys/key_lines.h"

#include <string.h>

/* One line of a file, and the destination of its value. */
struct field {
    const char *word;
    char *into;
    bool is_key; /* else a name */
    bool is_optional;
};

/* The index of a character in Z85's alphabet, or -1. */
static int digit_of(uint8_t character)
{
    static const char ALPHABET[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    const char *found = character != '\0' ? strchr(ALPHABET, character) : NULL;
    return found != NULL ? (int)(found - ALPHABET) : -1;
}

bool key_is_valid(struct bytes text)
{
    if (text.size != KEY_TEXT_BYTES) {
        return false;
    }
    for (size_t group = 0; group < KEY_TEXT_BYTES; group += 5) {
        uint64_t value = 0;
        for (size_t i = 0; i < 5; i++) {
            int digit = digit_of(text.data[group + i]);
            if (digit < 0) {
                return false;
            }
            value = value * 85 + (uint64_t)digit;
        }
        if (value > UINT32_MAX) {
            return false;
        }
    }
    return true;
}

static bool may_stand_in_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool key_name_check(struct bytes name, struct error *error)
{
    bool is_good = name.size > 0 && name.size <= KEY_NAME_BYTES && name.data[0] != '.' && name.data[0] != '-';
    for (size_t i = 0; is_good && i < name.size; i++) {
        is_good = may_stand_in_name(name.data[i]);
    }
    return is_good || error_set(error,
                                "the name of an agent with a key has 1 to %u letters, digits, '_', '-' and "
                                "'.', and does not begin with the last two",
                                KEY_NAME_BYTES);
}

static bool take_value(const struct field *field, struct bytes value, unsigned line, struct error *error)
{
    if (field->into[0] != '\0') {
        return error_set(error, "line %u: \"%s\" is a duplicate", line, field->word);
    }
    if (field->is_key && !key_is_valid(value)) {
        return error_set(error, "line %u: \"%s\" is not a key of 40 characters", line, field->word);
    }
    if (!field->is_key && !key_name_check(value, error)) {
        return error_wrap(error, "line %u: ", line);
    }
    bytes_to_text(value, field->into, value.size + 1);
    return true;
}

static const struct field *find_field(const struct field *fields, size_t count, struct bytes word)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal_string(word, fields[i].word)) {
            return &fields[i];
        }
    }
    return NULL;
}

static bool parse(struct bytes text, const struct field *fields, size_t count, struct error *error)
{
    struct key_lines lines = {.rest = text};
    for (size_t i = 0; i < count; i++) {
        fields[i].into[0] = '\0';
    }
    while (key_lines_next(&lines, error)) {
        const struct field *field = find_field(fields, count, lines.word);
        if (field == NULL) {
            return error_set(error, "line %u begins with an unknown word", lines.number);
        }
        if (!take_value(field, lines.value, lines.number, error)) {
            return false;
        }
    }
    if (lines.is_broken) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].into[0] == '\0' && !fields[i].is_optional) {
            return error_set(error, "the line \"%s …\" is missing", fields[i].word);
        }
    }
    return true;
}

bool key_pair_parse(struct bytes text, struct key_pair *pair, struct error *error)
{
    struct key_pair parsed;
    const struct field fields[] = {{"public", parsed.public_key, true, false},
                                   {"secret", parsed.secret_key, true, false}};
    bool is_good = parse(text, fields, sizeof fields / sizeof *fields, error);
    if (is_good) {
        *pair = parsed;
    }
    key_pair_wipe(&parsed);
    return is_good;
}

static bool is_whole(const struct agent_key *key)
{
    int parts =
        (key->pair.public_key[0] != '\0') + (key->pair.secret_key[0] != '\0') + (key->coordinator[0] != '\0');
    return parts == (key->token[0] != '\0' ? 0 : 3);
}

bool agent_key_parse(struct bytes text, struct agent_key *key, struct error *error)
{
    struct agent_key parsed;
    const struct field fields[] = {{"name", parsed.name, false, false},
                                   {"public", parsed.pair.public_key, true, true},
                                   {"secret", parsed.pair.secret_key, true, true},
                                   {"coordinator", parsed.coordinator, true, true},
                                   {"token", parsed.token, true, true}};
    bool is_good = parse(text, fields, sizeof fields / sizeof *fields, error);
    if (is_good && !is_whole(&parsed)) {
        is_good = error_set(error, "it needs the lines public, secret and coordinator, or only token");
    }
    if (is_good) {
        *key = parsed;
    }
    agent_key_wipe(&parsed);
    return is_good;
}

void key_pair_format(const struct key_pair *pair, struct buffer *into)
{
    buffer_append_format(
        into,
        "# tutti: the key pair of a coordinator. Anyone who has the secret can impersonate it.\n"
        "public %s\nsecret %s\n",
        pair->public_key, pair->secret_key);
}

void agent_key_format(const struct agent_key *key, struct buffer *into)
{
    if (key->token[0] != '\0') {
        buffer_append_format(into, "name %s\ntoken %s\n", key->name, key->token);
        return;
    }
    buffer_append_format(into,
                         "# tutti: the key of one agent, for its host only: tutti agent --key FILE\n"
                         "name %s\npublic %s\nsecret %s\ncoordinator %s\n",
                         key->name, key->pair.public_key, key->pair.secret_key, key->coordinator);
}

void key_pair_wipe(struct key_pair *pair)
{
    explicit_bzero(pair->secret_key, sizeof pair->secret_key);
}

void agent_key_wipe(struct agent_key *key)
{
    key_pair_wipe(&key->pair);
    explicit_bzero(key->token, sizeof key->token);
}
