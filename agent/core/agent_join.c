/* How an agent becomes and stays welcome: hello until it is answered, the lease, silence, and a new life
 * after it was declared lost. */
#include "agent/core/agent_internal.h"
#include "common/memory.h"
#include "common/time_units.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#define FIRST_HELLO_WAIT_NS (100 * NS_PER_MS)
#define LAST_HELLO_WAIT_NS (2000 * NS_PER_MS)
#define SILENT_HEARTBEATS 2u
#define JOIN_SILENCE_NS (5000 * NS_PER_MS)
#define LAST_RECONNECT_WAIT_NS (30000 * NS_PER_MS)
#define REFUSAL_REPEAT_NS (10000 * NS_PER_MS)
#define LEAVE_WAIT_NS (1000 * NS_PER_MS)
/* Service managers and containers give 30 s. */
#define ASK_WAIT_NS (25000 * NS_PER_MS)

static void encode_hello(struct agent *agent, uint32_t gone_pid)
{
    struct message message = {
        .kind = MESSAGE_HELLO,
        .hello = {.version_lowest = PROTOCOL_VERSION,
                  .version_highest = PROTOCOL_VERSION,
                  .name = bytes_of_string(agent->settings.name),
                  .host = bytes_of_string(agent->settings.host),
                  .pid = agent->settings.pid,
                  .cores = agent->settings.cores,
                  .memory_bytes = agent->settings.memory_bytes,
                  .shards = agent->settings.shards,
                  .labels = bytes_of_string(agent->settings.labels),
                  .capacity = agent->settings.capacity,
                  .gone_pid = gone_pid,
                  .program = bytes_of_string(TUTTI_VERSION)},
    };
    SCOPED(buffer_finish) struct buffer encoded;
    buffer_init(&encoded, LIMIT_FRAME_BYTES);
    message_encode(&message, &encoded);
    shared_release(&agent->hello);
    agent->hello = shared_take(&encoded);
}

static uint64_t silence_ns(const struct agent *agent)
{
    return agent->link == NULL ? JOIN_SILENCE_NS : SILENT_HEARTBEATS * agent->heartbeat_ns;
}

void agent_heard(struct agent *agent)
{
    agent->reconnect_wait_ns = silence_ns(agent);
    agent->reconnect_due_ns = agent->now_ns + agent->reconnect_wait_ns;
}

void agent_join_init(struct agent *agent)
{
    agent->first_hello_ns = 0;
    agent->last_hello_ns = 0;
    agent->hello_due_ns = agent->now_ns;
    agent->heartbeat_ns = AGENT_DEFAULT_HEARTBEAT_NS;
    clock_filter_init(&agent->clock);
    if (agent->hello == NULL) {
        encode_hello(agent, 0);
        agent->hello_wait_ns = FIRST_HELLO_WAIT_NS;
    }
    agent_heard(agent);
}

/* Between half of it and all, so that many agents do not retry at the same time. */
static uint64_t jitter(struct agent *agent, uint64_t wait_ns)
{
    return wait_ns - random_below(&agent->random, wait_ns / 2 + 1);
}

static uint64_t doubled(uint64_t wait_ns, uint64_t last_ns)
{
    return wait_ns > last_ns / 2 ? last_ns : 2 * wait_ns;
}

void agent_say_hello(struct agent *agent)
{
    if (agent->now_ns < agent->hello_due_ns) {
        return;
    }
    struct agent_effect *effect = agent_add_effect(agent, AGENT_SEND);
    effect->envelope = (struct envelope){.incarnation = agent->incarnation, .sent_ns = agent->now_ns};
    effect->message = agent->hello;
    agent->first_hello_ns = agent->first_hello_ns == 0 ? agent->now_ns : agent->first_hello_ns;
    agent->last_hello_ns = agent->now_ns;
    agent->hello_due_ns = agent->now_ns + jitter(agent, agent->hello_wait_ns);
    agent->hello_wait_ns = doubled(agent->hello_wait_ns, LAST_HELLO_WAIT_NS);
}

/* The lease counts from a hello that the coordinator has had, the first one if it does not say which: what
 * else comes with a welcome that was long on its way must not begin to run. */
static uint64_t confirmed_hello_ns(const struct agent *agent, const struct envelope *envelope)
{
    uint64_t echoed_ns = envelope->echoed_sent_ns;
    bool is_ours = echoed_ns >= agent->first_hello_ns && echoed_ns <= agent->last_hello_ns;
    return is_ours ? echoed_ns : agent->first_hello_ns;
}

