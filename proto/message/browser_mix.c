/* The browsers of a campaign. */
#include "proto/message/browser_mix.h"

#include "proto/message/campaign_option.h"

#include <string.h>

static bool browser_named(struct bytes name, enum browser_kind *kind)
{
    const struct option *option = &campaign_option_table[CAMPAIGN_OPTION_ROW_browser].option;
    for (uint32_t i = 0; i <= BROWSER_REMOTE; i++) {
        if (bytes_equal_string(name, option_choice(option, i))) {
            *kind = (enum browser_kind)i;
            return true;
        }
    }
    return false;
}

/* Up to the next comma, which goes too. */
static struct bytes browser_cut(struct bytes *rest)
{
    const uint8_t *comma = memchr(rest->data, ',', rest->size);
    size_t size = comma != NULL ? (size_t)(comma - rest->data) : rest->size;
    struct bytes name = bytes_of(rest->data, size);
    size_t used = comma != NULL ? size + 1 : size;
    *rest = bytes_of(rest->data + used, rest->size - used);
    return name;
}

bool browser_mix_parse(struct bytes text, struct browser_mix *mix, struct error *error)
{
    struct bytes rest = text;
    bool has_more = text.size > 0;
    mix->count = 0;
    while (has_more) {
        size_t left = rest.size;
        struct bytes name = browser_cut(&rest);
        has_more = left > name.size;
        if (mix->count == BROWSER_MIX_MAX) {
            return error_set(error, "browser: at most %u may be named", BROWSER_MIX_MAX);
        }
        if (!browser_named(name, &mix->kinds[mix->count])) {
            return error_set(error, "browser is chromium, firefox, webkit or remote, or several with commas, "
                                    "like chromium,firefox");
        }
        mix->count++;
    }
    for (size_t i = 0; i < mix->count && mix->count > 1; i++) {
        if (mix->kinds[i] == BROWSER_REMOTE) {
            return error_set(error, "browser: remote is not one of several: scripts name each by themselves");
        }
    }
    return mix->count > 0 || error_set(error, "browser: none is named");
}

bool browser_mix_check(struct bytes text, struct error *error)
{
    struct browser_mix mix;
    return text.size == 0 || browser_mix_parse(text, &mix, error);
}

void browser_mix_of(const struct campaign_options *options, struct browser_mix *mix)
{
    if (options->browsers.size == 0 || !browser_mix_parse(options->browsers, mix, NULL)) {
        *mix = (struct browser_mix){.kinds = {options->browser}, .count = 1};
    }
}

bool browser_mix_has_before(const struct browser_mix *mix, size_t place)
{
    for (size_t i = 0; i < place; i++) {
        if (mix->kinds[i] == mix->kinds[place]) {
            return true;
        }
    }
    return false;
}
