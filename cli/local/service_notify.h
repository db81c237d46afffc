/* Reports our state to the service manager, by the protocol of sd_notify. */
#pragma once

/* "READY=1", "STOPPING=1", optionally followed by more lines. Does nothing without $NOTIFY_SOCKET; a manager
 * that is gone is not an error. */
void service_notify(const char *state);
