/* Every phase × every event of a virtual user's life against a golden table. */
#include "agent/shard/vu_phase.h"
#include "common/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* phase, then for each event in the order of the enum the next phase and what is done; "-" is refused. */
static const char GOLDEN[] =
    "idle: begin_setup>setup/queue begin_step>step/queue begin_teardown>teardown_session/queue "
    "begin_global_setup>global_setup/queue begin_global_teardown>global_teardown/queue begin_task>task/queue "
    "- - - - - - - - - stop>idle/nothing\n"
    "setup: - - - - - - turn>setup/run ok>setup_session/run - - failed>idle/report_setup - "
    "stopped>idle/report_setup due>setup/wake late>setup/cut_short stop>setup/end_wait\n"
    "setup_session: - - - - - - turn>setup_session/run ok>idle/report_setup - - failed>idle/report_setup - "
    "stopped>idle/report_setup due>setup_session/wake late>setup_session/cut_short "
    "stop>setup_session/end_wait\n"
    "step: - - - - - - turn>step/run ok>idle/report_step ok_delayed>step_delay/delay "
    "ok_others_queued>step_over/queue failed>idle/report_step failed_witnessed>witness/run "
    "stopped>idle/report_step due>step/wake - stop>step/end_wait\n"
    "witness: - - - - - - turn>witness/run ok>idle/report_step - - failed>idle/report_step - "
    "stopped>idle/report_step due>witness/wake - stop>witness/end_wait\n"
    "step_delay: - - - - - - - - - - - - - due>idle/report_step - stop>idle/report_step\n"
    "step_over: - - - - - - turn>idle/report_step - - - - - - - - stop>step_over/nothing\n"
    "teardown_session: - - - - - - turn>teardown_session/run ok>closing/close_session - - "
    "failed>closing/close_session - stopped>closing/close_session due>teardown_session/wake - "
    "stop>teardown_session/nothing\n"
    "closing: - - - - - - turn>closing/run ok>teardown/close_webdriver - - failed>teardown/close_webdriver - "
    "stopped>teardown/close_webdriver due>closing/wake - stop>closing/nothing\n"
    "teardown: - - - - - - turn>teardown/run ok>idle/report_torn_down - - failed>idle/report_torn_down - "
    "stopped>idle/report_torn_down due>teardown/wake - stop>teardown/nothing\n"
    "global_setup: - - - - - - turn>global_setup/run ok>idle/report_global - - failed>idle/report_global - "
    "stopped>idle/report_global due>global_setup/wake - stop>global_setup/end_wait\n"
    "global_teardown: - - - - - - turn>global_teardown/run ok>idle/report_global - - "
    "failed>idle/report_global - stopped>idle/report_global due>global_teardown/wake - "
    "stop>global_teardown/nothing\n"
    "task: - - - - - - turn>task/run ok>idle/end_task - - failed>idle/end_task - stopped>idle/end_task "
    "due>task/wake - stop>task/end_wait\n";

static void write_cell(struct buffer *table, enum vu_phase phase, enum vu_event event)
{
    const struct vu_move *move = vu_move_find(phase, event);
    if (move == NULL) {
        buffer_append_string(table, " -");
        return;
    }
    buffer_append_format(table, " %s>%s/%s", vu_event_name(event), vu_phase_name(move->next),
                         vu_action_name(move->action));
}

static void every_phase_and_event_is_as_written_here(void **state)
{
    (void)state;
    struct buffer table;
    buffer_init(&table, 10000);
    for (int phase = 0; phase < VU_PHASE_COUNT; phase++) {
        buffer_append_format(&table, "%s:", vu_phase_name((enum vu_phase)phase));
        for (int event = 0; event < VU_EVENT_COUNT; event++) {
            write_cell(&table, (enum vu_phase)phase, (enum vu_event)event);
        }
        buffer_append_string(&table, "\n");
    }
    assert_string_equal(buffer_string(&table), GOLDEN);
    buffer_finish(&table);
}

static void a_stop_interrupts_what_comes_before_the_teardown(void **state)
{
    (void)state;
    static const bool GIVES_WAY[VU_PHASE_COUNT] = {
        [VU_SETUP] = true,      [VU_SETUP_SESSION] = true, [VU_STEP] = true, [VU_WITNESS] = true,
        [VU_STEP_DELAY] = true, [VU_GLOBAL_SETUP] = true,  [VU_TASK] = true, /* its worker decides */
    };
    for (int phase = 0; phase < VU_PHASE_COUNT; phase++) {
        assert_int_equal(vu_phase_gives_way((enum vu_phase)phase), GIVES_WAY[phase]);
    }
}

/* A phase that runs something can be entered, resumed, ended in each way, and does not miss its alarm. */
static void what_runs_can_end_in_every_way(void **state)
{
    (void)state;
    for (int phase = 0; phase < VU_PHASE_COUNT; phase++) {
        const struct vu_move *turn = vu_move_find((enum vu_phase)phase, VU_TURN);
        if (turn == NULL || turn->action != VU_DO_RUN) {
            continue;
        }
        assert_int_equal(turn->next, phase);
        for (const enum vu_event *event =
                 (const enum vu_event[]){VU_OK, VU_FAILED, VU_STOPPED, VU_DUE, VU_STOP, VU_NO_EVENT};
             *event != VU_NO_EVENT; event++) {
            assert_non_null(vu_move_find((enum vu_phase)phase, *event));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phase_and_event_is_as_written_here),
        cmocka_unit_test(a_stop_interrupts_what_comes_before_the_teardown),
        cmocka_unit_test(what_runs_can_end_in_every_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
