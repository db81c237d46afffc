/* Paths into JSON. */
#include "agent/script/json_path_reading.h"

#include "common/digits.h"

#include <string.h>

/* What RFC 9535 allows: integers that JSON readers agree on. */
#define INDEX_MAX ((int64_t)1 << 53)
#define SURROGATE_FIRST 0xd800u
#define SURROGATE_LOW 0xdc00u
#define SURROGATE_PAST 0xe000u

bool path_refuse(const struct path_reading *reading, size_t at, const char *why)
{
    return error_set(reading->error, "path \"%.*s\", column %zu: %s",
                     bytes_is_printable(reading->text) ? (int)reading->text.size : 0,
                     (const char *)reading->text.data, at + 1, why);
}

uint8_t path_peek(const struct path_reading *reading)
{
    return reading->at < reading->text.size ? reading->text.data[reading->at] : 0;
}

bool path_take(struct path_reading *reading, char wanted)
{
    bool is_there = reading->at < reading->text.size && path_peek(reading) == (uint8_t)wanted;
    reading->at += is_there ? 1 : 0;
    return is_there;
}

void path_skip_space(struct path_reading *reading)
{
    while (path_peek(reading) == ' ' || path_peek(reading) == '\t' || path_peek(reading) == '\n' ||
           path_peek(reading) == '\r') {
        reading->at++;
    }
}

static bool path_add_selector(struct path_reading *reading, struct json_selector selector)
{
    struct json_path *path = reading->path;
    if (path->selector_count == JSON_PATH_SELECTORS) {
        return path_refuse(reading, reading->at, "it has too many parts");
    }
    uint16_t number = (uint16_t)path->selector_count++;
    selector.next = JSON_PATH_END;
    path->selectors[number] = selector;
    *reading->selector_link = number;
    reading->selector_link = &path->selectors[number].next;
    return true;
}

static struct json_path_text path_text_since(const struct json_path *path, size_t start)
{
    return (struct json_path_text){(uint16_t)start, (uint16_t)(path->text_size - start)};
}

static bool path_add_name(struct path_reading *reading, struct json_path_text name)
{
    return path_add_selector(reading, (struct json_selector){.kind = JSON_SELECT_NAME, .name = name});
}

void path_append(struct json_path *path, uint8_t byte)
{
    path->texts[path->text_size++] = (char)byte;
}

static void path_append_character(struct json_path *path, uint32_t character)
{
    if (character < 0x80) {
        path_append(path, (uint8_t)character);
    } else if (character < 0x800) {
        path_append(path, (uint8_t)(0xc0 | character >> 6));
        path_append(path, (uint8_t)(0x80 | (character & 0x3f)));
    } else if (character < 0x10000) {
        path_append(path, (uint8_t)(0xe0 | character >> 12));
        path_append(path, (uint8_t)(0x80 | (character >> 6 & 0x3f)));
        path_append(path, (uint8_t)(0x80 | (character & 0x3f)));
    } else {
        path_append(path, (uint8_t)(0xf0 | character >> 18));
        path_append(path, (uint8_t)(0x80 | (character >> 12 & 0x3f)));
        path_append(path, (uint8_t)(0x80 | (character >> 6 & 0x3f)));
        path_append(path, (uint8_t)(0x80 | (character & 0x3f)));
    }
}

static bool path_read_hex(struct path_reading *reading, uint32_t *number)
{
    *number = 0;
    for (int i = 0; i < 4; i++) {
        int value = digits_hex_value(path_peek(reading));
        if (value < 0) {
            return path_refuse(reading, reading->at, "four hexadecimal digits are missing");
        }
        *number = *number << 4 | (uint32_t)value;
        reading->at++;
    }
    return true;
}

static bool path_read_unicode(struct path_reading *reading)
{
    uint32_t character = 0;
    uint32_t low = 0;
    size_t start = reading->at;
    if (!path_read_hex(reading, &character)) {
        return false;
    }
    if (character >= SURROGATE_FIRST && character < SURROGATE_LOW) {
        bool has_low = path_take(reading, '\\') && path_take(reading, 'u');
        if (!has_low || !path_read_hex(reading, &low) || low < SURROGATE_LOW || low >= SURROGATE_PAST) {
            return path_refuse(reading, start, "a surrogate without its other half");
        }
        character = 0x10000 + ((character - SURROGATE_FIRST) << 10) + (low - SURROGATE_LOW);
    } else if (character >= SURROGATE_LOW && character < SURROGATE_PAST) {
        return path_refuse(reading, start, "a surrogate without its other half");
    }
    path_append_character(reading->path, character);
    return true;
}

