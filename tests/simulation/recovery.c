/* The simulated coordinator's journal, how its process dies, and how another one continues. Beside the one
 * that continues runs a shadow: the coordinator as it would be without the death, or as restored from the
 * journal's base; both must behave identically for ever. */
#include "common/memory.h"
#include "coordinator/core/coordinator_pack.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <string.h>

#define MOST_CONNECT_NS 500000000u
#define JOURNAL_BYTES (64u * 1024u * 1024u)
/* One in this many seeds has a shadow from the beginning. */
#define ACCOMPANIED 8u
/* At the end of one in this many turns a new base is begun, and one that was begun replaces the journal. */
#define RENEWED 24u
#define FINISHED 4u
/* One in this many bases is compared with all that has happened before; one in this many of those gets a
 * shadow from then on. */
#define PROVED 4u
#define ACCOMPANIED_BASES 2u

static const struct event_log_head HEAD = {.build = {(const uint8_t *)"this", 4}};

void recovery_init(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    event_log_writer_init(&recovery->writer);
    recovery->writer.lineage = world->seed | 1;
    buffer_init(&recovery->journal, JOURNAL_BYTES);
    buffer_init(&recovery->renewed, JOURNAL_BYTES);
    random_seed(&recovery->dice,
                world->seed + 1); /* of its own: the events of the plan are the same without */
}

void recovery_finish(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    event_log_writer_finish(&recovery->writer);
    buffer_finish(&recovery->journal);
    buffer_finish(&recovery->renewed);
    coordinator_effects_finish(&recovery->shadow_effects);
    coordinator_free(&recovery->shadow);
}

/* While a new base is being written, events are added to both. */
static void keep(struct recovery *recovery, struct bytes block)
{
    (void)buffer_append(&recovery->journal, block.data, block.size);
    if (recovery->is_renewing) {
        (void)buffer_append(&recovery->renewed, block.data, block.size);
    }
}

static void make_base(struct world *world, struct buffer *into)
{
    buffer_clear(into);
    event_log_begin_base(&world->recovery.writer, &HEAD, into);
    coordinator_pack(world->coordinator, into);
    if (!event_log_seal_base(into)) {
        world_break(world, "the base of the journal is too large");
    }
}

/* NULL, and a promise is broken, if it cannot be read. */
static struct coordinator *read_journal(struct world *world, const struct buffer *journal,
                                        struct event_log_end *end)
{
    struct coordinator *found = NULL;
    struct event_log_reader reader;
    struct event_log_head head;
    struct error error;
    const struct bundle_source bundles = {.load = hub_load_bundle, .context = world};
    if (event_log_open(&reader, buffer_bytes(journal), &head, &error)) {
        reader.bundles = &bundles;
        found = event_log_replay(&reader, &head, end, &error);
    }
    event_log_reader_finish(&reader);
    if (found == NULL) {
        world_break(world, "the journal cannot be read again: %s", error.text);
    }
    return found;
}

/* Whether a coordinator is packed identically to this one. */
static void compare_packed(struct world *world, const struct coordinator *left,
                           const struct coordinator *right, const char *what)
{
    SCOPED(buffer_finish) struct buffer one;
    SCOPED(buffer_finish) struct buffer other;
    buffer_init(&one, JOURNAL_BYTES);
    buffer_init(&other, JOURNAL_BYTES);
    coordinator_pack(left, &one);
    coordinator_pack(right, &other);
    if (!bytes_equal(buffer_bytes(&one), buffer_bytes(&other))) {
        size_t at = 0;
        while (at < one.size && at < other.size && one.data[at] == other.data[at]) {
            at++;
        }
        world_break(world, "%s is packed differently from byte %zu of %zu on", what, at, one.size);
    }
}

void recovery_begin(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    struct event_log_end end;
    recovery_write(world);
    make_base(world, &recovery->journal);
    recovery->has_journal = true;
    recovery->is_renewing = false;
    if (world->seed % ACCOMPANIED == 0) {
        coordinator_free(&recovery->shadow);
        recovery->shadow = read_journal(world, &recovery->journal, &end);
    }
}

/* Both the unpacked base and the replay from the previous base are equal to the coordinator. */
static void prove_base(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    struct event_log_end end;
    struct coordinator *copy = read_journal(world, &recovery->renewed, &end);
    struct coordinator *replayed = read_journal(world, &recovery->journal, &end);
    if (copy != NULL && replayed != NULL) {
        compare_packed(world, world->coordinator, copy, "what is read from a base");
        compare_packed(world, world->coordinator, replayed, "what is replayed");
    }
    coordinator_free(&replayed);
    if (recovery->shadow == NULL && random_below(&recovery->dice, ACCOMPANIED_BASES) == 0) {
        recovery->shadow = copy;
        return;
    }
    coordinator_free(&copy);
}

