/* The verdict of a campaign as far as it is known. */
#include "coordinator/core/report/verdict.h"

#include "common/compose.h"
#include "common/digits.h"
#include "common/duration.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <stdarg.h>

#define DURATION_BYTES 40
#define REQUESTS_BYTES 80
#define BESIDE_BYTES 80

void judgement_finish(struct judgement *judgement)
{
    memory_free(judgement->reason);
    *judgement = (struct judgement){0};
}

/* A reason is one line, also if it was made of an error text of several. */
static void make_one_line(char *text)
{
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '\n' || *at == '\r') {
            *at = ' ';
        }
    }
}

void judgement_raise(struct judgement *judgement, enum verdict verdict, const char *format, ...)
{
    if (verdict <= judgement->verdict) {
        return;
    }
    char reason[LIMIT_TEXT_BYTES + 1];
    va_list arguments;
    va_start(arguments, format);
    compose_list(reason, sizeof reason, format, arguments);
    va_end(arguments);
    make_one_line(reason);
    char *former = judgement->reason;
    bool is_loss = judgement->verdict == VERDICT_DEGRADED && verdict == VERDICT_FAILED;
    judgement->verdict = verdict;
    judgement->reason = is_loss ? memory_format("%s; %s", reason, former) : memory_copy_string(reason);
    memory_free(former);
}

void judgement_explain(struct judgement *judgement, struct bytes text)
{
    if (judgement->verdict == VERDICT_NONE) {
        memory_free(judgement->reason);
        judgement->reason = memory_format("%.*s", BYTES_FORMAT(text));
        make_one_line(judgement->reason);
    }
}

void judgement_add_reason(struct judgement *judgement, const char *text)
{
    char *former = judgement->reason;
    if (former == NULL) {
        judgement->reason = memory_copy_string(text);
    } else {
        judgement->reason = memory_format("%s; %s", former, text);
    }
    make_one_line(judgement->reason);
    memory_free(former);
}

static void judge_failed_steps(struct judgement *judgement, const struct campaign_options *options,
                               const struct steps_counted *steps)
{
    char beside[BESIDE_BYTES] = "";
    uint64_t total = steps->ok + steps->failed;
    uint64_t failed = steps->failed - steps->failed_by_loss;
    if (steps->failed_by_loss > 0) {
        compose(beside, sizeof beside, ", and %llu by the loss of an agent",
                (unsigned long long)steps->failed_by_loss);
    }
    if (options->fail_percent > 0) {
        if (total > 0 && 100.0 * (double)failed >= options->fail_percent * (double)total) {
            judgement_raise(judgement, VERDICT_FAILED, "%llu of %llu step%s failed%s (the limit is %g %%)",
                            (unsigned long long)failed, (unsigned long long)total, digits_plural(total),
                            beside, options->fail_percent);
        }
    } else if (options->fail_steps > 0 && failed >= options->fail_steps) {
        judgement_raise(judgement, VERDICT_FAILED, "%llu of %llu step%s failed%s (the limit is %llu)",
                        (unsigned long long)failed, (unsigned long long)total, digits_plural(total), beside,
                        (unsigned long long)options->fail_steps);
    }
}

/* A campaign without any successful step has failed, unless failed steps are allowed (--fail 0) and there
 * were some. Thresholds allow none that nothing has passed: they may judge what does not fail, such as times.
 */
static void judge_success(struct judgement *judgement, const struct campaign_options *options,
                          const struct steps_counted *steps)
{
    bool is_failure_allowed =
        options->fail_steps == 0 && options->fail_percent <= 0 && options->thresholds.size == 0;
    if (!steps->is_own_end || steps->ok > 0 || (steps->failed > 0 && is_failure_allowed)) {
        return;
    }
    char duration[DURATION_BYTES];
    char ramp_up[DURATION_BYTES];
    duration_describe(options->duration_ms, duration, sizeof duration);
    duration_describe(options->ramp_up_ms, ramp_up, sizeof ramp_up);
    if (steps->failed > 0 || steps->common_error.size > 0) {
        judgement_raise(judgement, VERDICT_FAILED, "no step succeeded: %.*s",
                        BYTES_FORMAT(steps->common_error));
    } else if (options->duration_ms > 0 && options->ramp_up_ms >= options->duration_ms) {
        judgement_raise(judgement, VERDICT_FAILED,
                        "no step succeeded: the ramp-up of %s leaves nothing of the duration of %s", ramp_up,
                        duration);
    } else if (options->duration_ms > 0) {
        judgement_raise(judgement, VERDICT_FAILED, "no step succeeded: none was ended within %s", duration);
    } else {
        judgement_raise(judgement, VERDICT_FAILED, "no step succeeded: none was run");
    }
}

void judgement_of_steps(struct judgement *judgement, const struct campaign_options *options,
                        const struct steps_counted *steps)
{
    judge_failed_steps(judgement, options, steps);
    judge_success(judgement, options, steps);
}

void judgement_of_requests(struct judgement *judgement, const struct campaign_options *options,
                           const struct requests_counted *requests)
{
    char text[REQUESTS_BYTES];
    bool is_failure_allowed = options->fail_steps == 0 && options->fail_percent <= 0;
    if (requests->failed == 0) {
        return;
    }
    if (requests->failed == requests->all && !is_failure_allowed && options->thresholds.size == 0 &&
        judgement->verdict <= VERDICT_PASSED) {
        judgement_raise(judgement, VERDICT_FAILED, "no request succeeded: %s%llu failed",
                        requests->all > 1 ? "all " : "", (unsigned long long)requests->failed);
        return;
    }
    compose(text, sizeof text, "%llu of %llu request%s failed", (unsigned long long)requests->failed,
            (unsigned long long)requests->all, digits_plural(requests->all));
    judgement_add_reason(judgement, text);
}

void judgement_pass(struct judgement *judgement, uint64_t stopped_ns)
{
    char duration[DURATION_BYTES];
    if (judgement->verdict != VERDICT_NONE) {
        return;
    }
    judgement->verdict = VERDICT_PASSED;
    if (stopped_ns > 0) {
        uint64_t ms = stopped_ns / 1000000u;
        duration_describe(ms < 1000 ? ms : ms / 1000 * 1000, duration, sizeof duration);
        memory_free(judgement->reason);
        judgement->reason = memory_format("stopped after %s", duration);
    }
}