/* After the backslash. */
static bool path_read_escape(struct path_reading *reading, char quote)
{
    static const char letters[] = "bfnrt/\\";
    static const char meanings[] = "\b\f\n\r\t/\\";
    uint8_t letter = path_peek(reading);
    const char *found = letter != 0 ? strchr(letters, letter) : NULL;
    reading->at++;
    if (letter == 'u') {
        return path_read_unicode(reading);
    }
    if (found == NULL && letter != (uint8_t)quote) {
        return path_refuse(reading, reading->at - 1, "no such escape");
    }
    path_append(reading->path, found != NULL ? (uint8_t)meanings[found - letters] : letter);
    return true;
}

bool path_read_quoted(struct path_reading *reading, struct json_path_text *text)
{
    size_t start = reading->path->text_size;
    size_t opened = reading->at;
    char quote = (char)path_peek(reading);
    reading->at++;
    while (!path_take(reading, quote)) {
        if (reading->at >= reading->text.size || path_peek(reading) < ' ') {
            return path_refuse(reading, opened, "the quote is not closed");
        }
        if (path_take(reading, '\\')) {
            if (!path_read_escape(reading, quote)) {
                return false;
            }
        } else {
            path_append(reading->path, path_peek(reading));
            reading->at++;
        }
    }
    *text = path_text_since(reading->path, start);
    return true;
}

static bool path_is_of_name(uint8_t byte, bool is_first)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' || byte >= 0x80 ||
           (!is_first && byte >= '0' && byte <= '9');
}

static bool path_read_name(struct path_reading *reading)
{
    size_t start = reading->path->text_size;
    if (path_take(reading, '*')) {
        return path_add_selector(reading, (struct json_selector){.kind = JSON_SELECT_ALL});
    }
    while (reading->at < reading->text.size &&
           path_is_of_name(path_peek(reading), reading->path->text_size == start)) {
        path_append(reading->path, path_peek(reading));
        reading->at++;
    }
    return reading->path->text_size > start ? path_add_name(reading, path_text_since(reading->path, start))
                                            : path_refuse(reading, reading->at, "expected a name");
}

/* 0, or digits that do not begin with 0, perhaps with a minus before them. */
static bool path_read_integer(struct path_reading *reading, int64_t *number)
{
    size_t start = reading->at;
    bool is_negative = path_take(reading, '-');
    size_t digits = reading->at;
    int64_t value = 0;
    while (path_peek(reading) >= '0' && path_peek(reading) <= '9' && value < INDEX_MAX) {
        value = value * 10 + (path_peek(reading) - '0');
        reading->at++;
    }
    bool has_zero = reading->text.size > digits && reading->text.data[digits] == '0';
    if (reading->at == digits || value >= INDEX_MAX ||
        (has_zero && (reading->at > digits + 1 || is_negative))) {
        return path_refuse(reading, start, "expected a whole number");
    }
    *number = is_negative ? -value : value;
    return true;
}

static bool path_is_at_integer(const struct path_reading *reading)
{
    return path_peek(reading) == '-' || (path_peek(reading) >= '0' && path_peek(reading) <= '9');
}

/* An index, or a slice start:end:step. */
static bool path_read_numbers(struct path_reading *reading)
{
    struct json_selector selector = {.kind = JSON_SELECT_INDEX, .step = 1};
    if (path_is_at_integer(reading)) {
        selector.has_start = true;
        if (!path_read_integer(reading, &selector.index)) {
            return false;
        }
        path_skip_space(reading);
    }
    if (path_take(reading, ':')) {
        selector.kind = JSON_SELECT_SLICE;
        path_skip_space(reading);
        selector.has_end = path_is_at_integer(reading);
        if (selector.has_end && !path_read_integer(reading, &selector.end)) {
            return false;
        }
        path_skip_space(reading);
        if (path_take(reading, ':')) {
            path_skip_space(reading);
            if (path_is_at_integer(reading) && !path_read_integer(reading, &selector.step)) {
                return false;
            }
        }
    }
    return path_add_selector(reading, selector);
}

