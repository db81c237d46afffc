/* The connection to the coordinator, as the person who runs the agent sees it: at which address the
 * coordinator is looked for, what keeps the agent from reaching it, and that it is back. ZeroMQ connects by
 * itself, but only to addresses, and does not say why it cannot. */
#pragma once
#include "agent/main/name_lookup.h"
#include "common/log.h"
#include "proto/socket/socket.h"

#define DIALLER_TOLD_BYTES 256

struct dialler_settings {
    const char *coordinator; /* tcp://HOST:PORT */
    const char *name;        /* of the agent, for the log */
    const struct log_subject *subject;
    bool is_quiet; /* of losing and finding the coordinator: its parent is the coordinator */
};

struct dialler {
    struct dialler_settings settings; /* borrows its texts */
    uv_timer_t timer;                 /* runs while there is no connection */
    struct socket *socket;            /* NULL: not open yet */
    struct name_lookup *lookup;       /* NULL: the host is an address */
    uv_tcp_t *probe;                  /* asks the kernel why there is no connection; NULL: it does not */
    struct name_found found;
    size_t at; /* which of its addresses is dialled */
    bool is_dialled;
    bool is_connected;
    bool was_let_in; /* at least once */
    bool has_failed; /* the dialled address, since it was dialled */
    uint64_t dialled_ns;
    uint64_t looked_ns; /* when the name was looked up last */
    uint64_t probed_ns; /* when the probe was started last; 0: not since the connection was lost */
    uint64_t lost_ns;   /* since when there is no connection */
    uint64_t told_ns;   /* when it was last said why; 0: it was not, since then */
    char told[DIALLER_TOLD_BYTES];
};

/* Where to connect a new socket at once; NULL: the host is a name, so not before it has been looked up. */
const char *dialler_open(struct dialler *dialler, uv_loop_t *loop, const struct dialler_settings *settings);
/* From now on it is dialled. Borrowed until dialler_close. */
void dialler_start(struct dialler *dialler, struct socket *socket);

/* To be called from the callbacks of the socket. */
void dialler_connected(struct dialler *dialler);
void dialler_away(struct dialler *dialler, bool was_connected);
/* Why it does not let us join: said at once, and then every ten seconds. */
void dialler_complain(struct dialler *dialler, const char *what);
/* The coordinator has been silent for long: makes a new connection, and asks anew where it is. */
void dialler_reconnect(struct dialler *dialler);

/* Before the socket is closed. */
void dialler_close(struct dialler *dialler);
