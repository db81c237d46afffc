/* Frames from agents that have not joined. */
#include "coordinator/core/roster/admission.h"

#include "common/error.h"
#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#define COMPLAINT_EVERY_MS 1000u
/* One that is alive is heard as often. */
#define GONE_HEARTBEATS 2u
/* Of one agent for one reason: it says hello again and again. */
#define SAME_COMPLAINT_EVERY_MS 10000u

enum admission_result {
    ADMITTED,
    ADMISSION_WRONG_VERSION,
    ADMISSION_WRONG_KEY,
    ADMISSION_NAME_IN_USE,
    ADMISSION_WAS_LOST,
    ADMISSION_RESTLESS,
    ADMISSION_FULL
};

/* Unnumbered, since there is no link. */
static void admission_answer(struct admission *admission, uint64_t now_ns, const struct envelope *to,
                             struct refused refused)
{
    struct buffer buffer;
    buffer_init(&buffer, LIMIT_FRAME_BYTES);
    struct message message = {.kind = MESSAGE_REFUSED, .refused = refused};
    message_encode(&message, &buffer);
    SCOPED(shared_release) struct shared *encoded = shared_take(&buffer);
    /* An agent without a link has no epoch yet, and must not take one from a refusal. */
    struct envelope envelope = {.incarnation = to->incarnation,
                                .epoch = to->epoch != 0 ? admission->epoch : 0,
                                .sent_ns = now_ns,
                                .echoed_sent_ns = to->sent_ns};
    outbox_frame(admission->outbox, &envelope, encoded);
}

/* Nothing is remembered of its sender. */
static void admission_refuse_with(struct admission *admission, const struct coordinator_event *event,
                                  struct refused refused)
{
    const struct envelope *to = &event->frame.envelope;
    admission_answer(admission, event->now_ns, to, refused);
    outbox_forget_route(admission->outbox, to->incarnation);
}

static void admission_refuse(struct admission *admission, const struct coordinator_event *event,
                             bool is_final, const char *why)
{
    admission_refuse_with(admission, event,
                          (struct refused){.is_final = is_final, .text = bytes_of_string(why)});
}

/* Whether it was not told a moment ago; then it is remembered, in the place of the oldest. */
static bool admission_is_news(struct admission *admission, uint64_t now_ns, struct bytes name,
                              const char *why)
{
    uint64_t hash = bytes_hash(name) ^ (bytes_hash(bytes_of_string(why)) << 1);
    struct admission_told *oldest = &admission->told[0];
    for (size_t i = 0; i < ADMISSION_TOLD; i++) {
        struct admission_told *told = &admission->told[i];
        if (told->hash == hash && now_ns < told->again_ns) {
            return false;
        }
        oldest = told->again_ns < oldest->again_ns ? told : oldest;
    }
    *oldest =
        (struct admission_told){.hash = hash, .again_ns = due_after_ms(now_ns, SAME_COMPLAINT_EVERY_MS)};
    return true;
}

static void admission_tell_operator(struct admission *admission, uint64_t now_ns, struct bytes name,
                                    const char *why)
{
    if (now_ns < admission->complaint_ns || !admission_is_news(admission, now_ns, name, why)) {
        return;
    }
    admission->complaint_ns = due_after_ms(now_ns, COMPLAINT_EVERY_MS);
    outbox_log(admission->outbox, LOG_WARNING, &(struct log_subject){.agent = name},
               "agent %.*s was refused: %s", BYTES_FORMAT(name), why);
}

void admission_show_out(struct admission *admission, uint64_t now_ns, uint64_t incarnation, bool is_final,
                        const char *why)
{
    struct envelope to = {.incarnation = incarnation, .epoch = admission->epoch};
    admission_answer(admission, now_ns, &to,
                     (struct refused){.is_final = is_final, .text = bytes_of_string(why)});
}

/* Whether the same hello can never be admitted. */
static bool admission_is_final(enum admission_result result)
{
    return result == ADMISSION_WRONG_VERSION || result == ADMISSION_WRONG_KEY;
}

static bool admission_speaks_our_version(const struct hello *hello, struct error *error)
{
    if (hello->version_lowest <= PROTOCOL_VERSION && PROTOCOL_VERSION <= hello->version_highest) {
        return true;
    }
    const char *older = hello->version_highest < PROTOCOL_VERSION ? "agent" : "coordinator";
    if (hello->version_lowest == hello->version_highest) {
        return error_set(
            error, "the agent speaks version %u of the protocol, this coordinator version %u: upgrade the %s",
            hello->version_lowest, PROTOCOL_VERSION, older);
    }
    return error_set(
        error,
        "the agent speaks versions %u to %u of the protocol, this coordinator version %u: upgrade the %s",
        hello->version_lowest, hello->version_highest, PROTOCOL_VERSION, older);
}

