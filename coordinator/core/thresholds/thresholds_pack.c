/* How thresholds stand, as bytes. */
#include "coordinator/core/thresholds/thresholds_inside.h"

#include "common/histogram_pack.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct measure) == 120, "what is packed here has to know each field");

static uint64_t bits_of(double value)
{
    uint64_t bits;
    static_assert(sizeof bits == sizeof value, "a double has 64 bits");
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double value_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void measure_pack(const struct measure *measure, struct buffer *into)
{
    pack_flag(into, measure->is_begun);
    pack_number(into, measure->begun_ms);
    for (size_t i = 0; i < THRESHOLD_COUNTS; i++) {
        pack_number(into, measure->before_counts[i]);
    }
    histogram_pack(measure->before_us, into);
    if (measure->window != NULL) {
        threshold_window_pack(measure->window, into);
    }
}

static void measure_unpack(struct measure *measure, struct unpack *from)
{
    measure->is_begun = unpack_flag(from);
    measure->begun_ms = unpack_number(from);
    for (size_t i = 0; i < THRESHOLD_COUNTS; i++) {
        measure->before_counts[i] = unpack_number(from);
    }
    measure->before_us = histogram_unpack(from);
    if (measure->window != NULL) {
        threshold_window_unpack(measure->window, from);
    }
}

void thresholds_pack(const struct thresholds *thresholds, struct buffer *into)
{
    for (size_t i = 0; i < thresholds->measure_count; i++) {
        measure_pack(&thresholds->measures[i], into);
    }
    for (size_t i = 0; i < thresholds->count; i++) {
        const struct threshold_result *result = &thresholds->results[i];
        pack_number(into, result->outcome);
        pack_flag(into, result->has_value);
        pack_fixed(into, bits_of(result->value));
        pack_number(into, result->missed_ms);
    }
}

void thresholds_unpack(struct thresholds *thresholds, struct unpack *from)
{
    for (size_t i = 0; i < thresholds->measure_count && !from->is_broken; i++) {
        measure_unpack(&thresholds->measures[i], from);
    }
    for (size_t i = 0; i < thresholds->count && !from->is_broken; i++) {
        struct threshold_result *result = &thresholds->results[i];
        result->outcome = (enum threshold_outcome)unpack_bounded(from, THRESHOLD_MISSED);
        result->has_value = unpack_flag(from);
        result->value = value_of(unpack_fixed(from));
        result->missed_ms = unpack_number(from);
    }
}
