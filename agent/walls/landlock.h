/* A set of rules of Landlock, which keeps this thread, and all that it starts from then on, from everything
 * that no rule allows. Rules stand for the file or folder that a path leads to at that moment. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/* What may be done with a file, or with all below a folder. */
enum landlock_access {
    LANDLOCK_READ,  /* open files, list folders */
    LANDLOCK_RUN,   /* and execute */
    LANDLOCK_WRITE, /* read, write, make and remove files, folders, links and sockets */
    LANDLOCK_USE,   /* read, write and control: a device */
    LANDLOCK_AMEND  /* read, and write what is there */
};

struct landlock {
    int rules; /* -1: none */
    int abi;
    uint64_t handled;
};

struct landlock_settings {
    bool keeps_ports; /* TCP ports may be bound only by landlock_allow_port */
};

/* From which on sizes of files are kept as their content is. */
#define LANDLOCK_ABI_TRUNCATE 3

/* The version of the kernel's interface; 0 where there is no Landlock. */
int landlock_abi(void);
/* Everything of the file system is forbidden, and (where the kernel knows of it) signals and abstract sockets
 * of processes outside. False with the reason where the kernel has it and still refuses. */
MUST_CHECK bool landlock_init(struct landlock *landlock, const struct landlock_settings *settings,
                              struct error *error);
/* Nothing happens where there is nothing at this path. */
void landlock_allow(struct landlock *landlock, const char *path, enum landlock_access access);
/* 0: any that the kernel chooses. */
void landlock_allow_port(struct landlock *landlock, uint16_t port);
/* From now on, for good. no_new_privs has to be set. */
MUST_CHECK bool landlock_enforce(struct landlock *landlock, struct error *error);
void landlock_finish(struct landlock *landlock);
