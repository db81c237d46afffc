/* Workers that wait for the same thing, for who watches a campaign. */
#include "coordinator/core/report/wait_crowd.h"
#include "common/escape.h"

void wait_crowd_describe(const struct wait_crowd *crowd, struct buffer *text)
{
    bool has_step = crowd->kind == OPERATION_BARRIER || crowd->kind == OPERATION_WAIT_WRITER ||
                    crowd->kind == OPERATION_WAIT_READERS;
    buffer_append_string(text, !has_step                              ? "variable "
                               : crowd->kind == OPERATION_BARRIER     ? "barrier "
                               : crowd->kind == OPERATION_WAIT_WRITER ? "the writer of "
                                                                      : "the readers of ");
    escape_text(text, crowd->name);
    if (has_step) {
        buffer_append_format(text, "@%llu", (unsigned long long)crowd->first_step);
    }
    if (has_step && crowd->last_step > crowd->first_step) {
        buffer_append_format(text, "–%llu", (unsigned long long)crowd->last_step);
    }
}
