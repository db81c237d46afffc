/* Tells the service manager how we are, by the protocol of sd_notify. */
#pragma once

/* "READY=1", "STOPPING=1", also with further lines behind. Nothing happens where nobody has asked
 * ($NOTIFY_SOCKET); a manager that is gone is no error. */
void service_notify(const char *state);
