/* Prints a plan, so that a failing seed can be read. */
#include "proto/message/operation.h"
#include "tests/simulation/plan.h"

#include <inttypes.h>
#include <stdio.h>

static void print_act(const struct act *act)
{
    printf(" %s", act_name(act->kind));
    if (act->kind <= ACT_WRONG_SIGNAL) {
        printf("%u", act->name);
    }
    if (act->back != 0) {
        printf("@%+d", -act->back);
    }
    if (act->count != 0) {
        printf("(%u)", act->count);
    }
    if (act->timeout_ms != 0) {
        printf("[%u ms]", act->timeout_ms);
    }
    if (act->aside_ms != 0) {
        printf("[%s after %u ms]", act->gives_up ? "given up" : "settled", act->aside_ms);
    }
    printf("%s", act->on_timeout == BARRIER_TIMEOUT_GO      ? " else goes"
                 : act->on_timeout == BARRIER_TIMEOUT_LEAVE ? " else leaves"
                                                            : "");
    printf("%s%s%s%s%s", act->is_strict ? " strict" : "", act->is_caught ? " caught" : "",
           act->is_at_once ? " at_once" : "", act->is_campaign ? " campaign" : "",
           act->makes_badly ? " badly" : "");
}

void plan_print(const struct plan *plan)
{
    const struct campaign_options *options = &plan->options;
    static const char *const LOSSES[] = {"shrink", "replace", "fail", "replace=again"};
    printf("%s: %u workers, runs %" PRIu64
           ", room_size %u, %u hosts of %u shards, %u agents wanted, capacity %u\n",
           plan->shape, options->workers, options->runs, options->room_size, plan->hosts, plan->shards,
           plan->agents, plan->capacity);
    printf("on_loss %s, on_deadlock %s, sync_timeout %" PRIu64 " ms, fail_steps %" PRIu64
           ", duration %" PRIu64 " ms, ramp_up %" PRIu64 " ms, delay %" PRIu64 " ms, unfit %x%s%s\n",
           LOSSES[options->on_loss], options->on_deadlock == ON_DEADLOCK_STOP ? "stop" : "fail",
           options->sync_timeout_ms, options->fail_steps, options->duration_ms, options->ramp_up_ms,
           options->delay_ms, plan->unfit_workers, options->is_stopped_by_failure ? ", -x" : "",
           plan->stop_after_ns > 0 ? ", stopped" : "");
    printf("network %s%.1f to %.1f ms, loss %.2f, repeat %.2f until %.1f s; mailbox %.1f ms; act %.1f ms\n",
           plan->is_ordered ? "" : "reorders, ", (double)plan->least_delay_ns / 1e6,
           (double)plan->most_delay_ns / 1e6, plan->loss, plan->repeat, (double)plan->troubled_ns / 1e9,
           (double)plan->most_mailbox_delay_ns / 1e6, (double)plan->most_act_delay_ns / 1e6);
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        const struct fault *fault = &plan->faults[i];
        printf("fault: a%u %s at %.3f s for %.3f s\n", fault->host + 1u, fault_name(fault->kind),
               (double)fault->at_ns / 1e9, (double)fault->for_ns / 1e9);
    }
    for (uint32_t i = 0; i < plan->kill_count; i++) {
        const struct kill *kill = &plan->kills[i];
        printf("the coordinator is killed at %.3f s + %u steps for %.3f s, %s, %u effects seen\n",
               (double)kill->at_ns / 1e9, kill->after_steps, (double)kill->for_ns / 1e9,
               kill->is_before_journal ? kill->is_torn ? "journal torn" : "before the journal" : "journaled",
               kill->sent);
    }
    for (uint32_t i = 0; i < plan->scale_count; i++) {
        printf("scale: to %u at %.3f s\n", plan->scales[i].workers, (double)plan->scales[i].at_ns / 1e9);
    }
    for (uint32_t worker = 0; worker < plan_most_workers(plan); worker++) {
        printf("worker %u:", worker);
        for (uint32_t step = 0; step < plan->step_count; step++) {
            printf(" %u:", step + 1);
            for (uint32_t i = 0; i < plan->steps[worker][step].count; i++) {
                print_act(&plan->steps[worker][step].acts[i]);
            }
            printf(";");
        }
        printf("\n");
    }
}
