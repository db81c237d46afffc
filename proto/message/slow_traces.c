/* The slowest requests with traces. */
#include "proto/message/slow_traces.h"

#include "common/memory.h"

#include <string.h>

static const char trace_digits[] = "0123456789abcdef";

void slow_traces_finish(struct slow_traces *traces)
{
    memory_free(traces->items);
    *traces = (struct slow_traces){0};
}

void slow_traces_add(struct slow_traces *traces, const struct slow_trace *trace)
{
    size_t at = traces->size;
    if (traces->items == NULL) {
        traces->items = memory_new(SLOW_TRACES, sizeof *traces->items);
    }
    while (at > 0 && traces->items[at - 1].latency_us < trace->latency_us) {
        at--;
    }
    if (at == SLOW_TRACES) {
        return;
    }
    traces->size += traces->size < SLOW_TRACES;
    memmove(&traces->items[at + 1], &traces->items[at], (traces->size - at - 1) * sizeof traces->items[0]);
    traces->items[at] = *trace;
}

void slow_traces_merge(struct slow_traces *traces, const struct slow_traces *from)
{
    for (size_t i = 0; i < from->size; i++) {
        slow_traces_add(traces, &from->items[i]);
    }
}

void trace_id_to_text(const uint8_t id[TRACE_ID_BYTES], char text[TRACE_TEXT_BYTES])
{
    for (size_t i = 0; i < TRACE_ID_BYTES; i++) {
        text[2 * i] = trace_digits[id[i] >> 4];
        text[2 * i + 1] = trace_digits[id[i] & 15];
    }
    text[TRACE_TEXT_BYTES - 1] = '\0';
}

/* NULL if it is none. */
static const char *trace_digit(char digit)
{
    return digit != '\0' ? strchr(trace_digits, digit) : NULL;
}

bool trace_id_of_text(const char *text, size_t size, uint8_t id[TRACE_ID_BYTES])
{
    uint8_t any = 0;
    for (size_t i = 0; i < TRACE_ID_BYTES; i++) {
        const char *high = 2 * i + 1 < size ? trace_digit(text[2 * i]) : NULL;
        const char *low = high != NULL ? trace_digit(text[2 * i + 1]) : NULL;
        if (low == NULL) {
            return false;
        }
        id[i] = (uint8_t)((high - trace_digits) << 4 | (low - trace_digits));
        any |= id[i];
    }
    return any != 0;
}
