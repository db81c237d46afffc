/* Every state of a campaign against every event that can occur. */
#include "coordinator/core/campaign/campaign_lifecycle.h"

#include "common/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char GOLDEN[] = "created + agents joined -> deploying, deploy\n"
                             "created + time up -> ended, end\n"
                             "created + grace over -> refused\n"
                             "created + deployed -> refused\n"
                             "created + deploy failed -> refused\n"
                             "created + set up -> refused\n"
                             "created + setup failed -> refused\n"
                             "created + drained -> refused\n"
                             "created + stop -> ended, end\n"
                             "created + stop at once -> ended, end\n"
                             "created + finished -> refused\n"
                             "created + torn down -> refused\n"
                             "created + all lost -> refused\n"
                             "deploying + agents joined -> refused\n"
                             "deploying + time up -> ended, end\n"
                             "deploying + grace over -> refused\n"
                             "deploying + deployed -> ready, run setup\n"
                             "deploying + deploy failed -> ended, end\n"
                             "deploying + set up -> refused\n"
                             "deploying + setup failed -> refused\n"
                             "deploying + drained -> refused\n"
                             "deploying + stop -> ended, end\n"
                             "deploying + stop at once -> ended, end\n"
                             "deploying + finished -> refused\n"
                             "deploying + torn down -> refused\n"
                             "deploying + all lost -> ended, end\n"
                             "ready + agents joined -> refused\n"
                             "ready + time up -> ended, end\n"
                             "ready + grace over -> refused\n"
                             "ready + deployed -> refused\n"
                             "ready + deploy failed -> refused\n"
                             "ready + set up -> running, begin\n"
                             "ready + setup failed -> ended, end\n"
                             "ready + drained -> refused\n"
                             "ready + stop -> stopping, await setup\n"
                             "ready + stop at once -> ended, end\n"
                             "ready + finished -> refused\n"
                             "ready + torn down -> refused\n"
                             "ready + all lost -> ended, end\n"
                             "running + agents joined -> refused\n"
                             "running + time up -> running, drain\n"
                             "running + grace over -> stopping, stop workers\n"
                             "running + deployed -> refused\n"
                             "running + deploy failed -> refused\n"
                             "running + set up -> refused\n"
                             "running + setup failed -> refused\n"
                             "running + drained -> running, run until\n"
                             "running + stop -> stopping, stop workers\n"
                             "running + stop at once -> stopping, stop workers\n"
                             "running + finished -> stopping, run teardown\n"
                             "running + torn down -> refused\n"
                             "running + all lost -> ended, end\n"
                             "stopping + agents joined -> refused\n"
                             "stopping + time up -> stopping, give up\n"
                             "stopping + grace over -> refused\n"
                             "stopping + deployed -> refused\n"
                             "stopping + deploy failed -> refused\n"
                             "stopping + set up -> stopping, run teardown\n"
                             "stopping + setup failed -> ended, end\n"
                             "stopping + drained -> refused\n"
                             "stopping + stop -> refused\n"
                             "stopping + stop at once -> stopping, hurry\n"
                             "stopping + finished -> stopping, run teardown\n"
                             "stopping + torn down -> ended, end\n"
                             "stopping + all lost -> ended, end\n"
                             "ended + agents joined -> refused\n"
                             "ended + time up -> refused\n"
                             "ended + grace over -> refused\n"
                             "ended + deployed -> refused\n"
                             "ended + deploy failed -> refused\n"
                             "ended + set up -> refused\n"
                             "ended + setup failed -> refused\n"
                             "ended + drained -> refused\n"
                             "ended + stop -> refused\n"
                             "ended + stop at once -> refused\n"
                             "ended + finished -> refused\n"
                             "ended + torn down -> refused\n"
                             "ended + all lost -> refused\n";

static void tell(struct buffer *table, enum campaign_state state, enum campaign_lifecycle_event event)
{
    const struct campaign_lifecycle_row *row = campaign_lifecycle_find(state, event);
    (void)buffer_append_format(table, "%s + %s -> ", campaign_state_name(state),
                               campaign_lifecycle_event_name(event));
    if (row == NULL) {
        (void)buffer_append_string(table, "refused\n");
    } else {
        (void)buffer_append_format(table, "%s, %s\n", campaign_state_name(row->next),
                                   campaign_lifecycle_action_name(row->action));
    }
}

static void every_state_takes_every_event_as_written(void **state)
{
    (void)state;
    struct buffer table;
    buffer_init(&table, 1u << 20);
    for (int i = 0; i < CAMPAIGN_STATE_COUNT; i++) {
        for (int event = 0; event < CAMPAIGN_LIFECYCLE_EVENT_COUNT; event++) {
            tell(&table, (enum campaign_state)i, (enum campaign_lifecycle_event)event);
        }
    }
    assert_string_equal(buffer_string(&table), GOLDEN);
    buffer_finish(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_state_takes_every_event_as_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
