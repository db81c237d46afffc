/* Which keys the coordinator accepts: its own pair and the list of agents, which is read again when it
 * changes. */
#pragma once
#include "proto/keys/allow_list.h"
#include "proto/keys/keys.h"

struct credentials;

/* From a folder of `tutti keygen`. NULL with an error. `warning` is empty unless root has left the secret
 * readable for everybody. */
MUST_CHECK struct credentials *credentials_open(const char *folder, struct error *warning,
                                                struct error *error);
/* From memory: a fixed list of tokens instead of keys. Takes ownership. */
MUST_CHECK struct credentials *credentials_of_tokens(struct allow_list **list);
void credentials_free(struct credentials **credentials);
/* NULL for tokens. */
const struct key_pair *credentials_pair(const struct credentials *credentials);
/* Overwrites the secret, once the socket has it. */
void credentials_forget_secret(struct credentials *credentials);
/* Whether its list can change. */
bool credentials_is_of_folder(const struct credentials *credentials);

/* The agent that this key belongs to; NULL if it is not on the list (any more). */
const char *credentials_name(const struct credentials *credentials, const char *public_key);
size_t credentials_agents(const struct credentials *credentials);

enum credentials_look { CREDENTIALS_SAME, CREDENTIALS_CHANGED, CREDENTIALS_BROKEN };
/* Reads the list again if its file has changed. CREDENTIALS_BROKEN: it is broken, `error` says how, and the
 * previous list stays in force; reported once per change. */
enum credentials_look credentials_look(struct credentials *credentials, struct error *error);
