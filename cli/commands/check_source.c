/* Looks for likely mistakes in the text of a script. */
#include "cli/commands/check_source.h"

#include "common/edit_distance.h"
#include "common/log.h"

#include <string.h>

#define OBJECT "worker"
#define NAME_MOST_BYTES 32u
#define SUGGESTION_DISTANCE 2u

static const char *const fields[] = {"id",    "count",    "step",    "seat",     "room",
                                     "agent", "notifier", "barrier", "get_var",  "set_var",
                                     "cas",   "incr",     "delete",  "wait_var", NULL};
static const char *const fixtures[] = {"global_setup",     "setup",    "setup_session",
                                       "teardown_session", "teardown", "global_teardown",
                                       "scenario_picker",  NULL};

/* A place in a file. */
struct source_cursor {
    struct bytes text;
    size_t at;
    unsigned line;
};

static bool source_is_word(uint8_t byte)
{
    return byte == '_' || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z');
}

static size_t source_spaces(struct bytes text, size_t at)
{
    size_t end = at;
    while (end < text.size && (text.data[end] == ' ' || text.data[end] == '\t')) {
        end++;
    }
    return end - at;
}

/* The next name in the text; empty at its end. */
static struct bytes source_next_word(struct source_cursor *cursor)
{
    struct bytes text = cursor->text;
    while (cursor->at < text.size && !source_is_word(text.data[cursor->at])) {
        cursor->line += text.data[cursor->at++] == '\n' ? 1 : 0;
    }
    size_t start = cursor->at;
    while (cursor->at < text.size && source_is_word(text.data[cursor->at])) {
        cursor->at++;
    }
    return bytes_of(text.data + start, cursor->at - start);
}

/* The name after "worker." or "worker:"; the cursor is after it. */
static bool source_next_field(struct source_cursor *cursor, struct bytes *field)
{
    for (;;) {
        struct bytes word = source_next_word(cursor);
        if (word.size == 0) {
            return false;
        }
        struct bytes text = cursor->text;
        bool is_part = word.data > text.data && word.data[-1] == '.';
        bool has_field = cursor->at + 1 < text.size &&
                         (text.data[cursor->at] == '.' || text.data[cursor->at] == ':') &&
                         source_is_word(text.data[cursor->at + 1]);
        if (bytes_equal_string(word, OBJECT) && !is_part && has_field) {
            *field = source_next_word(cursor);
            return true;
        }
    }
}

/* Whether "=", and not "==", follows. */
static bool source_is_set(const struct source_cursor *cursor)
{
    struct bytes text = cursor->text;
    size_t at = cursor->at + source_spaces(text, cursor->at);
    return at < text.size && text.data[at] == '=' && (at + 1 == text.size || text.data[at + 1] != '=');
}

static bool is_file_of_lua(const struct bundle_file *file)
{
    return file->path.size > 4 && memcmp(file->path.data + file->path.size - 4, ".lua", 4) == 0;
}

/* Also as the key of a table, such as `worker["x"]`: a script that does so sets what cannot be seen. */
static bool is_set_anywhere(const struct bundle *bundle, struct bytes field)
{
    for (size_t i = 0; i < bundle->file_count; i++) {
        struct source_cursor cursor = {.text = bundle->files[i].content, .line = 1};
        struct bytes other;
        while (is_file_of_lua(&bundle->files[i]) && source_next_field(&cursor, &other)) {
            if (bytes_equal(field, other) && source_is_set(&cursor)) {
                return true;
            }
        }
    }
    return false;
}

/* NULL if it is one, or nearly none. */
static const char *nearest_field(struct bytes field)
{
    const char *nearest = NULL;
    size_t least = SUGGESTION_DISTANCE + 1;
    for (size_t i = 0; fields[i] != NULL && field.size <= NAME_MOST_BYTES; i++) {
        size_t distance = edit_distance(bytes_of_string(fields[i]), field);
        if (distance == 0) {
            return NULL;
        }
        if (distance < least && distance < field.size) {
            least = distance;
            nearest = fields[i];
        }
    }
    return nearest;
}

static void check_fields(const char *who, const struct bundle *bundle, const struct bundle_file *file)
{
    struct source_cursor cursor = {.text = file->content, .line = 1};
    struct bytes field;
    while (source_next_field(&cursor, &field)) {
        const char *nearest = nearest_field(field);
        if (nearest != NULL && !is_set_anywhere(bundle, field)) {
            log_line(LOG_WARNING, who, "%.*s:%u: nobody sets " OBJECT ".%.*s; did you mean " OBJECT ".%s?",
                     BYTES_FORMAT(file->path), cursor.line, BYTES_FORMAT(field), nearest);
        }
    }
}

static const char *fixture_of(struct bytes word)
{
    for (size_t i = 0; fixtures[i] != NULL; i++) {
        if (bytes_equal_string(word, fixtures[i])) {
            return fixtures[i];
        }
    }
    return NULL;
}

static bool has_fixture(const struct script_facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->fixture_count; i++) {
        if (strcmp(facts->fixtures[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* "function setup(worker)", as in other tools, is called by nobody. */
static void check_fixtures(const char *who, const struct script_facts *facts, const struct bundle_file *file)
{
    struct source_cursor cursor = {.text = file->content, .line = 1};
    bool is_after_function = false;
    for (struct bytes word = source_next_word(&cursor); word.size > 0; word = source_next_word(&cursor)) {
        bool is_called = cursor.at < file->content.size && file->content.data[cursor.at] == '(';
        const char *name = is_after_function && is_called ? fixture_of(word) : NULL;
        if (name != NULL && !has_fixture(facts, name)) {
            log_line(LOG_WARNING, who,
                     "%.*s:%u: nobody calls the function %s; a fixture is given to tutti: tutti.%s(%s)",
                     BYTES_FORMAT(file->path), cursor.line, name, name, name);
        }
        is_after_function = bytes_equal_string(word, "function");
    }
}

void check_source(const char *who, const struct script_facts *facts)
{
    for (size_t i = 0; i < facts->bundle.file_count; i++) {
        const struct bundle_file *file = &facts->bundle.files[i];
        if (is_file_of_lua(file)) {
            check_fields(who, &facts->bundle, file);
            check_fixtures(who, facts, file);
        }
    }
}