static void refuse_for_good(struct agent *agent, struct bytes text)
{
    agent->is_refused = true;
    agent_add_effect(agent, AGENT_REFUSED)->text =
        agent_keep_text(agent, memory_format("%.*s", BYTES_FORMAT(text)));
}

static void refuse_version(struct agent *agent, uint32_t version)
{
    SCOPED(memory_free_at)
    char *text =
        memory_format("the coordinator speaks another version of the protocol: %u, and this agent %u: "
                      "upgrade the %s",
                      version, PROTOCOL_VERSION, version < PROTOCOL_VERSION ? "coordinator" : "agent");
    refuse_for_good(agent, bytes_of_string(text));
}

void agent_take_gone(struct agent *agent)
{
    if (agent->link == NULL && agent->holder_pid != 0) {
        encode_hello(agent, agent->holder_pid);
    }
}

static void welcome(struct agent *agent, const struct envelope *envelope, const struct welcome *welcome)
{
    agent->heartbeat_ns = welcome->heartbeat_ms * NS_PER_MS;
    agent->lease_ns = welcome->lease_ms * NS_PER_MS;
    agent->link = link_new(agent->incarnation, envelope->epoch, agent->heartbeat_ns,
                           confirmed_hello_ns(agent, envelope));
    agent->hello_wait_ns = FIRST_HELLO_WAIT_NS;
    agent->refusal_told_ns = 0;
    if (agent->holder_pid != 0) {
        agent->holder_pid = 0;
        encode_hello(agent, 0);
    }
    agent_log(agent, LOG_INFO, memory_format("joined as %s", agent->settings.name));
}

bool agent_take_welcome(struct agent *agent, const struct envelope *envelope, struct bytes message)
{
    struct message decoded;
    struct error error;
    if (envelope->sequence != 1 || message.size == 0 || agent->first_hello_ns == 0) {
        return false; /* it follows a welcome that was lost; all of it will come again */
    }
    if (!message_decode(message, &decoded, &error)) {
        agent_complain(agent, error.text);
        return false;
    }
    bool is_welcome = decoded.kind == MESSAGE_WELCOME && envelope->epoch != 0;
    if (!is_welcome) {
        agent_complain(agent, "the first message is no welcome");
    } else if (decoded.welcome.version != PROTOCOL_VERSION) {
        refuse_version(agent, decoded.welcome.version);
        is_welcome = false;
    } else {
        welcome(agent, envelope, &decoded.welcome);
    }
    message_finish(&decoded);
    return is_welcome;
}

/* The old life is over: what still comes for it is not ours. */
static void live_anew(struct agent *agent)
{
    agent_drop_shares(agent);
    agent_may_leave(agent);
    link_free(&agent->link);
    do {
        agent->incarnation = random_next(&agent->random);
    } while (agent->incarnation == 0);
    agent_join_init(agent);
    agent->hello_due_ns = agent->now_ns + jitter(agent, agent->hello_wait_ns);
    agent_update_lease(agent);
}

/* Each hello is refused: at most one line in ten seconds for the same reason. */
static void tell_refusal(struct agent *agent, struct bytes text)
{
    uint64_t reason = bytes_hash(text);
    if (agent->refusal_told_ns != 0 && reason == agent->refusal_reason &&
        agent->now_ns - agent->refusal_told_ns < REFUSAL_REPEAT_NS) {
        return;
    }
    agent->refusal_told_ns = agent->now_ns;
    agent->refusal_reason = reason;
    agent_log(agent, LOG_WARNING,
              memory_format("the coordinator says: %.*s; joining again", BYTES_FORMAT(text)));
}

void agent_take_refusal(struct agent *agent, const struct envelope *envelope, struct bytes message)
{
    struct message decoded;
    struct error error;
    if (!message_decode(message, &decoded, &error)) {
        agent_complain(agent, error.text);
        return;
    }
    /* The answer to a hello from before our welcome, late. */
    uint64_t echoed_ns = envelope->echoed_sent_ns;
    bool is_late = agent->link != NULL && echoed_ns != 0 && echoed_ns <= agent->last_hello_ns;
    if (agent->is_leaving) {
        agent_add_effect(agent, AGENT_LEFT);
    } else if (decoded.kind != MESSAGE_REFUSED) {
        agent_complain(agent, message_kind_name(decoded.kind));
    } else if (!is_late && decoded.refused.is_final) {
        agent_drop_shares(agent);
        link_free(&agent->link);
        agent_update_lease(agent);
        refuse_for_good(agent, decoded.refused.text);
    } else if (!is_late) {
        tell_refusal(agent, decoded.refused.text);
        agent->holder_pid = decoded.refused.holder_pid;
        if (agent->holder_pid != 0) {
            agent_add_effect(agent, AGENT_LOOK)->pid = agent->holder_pid;
        }
        live_anew(agent);
    }
    message_finish(&decoded);
}

