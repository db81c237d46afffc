/* Thresholds and checks, for a person. */
#include "cli/view/judge_text.h"
#include "cli/base/format.h"
#include "cli/base/table.h"
#include "common/compose.h"

#define CHECKS_SHOWN 20u
#define JUDGE_NAME_COLUMNS 60u
#define CELL_BYTES 400

static void judge_add_threshold(struct table *table, const struct threshold_view *threshold)
{
    char after[FORMAT_BYTES] = "";
    char cell[CELL_BYTES];
    table_add(table, threshold->text);
    table_add(table, bytes_of_string(threshold_outcome_name(threshold->outcome)));
    if (threshold->has_moment) {
        format_us(threshold->missed_ns / 1000, after);
    }
    if (threshold->reached.size > 0) {
        compose(cell, sizeof cell, "%.*s%s%s", BYTES_FORMAT(threshold->reached),
                threshold->has_moment ? ", after " : "", after);
    } else {
        compose(cell, sizeof cell, "%s",
                threshold->outcome == THRESHOLD_MISSED ? "nothing was measured" : "");
    }
    table_add(table, bytes_of_string(cell));
}

void judge_text_thresholds(const struct report_view *report, bool has_colour, struct buffer *text)
{
    static const char *const columns[] = {"thresholds", "<", "<reached", NULL};
    SCOPED(table_finish) struct table table;
    table_init(&table, columns);
    for (size_t i = 0; i < report->threshold_count; i++) {
        judge_add_threshold(&table, &report->thresholds[i]);
    }
    if (report->threshold_count > 0) {
        buffer_append_string(text, "\n");
        table_print(&table, JUDGE_NAME_COLUMNS, has_colour, text);
    }
}

/* "97.3 %": what is nearly all does not look as if it were. */
static void judge_add_share(struct table *table, const struct check_view *check)
{
    char cell[FORMAT_BYTES];
    uint64_t all = check->passed + check->failed;
    double percent = all > 0 ? 100.0 * (double)check->passed / (double)all : 0;
    compose(cell, sizeof cell, percent > 99 && percent < 100 ? "%.8g %%" : "%.4g %%", percent);
    table_add(table, bytes_of_string(cell));
}

static void judge_add_check(struct table *table, const struct check_view *check)
{
    char cell[CELL_BYTES] = "";
    table_add(table, check->name);
    table_add_count(table, check->passed);
    table_add_count(table, check->failed);
    judge_add_share(table, check);
    if (check->failed > 0) {
        compose(cell, sizeof cell, "%.*s (worker %u, step %llu)", BYTES_FORMAT(check->text), check->worker,
                (unsigned long long)check->step);
    }
    table_add(table, bytes_of_string(cell));
}

/* Those that have failed first: a long list is cut. */
void judge_text_checks(const struct report_view *report, bool has_colour, struct buffer *text)
{
    static const char *const columns[] = {"checks", "passed", "failed", "share", "<first failure", NULL};
    SCOPED(table_finish) struct table table;
    size_t shown = 0;
    table_init(&table, columns);
    for (int has_failed = 1; has_failed >= 0; has_failed--) {
        for (size_t i = 0; i < report->check_count; i++) {
            if ((report->checks[i].failed > 0) == (has_failed > 0) && shown < CHECKS_SHOWN) {
                judge_add_check(&table, &report->checks[i]);
                shown++;
            }
        }
    }
    if (report->check_count == 0) {
        return;
    }
    buffer_append_string(text, "\n");
    table_print(&table, JUDGE_NAME_COLUMNS, has_colour, text);
    if (report->check_count > shown) {
        buffer_append_format(text, "  and %zu more (--json has all)\n", report->check_count - shown);
    }
}
