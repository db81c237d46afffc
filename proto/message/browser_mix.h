/* The browsers of a campaign, "chromium,firefox": its workers take them in turn. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"
#include "proto/message/campaign.h"

#define BROWSER_MIX_MAX 16u
#define BROWSER_MIX_BYTES 200u /* of the text */

/* One that is named several times has so much more of the workers. */
struct browser_mix {
    enum browser_kind kinds[BROWSER_MIX_MAX];
    size_t count;
};

/* The names are those of the option `browser`, separated by commas; BROWSER_REMOTE stands alone. */
MUST_CHECK bool browser_mix_parse(struct bytes text, struct browser_mix *mix, struct error *error);
/* Whether it is one, or empty; for a row of `struct option`. */
bool browser_mix_check(struct bytes text, struct error *error);
/* Those of a campaign; at least one. An older coordinator names one only. */
void browser_mix_of(const struct campaign_options *options, struct browser_mix *mix);
/* Whether the mix has this kind before `place`: it is looked at once. */
bool browser_mix_has_before(const struct browser_mix *mix, size_t place);
