/* What is measured and counted by tag, and in groups. Pure. */
#pragma once

enum slice_kind {
    SLICE_REQUEST,
    SLICE_TIMING, /* of tutti.time, tutti.record and the modules */
    SLICE_CHECK,
    SLICE_GROUP,     /* of tutti.group: counted without a tag, too */
    SLICE_WEBSOCKET, /* connections of tutti.websocket, with the times of their handshakes */
    SLICE_KINDS
};

/* "request", "timing", "check", "group", "websocket" */
const char *slice_kind_name(enum slice_kind kind);
