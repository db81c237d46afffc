/* Compares the measures of two sets of runs. */
#include "cli/compare/comparison.h"

#include "common/memory.h"

#include <math.h>

/* Of shares, whose error follows from their number. */
#define MANY_DEGREES 1e6

const char *change_name(enum change change)
{
    static const char *const names[CHANGE_KINDS] = {
        [CHANGE_NONE] = "",           [CHANGE_SAME] = "same",   [CHANGE_BETTER] = "better",
        [CHANGE_WORSE] = "worse",     [CHANGE_ADDED] = "added", [CHANGE_GONE] = "gone",
        [CHANGE_UNKNOWN] = "unknown",
    };
    return names[change];
}

/* What the runs of a side say of one number. */
struct side_sums {
    size_t runs;
    double mean;
    double squares;  /* of the distances from the mean */
    double variance; /* of the mean, by the spread within each run */
    double weighted; /* Σ variance² / freedom, for the degrees of freedom of sums of variances */
    bool is_spread_known;
    double events; /* of the share of failures */
    double failures;
};

static struct side_sums side_sum(const struct comparison_side *side, const struct compared_row *row,
                                 enum measure_number number)
{
    struct side_sums sums = {.is_spread_known = true};
    for (size_t i = 0; i < side->count; i++) {
        const struct measure_row *measures = run_measures_find(&side->runs[i], row->kind, row->name);
        if (measures == NULL || !measures->measures[number].is_known) {
            continue;
        }
        const struct measure *measure = &measures->measures[number];
        double variance = measure->error * measure->error;
        double step = measure->value - sums.mean;
        sums.runs++;
        sums.mean += step / (double)sums.runs;
        sums.squares += step * (measure->value - sums.mean);
        sums.variance += variance;
        sums.weighted += measure->freedom > 0 ? variance * variance / measure->freedom : 0;
        sums.is_spread_known = sums.is_spread_known && measure->freedom > 0;
        sums.events += measures->measures[MEASURE_COUNT].value;
        sums.failures += measures->measures[MEASURE_COUNT].value * measures->measures[MEASURE_FAILED].value;
    }
    double runs = sums.runs > 0 ? (double)sums.runs : 1;
    sums.variance /= runs * runs;
    sums.weighted /= runs * runs * runs * runs;
    return sums;
}

/* One estimate of the noise: the larger one counts, as does the larger probability. */
static void compared_add_noise(struct compared *compared, double variance, double freedom, double alpha)
{
    double error = sqrt(variance);
    double change = fabs(compared->new - compared->base);
    double probability = 1;
    if (error > 0) {
        probability = student_probability(change / error, freedom);
    } else if (change > 0) {
        probability = 0;
    }
    double noise = student_limit(alpha, freedom) * error;
    compared->noise = fmax(compared->noise, noise);
    compared->probability = compared->has_noise ? fmax(compared->probability, probability) : probability;
    compared->has_noise = true;
}

static void compared_find_noise(struct compared *compared, enum measure_number number, double alpha,
                                const struct side_sums *base, const struct side_sums *new)
{
    if (base->runs + new->runs >= COMPARISON_RUNS_FOR_NOISE) {
        double freedom = (double)(base->runs + new->runs - 2);
        double variance = (base->squares + new->squares) / freedom;
        compared_add_noise(compared, variance / (double)base->runs + variance / (double)new->runs, freedom,
                           alpha);
    }
    if (base->is_spread_known && new->is_spread_known) {
        double variance = base->variance + new->variance;
        double weighted = base->weighted + new->weighted;
        compared_add_noise(compared, variance, weighted > 0 ? variance * variance / weighted : MANY_DEGREES,
                           alpha);
    }
    if (number == MEASURE_FAILED) {
        double events = base->events + new->events;
        double share = (base->failures + new->failures) / events;
        compared_add_noise(compared, share * (1 - share) * (1 / base->events + 1 / new->events), MANY_DEGREES,
                           alpha);
    }
}

static enum change compared_judge(const struct compared *compared, enum measure_number number,
                                  double tolerance)
{
    double difference = compared->new - compared->base;
    if (fabs(difference) <= tolerance * compared->base) {
        return CHANGE_SAME;
    }
    if (!compared->has_noise) {
        return CHANGE_UNKNOWN;
    }
    if (fabs(difference) <= compared->noise) {
        return CHANGE_SAME;
    }
    bool is_more_better = number == MEASURE_RATE;
    return (difference > 0) == is_more_better ? CHANGE_BETTER : CHANGE_WORSE;
}

