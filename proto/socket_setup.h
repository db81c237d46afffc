/* The settings of our ZeroMQ sockets, and how they are bound and connected. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>

/* `zmq` is a ROUTER or DEALER just made. False with an error that names address and port. */
MUST_CHECK bool socket_setup_router(void *zmq, const char *endpoint, struct error *error);
MUST_CHECK bool socket_setup_dealer(void *zmq, const char *endpoint, struct error *error);
