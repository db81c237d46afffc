/* Messages and envelopes to bytes and back: the only place that knows protobuf. Every field and bound is
 * checked. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"
#include "proto/link/link.h"
#include "proto/message/message.h"

/* Appends the encoded message. It came from us, so it is valid: a bound that does not hold is our bug
 * (assert). */
void message_encode(const struct message *message, struct buffer *into);
/* Fills `message` with copies in an arena of its own (message_finish), or says in one line what is wrong with
 * the bytes. Checks: known kind, bounds of limits.h, a campaign where it concerns one, names non-empty where
 * they have to be, worker sets without overflow and at most LIMIT_WORKERS members below LIMIT_WORKERS, values
 * canonical, paths of files relative and clean, enums in range. Texts are made printable; names of notifiers
 * and variables are any bytes. An absent value is nil (the byte 'n') where the kind of operation has one. */
MUST_CHECK bool message_decode(struct bytes bytes, struct message *message, struct error *error);
/* The same for what came from an agent, which may be a stranger that has come by a key. Looked at before it
 * is decoded: its size, its kind, how many items it has. And the work is bounded that it makes: the
 * operations of one message name LIMIT_NAMED_WORKERS workers at most, if it is more than one operation. An
 * operation that breaks a bound of its own is no reason to refuse the others: it has a `fault`. */
MUST_CHECK bool message_decode_from_agent(struct bytes bytes, struct message *message, struct error *error);
/* Frees what message_decode allocated; nothing for a message that was not decoded. */
void message_finish(struct message *message);
const char *message_kind_name(enum message_kind kind);

void envelope_encode(const struct envelope *envelope, struct buffer *into);
MUST_CHECK bool envelope_decode(struct bytes bytes, struct envelope *envelope, struct error *error);
