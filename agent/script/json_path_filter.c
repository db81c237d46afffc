/* Reads the filters of a path. */
#include "agent/script/json_path_reading.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The longer ones first. */
static const struct {
    const char *word;
    enum json_expression_kind kind;
} COMPARISONS[] = {{"==", JSON_IS_EQUAL},    {"!=", JSON_IS_UNEQUAL}, {"<=", JSON_IS_AT_MOST},
                   {">=", JSON_IS_AT_LEAST}, {"<", JSON_IS_LESS},     {">", JSON_IS_MORE}};

static const struct {
    const char *word;
    enum json_expression_kind kind;
} WORDS[] = {{"true", JSON_VALUE_TRUE},     {"false", JSON_VALUE_FALSE}, {"null", JSON_VALUE_NULL},
             {"length", JSON_VALUE_LENGTH}, {"count", JSON_VALUE_COUNT}, {"value", JSON_VALUE_OF}};

static bool filter_read_expression(struct path_reading *reading, uint16_t *expression);
static bool filter_read_operand(struct path_reading *reading, uint16_t *expression);

static bool filter_take_text(struct path_reading *reading, const char *wanted)
{
    size_t size = strlen(wanted);
    bool is_there = reading->text.size - reading->at >= size &&
                    memcmp(reading->text.data + reading->at, wanted, size) == 0;
    reading->at += is_there ? size : 0;
    return is_there;
}

static bool filter_add(struct path_reading *reading, struct json_expression expression, uint16_t *number)
{
    struct json_path *path = reading->path;
    if (path->expression_count == JSON_PATH_EXPRESSIONS) {
        return path_refuse(reading, reading->at, "it has too many parts");
    }
    *number = (uint16_t)path->expression_count++;
    path->expressions[*number] = expression;
    return true;
}

static bool filter_enter(struct path_reading *reading)
{
    return reading->depth++ < JSON_PATH_DEPTH || path_refuse(reading, reading->at, "it is nested too deep");
}

/* After the @ or the $. */
static bool filter_read_query(struct path_reading *reading, bool is_absolute, uint16_t *number)
{
    uint16_t *segment_link = reading->segment_link;
    uint16_t *selector_link = reading->selector_link;
    struct json_expression query = {
        .kind = JSON_VALUE_QUERY, .is_absolute = is_absolute, .first = JSON_PATH_END};
    if (!filter_add(reading, query, number)) {
        return false;
    }
    struct json_expression *added = &reading->path->expressions[*number];
    reading->segment_link = &added->first;
    for (;;) {
        size_t before = reading->at;
        path_skip_space(reading);
        if (path_peek(reading) != '.' && path_peek(reading) != '[') {
            reading->at = before;
            break;
        }
        if (!path_read_segment(reading)) {
            return false;
        }
    }
    reading->segment_link = segment_link;
    reading->selector_link = selector_link;
    added->is_singular = path_is_singular(reading->path, added->first);
    return true;
}

static size_t filter_append_digits(struct path_reading *reading)
{
    size_t count = 0;
    for (; path_peek(reading) >= '0' && path_peek(reading) <= '9'; reading->at++) {
        path_append(reading->path, path_peek(reading));
        count++;
    }
    return count;
}

static bool filter_append_any(struct path_reading *reading, const char *wanted)
{
    uint8_t byte = path_peek(reading);
    bool is_there = byte != 0 && strchr(wanted, byte) != NULL;
    if (is_there) {
        path_append(reading->path, byte);
        reading->at++;
    }
    return is_there;
}

/* As JSON has it. */
static bool filter_read_number(struct path_reading *reading, uint16_t *number)
{
    struct json_path *path = reading->path;
    size_t start = path->text_size;
    size_t began = reading->at;
    (void)filter_append_any(reading, "-");
    bool has_zero = path_peek(reading) == '0';
    size_t digits = filter_append_digits(reading);
    bool is_good = digits == 1 || (digits > 0 && !has_zero);
    if (is_good && filter_append_any(reading, ".")) {
        is_good = filter_append_digits(reading) > 0;
    }
    if (is_good && filter_append_any(reading, "eE")) {
        (void)filter_append_any(reading, "+-");
        is_good = filter_append_digits(reading) > 0;
    }
    struct json_expression literal = {.kind = JSON_VALUE_NUMBER,
                                      .text = {(uint16_t)start, (uint16_t)(path->text_size - start)}};
    return is_good ? filter_add(reading, literal, number) : path_refuse(reading, began, "expected a number");
}

/* After the opening parenthesis. */
static bool filter_read_argument(struct path_reading *reading, struct json_expression *function)
{
    size_t start = reading->at;
    path_skip_space(reading);
    if (!filter_enter(reading) || !filter_read_operand(reading, &function->left)) {
        return false;
    }
    const struct json_expression *argument = &reading->path->expressions[function->left];
    bool is_query = argument->kind == JSON_VALUE_QUERY;
    if (function->kind == JSON_VALUE_LENGTH ? is_query && !argument->is_singular : !is_query) {
        return path_refuse(reading, start,
                           is_query ? "length takes one value at most" : "this function takes a query");
    }
    reading->depth--;
    path_skip_space(reading);
    return path_take(reading, ')') || path_refuse(reading, reading->at, "expected )");
}

