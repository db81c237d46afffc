/* What the messages of /socket.io/ say: Socket.IO, with the namespaces / and /admin, rooms, and
 * acknowledgements. */
#pragma once
#include "common/buffer.h"

#include <stdbool.h>

struct map;
struct guest;

enum guest_namespace { GUEST_ROOT, GUEST_ADMIN, GUEST_NAMESPACES };

/* The place of a session in the room of a namespace. */
struct guest_seat {
    struct guest *guest;
    struct guest *next; /* in the same room */
    char *room;         /* "/admin red"; NULL: none */
    bool is_connected;  /* to the namespace */
};

/* Embedded in a session. */
struct guest {
    struct map *rooms; /* of all sessions: name → the first of its guests */
    unsigned version;  /* of Engine.IO */
    const char *sid;
    struct guest_seat seats[GUEST_NAMESPACES];
    /* Sends this text as a message of Engine.IO. */
    void (*send)(struct guest *guest, const char *text);
};

/* The session has begun. */
void guest_begin(struct guest *guest);
/* A message of the client, without the type of Engine.IO; false: it is none of Socket.IO. */
bool guest_receive(struct guest *guest, struct bytes message);
/* It is in no room any more. */
void guest_leave(struct guest *guest);
