/* When readers really had what was written, by the clock of the world, compared with the report. */
#include "common/memory.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_US 1000

/* A reader saw an edit: a range of times after it, since it is not known which of several edits comes
 * first. */
struct delay {
    uint64_t least_us;
    uint64_t most_us;
};

void judge_note_sight(struct world *world, uint32_t worker, const struct operation *operation)
{
    world->sights =
        memory_reserve(world->sights, &world->sight_capacity, world->sight_count + 1, sizeof *world->sights);
    struct sight *sight = &world->sights[world->sight_count++];
    *sight = (struct sight){.room = operation->room,
                            .step = operation->step,
                            .name_size = operation->name.size,
                            .worker = worker,
                            .is_edit = operation->kind != OPERATION_READ,
                            .at_ns = world->now_ns};
}

static int compare_sights(const void *left, const void *right)
{
    const struct sight *a = left;
    const struct sight *b = right;
    if (a->room != b->room) {
        return a->room < b->room ? -1 : 1;
    }
    if (a->step != b->step) {
        return a->step < b->step ? -1 : 1;
    }
    if (a->name_size != b->name_size) {
        return a->name_size < b->name_size ? -1 : 1;
    }
    if (a->is_edit != b->is_edit) {
        return a->is_edit ? -1 : 1;
    }
    return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

static bool is_of_one_notifier(const struct sight *a, const struct sight *b)
{
    return a->room == b->room && a->step == b->step && a->name_size == b->name_size;
}

static uint64_t after_us(uint64_t first_ns, uint64_t last_ns)
{
    return last_ns > first_ns ? (last_ns - first_ns) / NS_PER_US : 0;
}

/* Those of the notifier that begins here; returns where the next one begins. */
static size_t add_delays(const struct world *world, size_t begin, struct delay *delays, size_t *count)
{
    const struct sight *first = &world->sights[begin];
    const struct sight *last_edit = NULL;
    uint32_t readers = 0;
    size_t i = begin;
    for (; i < world->sight_count && is_of_one_notifier(first, &world->sights[i]); i++) {
        const struct sight *sight = &world->sights[i];
        if (sight->is_edit) {
            last_edit = sight;
        } else if (last_edit != NULL && (readers & (1u << sight->worker)) == 0) {
            readers |= 1u << sight->worker;
            delays[(*count)++] = (struct delay){.least_us = after_us(last_edit->at_ns, sight->at_ns),
                                                .most_us = after_us(first->at_ns, sight->at_ns)};
        }
    }
    return i;
}

static int compare_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Sorted, since an ordered sequence stays in order when each element moves by little. */
static uint64_t *sorted(const struct delay *delays, size_t count, bool is_most)
{
    uint64_t *numbers = memory_new(count + 1, sizeof *numbers);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = is_most ? delays[i].most_us : delays[i].least_us;
    }
    qsort(numbers, count, sizeof *numbers, compare_numbers);
    return numbers;
}

static void judge_delays(struct world *world, const struct histogram *seen_us, uint64_t uncertainty_us,
                         const struct delay *delays, size_t count)
{
    uint64_t *least SCOPED(memory_free_at) = sorted(delays, count, false);
    uint64_t *most SCOPED(memory_free_at) = sorted(delays, count, true);
    struct histogram_cursor cursor = {0};
    size_t rank = 0;
    while (histogram_next(seen_us, &cursor)) {
        rank += cursor.count;
        uint64_t said_us = histogram_quantile(seen_us, ((double)rank - 0.5) / (double)count);
        uint64_t more_us = uncertainty_us + said_us / 500 + 2;
        if (rank > count || said_us + more_us < least[rank - 1] || said_us > most[rank - 1] + more_us) {
            world_break(world,
                        "the report says that sighting %zu of %zu came %" PRIu64
                        " us after the edit, give or take "
                        "%" PRIu64 "; it was %" PRIu64 " to %" PRIu64,
                        rank, count, said_us, uncertainty_us, rank > count ? 0 : least[rank - 1],
                        rank > count ? 0 : most[rank - 1]);
            return;
        }
    }
}

void judge_sights(struct world *world, const struct campaign_report *report)
{
    if (!plan_is_calm(world->plan) || world->plan->is_stop_at_once || world->is_haste_asked ||
        world->state != CAMPAIGN_ENDED) {
        return;
    }
    struct histogram *seen_us = histogram_new();
    uint64_t uncertainty_us = 0;
    for (size_t i = 0; i < report->seen_count; i++) {
        histogram_merge(seen_us, report->seen[i].seen_us);
        uncertainty_us =
            report->seen[i].uncertainty_us > uncertainty_us ? report->seen[i].uncertainty_us : uncertainty_us;
        if (report->seen[i].steps_diverged > 0) {
            world_break(world, "readers are reported to have seen different texts");
        }
    }
    struct delay *delays SCOPED(memory_free_at) = memory_new(world->sight_count + 1, sizeof *delays);
    size_t count = 0;
    if (world->sight_count > 0) {
        qsort(world->sights, world->sight_count, sizeof *world->sights, compare_sights);
    }
    for (size_t i = 0; i < world->sight_count;) {
        i = add_delays(world, i, delays, &count);
    }
    if (histogram_count(seen_us) != count) {
        world_break(world, "the report counts %" PRIu64 " sightings of edits, and there were %zu",
                    histogram_count(seen_us), count);
    } else {
        judge_delays(world, seen_us, uncertainty_us, delays, count);
    }
    histogram_free(&seen_us);
}
