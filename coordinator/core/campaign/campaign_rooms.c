/* Between the rooms of a campaign and its agents: operations of workers go in, replies and news of the rooms
 * go out, both in bounded portions. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/memory.h"
#include "coordinator/core/base/bitset.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <string.h>

/* Approximate size of an item, and of a run of a worker set, on the wire. */
#define ITEM_BYTES 100u
#define RUN_BYTES 12u
/* One message serves all agents where it costs none of them much more than its own part would: so many runs
 * of workers in a reply, and so many bytes of replies that are not for each of the agents. */
#define COMMON_RUNS 64u
#define COMMON_EXTRA_BYTES 1024u
/* The latest values that are not counted again where replies share them. */
#define SHARED_LOOKED_AT 8u

/* Replies of this size are sent immediately, not at the end of the turn. */
#define SENT_AT_ONCE_BYTES (1024u * 1024u)

static_assert(CAMPAIGN_SET_RUNS <= LIMIT_SET_RUNS, "the codec accepts them");

/* The replies for one agent, collected so far. */
struct draft {
    struct reply *items; /* everything but `workers` is borrowed */
    size_t count;
    size_t capacity;
    size_t size_bytes;
    const struct reply *source;              /* of the last item; NULL: the next worker begins a new one */
    uint64_t next_rank;                      /* of the worker that could join the last item */
    const uint8_t *values[SHARED_LOOKED_AT]; /* the latest: the message has each once */
    size_t value_count;
};

static void draft_send(struct campaign *campaign, const struct campaign_agent *agent, struct draft *draft)
{
    if (draft->count > 0) {
        struct message message = {.kind = MESSAGE_REPLIES,
                                  .replies = {.items = draft->items, .count = draft->count}};
        campaign_tell(campaign, agent, &message);
    }
    for (size_t i = 0; i < draft->count; i++) {
        worker_set_finish(&draft->items[i].workers);
    }
    draft->count = 0;
    draft->size_bytes = 0;
    draft->value_count = 0;
    draft->source = NULL;
}

static bool draft_has_value(const struct draft *draft, const uint8_t *value)
{
    for (size_t i = 0; i < SHARED_LOOKED_AT && i < draft->value_count; i++) {
        if (draft->values[i] == value) {
            return true;
        }
    }
    return false;
}

/* Returns how many bytes it adds to the message. */
static size_t draft_add_value(struct draft *draft, struct bytes value)
{
    if (value.size >= REPLY_SHARED_BYTES && draft_has_value(draft, value.data)) {
        return 0;
    }
    draft->values[draft->value_count++ % SHARED_LOOKED_AT] = value.data;
    return value.size;
}

/* Approximate size of the reply on the wire without its workers. */
static size_t draft_item_bytes(struct draft *draft, const struct reply *reply)
{
    return ITEM_BYTES + reply->name.size + draft_add_value(draft, reply->value) + reply->text.size +
           reply->missing.run_count * RUN_BYTES;
}

static void draft_begin_item(struct draft *draft, const struct reply *reply, uint64_t rank)
{
    draft->items = memory_reserve(draft->items, &draft->capacity, draft->count + 1, sizeof *draft->items);
    struct reply *item = &draft->items[draft->count++];
    *item = *reply;
    worker_set_init(&item->workers);
    item->rank = rank;
    draft->source = reply;
    draft->size_bytes += draft_item_bytes(draft, reply);
}

/* `rank` is the worker's own at a barrier, else 0. */
static void draft_add_worker(struct campaign *campaign, uint32_t worker, const struct reply *reply,
                             uint64_t rank, struct draft *drafts)
{
    uint32_t index = placement_agent(campaign->placement, worker);
    if (index == PLACEMENT_NOBODY || !campaign_agent_is_live(&campaign->agents[index])) {
        return;
    }
    struct draft *draft = &drafts[index];
    bool continues = draft->source == reply && draft->next_rank == rank &&
                     draft->items[draft->count - 1].workers.run_count < CAMPAIGN_SET_RUNS;
    if (!continues) {
        if (draft->size_bytes >= LIMIT_BATCH_BYTES || draft->count == LIMIT_BATCH_ITEMS) {
            draft_send(campaign, &campaign->agents[index], draft);
        }
        draft_begin_item(draft, reply, rank);
    }
    struct worker_set *workers = &draft->items[draft->count - 1].workers;
    size_t runs = workers->run_count;
    worker_set_add(workers, worker);
    draft->size_bytes += (workers->run_count - runs) * RUN_BYTES;
    draft->next_rank = rank == 0 ? 0 : rank + 1;
}

