/* Whose keys open the coordinator's door: its own pair and the list of agents, looked at again when it
 * changes. */
#pragma once
#include "proto/keys/allow_list.h"
#include "proto/keys/keys.h"

struct gate;

/* From a folder of `tutti keygen`. NULL with an error. `warning` is empty unless root has left the secret
 * open to all.
 */
MUST_CHECK struct gate *gate_open(const char *folder, struct error *warning, struct error *error);
/* From memory, for good: a list of tokens instead of keys. Takes it. */
MUST_CHECK struct gate *gate_of_tokens(struct allow_list **list);
void gate_free(struct gate **gate);
/* NULL for tokens. */
const struct key_pair *gate_pair(const struct gate *gate);
/* Forgets the secret, once the socket has it. */
void gate_forget_secret(struct gate *gate);
/* Whether its list can change. */
bool gate_is_of_folder(const struct gate *gate);

/* The agent that this key belongs to; NULL if it is on no list (any more). */
const char *gate_name(const struct gate *gate, const char *public_key);
size_t gate_agents(const struct gate *gate);

enum gate_look { GATE_SAME, GATE_CHANGED, GATE_BROKEN };
/* Reads the list again if its file is another one. GATE_BROKEN: it is broken, `error` says how, and the list
 * of before stays in force; said once for each change. */
enum gate_look gate_look(struct gate *gate, struct error *error);