void agent_connected(struct agent *agent)
{
    agent_heard(agent);
    if (agent->link != NULL) {
        link_reconnected(agent->link);
        link_show(agent->link);
        return;
    }
    agent->hello_wait_ns = FIRST_HELLO_WAIT_NS;
    uint64_t due_ns = agent->now_ns + jitter(agent, agent->hello_wait_ns);
    agent->hello_due_ns = due_ns < agent->hello_due_ns ? due_ns : agent->hello_due_ns;
}

void agent_may_leave(struct agent *agent)
{
    if (agent->has_asked && !agent->is_leaving) {
        agent->has_asked = false;
        agent_add_effect(agent, AGENT_MAY_LEAVE);
    }
}

void agent_ask_to_leave(struct agent *agent)
{
    size_t campaigns = map_size(agent->campaigns);
    agent->has_asked = true;
    if (agent->link == NULL || campaigns == 0) {
        agent_may_leave(agent);
        return;
    }
    agent->leave_due_ns = agent->now_ns + ASK_WAIT_NS;
    agent_log(agent, LOG_INFO,
              memory_format("asked to leave: it has a part in %zu %s that may have to end first", campaigns,
                            campaigns == 1 ? "campaign" : "campaigns"));
    agent_send(agent, &(struct message){.kind = MESSAGE_LEAVING});
}

/* What workers did until now goes before it. */
void agent_leave(struct agent *agent)
{
    if (agent->link == NULL) {
        agent_add_effect(agent, AGENT_LEFT);
        return;
    }
    struct map_cursor cursor = {0};
    while (map_next(agent->campaigns, &cursor)) {
        agent_send_gathered(agent, cursor.value, true);
    }
    agent->is_leaving = true;
    agent->leave_due_ns = agent->now_ns + LEAVE_WAIT_NS;
    agent_drop_shares(agent);
    agent_update_lease(agent);
    agent_send(agent, &(struct message){.kind = MESSAGE_GOODBYE});
}

void agent_check_leave(struct agent *agent)
{
    if (agent->has_asked && agent->now_ns >= agent->leave_due_ns) {
        agent_log(agent, LOG_WARNING, memory_format("its campaigns did not end in time; leaving them"));
        agent_may_leave(agent);
    }
    if (agent->is_leaving && agent->now_ns >= agent->leave_due_ns) {
        agent->leave_due_ns = UINT64_MAX;
        agent_add_effect(agent, AGENT_LEFT);
    }
}

void agent_check_silence(struct agent *agent)
{
    if (agent->now_ns < agent->reconnect_due_ns) {
        return;
    }
    agent_add_effect(agent, AGENT_RECONNECT);
    agent_may_leave(agent); /* nobody is there to end its campaigns */
    agent->reconnect_wait_ns = doubled(agent->reconnect_wait_ns, LAST_RECONNECT_WAIT_NS);
    agent->reconnect_due_ns = agent->now_ns + jitter(agent, agent->reconnect_wait_ns);
    if (agent->link != NULL) {
        link_reconnected(agent->link);
    }
}

/* Reported when it has moved by enough to matter, and always when it begins or ends. */
void agent_update_lease(struct agent *agent)
{
    bool is_held = agent->link != NULL && !agent->is_paused && !agent->is_leaving;
    uint64_t until_ns = is_held ? link_confirmed_ns(agent->link) + agent->lease_ns : 0;
    uint64_t told_ns = agent->lease_until_ns;
    bool is_longer = until_ns > told_ns;
    bool is_worth_telling =
        told_ns <= agent->now_ns + agent->heartbeat_ns || until_ns - told_ns >= agent->heartbeat_ns / 2;
    if (until_ns == told_ns || (until_ns != 0 && !(is_longer && is_worth_telling))) {
        return;
    }
    agent->lease_until_ns = until_ns;
    agent_add_effect(agent, AGENT_LEASE)->lease_until_ns = until_ns;
}
