/* Which keys the coordinator accepts. */
#include "coordinator/net/credentials.h"

#include "common/memory.h"
#include "proto/keys/key_folder.h"

struct credentials {
    char *folder; /* NULL: tokens, which never change */
    struct key_pair pair;
    struct allow_list *list;
    struct key_stamp stamp;
};

struct credentials *credentials_open(const char *folder, struct error *warning, struct error *error)
{
    struct credentials *credentials = MEMORY_NEW(struct credentials);
    credentials->folder = memory_copy_string(folder);
    bool is_good = key_folder_read_pair(folder, &credentials->pair, warning, error);
    if (is_good) {
        credentials->list = key_folder_read_list(folder, &credentials->stamp, error);
    }
    if (credentials->list == NULL) {
        credentials_free(&credentials);
    }
    return credentials;
}

struct credentials *credentials_of_tokens(struct allow_list **list)
{
    struct credentials *credentials = MEMORY_NEW(struct credentials);
    credentials->list = *list;
    *list = NULL;
    return credentials;
}

void credentials_free(struct credentials **at)
{
    struct credentials *credentials = *at;
    *at = NULL;
    if (credentials == NULL) {
        return;
    }
    key_pair_wipe(&credentials->pair);
    allow_list_free(&credentials->list);
    memory_free(credentials->folder);
    memory_free(credentials);
}

const struct key_pair *credentials_pair(const struct credentials *credentials)
{
    return credentials->folder != NULL ? &credentials->pair : NULL;
}

void credentials_forget_secret(struct credentials *credentials)
{
    key_pair_wipe(&credentials->pair);
}

bool credentials_is_of_folder(const struct credentials *credentials)
{
    return credentials->folder != NULL;
}

const char *credentials_name(const struct credentials *credentials, const char *public_key)
{
    return allow_list_name(credentials->list, public_key);
}

size_t credentials_agents(const struct credentials *credentials)
{
    return allow_list_size(credentials->list);
}

enum credentials_look credentials_look(struct credentials *credentials, struct error *error)
{
    if (credentials->folder == NULL || !key_folder_has_changed(credentials->folder, &credentials->stamp)) {
        return CREDENTIALS_SAME;
    }
    struct allow_list *list = key_folder_read_list(credentials->folder, &credentials->stamp, error);
    if (list == NULL) {
        return CREDENTIALS_BROKEN;
    }
    allow_list_free(&credentials->list);
    credentials->list = list;
    return CREDENTIALS_CHANGED;
}
