/* CURVE keys as text: a key pair, an agent's key file, and the names of agents. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

#include <stdbool.h>

#define KEY_TEXT_BYTES 40u        /* 32 bytes in Z85 */
#define KEY_NAME_BYTES 200u       /* of an agent with a key; it becomes a file name */
#define KEY_FILE_MAX_BYTES 16384u /* of a file with a key */

struct key_pair {
    char public_key[KEY_TEXT_BYTES + 1];
    char secret_key[KEY_TEXT_BYTES + 1];
};

/* Everything that an agent needs to join: the one file to copy to its host. */
struct agent_key {
    char name[KEY_NAME_BYTES + 1];
    struct key_pair pair;
    char coordinator[KEY_TEXT_BYTES + 1]; /* public */
    /* Instead of the three above: a password in the form of a key, for agents of `tutti run`. It keeps others
     * out without encryption, which is unnecessary on the loopback interface. */
    char token[KEY_TEXT_BYTES + 1];
};

/* Whether it is 32 bytes in Z85. */
bool key_is_valid(struct bytes text);
/* 1 to 200 letters, digits, '.', '_' and '-', not beginning with '.' or '-'. */
MUST_CHECK bool key_name_check(struct bytes name, struct error *error);

/* Lines "WORD VALUE" in any order, each word once; empty lines and lines that begin with # are ignored. The
 * error names the line, never its content: it may be a secret. */
MUST_CHECK bool key_pair_parse(struct bytes text, struct key_pair *pair, struct error *error);
MUST_CHECK bool agent_key_parse(struct bytes text, struct agent_key *key, struct error *error);
void key_pair_format(const struct key_pair *pair, struct buffer *into);
void agent_key_format(const struct agent_key *key, struct buffer *into);
/* Overwrite the secrets. */
void key_pair_wipe(struct key_pair *pair);
void agent_key_wipe(struct agent_key *key);