/* Which live agents replies are for. */
struct audience {
    uint64_t *agents; /* bits, as all below */
    uint64_t *of_one; /* of the reply that was added last */
    uint32_t count;
    struct draft size;  /* of all replies; without items */
    size_t whole_bytes; /* of those that are for each of the agents */
    size_t extra_bytes; /* of the others */
};

static void audience_add(const struct campaign *campaign, struct audience *audience,
                         const struct reply *reply)
{
    struct worker_cursor cursor = {0};
    uint32_t count_of_one = 0;
    uint32_t last = PLACEMENT_NOBODY;
    size_t bytes = draft_item_bytes(&audience->size, reply) + reply->workers.run_count * RUN_BYTES;
    memset(audience->of_one, 0, bitset_words(campaign->agent_count) * sizeof(uint64_t));
    while (worker_set_next(&reply->workers, &cursor)) {
        uint32_t index = placement_agent(campaign->placement, cursor.worker);
        if (index == last || index == PLACEMENT_NOBODY || !campaign_agent_is_live(&campaign->agents[index])) {
            continue;
        }
        last = index;
        count_of_one += bitset_add(audience->of_one, index);
        if (bitset_add(audience->agents, index)) {
            audience->count++;
            audience->extra_bytes += audience->whole_bytes;
            audience->whole_bytes = 0;
        }
    }
    audience->size.size_bytes += bytes;
    *(count_of_one == audience->count ? &audience->whole_bytes : &audience->extra_bytes) += bytes;
}

/* Whether one message with all the replies is as good for each agent of the audience as one of its own. An
 * agent passes over workers that it does not have. */
static bool audience_is_common(const struct campaign *campaign, const struct reply *replies, size_t count,
                               struct audience *audience)
{
    bool is_common = count <= LIMIT_BATCH_ITEMS;
    for (size_t i = 0; is_common && i < count; i++) {
        is_common =
            audience->size.size_bytes < LIMIT_BATCH_BYTES && replies[i].workers.run_count <= COMMON_RUNS;
        if (is_common) {
            audience_add(campaign, audience, &replies[i]);
            is_common = audience->extra_bytes <= COMMON_EXTRA_BYTES;
        }
    }
    return is_common && audience->count > 1;
}

/* Encoded once, and one piece of memory for all links. False if they have to be divided. */
static bool campaign_send_common(struct campaign *campaign, const struct reply *replies, size_t count)
{
    size_t words = bitset_words(campaign->agent_count);
    uint64_t *bits SCOPED(memory_free_at) = memory_new(2 * words, sizeof *bits);
    struct audience audience = {.agents = bits, .of_one = bits + words};
    if (!audience_is_common(campaign, replies, count, &audience)) {
        return false;
    }
    struct message message = {.kind = MESSAGE_REPLIES, .replies = {.items = replies, .count = count}};
    campaign_tell_some(campaign, audience.agents, &message);
    return true;
}

static void campaign_send_replies(struct campaign *campaign, const struct reply *replies, size_t count)
{
    if (campaign->agent_count > 1 && campaign_send_common(campaign, replies, count)) {
        return;
    }
    struct draft *drafts = memory_new(campaign->agent_count, sizeof *drafts);
    for (size_t i = 0; i < count; i++) {
        uint64_t rank = replies[i].rank;
        struct worker_cursor cursor = {0};
        while (worker_set_next(&replies[i].workers, &cursor)) {
            draft_add_worker(campaign, cursor.worker, &replies[i], rank, drafts);
            rank += rank > 0;
        }
    }
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        draft_send(campaign, &campaign->agents[i], &drafts[i]);
        memory_free(drafts[i].items);
    }
    memory_free(drafts);
}

