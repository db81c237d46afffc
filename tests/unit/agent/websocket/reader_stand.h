/* Bytes as a server sends them, and what the reader of messages makes of them, however they are cut. */
#pragma once
#include "agent/base/memory_account.h"
#include "agent/websocket/message_reader.h"
#include "server_frames.h"

#define FIN 0x80u
#define RSV1 0x40u
#define TEXT 0x1u
#define BINARY 0x2u
#define CLOSE 0x8u
#define PING 0x9u
#define PONG 0xau

struct stand {
    struct frame_codec *codec;
    struct memory_account memory;
    struct buffer wire;
    size_t maximum;
    bool is_compressed;
};

void stand_init(struct stand *stand);
/* Nothing is counted any more. */
void stand_finish(struct stand *stand);
/* What is read of the wire ("text:abc ping "), which is cleared then; in pieces of several sizes, each. */
void expect(struct stand *stand, const char *wanted);
