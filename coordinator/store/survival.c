/* How the coordinator sees to it that another process can go on in its place. */
#include "coordinator/store/survival.h"

#include "common/clock.h"
#include "common/compose.h"
#include "common/memory.h"

#include <stdarg.h>

struct survival {
    struct survival_settings settings;
    struct journal *journal;
    bool is_failed;
    bool is_base_missed; /* the last one could not be made */
    struct error failure;
    struct error lost;
    uint64_t failures;
};

static struct journal_time read_clocks(void)
{
    return (struct journal_time){.machine_ns = clock_now_ns(), .wall_ns = clock_wall_ns()};
}

struct survival *survival_open(const struct survival_settings *settings, struct error *error)
{
    struct error warning;
    struct journal *journal = journal_open(settings->folder, settings->max_bytes, &warning, error);
    if (journal == NULL) {
        return NULL;
    }
    struct survival *survival = MEMORY_NEW(struct survival);
    survival->settings = *settings;
    survival->settings.folder = NULL;
    survival->journal = journal;
    if (warning.text[0] != '\0') {
        settings->on_log(settings->context, LOG_WARNING, warning.text);
    }
    return survival;
}

void survival_free(struct survival **survival)
{
    if (*survival != NULL) {
        journal_free(&(*survival)->journal);
        memory_free(*survival);
        *survival = NULL;
    }
}

static void survival_tell(const struct survival *survival, enum log_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);
static void survival_tell(const struct survival *survival, enum log_level level, const char *format, ...)
{
    char text[2 * ERROR_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    compose_list(text, sizeof text, format, arguments);
    va_end(arguments);
    survival->settings.on_log(survival->settings.context, level, text);
}

/* Said once, until it works again. */
static void fail(struct survival *survival, const struct error *error)
{
    survival->failures++;
    if (survival->is_failed) {
        return;
    }
    survival->is_failed = true;
    survival->failure = *error;
    bool stops = survival->settings.policy == SURVIVAL_STOP;
    survival_tell(
        survival, LOG_ERROR,
        "the journal has failed: %s; %s. Make room or mend the disk: the next campaign that begins while no "
        "other runs has a journal again",
        error->text,
        stops ? "campaigns are stopped, and new ones refused (--on-journal-failure stop)"
              : "campaigns go on, but would not survive this process (--on-journal-failure go-on)");
}

static void heal(struct survival *survival)
{
    if (survival->is_failed) {
        survival->is_failed = false;
        survival_tell(survival, LOG_INFO, "the journal works again");
    }
}

static void tell_restored(const struct survival *survival, const struct journal_restored *restored,
                          uint64_t took_ns)
{
    survival_tell(survival, LOG_INFO, "went on from the journal: %llu events, %llu bytes, in %llu ms",
                  (unsigned long long)restored->events, (unsigned long long)restored->bytes,
                  (unsigned long long)(took_ns / NS_PER_MS));
    if (restored->cut_bytes > 0) {
        survival_tell(survival, LOG_WARNING,
                      "the last %llu bytes of the journal were cut off: they are no whole block of it",
                      (unsigned long long)restored->cut_bytes);
    }
    if (restored->is_of_other_machine) {
        survival_tell(
            survival, LOG_INFO,
            "the journal is of another machine, or this one was started again: its time goes on by the "
            "calendar");
    }
}

struct coordinator *survival_restore(struct survival *survival, const struct coordinator_settings *settings,
                                     bool *is_restored)
{
    struct journal_restored restored;
    struct error error = {.text = ""};
    struct coordinator_settings ours = *settings;
    struct journal_time time = read_clocks();
    enum journal_found found = journal_restore(survival->journal, &time, &restored, &error);
    *is_restored = found == JOURNAL_ALIVE;
    if (*is_restored) {
        tell_restored(survival, &restored, clock_now_ns() - time.machine_ns);
        return restored.coordinator;
    }
    if (found == JOURNAL_LOST) {
        survival->lost = error;
        survival_tell(survival, LOG_WARNING, "the journal cannot be gone on from: %s", error.text);
    }
    if (restored.last_campaign > ours.last_campaign) {
        ours.last_campaign = restored.last_campaign;
    }
    if (!journal_rest(survival->journal, &ours, &time, &error)) {
        fail(survival, &error);
    }
    return coordinator_new(&ours);
}

uint64_t survival_offset_ns(const struct survival *survival)
{
    return journal_offset_ns(survival->journal);
}

const char *survival_lost_reason(const struct survival *survival)
{
    return survival->lost.text[0] != '\0' ? survival->lost.text : NULL;
}

static bool survival_begin_afresh(struct survival *survival, const struct coordinator *coordinator)
{
    struct error error;
    struct journal_time time = read_clocks();
    if (!journal_begin(survival->journal, coordinator, &time, &error)) {
        fail(survival, &error);
        return false;
    }
    heal(survival);
    return true;
}

bool survival_allows_campaign(struct survival *survival, const struct coordinator *coordinator)
{
    bool is_kept = journal_is_on(survival->journal) || (!coordinator_has_live_campaign(coordinator) &&
                                                        survival_begin_afresh(survival, coordinator));
    return is_kept || survival->settings.policy == SURVIVAL_GO_ON;
}

void survival_note(struct survival *survival, const struct coordinator_event *event)
{
    journal_note(survival->journal, event);
}

bool survival_write(struct survival *survival)
{
    struct error error;
    if (journal_write(survival->journal, &error)) {
        return true;
    }
    fail(survival, &error);
    return survival->settings.policy == SURVIVAL_GO_ON;
}

/* Said once, until it works again: the journal is whole, it only grows. */
static void miss_base(struct survival *survival, const struct error *error)
{
    if (!survival->is_base_missed) {
        survival->is_base_missed = true;
        survival_tell(survival, LOG_WARNING, "%s; it grows, and a restart takes longer", error->text);
    }
}

static bool renew(struct survival *survival, const struct coordinator *coordinator)
{
    struct error error;
    struct journal_time time = read_clocks();
    switch (journal_renew(survival->journal, coordinator, &time, &error)) {
    case JOURNAL_AS_IT_WAS:
        return true;
    case JOURNAL_RENEWED:
        survival->is_base_missed = false;
        return true;
    case JOURNAL_NOT_RENEWED:
        miss_base(survival, &error);
        return true;
    case JOURNAL_FAILED:
        break;
    }
    fail(survival, &error);
    return survival->settings.policy == SURVIVAL_GO_ON;
}

bool survival_rest(struct survival *survival, const struct coordinator *coordinator,
                   const struct coordinator_settings *settings)
{
    struct error error;
    if (!journal_is_on(survival->journal) || coordinator_has_live_campaign(coordinator)) {
        return renew(survival, coordinator);
    }
    struct coordinator_settings ours = *settings;
    ours.last_campaign = coordinator_last_campaign(coordinator);
    struct journal_time time = read_clocks();
    if (!journal_rest(survival->journal, &ours, &time, &error)) {
        fail(survival, &error);
    }
    return true;
}

struct survival_state survival_state(const struct survival *survival)
{
    return (struct survival_state){.is_failed = survival->is_failed,
                                   .reason = survival->is_failed ? survival->failure.text : "",
                                   .policy = survival->settings.policy,
                                   .bytes = journal_bytes(survival->journal),
                                   .written_bytes = journal_written_bytes(survival->journal),
                                   .writes = journal_write_count(survival->journal),
                                   .bases = journal_base_count(survival->journal),
                                   .failures = survival->failures};
}
