/* The settings of our ZeroMQ sockets, and how they are bound and connected. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "proto/socket/socket.h"

#include <stdbool.h>

/* `zmq` is a new ROUTER or DEALER. False with an error that names address and port. */
MUST_CHECK bool socket_setup_router(void *zmq, const char *endpoint, struct error *error);
void socket_setup_dealer(void *zmq);
/* Connects a DEALER that is not connected. False likewise. */
MUST_CHECK bool socket_setup_dial(void *zmq, const char *endpoint, struct error *error);

/* Call before the functions above. */
void socket_setup_server_keys(void *zmq, const struct socket_server_keys *keys);
void socket_setup_client_keys(void *zmq, const struct socket_client_keys *keys);
