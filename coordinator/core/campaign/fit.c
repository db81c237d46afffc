/* Whether a campaign fits on the agents that are there. */
#include "coordinator/core/campaign/fit.h"

#include "common/compose.h"
#include "proto/message/labels.h"

#define WORDS_BYTES (LABELS_MAX_BYTES + 20u)

bool fit_is_suitable(const struct member *member, const struct campaign_options *options)
{
    return labels_have(member->labels, options->labels);
}

struct fit fit_of(const struct members *members, const struct campaign_options *options)
{
    struct fit fit = {0};
    for (size_t i = 0; i < members_count(members); i++) {
        const struct member *member = members_at(members, i);
        if (!fit_is_suitable(member, options)) {
            continue;
        }
        fit.room += members_room(member);
        fit.agents++;
    }
    return fit;
}

const char *fit_words(const struct campaign_options *options, char *text, size_t size)
{
    text[0] = '\0';
    if (options->labels.size > 0) {
        compose(text, size, " with %.*s", BYTES_FORMAT(options->labels));
    }
    return text;
}

bool fit_check(const struct fit *fit, const struct campaign_options *options, struct error *error)
{
    char words[WORDS_BYTES];
    return options->workers <= fit->room ||
           error_set(error, "only %llu of %u workers fit on the %u agents%s, by what their --capacity leaves",
                     (unsigned long long)fit->room, options->workers, fit->agents,
                     fit_words(options, words, sizeof words));
}