static bool path_read_selector(struct path_reading *reading)
{
    uint8_t first = path_peek(reading);
    if (first == '\'' || first == '"') {
        struct json_path_text name;
        return path_read_quoted(reading, &name) && path_add_name(reading, name);
    }
    if (path_take(reading, '*')) {
        return path_add_selector(reading, (struct json_selector){.kind = JSON_SELECT_ALL});
    }
    if (first == ':' || path_is_at_integer(reading)) {
        return path_read_numbers(reading);
    }
    if (path_take(reading, '?')) {
        struct json_selector filter = {.kind = JSON_SELECT_FILTER};
        return path_read_filter(reading, &filter.expression) && path_add_selector(reading, filter);
    }
    return path_refuse(reading, reading->at, "expected a quoted name, an index, a slice or *, or a filter");
}

/* After the opening bracket. */
static bool path_read_bracket(struct path_reading *reading)
{
    do {
        path_skip_space(reading);
        if (!path_read_selector(reading)) {
            return false;
        }
        path_skip_space(reading);
    } while (path_take(reading, ','));
    return path_take(reading, ']') || path_refuse(reading, reading->at, "expected , or ]");
}

static bool path_open_segment(struct path_reading *reading, bool is_descendant)
{
    struct json_path *path = reading->path;
    if (path->segment_count == JSON_PATH_SEGMENTS) {
        return path_refuse(reading, reading->at, "it has too many parts");
    }
    uint16_t number = (uint16_t)path->segment_count++;
    struct json_segment *segment = &path->segments[number];
    *segment = (struct json_segment){is_descendant, JSON_PATH_END, JSON_PATH_END};
    *reading->segment_link = number;
    reading->segment_link = &segment->next;
    reading->selector_link = &segment->first;
    return true;
}

bool path_read_segment(struct path_reading *reading)
{
    bool has_dot = path_take(reading, '.');
    bool is_descendant = has_dot && path_take(reading, '.');
    if (!path_open_segment(reading, is_descendant)) {
        return false;
    }
    if ((!has_dot || is_descendant) && path_take(reading, '[')) {
        return path_read_bracket(reading);
    }
    return has_dot ? path_read_name(reading) : path_refuse(reading, reading->at, "expected . or [");
}

bool path_is_singular(const struct json_path *path, uint16_t first)
{
    for (uint16_t number = first; number != JSON_PATH_END; number = path->segments[number].next) {
        const struct json_selector *selector = &path->selectors[path->segments[number].first];
        if (path->segments[number].is_descendant || selector->next != JSON_PATH_END ||
            (selector->kind != JSON_SELECT_NAME && selector->kind != JSON_SELECT_INDEX)) {
            return false;
        }
    }
    return true;
}

bool json_path_parse(struct bytes text, struct json_path *path, struct error *error)
{
    struct path_reading reading = {.text = text, .path = path, .error = error, .segment_link = &path->first};
    path->segment_count = path->selector_count = path->expression_count = path->text_size = 0;
    path->first = JSON_PATH_END;
    if (text.size == 0 || text.size > JSON_PATH_MAX_BYTES) {
        return error_set(error, "a path has 1 to %u bytes", JSON_PATH_MAX_BYTES);
    }
    if (!path_take(&reading, '$') && path_peek(&reading) != '[' && path_peek(&reading) != '.') {
        if (!path_open_segment(&reading, false) || !path_read_name(&reading)) {
            return false;
        }
    }
    while (reading.at < text.size) {
        size_t start = reading.at;
        path_skip_space(&reading);
        if (reading.at == text.size && reading.at > start) {
            return path_refuse(&reading, start, "space at the end");
        }
        if (!path_read_segment(&reading)) {
            return false;
        }
    }
    path->is_singular = path_is_singular(path, path->first);
    return true;
}

struct bytes json_path_bytes(const struct json_path *path, struct json_path_text text)
{
    return bytes_of(path->texts + text.start, text.size);
}

static int64_t path_clamp(int64_t number, int64_t lowest, int64_t highest)
{
    return number < lowest ? lowest : number > highest ? highest : number;
}

struct json_slice json_path_slice(const struct json_selector *selector, int64_t size)
{
    int64_t step = selector->step;
    bool is_up = step >= 0;
    int64_t first = selector->has_start ? selector->index : is_up ? 0 : size - 1;
    int64_t past = selector->has_end ? selector->end : is_up ? size : -size - 1;
    first += first < 0 ? size : 0;
    past += past < 0 && selector->has_end ? size : 0;
    if (is_up) {
        return (struct json_slice){path_clamp(first, 0, size), path_clamp(past, 0, size), step};
    }
    return (struct json_slice){path_clamp(first, -1, size - 1), path_clamp(past, -1, size - 1), step};
}
