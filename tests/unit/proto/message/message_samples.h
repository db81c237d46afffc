/* A message of each kind with every field filled, for the tests of the codec and as seeds for fuzzing. */
#pragma once
#include "proto/message/message.h"

enum sample_variant {
    SAMPLE_TYPICAL, /* a different value in every field */
    SAMPLE_SMALLEST,
    SAMPLE_LARGEST, /* numbers and texts at their bounds */
    SAMPLE_VARIANT_COUNT
};

struct sample {
    struct message message;
    struct histogram *histograms[32];
    size_t histogram_count;
    void *items;
};

void sample_make(struct sample *sample, enum message_kind kind, enum sample_variant variant);
void sample_finish(struct sample *sample);

/* Every field of a message as text: equal texts are equal messages. */
struct buffer;
void message_describe(const struct message *message, struct buffer *text);
