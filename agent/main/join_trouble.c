/* What the socket's troubles mean to the person who runs the agent. */
#include "agent/main/join_trouble.h"

#include <stddef.h>

static const char *join_trouble_describe_cut(bool has_key, bool was_let_in)
{
    if (was_let_in) {
        return "it ended the connection in the middle of joining: it may be starting or stopping";
    }
    return has_key ? "it ended the connection at once: is it the coordinator that our key is for?"
                   : "it ended the connection at once: does it want a key (see --key), or is it no "
                     "coordinator?";
}

const char *join_trouble_describe(enum socket_trouble trouble, bool has_key, bool was_let_in)
{
    switch (trouble) {
    case SOCKET_KEY_REFUSED:
        return "it does not accept our key, which was revoked or never was on its list";
    case SOCKET_KEYS_ON_ONE_SIDE:
        return has_key ? "it works without keys, and with --key that is not good enough"
                       : "it lets nobody in without a key (see --key)";
    case SOCKET_HANDSHAKE_CUT:
        return join_trouble_describe_cut(has_key, was_let_in);
    case SOCKET_HANDSHAKE_SLOW:
        return "it has not answered in time: it is too busy, or that is not the port of its agents (its "
               "--listen)";
    case SOCKET_HANDSHAKE_BROKEN:
        return "it does not speak our protocol";
    case SOCKET_FULL:
    case SOCKET_FRAME_BROKEN:
    case SOCKET_FRAME_TOO_LARGE:
        break;
    }
    return NULL;
}