void campaign_tell_rooms(struct campaign *campaign, const struct campaign_agent *agent,
                         enum message_kind kind, const struct worker_set *rooms)
{
    for (size_t first = 0; first < rooms->run_count; first += CAMPAIGN_SET_RUNS) {
        size_t left = rooms->run_count - first;
        struct message message = {
            .kind = kind,
            .rooms = {.runs = rooms->runs + first,
                      .run_count = left < CAMPAIGN_SET_RUNS ? left : CAMPAIGN_SET_RUNS},
        };
        if (agent != NULL) {
            campaign_tell(campaign, agent, &message);
        } else {
            campaign_tell_all(campaign, &message);
        }
    }
}

/* Sent even if no room synchronises: it then says that there is nothing to wait for. */
void campaign_send_last_steps(struct campaign *campaign)
{
    uint32_t rooms = campaign_room_total(campaign);
    struct room_step *items = memory_new(rooms, sizeof *items);
    size_t count = 0;
    for (uint32_t room = 0; room < rooms; room++) {
        if (campaign->last_steps[room] != 0 || rooms_is_synchronising(campaign->rooms, room)) {
            items[count++] = (struct room_step){.room = room, .step = campaign->last_steps[room]};
        }
    }
    struct message message = {.kind = MESSAGE_RUN_UNTIL, .room_steps = {.items = items, .count = count}};
    campaign_tell_all(campaign, &message);
    memory_free(items);
}

static void campaign_on_deadlock(struct campaign *campaign, uint64_t now_ns, const char *text)
{
    outbox_deadlock(campaign->home.outbox, campaign->id, text);
    outbox_log(campaign->home.outbox, LOG_WARNING, &(struct log_subject){.campaign = campaign->id},
               "campaign %llu: deadlock: %s", (unsigned long long)campaign->id, text);
    if (campaign->options.on_deadlock == ON_DEADLOCK_STOP) {
        (void)campaign_happen(campaign, now_ns, campaign_judge_stop(campaign, VERDICT_DEADLOCKED, text));
    } else {
        judgement_raise(&campaign->judgement, VERDICT_DEADLOCKED, "%s", text);
    }
}

static void campaign_settle_once(struct campaign *campaign, uint64_t now_ns)
{
    struct rooms_news news = {0};
    rooms_settle(campaign->rooms, now_ns, &news);
    /* A worker that is woken by a reply may end its step immediately: its agent has to know before that to
     * report it. */
    campaign_tell_rooms(campaign, NULL, MESSAGE_SYNCHRONISE, &news.synchronised);
    if (news.reply_count > 0) {
        campaign_send_replies(campaign, news.replies, news.reply_count);
    }
    campaign_tell_rooms(campaign, NULL, MESSAGE_ROOMS_DONE, &news.done);
    if (news.deadlock != NULL) {
        /* The text is borrowed from the rooms, which stopping changes. */
        char *text = memory_copy_string(news.deadlock);
        campaign_on_deadlock(campaign, now_ns, text);
        memory_free(text);
    }
}

void campaign_settle(struct campaign *campaign, uint64_t now_ns)
{
    while (campaign->is_unsettled && campaign->rooms != NULL) {
        campaign->is_unsettled = false;
        campaign_settle_once(campaign, now_ns);
        if (campaign->workers_wanted != 0 && campaign->rooms != NULL) {
            campaign_grow(campaign, now_ns);
        }
        if (campaign->rooms != NULL) {
            campaign_answer_wants(campaign, now_ns);
        }
    }
    if (campaign->rooms != NULL) {
        deadline_set(campaign->home.timers, &campaign->rooms_due, rooms_due_ns(campaign->rooms));
    }
}

/* A message of operations while it is applied. */
struct portion {
    struct campaign *campaign;
    uint64_t now_ns;
    struct campaign_agent *agent;
    bool is_refused; /* at least in part; complained about once */
    bool is_awaited; /* workers begin a step only when its operations are acknowledged */
};

