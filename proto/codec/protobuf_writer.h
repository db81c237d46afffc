/* Writes protobuf's wire format: fields with their numbers, as in tutti.proto. Fields with their default
 * value are omitted. */
#pragma once
#include "common/buffer.h"

#include <stdint.h>

void protobuf_write_number(struct buffer *buffer, uint32_t field, uint64_t number);
void protobuf_write_signed(struct buffer *buffer, uint32_t field, int64_t number);
void protobuf_write_flag(struct buffer *buffer, uint32_t field, bool is_set);
void protobuf_write_fixed(struct buffer *buffer, uint32_t field, uint64_t number);
void protobuf_write_double(struct buffer *buffer, uint32_t field, double number);
void protobuf_write_bytes(struct buffer *buffer, uint32_t field, struct bytes bytes);
/* One element of an open packed field. */
void protobuf_write_element(struct buffer *buffer, uint64_t number);

/* Opens a nested message or a packed field, which is written even if it stays empty; pass the result to
 * protobuf_write_close to end it. */
size_t protobuf_write_open(struct buffer *buffer, uint32_t field);
void protobuf_write_close(struct buffer *buffer, size_t opened);
