/* Who came last, as a report shows it: the first workers, and all of them by agent. */
#include "coordinator/core/report_view/last_view.h"

#include "coordinator/core/report/report.h"

static void latecomer_view_add(struct latecomer_view *view, const struct latecomer *latecomer)
{
    view->times += latecomer->times;
    view->waited_us += latecomer->waited_us;
}

static void last_view_workers(struct report_view *view, const struct last_report *report,
                              struct last_view *last)
{
    size_t count =
        report->worker_count < REPORT_VIEW_LATECOMERS ? report->worker_count : REPORT_VIEW_LATECOMERS;
    struct latecomer_view *workers = report_view_array(view, count, sizeof *workers);
    last->others =
        (struct latecomer_view){.times = report->others_times, .waited_us = report->others_waited_us};
    for (size_t i = 0; i < report->worker_count; i++) {
        const struct latecomer *latecomer = &report->workers[i];
        if (i >= count) {
            latecomer_view_add(&last->others, latecomer);
            continue;
        }
        workers[i] = (struct latecomer_view){
            .worker = latecomer->worker, .times = latecomer->times, .waited_us = latecomer->waited_us};
        if (latecomer->agent < view->agent_count) {
            workers[i].agent = view->agents[latecomer->agent].name;
        }
    }
    last->workers = workers;
    last->worker_count = count;
}

/* Those that nobody waited for are left out. */
static void last_view_agents(struct report_view *view, const struct last_report *report,
                             struct last_view *last)
{
    struct latecomer_view *all = report_view_array(view, view->agent_count, sizeof *all);
    for (size_t i = 0; i < report->worker_count; i++) {
        if (report->workers[i].agent < view->agent_count) {
            latecomer_view_add(&all[report->workers[i].agent], &report->workers[i]);
        }
    }
    for (size_t i = 0; i < view->agent_count; i++) {
        if (all[i].times > 0) {
            all[i].agent = view->agents[i].name;
            all[last->agent_count++] = all[i];
        }
    }
    last->agents = all;
}

void last_view_fill(struct report_view *view, const struct campaign_report *report)
{
    struct last_view *all = report_view_array(view, report->last_count, sizeof *all);
    for (size_t i = 0; i < report->last_count; i++) {
        const struct last_report *last = &report->last[i];
        all[i] = (struct last_view){.name = report_view_text(view, last->name),
                                    .kind = last->kind,
                                    .times = last->times,
                                    .waited_us = last->waited_us};
        last_view_workers(view, last, &all[i]);
        last_view_agents(view, last, &all[i]);
    }
    view->last = all;
    view->last_count = report->last_count;
}
