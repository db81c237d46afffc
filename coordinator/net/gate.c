/* Whose keys open the coordinator's door. */
#include "coordinator/net/gate.h"

#include "common/memory.h"
#include "proto/keys/key_folder.h"

struct gate {
    char *folder; /* NULL: tokens, which never change */
    struct key_pair pair;
    struct allow_list *list;
    struct key_stamp stamp;
};

struct gate *gate_open(const char *folder, struct error *warning, struct error *error)
{
    struct gate *gate = MEMORY_NEW(struct gate);
    gate->folder = memory_copy_string(folder);
    bool is_good = key_folder_read_pair(folder, &gate->pair, warning, error);
    if (is_good) {
        gate->list = key_folder_read_list(folder, &gate->stamp, error);
    }
    if (gate->list == NULL) {
        gate_free(&gate);
    }
    return gate;
}

struct gate *gate_of_tokens(struct allow_list **list)
{
    struct gate *gate = MEMORY_NEW(struct gate);
    gate->list = *list;
    *list = NULL;
    return gate;
}

void gate_free(struct gate **at)
{
    struct gate *gate = *at;
    *at = NULL;
    if (gate == NULL) {
        return;
    }
    key_pair_wipe(&gate->pair);
    allow_list_free(&gate->list);
    memory_free(gate->folder);
    memory_free(gate);
}

const struct key_pair *gate_pair(const struct gate *gate)
{
    return gate->folder != NULL ? &gate->pair : NULL;
}

void gate_forget_secret(struct gate *gate)
{
    key_pair_wipe(&gate->pair);
}

bool gate_is_of_folder(const struct gate *gate)
{
    return gate->folder != NULL;
}

const char *gate_name(const struct gate *gate, const char *public_key)
{
    return allow_list_name(gate->list, public_key);
}

size_t gate_agents(const struct gate *gate)
{
    return allow_list_size(gate->list);
}

enum gate_look gate_look(struct gate *gate, struct error *error)
{
    if (gate->folder == NULL || !key_folder_has_changed(gate->folder, &gate->stamp)) {
        return GATE_SAME;
    }
    struct allow_list *list = key_folder_read_list(gate->folder, &gate->stamp, error);
    if (list == NULL) {
        return GATE_BROKEN;
    }
    allow_list_free(&gate->list);
    gate->list = list;
    return GATE_CHANGED;
}