/* Its sender waits for an answer, which goes back to it: the workers may not be its own. */
static void portion_refuse(struct portion *portion, const struct operation *operation, const char *why)
{
    if (!portion->is_refused) {
        portion->is_refused = true;
        member_complain(portion->agent->member, portion->now_ns, portion->campaign->home.outbox, why);
    }
    if (!operation_is_answered(operation->kind) || operation->workers.run_count == 0) {
        return;
    }
    struct reply reply = {.kind = operation->kind,
                          .outcome = OUTCOME_REFUSED,
                          .workers = operation->workers,
                          .room = operation->room,
                          .name = operation->name.size > 0 ? operation->name : bytes_of_string("?"),
                          .step = operation->step,
                          .nth = operation->nth,
                          .call = operation->call,
                          .text = bytes_of_string(why)};
    struct message message = {.kind = MESSAGE_REPLIES, .replies = {.items = &reply, .count = 1}};
    campaign_tell(portion->campaign, portion->agent, &message);
}

static void portion_apply(struct portion *portion, const struct operation *operation)
{
    struct campaign *campaign = portion->campaign;
    uint32_t index = (uint32_t)(portion->agent - campaign->agents);
    struct error error;
    uint64_t ended = rooms_steps_ended(campaign->rooms);
    if (operation->fault != NULL) {
        portion_refuse(portion, operation, operation->fault);
    } else if (!placement_owns_all(campaign->placement, index, &operation->workers)) {
        portion_refuse(portion, operation, "it acts for workers that are not its own");
    } else if (!rooms_may_ask(campaign->rooms, operation, &error) ||
               !rooms_apply(campaign->rooms, portion->now_ns, operation, &error)) {
        portion_refuse(portion, operation, error.text);
    }
    portion->agent->steps_ended += rooms_steps_ended(campaign->rooms) - ended;
    portion->is_awaited = portion->is_awaited || operation->kind == OPERATION_BEGUN;
    campaign->is_unsettled = true;
}

/* The whole message is acknowledged, including the operations that are put off. The steps that begin because
 * of that have to be known now, in case the agent is lost before those operations are applied. */
static void portion_note_begun(struct portion *portion, const struct message *message, size_t from)
{
    uint32_t index = (uint32_t)(portion->agent - portion->campaign->agents);
    for (size_t i = from; i < message->operations.count; i++) {
        const struct operation *operation = &message->operations.items[i];
        if (operation->kind == OPERATION_BEGUN && operation->fault == NULL &&
            placement_owns_all(portion->campaign->placement, index, &operation->workers)) {
            rooms_note_begun(portion->campaign->rooms, operation);
            portion->is_awaited = true;
        }
    }
}

/* Whether more operations may be applied in this turn. */
static bool portion_has_space(const struct portion *portion)
{
    struct campaign *campaign = portion->campaign;
    if (rooms_untold_bytes(campaign->rooms) < SENT_AT_ONCE_BYTES) {
        return true;
    }
    campaign_settle(campaign, portion->now_ns);
    return campaign_agent_is_live(portion->agent) &&
           members_may_speak(campaign->home.members, portion->agent->member);
}

enum campaign_lifecycle_event campaign_take_operations(struct campaign *campaign, uint64_t now_ns,
                                                       struct campaign_agent *agent,
                                                       const struct message *message)
{
    struct portion portion = {.campaign = campaign, .now_ns = now_ns, .agent = agent};
    struct member *member = agent->member;
    for (size_t i = member->next_operation; i < message->operations.count && campaign->rooms != NULL; i++) {
        portion_apply(&portion, &message->operations.items[i]);
        if (!portion_has_space(&portion)) {
            member->next_operation = i + 1;
            member->is_half_done = i + 1 < message->operations.count;
            break;
        }
    }
    if (member->is_half_done && campaign->rooms != NULL) {
        portion_note_begun(&portion, message, member->next_operation);
    }
    campaign_series_seen(campaign, now_ns);
    if (portion.is_awaited && agent->member != NULL) {
        members_acknowledge(campaign->home.members, agent->member);
    }
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

const struct rooms *campaign_rooms(const struct campaign *campaign)
{
    return campaign->rooms;
}
