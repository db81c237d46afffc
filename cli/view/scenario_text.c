/* The scenarios of a campaign for a person: how often each was run, against its weight. */
#include "cli/view/scenario_text.h"

#include "cli/base/table.h"

#include <stdio.h>

#define SCENARIO_ROWS_SHOWN 20u
#define SCENARIO_NAME_COLUMNS 40u
#define SHARE_BYTES 16

static void add_share(struct table *table, double share)
{
    char text[SHARE_BYTES];
    (void)snprintf(text, sizeof text, "%.1f %%", share * 100);
    table_add(table, bytes_of_string(text));
}

void scenario_text(const struct report_view *report, bool has_colour, struct buffer *text)
{
    static const char *const columns[] = {"scenarios", "ok",  "failed", "share", "by weight",
                                          "p50",       "p95", "max",    NULL};
    if (report->scenario_count < 2) {
        return;
    }
    SCOPED(table_finish) struct table table;
    table_init(&table, columns);
    for (size_t i = 0; i < report->scenario_count && i < SCENARIO_ROWS_SHOWN; i++) {
        const struct scenario_view *scenario = &report->scenarios[i];
        table_add(&table, scenario->name);
        table_add_count(&table, scenario->ok);
        table_add_count(&table, scenario->failed);
        add_share(&table, scenario->share);
        add_share(&table, scenario->weight_share);
        table_add_us(&table, scenario->step.p50_us);
        table_add_us(&table, scenario->step.p95_us);
        table_add_us(&table, scenario->step.maximum_us);
    }
    buffer_append_string(text, "\n");
    table_print(&table, SCENARIO_NAME_COLUMNS, has_colour, text);
    if (report->scenario_count > SCENARIO_ROWS_SHOWN) {
        buffer_append_format(text, "  and %zu more (--json has all)\n",
                             report->scenario_count - SCENARIO_ROWS_SHOWN);
    }
}
