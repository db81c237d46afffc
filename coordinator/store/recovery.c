/* Lets another process continue in the coordinator's place. */
#include "coordinator/store/recovery.h"

#include "common/clock.h"
#include "common/compose.h"
#include "common/memory.h"

#include <stdarg.h>

struct recovery {
    struct recovery_settings settings;
    struct journal *journal;
    struct bundle_store *bundles;
    bool is_failed;
    bool is_base_missed; /* the last journal could not be created */
    struct error failure;
    struct error lost;
    uint64_t failures;
};

static struct journal_time read_clocks(void)
{
    struct clock_pair pair = clock_pair_now();
    return (struct journal_time){.machine_ns = pair.now_ns, .wall_ns = pair.wall_ns};
}

static void recovery_warn(const struct recovery *recovery, const struct error *warning)
{
    if (warning->text[0] != '\0') {
        recovery->settings.on_log(recovery->settings.context, LOG_WARNING, warning->text);
    }
}

static uint8_t *recovery_load_bundle(void *context, const struct bundle_listing *listing)
{
    return bundle_store_load(((struct recovery *)context)->bundles, listing);
}

/* First of all: it makes the folder and locks it. */
static bool recovery_open_journal(struct recovery *recovery, const char *folder, struct error *error)
{
    struct error warning;
    const struct bundle_source bundles = {.load = recovery_load_bundle, .context = recovery};
    recovery->journal = journal_open(folder, recovery->settings.max_bytes, &bundles, &warning, error);
    if (recovery->journal != NULL) {
        recovery_warn(recovery, &warning);
    }
    return recovery->journal != NULL;
}

static bool recovery_open_bundles(struct recovery *recovery, const char *folder, struct error *error)
{
    struct error warning;
    SCOPED(memory_free_at) char *bundles = memory_format("%s/bundles", folder);
    recovery->bundles = bundle_store_open(recovery->settings.loop, bundles, &warning, error);
    if (recovery->bundles != NULL) {
        recovery_warn(recovery, &warning);
    }
    return recovery->bundles != NULL;
}

struct recovery *recovery_open(const struct recovery_settings *settings, struct error *error)
{
    struct recovery *recovery = MEMORY_NEW(struct recovery);
    recovery->settings = *settings;
    recovery->settings.folder = NULL;
    if (!recovery_open_journal(recovery, settings->folder, error) ||
        !recovery_open_bundles(recovery, settings->folder, error)) {
        recovery_free(&recovery);
    }
    return recovery;
}

void recovery_free(struct recovery **recovery)
{
    if (*recovery != NULL) {
        journal_free(&(*recovery)->journal);
        bundle_store_free(&(*recovery)->bundles);
        memory_free(*recovery);
        *recovery = NULL;
    }
}