static void comparison_compare(struct comparison *comparison, struct compared_row *row,
                               const struct comparison_side sides[2],
                               const struct comparison_settings *settings, double alpha)
{
    for (int i = 0; i < MEASURE_NUMBERS; i++) {
        enum measure_number number = (enum measure_number)i;
        struct compared *compared = &row->numbers[i];
        struct side_sums base = side_sum(&sides[0], row, number);
        struct side_sums new = side_sum(&sides[1], row, number);
        *compared = (struct compared){
            .has_base = base.runs > 0, .has_new = new.runs > 0, .base = base.mean, .new = new.mean};
        if (number == MEASURE_COUNT) {
            continue;
        }
        if (base.runs > 0 && new.runs > 0) {
            compared_find_noise(compared, number, alpha, &base, &new);
            compared->change = compared_judge(compared, number, settings->tolerance);
        } else if (base.runs > 0 || new.runs > 0) {
            compared->change = base.runs > 0 ? CHANGE_GONE : CHANGE_ADDED;
        }
        comparison->changes[compared->change]++;
    }
}

static bool comparison_has(const struct comparison *comparison, const struct measure_row *row)
{
    for (size_t i = 0; i < comparison->count; i++) {
        if (comparison->rows[i].kind == row->kind && bytes_equal(comparison->rows[i].name, row->name.bytes)) {
            return true;
        }
    }
    return false;
}

/* Rows of a kind in the order of the first run that has them. */
static void comparison_collect(struct comparison *comparison, enum measure_kind kind,
                               const struct comparison_side *side)
{
    for (size_t run = 0; run < side->count; run++) {
        for (size_t i = 0; i < side->runs[run].count; i++) {
            const struct measure_row *row = &side->runs[run].rows[i];
            if (row->kind != kind || comparison_has(comparison, row)) {
                continue;
            }
            comparison->rows = memory_reserve(comparison->rows, &comparison->capacity, comparison->count + 1,
                                              sizeof *comparison->rows);
            comparison->rows[comparison->count++] =
                (struct compared_row){.kind = kind, .name = row->name.bytes};
        }
    }
}

static enum change comparison_sum_up(const struct comparison *comparison)
{
    if (comparison->changes[CHANGE_WORSE] > 0) {
        return CHANGE_WORSE;
    }
    if (comparison->changes[CHANGE_BETTER] > 0) {
        return CHANGE_BETTER;
    }
    return comparison->changes[CHANGE_UNKNOWN] > 0 ? CHANGE_UNKNOWN : CHANGE_SAME;
}

void comparison_init(struct comparison *comparison, const struct comparison_side *base,
                     const struct comparison_side *new, const struct comparison_settings *settings)
{
    const struct comparison_side sides[2] = {*base, *new};
    *comparison = (struct comparison){0};
    for (int kind = 0; kind < MEASURE_KINDS; kind++) {
        size_t first = comparison->count;
        comparison_collect(comparison, (enum measure_kind)kind, base);
        comparison_collect(comparison, (enum measure_kind)kind, new);
        /* Of many names one is an outlier by chance: together they have the level. */
        double alpha =
            (1 - settings->level) / (double)(comparison->count - first + (comparison->count == first));
        for (size_t i = first; i < comparison->count; i++) {
            comparison_compare(comparison, &comparison->rows[i], sides, settings, alpha);
        }
    }
    comparison->change = comparison_sum_up(comparison);
}

void comparison_finish(struct comparison *comparison)
{
    memory_free(comparison->rows);
    *comparison = (struct comparison){0};
}

static double compared_relative(double difference, const struct compared *compared,
                                enum measure_number number)
{
    if (number == MEASURE_FAILED || difference == 0) {
        return difference;
    }
    return difference / compared->base;
}

double compared_change(const struct compared *compared, enum measure_number number)
{
    return compared_relative(compared->new - compared->base, compared, number);
}

double compared_noise(const struct compared *compared, enum measure_number number)
{
    return compared_relative(compared->noise, compared, number);
}
