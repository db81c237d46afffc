/* Why an agent cannot join its coordinator, for a person. */
#pragma once
#include "proto/socket/socket.h"

#include <stdbool.h>

/* A static string; NULL: nothing that a person could change. `was_let_in`: the coordinator has accepted this
 * agent before, so the key is right, whatever ends the connection now. */
const char *join_trouble_describe(enum socket_trouble trouble, bool has_key, bool was_let_in);