/* true, false, null, or a function. */
static bool filter_read_word(struct path_reading *reading, uint16_t *number)
{
    size_t start = reading->at;
    struct json_expression expression = {0};
    while (path_peek(reading) >= 'a' && path_peek(reading) <= 'z') {
        reading->at++;
    }
    struct bytes word = bytes_of(reading->text.data + start, reading->at - start);
    size_t i = 0;
    while (i < COUNT_OF(WORDS) && !bytes_equal_string(word, WORDS[i].word)) {
        i++;
    }
    if (i == COUNT_OF(WORDS)) {
        bool is_pattern = bytes_equal_string(word, "match") || bytes_equal_string(word, "search");
        return path_refuse(reading, start,
                           is_pattern
                               ? "match and search are not supported: compare in Lua"
                               : "expected @, $, a number, a quoted text, true, false, null, length(), "
                                 "count() or value()");
    }
    expression.kind = WORDS[i].kind;
    bool is_function = expression.kind >= JSON_VALUE_LENGTH;
    if (is_function && !path_take(reading, '(')) {
        return path_refuse(reading, reading->at, "expected (");
    }
    return (!is_function || filter_read_argument(reading, &expression)) &&
           filter_add(reading, expression, number);
}

/* What can be compared. */
static bool filter_read_operand(struct path_reading *reading, uint16_t *number)
{
    uint8_t first = path_peek(reading);
    if (path_take(reading, '@') || path_take(reading, '$')) {
        return filter_read_query(reading, first == '$', number);
    }
    if (first == '\'' || first == '"') {
        struct json_expression literal = {.kind = JSON_VALUE_TEXT};
        return path_read_quoted(reading, &literal.text) && filter_add(reading, literal, number);
    }
    if (first == '-' || (first >= '0' && first <= '9')) {
        return filter_read_number(reading, number);
    }
    return filter_read_word(reading, number);
}

static bool filter_is_comparable(const struct path_reading *reading, uint16_t number)
{
    const struct json_expression *operand = &reading->path->expressions[number];
    return operand->kind != JSON_VALUE_QUERY || operand->is_singular;
}

static bool filter_read_comparison(struct path_reading *reading, uint16_t left, size_t start,
                                   uint16_t *number)
{
    size_t i = 0;
    while (i < COUNT_OF(COMPARISONS) && !filter_take_text(reading, COMPARISONS[i].word)) {
        i++;
    }
    if (i == COUNT_OF(COMPARISONS)) { /* whether there is such a thing */
        bool is_query = reading->path->expressions[left].kind == JSON_VALUE_QUERY;
        return is_query ? filter_add(reading, (struct json_expression){.kind = JSON_IS_THERE, .left = left},
                                     number)
                        : path_refuse(reading, reading->at, "expected a comparison");
    }
    struct json_expression comparison = {.kind = COMPARISONS[i].kind, .left = left};
    path_skip_space(reading);
    size_t second = reading->at;
    if (!filter_read_operand(reading, &comparison.right)) {
        return false;
    }
    if (!filter_is_comparable(reading, left) || !filter_is_comparable(reading, comparison.right)) {
        return path_refuse(reading, filter_is_comparable(reading, left) ? second : start,
                           "only what is one value at most can be compared");
    }
    return filter_add(reading, comparison, number);
}

/* A comparison, a test of existence, or something in parentheses; perhaps with ! before it. */
static bool filter_read_basic(struct path_reading *reading, uint16_t *number)
{
    path_skip_space(reading);
    bool is_not = path_take(reading, '!');
    path_skip_space(reading);
    size_t start = reading->at;
    if (path_take(reading, '(')) {
        if (!filter_enter(reading) || !filter_read_expression(reading, number)) {
            return false;
        }
        reading->depth--;
        if (!path_take(reading, ')')) {
            return path_refuse(reading, reading->at, "expected )");
        }
    } else {
        uint16_t left = 0;
        if (!filter_read_operand(reading, &left)) {
            return false;
        }
        path_skip_space(reading);
        if (!filter_read_comparison(reading, left, start, number)) {
            return false;
        }
        if (is_not && reading->path->expressions[*number].kind != JSON_IS_THERE) {
            return path_refuse(reading, start, "a comparison after ! needs parentheses");
        }
    }
    struct json_expression negation = {.kind = JSON_IS_NOT, .left = *number};
    return !is_not || filter_add(reading, negation, number);
}

static bool filter_read_and(struct path_reading *reading, uint16_t *number)
{
    if (!filter_read_basic(reading, number)) {
        return false;
    }
    for (path_skip_space(reading); filter_take_text(reading, "&&"); path_skip_space(reading)) {
        struct json_expression both = {.kind = JSON_IS_BOTH, .left = *number};
        if (!filter_read_basic(reading, &both.right) || !filter_add(reading, both, number)) {
            return false;
        }
    }
    return true;
}

static bool filter_read_expression(struct path_reading *reading, uint16_t *number)
{
    if (!filter_read_and(reading, number)) {
        return false;
    }
    for (path_skip_space(reading); filter_take_text(reading, "||"); path_skip_space(reading)) {
        struct json_expression either = {.kind = JSON_IS_EITHER, .left = *number};
        if (!filter_read_and(reading, &either.right) || !filter_add(reading, either, number)) {
            return false;
        }
    }
    return true;
}

bool path_read_filter(struct path_reading *reading, uint16_t *expression)
{
    if (!filter_enter(reading) || !filter_read_expression(reading, expression)) {
        return false;
    }
    reading->depth--;
    return true;
}
