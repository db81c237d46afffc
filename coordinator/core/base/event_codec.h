/* Events of the coordinator as bytes and back, for its journal. Of a bundle they hold the name and the list
 * of files: its contents are kept elsewhere. Pure. */
#pragma once
#include "common/pack.h"
#include "coordinator/core/base/bundle_source.h"
#include "coordinator/core/base/event.h"
#include "proto/message/message.h"

/* Appends the whole event. Its time is stored as the difference to `before_ns`, the time of the event before;
 * 0 for the first one of a block. */
void event_encode(struct buffer *into, uint64_t before_ns, const struct coordinator_event *event);

/* Takes out the next event. It borrows from the unpacked bytes and from `record`, until the next call. The
 * files of EVENT_CREATE are empty until decoded_event_load_bundle. False if the bytes are not an event. */
struct decoded_event {
    struct coordinator_event event;
    struct bundle_file *files;
    uint8_t *content; /* of all files; NULL until they are given it */
    struct message message;
    bool has_message;
};
MUST_CHECK bool event_decode(struct unpack *from, uint64_t before_ns, struct decoded_event *record);
/* The files of an EVENT_CREATE get their contents, which then may be taken; other events stay as they are. */
void decoded_event_load_bundle(struct decoded_event *record, const struct bundle_source *source);
void decoded_event_finish(struct decoded_event *record);
