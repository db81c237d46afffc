/* Which scenario a step runs: by weight and from a seed, in turn, by name, or by the load of its worker. */
#include "agent/script/picking.h"

#include "common/memory.h"
#include "proto/message/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define STEPS 4000u

static char names[3][8] = {"read", "rest", "write"};

static void give_weights(struct script *script, struct scenario scenarios[3], const double weights[3])
{
    *script = (struct script){.scenarios = scenarios, .scenario_count = 3};
    for (size_t i = 0; i < 3; i++) {
        scenarios[i] = (struct scenario){.name = names[i], .weight = weights[i]};
        script->total_weight += weights[i];
    }
}

static uint32_t pick_one(const struct script *script, const struct campaign_options *options, uint32_t worker,
                         uint64_t step)
{
    uint32_t scenario = UINT32_MAX;
    assert_true(pick_scenario(script, options, &(struct picking){.worker = worker, .step = step}, &scenario));
    return scenario;
}

static void weights_are_shares(void **state)
{
    (void)state;
    struct script script;
    struct scenario scenarios[3];
    struct campaign_options options = {.seed = 5};
    uint32_t counts[3] = {0};
    give_weights(&script, scenarios, (const double[]){3, 0, 1});
    for (uint64_t step = 1; step <= STEPS; step++) {
        counts[pick_one(&script, &options, 7, step)]++;
    }
    assert_int_equal(counts[1], 0);
    assert_in_range(counts[0], STEPS * 70 / 100, STEPS * 80 / 100);
    assert_int_equal(counts[0] + counts[2], STEPS);
}

/* The same wherever it is asked; another for another seed, worker or step. */
static void the_choice_depends_on_seed_worker_and_step(void **state)
{
    (void)state;
    struct script script;
    struct scenario scenarios[3];
    struct campaign_options options = {.seed = 5};
    struct campaign_options other = {.seed = 6};
    uint32_t by_seed = 0;
    uint32_t by_worker = 0;
    uint32_t by_step = 0;
    give_weights(&script, scenarios, (const double[]){1, 1, 1});
    for (uint64_t step = 1; step <= STEPS; step++) {
        uint32_t picked = pick_one(&script, &options, 7, step);
        assert_int_equal(picked, pick_one(&script, &options, 7, step));
        by_seed += picked != pick_one(&script, &other, 7, step);
        by_worker += picked != pick_one(&script, &options, 8, step);
        by_step += picked != pick_one(&script, &options, 7, step + 1);
    }
    assert_in_range(by_seed, STEPS / 2, STEPS * 4 / 5);
    assert_in_range(by_worker, STEPS / 2, STEPS * 4 / 5);
    assert_in_range(by_step, STEPS / 2, STEPS * 4 / 5);
}

static void without_a_weight_there_is_none(void **state)
{
    (void)state;
    struct script script;
    struct scenario scenarios[3];
    struct campaign_options options = {.seed = 5};
    uint32_t scenario = 0;
    give_weights(&script, scenarios, (const double[]){0, 0, 0});
    assert_false(pick_scenario(&script, &options, &(struct picking){.step = 1}, &scenario));
    script.scenario_count = 1;
    assert_false(pick_scenario(&script, &options, &(struct picking){.step = 1}, &scenario));
    scenarios[0].weight = script.total_weight = 2;
    assert_int_equal(pick_one(&script, &options, 0, 1), 0);
}

static void a_single_run_takes_them_in_turn_and_a_single_mode_one(void **state)
{
    (void)state;
    struct script script;
    struct scenario scenarios[3];
    struct campaign_options options = {.is_single_run = true};
    uint32_t scenario = 0;
    give_weights(&script, scenarios, (const double[]){1, 0, 0});
    for (uint64_t step = 1; step <= 7; step++) {
        assert_int_equal(pick_one(&script, &options, 0, step), (step - 1) % 3);
    }
    options.single_mode = bytes_of_string("write");
    assert_int_equal(pick_one(&script, &options, 0, 1), 2);
    options.single_mode = bytes_of_string("rea");
    assert_false(pick_scenario(&script, &options, &(struct picking){.step = 1}, &scenario));
}

static void a_load_has_its_scenario(void **state)
{
    (void)state;
    struct script script;
    struct scenario scenarios[3];
    struct campaign_options options = {.workers = 5,
                                       .load = bytes_of_string("write;workers=2\nread;workers=3")};
    struct campaign_options wrong = {.workers = 5,
                                     .load = bytes_of_string("write;workers=2\nreed;workers=3")};
    struct error error;
    give_weights(&script, scenarios, (const double[]){1, 1, 1});
    assert_true(picking_take_loads(&script, &(struct campaign_options){.workers = 5}, &error));
    assert_null(script.loads);
    assert_true(picking_take_loads(&script, &options, &error));
    for (uint32_t load = 0; load < 2; load++) {
        uint32_t scenario = UINT32_MAX;
        struct picking picking = {.worker = 3, .step = 9, .load = load};
        assert_true(pick_scenario(&script, &options, &picking, &scenario));
        assert_int_equal(scenario, load == 0 ? 2 : 0);
    }
    memory_free(script.loads);
    assert_false(picking_take_loads(&script, &wrong, &error));
    assert_string_equal(error.text, "load: there is no scenario \"reed\"");
    memory_free(script.loads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_shares),
        cmocka_unit_test(the_choice_depends_on_seed_worker_and_step),
        cmocka_unit_test(without_a_weight_there_is_none),
        cmocka_unit_test(a_single_run_takes_them_in_turn_and_a_single_mode_one),
        cmocka_unit_test(a_load_has_its_scenario),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
