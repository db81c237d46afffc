/* Whether a campaign fits on the agents that have joined. */
#include "coordinator/core/campaign/capacity.h"

#include "common/compose.h"
#include "common/digits.h"
#include "proto/message/arrivals.h"
#include "proto/message/labels.h"

#define LABELS_TEXT_BYTES (LABELS_MAX_BYTES + 20u)

bool capacity_is_suitable(const struct member *member, const struct campaign_options *options)
{
    return member->leaving_ns == 0 && labels_have(member->labels.bytes, options->labels);
}

struct capacity capacity_of(const struct members *members, const struct campaign_options *options)
{
    struct capacity capacity = {0};
    for (size_t i = 0; i < members_count(members); i++) {
        const struct member *member = members_at(members, i);
        if (!capacity_is_suitable(member, options)) {
            continue;
        }
        capacity.room += member_room(member);
        capacity.agents++;
    }
    return capacity;
}

const char *capacity_describe(const struct campaign_options *options, char *text, size_t size)
{
    text[0] = '\0';
    if (options->labels.size > 0) {
        compose(text, size, " with %.*s", BYTES_FORMAT(options->labels));
    }
    return text;
}

bool capacity_check(const struct capacity *capacity, const struct campaign_options *options,
                    struct error *error)
{
    char labels[LABELS_TEXT_BYTES];
    uint32_t workers = campaign_most_workers(options);
    return workers <= capacity->room ||
           error_set(error,
                     "only %llu of %u worker%s fit on the %u agent%s%s, by what their --capacity leaves",
                     (unsigned long long)capacity->room, workers, digits_plural(workers), capacity->agents,
                     digits_plural(capacity->agents), capacity_describe(options, labels, sizeof labels));
}
