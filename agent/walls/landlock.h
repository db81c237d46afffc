/* A Landlock rule set, which denies this thread, and everything that it starts afterwards, whatever no rule
 * allows. A rule refers to the file or folder that a path leads to at the time it is added. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/* What may be done with a file, or with everything below a folder. */
enum landlock_access {
    LANDLOCK_READ,  /* open files, list folders */
    LANDLOCK_RUN,   /* and execute files */
    LANDLOCK_WRITE, /* read, write, create and remove files, folders, links and sockets */
    LANDLOCK_USE,   /* read, write and control: a device */
    LANDLOCK_AMEND  /* read, and write existing files */
};

struct landlock {
    int rules; /* -1: none */
    int abi;
    uint64_t handled;
};

struct landlock_settings {
    bool keeps_ports; /* TCP ports may be bound only if allowed by landlock_allow_port */
};

/* From this version on, the size of a file is protected like its content. */
#define LANDLOCK_ABI_TRUNCATE 3

/* The version of the kernel's interface; 0 if there is no Landlock. */
int landlock_abi(void);
/* Denies everything in the file system and, if the kernel supports it, signals and abstract sockets of
 * processes outside. False with the reason if the kernel has Landlock and still refuses. */
MUST_CHECK bool landlock_init(struct landlock *landlock, const struct landlock_settings *settings,
                              struct error *error);
/* Does nothing if there is nothing at this path. */
void landlock_allow(struct landlock *landlock, const char *path, enum landlock_access access);
/* 0: any port that the kernel chooses. */
void landlock_allow_port(struct landlock *landlock, uint16_t port);
/* Enforces the rules from now on, irrevocably. no_new_privs has to be set. */
MUST_CHECK bool landlock_enforce(struct landlock *landlock, struct error *error);
void landlock_finish(struct landlock *landlock);
