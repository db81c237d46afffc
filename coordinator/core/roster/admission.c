/* Who speaks without having joined. */
#include "coordinator/core/roster/admission.h"

#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#define COMPLAINT_EVERY_MS 1000u

/* Unnumbered, since there is no link. */
static void answer(struct admission *admission, uint64_t now_ns, const struct envelope *to,
                   struct refused refused)
{
    struct buffer buffer;
    buffer_init(&buffer, LIMIT_FRAME_BYTES);
    struct message message = {.kind = MESSAGE_REFUSED, .refused = refused};
    message_encode(&message, &buffer);
    SCOPED(shared_release) struct shared *encoded = shared_take(&buffer);
    /* An agent without a link has no epoch yet, and this is not where it should take one from. */
    struct envelope envelope = {.incarnation = to->incarnation,
                                .epoch = to->epoch != 0 ? admission->epoch : 0,
                                .sent_ns = now_ns,
                                .echoed_sent_ns = to->sent_ns};
    outbox_frame(admission->outbox, &envelope, encoded);
}

/* Nothing is remembered of whom it goes to. */
static void admission_refuse(struct admission *admission, uint64_t now_ns, const struct envelope *to,
                             struct refused refused)
{
    answer(admission, now_ns, to, refused);
    outbox_forget_route(admission->outbox, to->incarnation);
}

static void tell_operator(struct admission *admission, uint64_t now_ns, struct bytes name, const char *why)
{
    if (now_ns < admission->complaint_ns) {
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
    answer(admission, now_ns, &to, (struct refused){.is_final = is_final, .text = bytes_of_string(why)});
}

/* Whether trying again with the same hello may help some time. */
static bool is_for_good(enum admission_result result)
{
    return result == ADMISSION_WRONG_VERSION || result == ADMISSION_WRONG_KEY;
}

static enum admission_result admission_admit(const struct admission *admission,
                                             const struct coordinator_event *event, const struct hello *hello,
                                             struct member **member, struct error *error)
{
    struct bytes key_name = event->frame.key_name;
    if (key_name.size > 0 && !bytes_equal(key_name, hello->name)) {
        (void)error_set(error, "the key is that of agent %.*s and not of %.*s", BYTES_FORMAT(key_name),
                        BYTES_FORMAT(hello->name));
        return ADMISSION_WRONG_KEY;
    }
    return members_admit(admission->members, event->now_ns, event->frame.envelope.incarnation, hello, member,
                         error);
}

static struct member *greet(struct admission *admission, const struct coordinator_event *event,
                            const struct hello *hello)
{
    struct member *member = NULL;
    struct error error;
    enum admission_result result = admission_admit(admission, event, hello, &member, &error);
    if (result != ADMITTED) {
        if (result != ADMISSION_RESTLESS || members_tell_restless(admission->members, hello->name)) {
            tell_operator(admission, event->now_ns, hello->name, error.text);
        }
        admission_refuse(
            admission, event->now_ns, &event->frame.envelope,
            (struct refused){.is_final = is_for_good(result), .text = bytes_of_string(error.text)});
        return NULL;
    }
    outbox_log(admission->outbox, LOG_INFO, &(struct log_subject){.agent = hello->name},
               "agent %.*s has joined: %.*s, process %u, %u cores", BYTES_FORMAT(hello->name),
               BYTES_FORMAT(hello->host), hello->pid, hello->cores);
    return member;
}

struct member *admission_take(struct admission *admission, const struct coordinator_event *event)
{
    const struct envelope *envelope = &event->frame.envelope;
    struct bytes message = event->frame.message;
    uint64_t now_ns = event->now_ns;
    struct message decoded;
    struct error error;
    if (envelope->sequence != 0 || message.size == 0) {
        bool was_lost = members_were_lost(admission->members, envelope->incarnation);
        const char *why = was_lost ? "you were declared lost" : "you are unknown here, say hello";
        admission_refuse(admission, now_ns, envelope, (struct refused){.text = bytes_of_string(why)});
        return NULL;
    }
    if (message.size > LIMIT_HELLO_BYTES) {
        admission_refuse(
            admission, now_ns, envelope,
            (struct refused){.text = bytes_of_string("you are unknown here, say a shorter hello")});
        return NULL;
    }
    if (!message_decode_from_agent(message, &decoded, &error)) {
        tell_operator(admission, now_ns, bytes_of_string("?"), error.text);
        (void)error_wrap(&error, "this is no hello: ");
        admission_refuse(admission, now_ns, envelope, (struct refused){.text = bytes_of_string(error.text)});
        return NULL;
    }
    struct member *member = NULL;
    if (decoded.kind == MESSAGE_HELLO) {
        member = greet(admission, event, &decoded.hello);
    } else {
        admission_refuse(admission, now_ns, envelope,
                         (struct refused){.text = bytes_of_string("you are unknown here, say hello")});
    }
    message_finish(&decoded);
    return member;
}
