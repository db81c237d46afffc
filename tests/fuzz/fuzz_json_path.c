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
    for (size_t i = 0; i < path.segment_count; i++) {
        FUZZ_CHECK(path.segments[i].first == selectors && path.segments[i].count > 0);
        selectors += path.segments[i].count;
    }
    FUZZ_CHECK(selectors == path.selector_count && selectors <= JSON_PATH_SELECTORS);
    for (size_t i = 0; i < selectors; i++) {
        const struct json_selector *selector = &path.selectors[i];
        FUZZ_CHECK((size_t)selector->name_start + selector->name_size <= path.text_size);
        for (int64_t length = 0; selector->kind == JSON_SELECT_SLICE && length < 5; length++) {
            check_slice(selector, length);
        }
    }
    return 0;
}