static void recovery_tell(const struct recovery *recovery, enum log_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);
static void recovery_tell(const struct recovery *recovery, enum log_level level, const char *format, ...)
{
    char text[2 * ERROR_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    compose_list(text, sizeof text, format, arguments);
    va_end(arguments);
    recovery->settings.on_log(recovery->settings.context, level, text);
}

/* Logged once, until it works again. */
static void fail(struct recovery *recovery, const struct error *error)
{
    recovery->failures++;
    if (recovery->is_failed) {
        return;
    }
    recovery->is_failed = true;
    recovery->failure = *error;
    bool stops = recovery->settings.policy == RECOVERY_STOP;
    recovery_tell(recovery, LOG_ERROR,
                  "the journal has failed: %s; %s. Free some space or repair the disk: the next campaign "
                  "that begins while no "
                  "other one runs has a journal again",
                  error->text,
                  stops ? "campaigns are stopped, and new ones refused (--on-journal-failure stop)"
                        : "campaigns go on, but would not survive this process (--on-journal-failure go-on)");
}

static void heal(struct recovery *recovery)
{
    if (recovery->is_failed) {
        recovery->is_failed = false;
        recovery_tell(recovery, LOG_INFO, "the journal works again");
    }
}

static void tell_restored(const struct recovery *recovery, const struct journal_restored *restored,
                          uint64_t took_ns)
{
    recovery_tell(recovery, LOG_INFO, "continued from the journal: %llu events, %llu bytes, in %llu ms",
                  (unsigned long long)restored->events, (unsigned long long)restored->bytes,
                  (unsigned long long)(took_ns / NS_PER_MS));
    if (restored->cut_bytes > 0) {
        recovery_tell(recovery, LOG_WARNING,
                      "the last %llu bytes of the journal were cut off: they are not a complete block",
                      (unsigned long long)restored->cut_bytes);
    }
    if (restored->is_of_other_machine) {
        recovery_tell(
            recovery, LOG_INFO,
            "the journal is from another machine, or this one was rebooted: its time continues by the "
            "calendar");
    }
}

struct coordinator *recovery_restore(struct recovery *recovery, const struct coordinator_settings *settings,
                                     bool *is_restored)
{
    struct journal_restored restored;
    struct error error = {.text = ""};
    struct coordinator_settings ours = *settings;
    struct journal_time time = read_clocks();
    enum journal_found found = journal_restore(recovery->journal, &time, &restored, &error);
    *is_restored = found == JOURNAL_ALIVE;
    if (*is_restored) {
        tell_restored(recovery, &restored, clock_now_ns() - time.machine_ns);
        recovery_drop_bundles(recovery, restored.coordinator);
        return restored.coordinator;
    }
    if (found == JOURNAL_LOST) {
        recovery->lost = error;
        recovery_tell(recovery, LOG_WARNING, "cannot continue from the journal: %s", error.text);
    }
    if (restored.last_campaign > ours.last_campaign) {
        ours.last_campaign = restored.last_campaign;
    }
    if (!journal_rest(recovery->journal, &ours, &time, &error)) {
        fail(recovery, &error);
    }
    struct coordinator *coordinator = coordinator_new(&ours);
    recovery_drop_bundles(recovery, coordinator);
    return coordinator;
}

uint64_t recovery_offset_ns(const struct recovery *recovery)
{
    return journal_offset_ns(recovery->journal);
}

const char *recovery_lost_reason(const struct recovery *recovery)
{
    return recovery->lost.text[0] != '\0' ? recovery->lost.text : NULL;
}

static bool recovery_begin_afresh(struct recovery *recovery, const struct coordinator *coordinator)
{
    struct error error;
    struct journal_time time = read_clocks();
    if (!journal_begin(recovery->journal, coordinator, &time, &error)) {
        fail(recovery, &error);
        return false;
    }
    heal(recovery);
    return true;
}

bool recovery_allows_campaign(struct recovery *recovery, const struct coordinator *coordinator,
                              struct error *error)
{
    bool is_kept = journal_is_on(recovery->journal) || (!coordinator_has_live_campaign(coordinator) &&
                                                        recovery_begin_afresh(recovery, coordinator));
    return is_kept || recovery->settings.policy == RECOVERY_GO_ON ||
           error_set(error, "the journal has failed (%s), and no campaign may run without one",
                     recovery->failure.text);
}

bool recovery_keep_bundle(struct recovery *recovery, struct bundle_upload *upload, struct bytes hash,
                          struct error *error)
{
    if (journal_is_on(recovery->journal)) {
        return bundle_store_keep(recovery->bundles, upload, hash, error);
    }
    bundle_upload_finish(upload);
    return true;
}

static bool recovery_is_bundle_named(const void *context, struct bytes hash)
{
    return coordinator_names_bundle(context, hash);
}

void recovery_drop_bundles(struct recovery *recovery, const struct coordinator *coordinator)
{
    bundle_store_drop(recovery->bundles, recovery_is_bundle_named, coordinator);
}

struct bundle_store *recovery_bundles(struct recovery *recovery)
{
    return recovery->bundles;
}

void recovery_note(struct recovery *recovery, const struct coordinator_event *event)
{
    journal_note(recovery->journal, event);
}

bool recovery_write(struct recovery *recovery)
{
    struct error error;
    if (journal_write(recovery->journal, &error)) {
        return true;
    }
    fail(recovery, &error);
    return recovery->settings.policy == RECOVERY_GO_ON;
}

/* Logged once, until it works again: the journal is complete, it only grows. */
static void miss_base(struct recovery *recovery, const struct error *error)
{
    if (!recovery->is_base_missed) {
        recovery->is_base_missed = true;
        recovery_tell(recovery, LOG_WARNING, "%s; it grows, and a restart takes longer", error->text);
    }
}

static bool renew(struct recovery *recovery, const struct coordinator *coordinator)
{
    struct error error;
    struct journal_time time = read_clocks();
    switch (journal_renew(recovery->journal, coordinator, &time, &error)) {
    case JOURNAL_AS_IT_WAS:
        return true;
    case JOURNAL_RENEWED:
        recovery->is_base_missed = false;
        return true;
    case JOURNAL_NOT_RENEWED:
        miss_base(recovery, &error);
        return true;
    case JOURNAL_FAILED:
        break;
    }
    fail(recovery, &error);
    return recovery->settings.policy == RECOVERY_GO_ON;
}

bool recovery_rest(struct recovery *recovery, const struct coordinator *coordinator,
                   const struct coordinator_settings *settings)
{
    struct error error;
    if (!journal_is_on(recovery->journal) || coordinator_has_live_campaign(coordinator)) {
        return renew(recovery, coordinator);
    }
    struct coordinator_settings ours = *settings;
    ours.last_campaign = coordinator_last_campaign(coordinator);
    struct journal_time time = read_clocks();
    if (!journal_rest(recovery->journal, &ours, &time, &error)) {
        fail(recovery, &error);
    }
    return true;
}

struct recovery_state recovery_state(const struct recovery *recovery)
{
    return (struct recovery_state){.is_failed = recovery->is_failed,
                                   .reason = recovery->is_failed ? recovery->failure.text : "",
                                   .policy = recovery->settings.policy,
                                   .bytes = journal_bytes(recovery->journal),
                                   .written_bytes = journal_written_bytes(recovery->journal),
                                   .writes = journal_write_count(recovery->journal),
                                   .bases = journal_base_count(recovery->journal),
                                   .failures = recovery->failures};
}
