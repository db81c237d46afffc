/* Every state × every event of a worker's life cycle against a golden table. */
#include "agent/core/runner/worker_lifecycle.h"
#include "common/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* state, then for each event in the order of the enum the next state and the action; "-" is refused. */
static const char GOLDEN[] =
    "waiting: start>setup/setup - - - - - - - - end>gone/vanish stop>gone/vanish - -\n"
    "setup: - setup_ok>between/choose setup_failed>teardown/break_off setup_late>setup/cut_short - - - - - - "
    "stop>setup/nothing - -\n"
    "between: - - - - - rest>between/rest halt>halted/nothing go>asking/ask - end>held/hold "
    "stop>teardown/break_off - -\n"
    "halted: - - - - - - - go>asking/ask - end>held/hold stop>teardown/break_off - -\n"
    "asking: - - - - - - - - known>stepping/step - stop>teardown/break_off - -\n"
    "stepping: - - - - step_over>between/report - - - - - stop>stepping/nothing - -\n"
    "held: - - - - - - - - - - stop>teardown/teardown release>teardown/teardown -\n"
    "teardown: - - - - - - - - - - stop>teardown/nothing - torn_down>gone/bury\n"
    "gone: - - - - - - - - - - stop>gone/nothing - -\n";

static void write_cell(struct buffer *table, enum worker_state state, enum worker_event event)
{
    const struct worker_move *move = worker_move_find(state, event);
    if (move == NULL) {
        buffer_append_string(table, " -");
        return;
    }
    buffer_append_format(table, " %s>%s/%s", worker_event_name(event), worker_state_name(move->next),
                         worker_action_name(move->action));
}

static void every_state_and_event_is_as_written_here(void **state)
{
    (void)state;
    struct buffer table;
    buffer_init(&table, 10000);
    for (int from = 0; from < WORKER_STATE_COUNT; from++) {
        buffer_append_format(&table, "%s:", worker_state_name((enum worker_state)from));
        for (int event = 0; event < WORKER_EVENT_COUNT; event++) {
            write_cell(&table, (enum worker_state)from, (enum worker_event)event);
        }
        buffer_append_string(&table, "\n");
    }
    assert_string_equal(buffer_string(&table), GOLDEN);
    buffer_finish(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_state_and_event_is_as_written_here)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
