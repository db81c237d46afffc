/* Messages of the coordinator as lines that a test can expect. */
#pragma once
#include "common/buffer.h"
#include "proto/message/message.h"

void story_tell_message(struct buffer *story, const char *to, const struct message *message);