void recovery_renew(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    if (!recovery->has_journal || !coordinator_has_live_campaign(world->coordinator)) {
        return;
    }
    if (recovery->is_renewing) {
        if (random_below(&recovery->dice, FINISHED) == 0) {
            struct buffer old = recovery->journal;
            recovery->journal = recovery->renewed;
            recovery->renewed = old;
            recovery->is_renewing = false;
        }
        return;
    }
    if (random_below(&recovery->dice, RENEWED) != 0) {
        return;
    }
    if (!coordinator_is_at_rest(world->coordinator)) {
        world_break(world, "at the end of a turn the coordinator is not at rest");
        return;
    }
    recovery_write(world);
    make_base(world, &recovery->renewed);
    recovery->is_renewing = true;
    if (random_below(&recovery->dice, PROVED) == 0) {
        prove_base(world);
    }
}

void recovery_note(struct world *world, const struct coordinator_event *event)
{
    if (world->recovery.has_journal) {
        event_log_note(&world->recovery.writer, event);
    }
}

void recovery_write(struct world *world)
{
    keep(&world->recovery, event_log_seal(&world->recovery.writer));
}

static bool is_same_effect(const struct coordinator_effect *left, const struct coordinator_effect *right)
{
    const char *left_text = left->text != NULL ? left->text : "";
    const char *right_text = right->text != NULL ? right->text : "";
    return left->kind == right->kind && left->incarnation == right->incarnation &&
           memcmp(&left->envelope, &right->envelope, sizeof left->envelope) == 0 &&
           bytes_equal(shared_bytes(left->message), shared_bytes(right->message)) &&
           left->level == right->level && left->campaign == right->campaign && left->state == right->state &&
           strcmp(left_text, right_text) == 0;
}

static void compare_reports(struct world *world, struct coordinator *left, struct coordinator *right)
{
    const struct campaign_report *one = coordinator_report(left, WORLD_CAMPAIGN, world->now_ns);
    const struct campaign_report *other = coordinator_report(right, WORLD_CAMPAIGN, world->now_ns);
    bool is_same = (one == NULL) == (other == NULL);
    if (is_same && one != NULL) {
        is_same = one->state == other->state && one->verdict == other->verdict &&
                  bytes_equal(one->reason, other->reason) && one->begun_ns == other->begun_ns &&
                  one->running_ns == other->running_ns && one->workers_running == other->workers_running &&
                  one->steps_ok == other->steps_ok && one->steps_failed == other->steps_failed &&
                  one->steps_stopped == other->steps_stopped && one->steps_lost == other->steps_lost &&
                  one->error_count == other->error_count && one->wait_count == other->wait_count &&
                  bytes_equal(one->waiting, other->waiting) && one->live_notifiers == other->live_notifiers &&
                  one->live_barriers == other->live_barriers &&
                  one->live_variables == other->live_variables && one->live_waits == other->live_waits;
        for (size_t i = 0; is_same && i < one->wait_count; i++) {
            is_same =
                bytes_equal(one->waits[i].name, other->waits[i].name) &&
                memcmp(one->waits[i].outcomes, other->waits[i].outcomes, sizeof one->waits[i].outcomes) == 0;
        }
    }
    if (!is_same) {
        world_break(world, "the report differs after the restart");
    }
}

static void compare_overviews(struct world *world, struct coordinator *left, struct coordinator *right)
{
    const struct coordinator_overview *one = coordinator_overview(left);
    const struct coordinator_overview *other = coordinator_overview(right);
    bool is_same = one->agent_count == other->agent_count && one->lost_count == other->lost_count &&
                   one->campaign_count == other->campaign_count &&
                   one->live_campaign_count == other->live_campaign_count &&
                   one->campaigns_created == other->campaigns_created &&
                   one->agents_joined == other->agents_joined && one->agents_lost == other->agents_lost &&
                   one->frames_received == other->frames_received && one->frames_sent == other->frames_sent &&
                   one->operations == other->operations;
    for (size_t i = 0; is_same && i < one->agent_count; i++) {
        const struct agent_overview *agent = &one->agents[i];
        const struct agent_overview *twin = &other->agents[i];
        is_same = bytes_equal(agent->name, twin->name) && bytes_equal(agent->host, twin->host) &&
                  agent->pid == twin->pid && agent->cores == twin->cores && agent->shards == twin->shards &&
                  agent->memory_bytes == twin->memory_bytes && agent->heard_ns == twin->heard_ns &&
                  agent->is_lost == twin->is_lost && agent->workers_running == twin->workers_running &&
                  agent->campaign_count == twin->campaign_count;
    }
    if (!is_same) {
        world_break(world, "the overview differs after the restart");
    }
}

static void compare(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    compare_reports(world, recovery->shadow, world->coordinator);
    compare_overviews(world, recovery->shadow, world->coordinator);
    if (coordinator_is_at_rest(world->coordinator)) {
        compare_packed(world, recovery->shadow, world->coordinator, "what was restored");
    }
    if (coordinator_due_ns(recovery->shadow) != coordinator_due_ns(world->coordinator)) {
        world_break(world, "the next deadline differs after the restart");
    }
}

