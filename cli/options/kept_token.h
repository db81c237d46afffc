/* The token of the API that a coordinator with --state has drawn: the next process of it asks for the same,
 * so that commands which talk to one that died go on with the other. */
#pragma once
#include "common/error.h"

/* The token that is kept in the folder, which is ours by now, or else a copy of `drawn`, which is kept from
 * now on. For token_free. `warning` says why it could not be kept, else it is empty. */
MUST_CHECK char *kept_token(const char *state, const char *drawn, struct error *warning);
