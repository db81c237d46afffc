/* Which agents may join: names and their public keys. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

#include <stdbool.h>

#define ALLOW_LIST_MAX_AGENTS 10000u
#define ALLOW_LIST_MAX_BYTES (4u * 1024u * 1024u)

struct allow_list;

MUST_CHECK struct allow_list *allow_list_new(void);
void allow_list_free(struct allow_list **list);
/* Lines "agent NAME KEY"; each name and each key at most once. NULL with an error that names the line. */
MUST_CHECK struct allow_list *allow_list_parse(struct bytes text, struct error *error);
void allow_list_format(const struct allow_list *list, struct buffer *into);

/* Refused if the name or the key is already in the list, or is invalid. */
MUST_CHECK bool allow_list_add(struct allow_list *list, struct bytes name, struct bytes public_key,
                               struct error *error);
/* False if it was not in the list. */
bool allow_list_remove(struct allow_list *list, struct bytes name);
/* NULL if the key is not on the list. */
const char *allow_list_name(const struct allow_list *list, const char *public_key);
bool allow_list_has(const struct allow_list *list, struct bytes name);
size_t allow_list_size(const struct allow_list *list);
