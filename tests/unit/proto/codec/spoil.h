/* Valid messages that are spoiled in one field of their encoding. */
#pragma once
#include "common/buffer.h"
#include "tests/unit/proto/message/message_samples.h"

#include <tutti.pb-c.h>

typedef void spoil(Tutti__V1__Message *wire);

struct refusal {
    enum message_kind kind;
    spoil *spoil;
    const char *words;
};

/* Spoilers of one field, by expression. */
#define SPOIL(name, expression)                                                                              \
    static void name(Tutti__V1__Message *wire)                                                               \
    {                                                                                                        \
        expression;                                                                                          \
    }

/* What to spoil a field with; the bytes are borrowed. */
ProtobufCBinaryData long_bytes(size_t size); /* one byte more than a chunk may have */
ProtobufCBinaryData text_bytes(const char *text);

/* The message that results, in a buffer that the caller finishes. */
void encode_spoiled(const struct refusal *refusal, struct buffer *spoiled);
/* Each is refused with this error, and leaves what was there before. */
void expect_refusals(const struct refusal *refusals, size_t count);
