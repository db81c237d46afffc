/* The token of the API: where it is given, drawn, left for the commands of the same user, and found. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/* --token and --token-file, or their variables; NULL where nothing was said. */
struct token_choice {
    const char *text;
    const char *path;
};

/* Leaves one at most: the command line wins over the environment, and two of one place contradict. */
MUST_CHECK bool token_choose(struct token_choice *choice, struct error *error);
/* The token of a choice, for token_free; NULL in `*token` where nothing was chosen. `is_ours`: it is for a
 * coordinator of ours to ask for, so it is long enough, and alone in its file. */
MUST_CHECK bool token_read(const struct token_choice *choice, bool is_ours, char **token,
                           struct error *error);
MUST_CHECK char *token_draw(void);
/* Wipes it. Tolerates NULL. */
void token_free(char **token);

/* A token in a file of the runtime folder, as long as its coordinator lives. */
struct token_file;

/* For the API at this port. NULL with an error where there cannot be one. */
MUST_CHECK struct token_file *token_file_new(uint16_t port, const char *token, struct error *error);
const char *token_file_path(const struct token_file *file);
/* Takes it away. NULLs the pointer, tolerates NULL. */
void token_file_free(struct token_file **file);

/* The token that a coordinator of this host has left for the port of `url`, for token_free; NULL where the
 * url leads to another host, or no living coordinator has left one that we may read. */
MUST_CHECK char *token_find(const char *url);
