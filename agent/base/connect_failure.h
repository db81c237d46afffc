/* Why a connection could not be made, by the number that the system gave. */
#pragma once

enum connect_failure {
    CONNECT_REFUSED,     /* nothing listens there */
    CONNECT_UNREACHABLE, /* no route leads there */
    CONNECT_LOCAL_LIMIT, /* this machine has no port, descriptor or memory left for it */
    CONNECT_OTHER
};
enum connect_failure connect_failure_of(int number);
/* Whether no descriptor can be opened at this moment: EMFILE or ENFILE, else 0. For failures of libraries
 * that do not say why they could not open one. */
int connect_failure_probe(void);
/* What can be done about a CONNECT_LOCAL_LIMIT, as an addition to a text; "" for others. */
const char *connect_failure_advice(int number);
