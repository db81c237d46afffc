/* Messages and envelopes to bytes and back: the only place that knows protobuf. Every field and bound is
 * checked. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"
#include "proto/link/link.h"
#include "proto/message/message.h"

/* Appends the encoded message. It comes from us, so it is valid: a violated bound is our bug (assert). */
void message_encode(const struct message *message, struct buffer *into);
/* Fills `message` with copies in an arena of its own (message_finish), or says in one line what is wrong with
 * the bytes. Checks: known kind, bounds of limits.h, a campaign if the kind concerns one, names non-empty
 * where required, worker sets without overflow and with at most LIMIT_WORKERS members below LIMIT_WORKERS,
 * values canonical, paths of files relative and clean, enums in range. Texts are made printable; names of
 * notifiers and variables may be any bytes. An absent value is nil (the byte 'n') if the kind of operation
 * has one. */
MUST_CHECK bool message_decode(struct bytes bytes, struct message *message, struct error *error);
/* The same for a message from an agent, which may be a stranger in possession of a key. Its size, kind and
 * number of items are checked before it is decoded. The work that it can cause is bounded: the operations of
 * one message name at most LIMIT_NAMED_WORKERS workers, unless it is a single operation. An operation that
 * violates a bound of its own does not make the others invalid: its `fault` is set. */
MUST_CHECK bool message_decode_from_agent(struct bytes bytes, struct message *message, struct error *error);
/* Frees what message_decode allocated; does nothing for a message that was not decoded. */
void message_finish(struct message *message);
const char *message_kind_name(enum message_kind kind);

void envelope_encode(const struct envelope *envelope, struct buffer *into);
MUST_CHECK bool envelope_decode(struct bytes bytes, struct envelope *envelope, struct error *error);
