/* The settings of our ZeroMQ sockets, and how they are bound and connected. */
#include "proto/socket/socket_setup.h"

#include "proto/message/limits.h"
#include "proto/socket/socket_admission.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#define SCHEME "tcp://"
#define HOST_MAX_BYTES 256u
#define PORT_MAX_BYTES 5u

/* Per connection. A link has at most 128 messages in flight, and some retransmissions: anything beyond that
 * in a queue is a repeat. */
#define QUEUED_MESSAGES 2000
/* A coordinator has many connections, and any peer may be a stranger that sends the largest messages, or
 * reads nothing: these bound what ZeroMQ holds for one. */
#define ROUTER_SENT_MESSAGES 160
#define ROUTER_RECEIVED_MESSAGES 16
#define SHORTEST_RECONNECT_MS 50
/* Short, so that a restarted coordinator is found soon: workers wait for it. */
#define LONGEST_RECONNECT_MS 500
#define CONNECT_TIMEOUT_MS 5000
/* Short: a silent peer occupies a slot that others may need. The dialling side gives up a little sooner, so
 * that it knows that it was not refused. */
#define HANDSHAKE_TIMEOUT_MS 4000
#define STRANGER_TIMEOUT_MS 5000
#define KEEPALIVE_IDLE_S 30
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_PROBES 3

struct address {
    char host[HOST_MAX_BYTES];
    const char *port;
};

/* tcp://HOST:PORT, where HOST may be in brackets. `port` points into `endpoint`. */
static bool split(const char *endpoint, struct address *address, struct error *error)
{
    const char *host = endpoint + strlen(SCHEME);
    bool has_scheme = strncmp(endpoint, SCHEME, strlen(SCHEME)) == 0;
    const char *colon = has_scheme ? strrchr(host, ':') : NULL;
    if (colon == NULL || colon == host || (size_t)(colon - host) >= HOST_MAX_BYTES || colon[1] == '\0' ||
        strlen(colon + 1) > PORT_MAX_BYTES) {
        return error_set(error, "\"%s\" is not an address of the form tcp://HOST:PORT", endpoint);
    }
    memcpy(address->host, host, (size_t)(colon - host));
    address->host[colon - host] = '\0';
    address->port = colon + 1;
    return true;
}

static void set(void *zmq, int option, int value)
{
    int result = zmq_setsockopt(zmq, option, &value, sizeof value);
    assert(result == 0); /* all values are our own constants */
    (void)result;
}

static void set_common(void *zmq, int64_t longest_part)
{
    int result = zmq_setsockopt(zmq, ZMQ_MAXMSGSIZE, &longest_part, sizeof longest_part);
    assert(result == 0);
    (void)result;
    set(zmq, ZMQ_SNDHWM, QUEUED_MESSAGES);
    set(zmq, ZMQ_RCVHWM, QUEUED_MESSAGES);
    set(zmq, ZMQ_LINGER, 0);
    set(zmq, ZMQ_HANDSHAKE_IVL, HANDSHAKE_TIMEOUT_MS);
    set(zmq, ZMQ_TCP_KEEPALIVE, 1);
    set(zmq, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S);
    set(zmq, ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_INTERVAL_S);
    set(zmq, ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_PROBES);
}

static void set_key(void *zmq, int option, const char *key)
{
    int result = zmq_setsockopt(zmq, option, key, KEY_TEXT_BYTES + 1);
    assert(result == 0); /* keys were checked when they were read */
    (void)result;
}

void socket_setup_server_keys(void *zmq, const struct socket_server_keys *keys)
{
    if (keys->pair == NULL) {
        set(zmq, ZMQ_PLAIN_SERVER, 1);
        return;
    }
    set(zmq, ZMQ_CURVE_SERVER, 1);
    set_key(zmq, ZMQ_CURVE_PUBLICKEY, keys->pair->public_key);
    set_key(zmq, ZMQ_CURVE_SECRETKEY, keys->pair->secret_key);
}

void socket_setup_client_keys(void *zmq, const struct socket_client_keys *keys)
{
    if (keys->token != NULL) {
        int result = zmq_setsockopt(zmq, ZMQ_PLAIN_USERNAME, "agent", strlen("agent"));
        assert(result == 0);
        result = zmq_setsockopt(zmq, ZMQ_PLAIN_PASSWORD, keys->token, KEY_TEXT_BYTES);
        assert(result == 0);
        (void)result;
        return;
    }
    set_key(zmq, ZMQ_CURVE_SERVERKEY, keys->server);
    set_key(zmq, ZMQ_CURVE_PUBLICKEY, keys->pair->public_key);
    set_key(zmq, ZMQ_CURVE_SECRETKEY, keys->pair->secret_key);
}

static bool bind_error(const struct address *address, const char *endpoint, struct error *error)
{
    switch (errno) {
    case EADDRINUSE:
        return error_set(error, "port %s of %s is in use by another program", address->port, address->host);
    case ENODEV:
    case EADDRNOTAVAIL:
        return error_set(error, "cannot listen on port %s of %s: this machine has no such address",
                         address->port, address->host);
    case EACCES:
        return error_set(error, "cannot listen on port %s of %s: not permitted", address->port,
                         address->host);
    case EINVAL:
        return error_set(error, "\"%s\" is not an address of the form tcp://HOST:PORT", endpoint);
    default:
        return error_set(error, "cannot listen on port %s of %s: %s", address->port, address->host,
                         zmq_strerror(errno));
    }
}

bool socket_setup_router(void *zmq, const char *endpoint, struct error *error)
{
    struct address address = {0};
    if (!split(endpoint, &address, error)) {
        return false;
    }
    set_common(zmq, LIMIT_CUT_BYTES);
    set(zmq, ZMQ_SNDHWM, ROUTER_SENT_MESSAGES);
    set(zmq, ZMQ_RCVHWM, ROUTER_RECEIVED_MESSAGES);
    /* With IPv6 enabled, an IPv4 address would be bound, and reported, as ::ffff:…. */
    set(zmq, ZMQ_IPV6, address.host[0] == '[' || strcmp(address.host, "*") == 0 ? 1 : 0);
    set(zmq, ZMQ_BACKLOG, socket_admission_backlog());
    set(zmq, ZMQ_HANDSHAKE_IVL, STRANGER_TIMEOUT_MS);
    /* Else messages to an unknown or a full route would be dropped silently. */
    set(zmq, ZMQ_ROUTER_MANDATORY, 1);
    return zmq_bind(zmq, endpoint) == 0 || bind_error(&address, endpoint, error);
}

void socket_setup_dealer(void *zmq)
{
    set_common(zmq, LIMIT_FRAME_BYTES);
    set(zmq, ZMQ_RECONNECT_IVL, SHORTEST_RECONNECT_MS);
    set(zmq, ZMQ_RECONNECT_IVL_MAX, LONGEST_RECONNECT_MS);
    set(zmq, ZMQ_CONNECT_TIMEOUT, CONNECT_TIMEOUT_MS);
}

bool socket_setup_dial(void *zmq, const char *endpoint, struct error *error)
{
    struct address address = {0};
    if (!split(endpoint, &address, error)) {
        return false;
    }
    set(zmq, ZMQ_IPV6, address.host[0] == '[' ? 1 : 0);
    if (zmq_connect(zmq, endpoint) != 0) {
        return error_set(error, "cannot connect to port %s of %s: %s", address.port, address.host,
                         zmq_strerror(errno));
    }
    return true;
}
