/* Looking into what is counted, without a report of all of it. */
#include "coordinator/core/report/statistics_inside.h"

const struct request_report *campaign_statistics_request(const struct campaign_statistics *statistics,
                                                         struct bytes name, bool is_timing)
{
    SCOPED(buffer_finish) struct buffer key;
    buffer_init(&key, STATISTICS_KEY_BYTES);
    uint8_t number = is_timing;
    (void)buffer_append(&key, &number, 1);
    (void)buffer_append(&key, name.data, name.size);
    const struct request_total *total = map_get(statistics->requests, buffer_bytes(&key));
    return total != NULL ? &total->report : NULL;
}

const struct request_report *campaign_statistics_next_request(const struct campaign_statistics *statistics,
                                                              struct map_cursor *cursor)
{
    return map_next(statistics->requests, cursor) ? &((const struct request_total *)cursor->value)->report
                                                  : NULL;
}

const struct wait_report *campaign_statistics_next_wait(const struct campaign_statistics *statistics,
                                                        struct map_cursor *cursor)
{
    return map_next(statistics->waits, cursor) ? &((const struct wait_total *)cursor->value)->report : NULL;
}

const struct check_report *campaign_statistics_next_check(const struct campaign_statistics *statistics,
                                                          struct map_cursor *cursor)
{
    return map_next(statistics->checks, cursor) ? &((const struct check_total *)cursor->value)->report : NULL;
}

struct bytes campaign_statistics_tag(const struct campaign_statistics *statistics, struct bytes tag)
{
    return slice_totals_tag(statistics->slices, tag);
}

const struct slice_totals *campaign_statistics_slices(const struct campaign_statistics *statistics)
{
    return statistics->slices;
}
