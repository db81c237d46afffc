/* The callbacks with which wslay reads from and writes to a socket that does not block, for the yardsticks of
 * WebSockets. */
#pragma once
#include <wslay/wslay.h>

/* `context` is what begins with the descriptor, an int. */
ssize_t websocket_wire_receive(wslay_event_context_ptr wslay, uint8_t *into, size_t size, int flags,
                               void *context);
ssize_t websocket_wire_send(wslay_event_context_ptr wslay, const uint8_t *data, size_t size, int flags,
                            void *context);