void recovery_shadow(struct world *world, const struct coordinator_event *event)
{
    struct recovery *recovery = &world->recovery;
    if (recovery->shadow == NULL) {
        return;
    }
    coordinator_step(recovery->shadow, event, &recovery->shadow_effects);
    const struct coordinator_effects *effects = &world->coordinator_effects;
    bool is_same = effects->count == recovery->shadow_effects.count;
    for (size_t i = 0; is_same && i < effects->count; i++) {
        is_same = is_same_effect(&effects->items[i], &recovery->shadow_effects.items[i]);
    }
    if (!is_same) {
        world_break(world, "an event of kind %u has different effects after the restart",
                    (unsigned)event->kind);
    }
}

void recovery_arm(struct world *world, uint32_t index)
{
    struct recovery *recovery = &world->recovery;
    if (!recovery->is_down && recovery->kill == NULL) {
        recovery->kill = &world->plan->kills[index];
        recovery->steps_to_live = recovery->kill->after_steps;
    }
}

bool recovery_is_last_step(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    if (recovery->kill == NULL || world->coordinator_effects.count == 0) {
        return false;
    }
    return recovery->steps_to_live-- == 0;
}

/* Only part of the last block has reached the file, or nothing. */
static void tear(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    struct bytes block = event_log_seal(&recovery->writer);
    if (recovery->kill->is_torn && block.size > 0) {
        keep(recovery, bytes_of(block.data, (size_t)world_between(world, 0, block.size - 1)));
    }
}

void recovery_die(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    const struct kill *kill = recovery->kill;
    transcript_say(world->transcript, world->now_ns - world->created_ns, "the coordinator is killed%s",
                   kill->is_before_journal ? " before it has written its last event" : "");
    /* What would have happened without the death is only known if all of it is in the journal. */
    coordinator_free(&recovery->shadow);
    if (kill->is_before_journal) {
        tear(world);
        coordinator_free(&world->coordinator);
    } else {
        recovery->shadow = world->coordinator;
        world->coordinator = NULL;
    }
    recovery->kill = NULL;
    recovery->is_renewing = false; /* however far it has got, nobody reads it */
    recovery->is_down = true;
    recovery->down_ns += kill->for_ns;
    world->coordinator_tick_ns = 0;
    world->has_coordinator_turn = false;
    world->is_dirty = true;
    world->last_trouble_ns = world->now_ns;
    queue_put(&world->queue, (struct event){.due_ns = world->now_ns + kill->for_ns,
                                            .happening = HAPPENING_COORDINATOR_RESTART});
}

static void restore(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    struct event_log_end end = {0};
    uint64_t lineage = recovery->writer.lineage;
    event_log_writer_finish(&recovery->writer);
    event_log_writer_init(&recovery->writer);
    recovery->writer.lineage = lineage;
    if (!recovery->has_journal) {
        return;
    }
    world->coordinator = read_journal(world, &recovery->journal, &end);
    if (world->coordinator == NULL) {
        return;
    }
    recovery->journal.size = end.good_bytes;
    recovery->writer.blocks = end.blocks;
    if (recovery->shadow != NULL) {
        compare(world);
    }
}

/* Nobody has requested anything of it yet that would have to be continued. */
static void begin_anew(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    coordinator_free(&world->coordinator);
    coordinator_free(&recovery->shadow);
    recovery->has_journal = false;
    world->settings.epoch = random_next(&world->random) | 1;
    world->coordinator = coordinator_new(&world->settings);
}

/* Most notice at once that their connection is a new one, some do not. */
static void connect_hosts(struct world *world)
{
    for (uint32_t i = 0; i < world->plan->hosts; i++) {
        struct host *host = &world->hosts[i];
        host->is_unanswered = true;
        host->unheard_incarnation = host->is_up && !host->is_declared_lost ? host->incarnation : 0;
        if (host->is_up && world_chance(world, 0.8)) {
            queue_put(&world->queue,
                      (struct event){.due_ns = world->now_ns + world_between(world, 0, MOST_CONNECT_NS),
                                     .happening = HAPPENING_CONNECTED,
                                     .host = (uint8_t)i,
                                     .life = host->life});
        }
    }
}

/* A request without an answer is repeated; the answer may have been lost. */
static void ask_again(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    if (world->is_created) {
        queue_put(&world->queue, (struct event){.due_ns = world->now_ns, .happening = HAPPENING_CREATE});
    }
    if (recovery->is_stop_unanswered) {
        queue_put(&world->queue, (struct event){.due_ns = world->now_ns, .happening = HAPPENING_STOP});
    }
}

void recovery_restart(struct world *world)
{
    struct recovery *recovery = &world->recovery;
    struct coordinator_event event = {.kind = EVENT_RESTORED};
    recovery->is_down = false;
    transcript_say(world->transcript, world->now_ns - world->created_ns, "the coordinator is back");
    restore(world);
    if (world->is_broken) {
        return;
    }
    connect_hosts(world);
    if (world->coordinator == NULL || coordinator_last_campaign(world->coordinator) == 0) {
        begin_anew(world);
    } else {
        hub_step(world, &event);
    }
    ask_again(world);
}
