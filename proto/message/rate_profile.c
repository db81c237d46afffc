/* A rate over time, of pieces within each of which it changes evenly. */
#include "proto/message/rate_profile.h"

#include "common/time_units.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Instants beyond it, more than a year, are never. */
#define RATE_FARTHEST_S 4e7

static double piece_length_s(const struct rate_piece *piece, uint64_t until_ns)
{
    uint64_t end_ns = until_ns < piece->end_ns ? until_ns : piece->end_ns;
    return end_ns > piece->begin_ns ? (double)(end_ns - piece->begin_ns) / (double)NS_PER_S : 0;
}

/* How much the rate grows a second. */
static double piece_slope(const struct rate_piece *piece)
{
    double length_s = piece_length_s(piece, RATE_NEVER);
    return piece->end_ns != RATE_NEVER && length_s > 0 ? (piece->to_per_s - piece->from_per_s) / length_s : 0;
}

static double piece_count(const struct rate_piece *piece, uint64_t until_ns)
{
    double passed_s = piece_length_s(piece, until_ns);
    return piece->from_per_s * passed_s + piece_slope(piece) * passed_s * passed_s / 2;
}

static double piece_rate(const struct rate_piece *piece, uint64_t at_ns)
{
    return piece->from_per_s + piece_slope(piece) * piece_length_s(piece, at_ns);
}

/* Pieces that are long over make room for new ones: the next one knows how many have arrived before it. */
static void rate_profile_make_room(struct rate_profile *profile)
{
    if (profile->count == RATE_PIECES_MAX) {
        memmove(profile->pieces, profile->pieces + 1, (RATE_PIECES_MAX - 1) * sizeof *profile->pieces);
        profile->count--;
    }
}

void rate_profile_add(struct rate_profile *profile, uint64_t length_ns, double from_per_s, double to_per_s)
{
    struct rate_piece piece = {.from_per_s = from_per_s, .to_per_s = to_per_s};
    if (profile->count > 0) {
        const struct rate_piece *last = &profile->pieces[profile->count - 1];
        assert(last->end_ns != RATE_NEVER);
        piece.begin_ns = last->end_ns;
        piece.before = last->before + piece_count(last, last->end_ns);
    }
    piece.end_ns = length_ns == RATE_NEVER ? RATE_NEVER : piece.begin_ns + length_ns;
    rate_profile_make_room(profile);
    profile->pieces[profile->count++] = piece;
}

void rate_profile_change(struct rate_profile *profile, uint64_t at_ns, double per_s)
{
    while (profile->count > 0 && profile->pieces[profile->count - 1].begin_ns >= at_ns) {
        profile->count--;
    }
    if (profile->count > 0) {
        struct rate_piece *last = &profile->pieces[profile->count - 1];
        if (last->end_ns > at_ns) {
            last->to_per_s = piece_rate(last, at_ns);
            last->end_ns = at_ns;
        } else if (last->end_ns < at_ns) {
            rate_profile_add(profile, at_ns - last->end_ns, 0, 0);
        }
    } else if (at_ns > 0) {
        rate_profile_add(profile, at_ns, 0, 0);
    }
    rate_profile_add(profile, RATE_NEVER, per_s, per_s);
}

void rate_profile_restart(struct rate_profile *profile, uint64_t at_ns, double per_s, double before)
{
    rate_profile_change(profile, at_ns, per_s);
    profile->pieces[profile->count - 1].before = before;
}

double rate_profile_count(const struct rate_profile *profile, uint64_t at_ns)
{
    for (size_t i = profile->count; i-- > 0;) {
        if (at_ns >= profile->pieces[i].begin_ns) {
            return profile->pieces[i].before + piece_count(&profile->pieces[i], at_ns);
        }
    }
    return 0;
}

double rate_profile_rate(const struct rate_profile *profile, uint64_t at_ns)
{
    for (size_t i = profile->count; i-- > 0;) {
        const struct rate_piece *piece = &profile->pieces[i];
        if (at_ns >= piece->begin_ns) {
            return at_ns < piece->end_ns ? piece_rate(piece, at_ns) : 0;
        }
    }
    return 0;
}

/* After how many seconds of the piece so many have arrived; negative: it does not make so many. */
static double piece_instant_s(const struct rate_piece *piece, double count)
{
    double slope = piece_slope(piece);
    if (piece->end_ns == RATE_NEVER) {
        double at_s = piece->from_per_s > 0 ? count / piece->from_per_s : RATE_FARTHEST_S;
        return at_s < RATE_FARTHEST_S ? at_s : -1;
    }
    if (count >= piece_count(piece, piece->end_ns)) {
        return -1;
    }
    double under = piece->from_per_s * piece->from_per_s + 2 * slope * count;
    double divisor = piece->from_per_s + sqrt(under > 0 ? under : 0);
    return divisor > 0 ? 2 * count / divisor : 0;
}

uint64_t rate_profile_instant(const struct rate_profile *profile, double count)
{
    for (size_t i = 0; i < profile->count; i++) {
        const struct rate_piece *piece = &profile->pieces[i];
        double rest = count - piece->before;
        double at_s = piece_instant_s(piece, rest > 0 ? rest : 0);
        if (at_s >= 0) {
            uint64_t at_ns = piece->begin_ns + (uint64_t)(at_s * (double)NS_PER_S + 0.5);
            return at_ns < piece->end_ns ? at_ns : piece->end_ns - 1;
        }
    }
    return RATE_NEVER;
}
