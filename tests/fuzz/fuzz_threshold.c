/* Any bytes as thresholds: what is read has a meaning, and reads the same again. */
#include "fuzz.h"

#include "proto/message/threshold.h"

#include <math.h>
#include <string.h>

static void check_threshold(const struct threshold *threshold)
{
    struct threshold again;
    char shown[THRESHOLD_VALUE_BYTES];

    FUZZ_CHECK(bytes_is_printable(threshold->text));
    FUZZ_CHECK(threshold->metric < THRESHOLD_METRICS && threshold->count < THRESHOLD_COUNTS);
    FUZZ_CHECK(isfinite(threshold->limit) && threshold->limit >= 0);
    FUZZ_CHECK(threshold->quantile >= 0 && threshold->quantile <= 1);
    FUZZ_CHECK(threshold->over_ms <= THRESHOLD_MAX_OVER_MS);
    FUZZ_CHECK(threshold->over_ms == 0 || threshold->over_ms >= 1000);
    FUZZ_CHECK(threshold->name.size <= 255);
    threshold_describe(threshold, threshold->limit, shown);
    FUZZ_CHECK(strlen(shown) > 0);
    FUZZ_CHECK(threshold_holds(threshold, threshold->limit) ==
               (threshold->comparison == THRESHOLD_AT_MOST || threshold->comparison == THRESHOLD_AT_LEAST ||
                threshold->comparison == THRESHOLD_EQUAL));
    FUZZ_CHECK(threshold_matches(threshold, threshold->name));
    FUZZ_CHECK(threshold_parse(threshold->text, &again, NULL));
    FUZZ_CHECK(bytes_equal(again.text, threshold->text) && again.statistic == threshold->statistic);
    FUZZ_CHECK(again.limit == threshold->limit && again.over_ms == threshold->over_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    struct bytes rest = text;
    struct bytes one;
    struct error error;
    size_t count = 0;
    bool are_good = true;

    while (thresholds_next(&rest, &one)) {
        struct threshold threshold;
        FUZZ_CHECK(one.size > 0 && one.data >= data && one.data + one.size <= data + size);
        count++;
        if (threshold_parse(one, &threshold, &error)) {
            check_threshold(&threshold);
        } else {
            FUZZ_CHECK(strncmp(error.text, "column ", 7) == 0);
            are_good = false;
        }
    }
    FUZZ_CHECK(thresholds_check(text, &error) == (are_good && count <= THRESHOLDS_MAX));
    return 0;
}