/* Unless ADMITTED, `error` says why not. */
static enum admission_result admission_judge(const struct admission *admission,
                                             const struct coordinator_event *event, const struct hello *hello,
                                             struct error *error)
{
    struct members *members = admission->members;
    struct bytes key_name = event->frame.key_name;
    if (key_name.size > 0 && !bytes_equal(key_name, hello->name)) {
        (void)error_set(error, "the key is that of agent %.*s and not of %.*s", BYTES_FORMAT(key_name),
                        BYTES_FORMAT(hello->name));
        return ADMISSION_WRONG_KEY;
    }
    if (!admission_speaks_our_version(hello, error)) {
        return ADMISSION_WRONG_VERSION;
    }
    if (members_were_lost(members, event->frame.envelope.incarnation)) {
        (void)error_set(error, "you were declared lost");
        return ADMISSION_WAS_LOST;
    }
    if (members_is_restless(members, event->now_ns, hello->name)) {
        (void)error_set(error, "it has joined and left %u times within a minute", MEMBERS_PARTINGS_MOST);
        return ADMISSION_RESTLESS;
    }
    if (members_find_name(members, hello->name) != NULL) {
        (void)error_set(error, "the name %.*s is in use by another process until it is declared lost",
                        BYTES_FORMAT(hello->name));
        return ADMISSION_NAME_IN_USE;
    }
    if (members_count(members) >= LIMIT_AGENTS) {
        (void)error_set(error, "%u agents have joined already, and there is no room for more", LIMIT_AGENTS);
        return ADMISSION_FULL;
    }
    return ADMITTED;
}

static struct member *admission_greet(struct admission *admission, const struct coordinator_event *event,
                                      const struct hello *hello)
{
    struct error error;
    enum admission_result result = admission_judge(admission, event, hello, &error);
    if (result != ADMITTED) {
        if (result != ADMISSION_RESTLESS || members_tell_restless(admission->members, hello->name)) {
            admission_tell_operator(admission, event->now_ns, hello->name, error.text);
        }
        const struct member *holder = members_find_name(admission->members, hello->name);
        bool is_neighbour = result == ADMISSION_NAME_IN_USE && bytes_equal(holder->host.bytes, hello->host);
        admission_refuse_with(admission, event,
                              (struct refused){.is_final = admission_is_final(result),
                                               .text = bytes_of_string(error.text),
                                               .holder_pid = is_neighbour ? holder->pid : 0});
        return NULL;
    }
    struct member *member =
        members_join(admission->members, event->now_ns, event->frame.envelope.incarnation, hello);
    outbox_log(admission->outbox, LOG_INFO, &(struct log_subject){.agent = hello->name},
               "agent %.*s has joined: %.*s, process %u, %u cores", BYTES_FORMAT(hello->name),
               BYTES_FORMAT(hello->host), hello->pid, hello->cores);
    return member;
}

/* It says so itself, of a process of its own host that has been silent since. */
static bool admission_is_gone(const struct member *holder, const struct hello *hello, uint64_t now_ns)
{
    uint64_t silent_ms = GONE_HEARTBEATS * holder->settings->heartbeat_ms;
    return hello->gone_pid != 0 && hello->gone_pid == holder->pid &&
           bytes_equal(hello->host, holder->host.bytes) &&
           now_ns >= due_after_ms(member_heard_ns(holder), silent_ms);
}

struct member *admission_find_gone(const struct admission *admission, const struct coordinator_event *event)
{
    struct message decoded;
    struct member *gone = NULL;
    if (event->frame.envelope.sequence != 0 || event->frame.message.size == 0 ||
        event->frame.message.size > LIMIT_HELLO_BYTES ||
        !message_decode_from_agent(event->frame.message, &decoded, NULL)) {
        return NULL;
    }
    if (decoded.kind == MESSAGE_HELLO) {
        struct bytes key_name = event->frame.key_name;
        struct member *holder = members_find_name(admission->members, decoded.hello.name);
        bool is_owner = key_name.size == 0 || bytes_equal(key_name, decoded.hello.name);
        gone = holder != NULL && is_owner && admission_is_gone(holder, &decoded.hello, event->now_ns) ? holder
                                                                                                      : NULL;
    }
    message_finish(&decoded);
    return gone;
}

struct member *admission_take(struct admission *admission, const struct coordinator_event *event)
{
    const struct envelope *envelope = &event->frame.envelope;
    struct bytes message = event->frame.message;
    struct message decoded;
    struct error error;
    if (envelope->sequence != 0 || message.size == 0) {
        bool was_lost = members_were_lost(admission->members, envelope->incarnation);
        admission_refuse(admission, event, false,
                         was_lost ? "you were declared lost" : "you are unknown here, say hello");
        return NULL;
    }
    if (message.size > LIMIT_HELLO_BYTES) {
        admission_refuse(admission, event, false, "you are unknown here, say a shorter hello");
        return NULL;
    }
    if (!message_decode_from_agent(message, &decoded, &error)) {
        admission_tell_operator(admission, event->now_ns, bytes_of_string("?"), error.text);
        (void)error_wrap(&error, "not a valid hello: ");
        admission_refuse(admission, event, false, error.text);
        return NULL;
    }
    struct member *member = NULL;
    if (decoded.kind == MESSAGE_HELLO) {
        member = admission_greet(admission, event, &decoded.hello);
    } else {
        admission_refuse(admission, event, false, "you are unknown here, say hello");
    }
    message_finish(&decoded);
    return member;
}

void admission_pack(const struct admission *admission, struct buffer *into)
{
    pack_number(into, admission->complaint_ns);
    for (size_t i = 0; i < ADMISSION_TOLD; i++) {
        pack_fixed(into, admission->told[i].hash);
        pack_number(into, admission->told[i].again_ns);
    }
}

void admission_unpack(struct admission *admission, struct unpack *from)
{
    admission->complaint_ns = unpack_number(from);
    for (size_t i = 0; i < ADMISSION_TOLD; i++) {
        admission->told[i].hash = unpack_fixed(from);
        admission->told[i].again_ns = unpack_number(from);
    }
}
