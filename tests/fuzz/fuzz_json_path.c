/* Any bytes as a path into JSON: what is read stays within its bounds, and so do its slices. */
#include "fuzz.h"

#include "agent/script/json_path.h"

#include <string.h>

static void check_slice(const struct json_selector *selector, int64_t size)
{
    struct json_slice slice = json_path_slice(selector, size);
    int64_t at = slice.first;
    int64_t steps = 0;

    while ((slice.step > 0 && at < slice.past) || (slice.step < 0 && at > slice.past)) {
        FUZZ_CHECK(at >= 0 && at < size && steps++ <= size);
        at += slice.step;
    }
}

/* Returns how many segments it has: each belongs to one query. */
static size_t check_query(const struct json_path *path, uint16_t first)
{
    size_t count = 0;
    for (uint16_t i = first; i != JSON_PATH_END; i = path->segments[i].next) {
        FUZZ_CHECK(i < path->segment_count && ++count <= path->segment_count);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_path path;
    struct error error = {""};
    size_t selectors = 0;

    if (!json_path_parse(bytes_of(data, size), &path, &error)) {
        FUZZ_CHECK(error.text[0] != '\0');
        return 0;
    }
    FUZZ_CHECK(path.text_size <= JSON_PATH_MAX_BYTES && path.segment_count <= JSON_PATH_SEGMENTS);
    FUZZ_CHECK(path.expression_count <= JSON_PATH_EXPRESSIONS);
    size_t segments = check_query(&path, path.first);
    for (size_t i = 0; i < path.expression_count; i++) {
        const struct json_expression *expression = &path.expressions[i];
        FUZZ_CHECK((size_t)expression->text.start + expression->text.size <= path.text_size);
        FUZZ_CHECK(expression->kind >= JSON_VALUE_NUMBER ? expression->left <= i : expression->left < i);
        FUZZ_CHECK(expression->right < i || expression->right == 0);
        segments += expression->kind == JSON_VALUE_QUERY ? check_query(&path, expression->first) : 0;
    }
    FUZZ_CHECK(segments == path.segment_count);
    for (size_t i = 0; i < path.segment_count; i++) {
        FUZZ_CHECK(path.segments[i].first != JSON_PATH_END);
        for (uint16_t j = path.segments[i].first; j != JSON_PATH_END; j = path.selectors[j].next) {
            FUZZ_CHECK(j < path.selector_count && ++selectors <= JSON_PATH_SELECTORS);
        }
    }
    FUZZ_CHECK(selectors == path.selector_count);
    for (size_t i = 0; i < selectors; i++) {
        const struct json_selector *selector = &path.selectors[i];
        FUZZ_CHECK((size_t)selector->name.start + selector->name.size <= path.text_size);
        FUZZ_CHECK(selector->kind != JSON_SELECT_FILTER || selector->expression < path.expression_count);
        for (int64_t length = 0; selector->kind == JSON_SELECT_SLICE && length < 5; length++) {
            check_slice(selector, length);
        }
    }
    return 0;
}
