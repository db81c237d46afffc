/* Shared texts: a thousand workers that failed with the same error hold one text. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/pack.h"

#define STRING_POOL_KEPT_BYTES 240u /* of each; the rest is cut */

/* Different texts at once. Beyond that, the text that says so is held instead. */
#define STRING_POOL_MOST 50000u
#define STRING_POOL_TOO_MANY "(one of too many different texts)"

struct string_pool;
struct pool_string;

MUST_CHECK struct string_pool *string_pool_new(void);
/* All texts have to be released before. */
void string_pool_free(struct string_pool **texts);
/* The text, with one more holder; NULL: it is empty. */
MUST_CHECK struct pool_string *string_pool_hold(struct string_pool *texts, struct bytes bytes);

/* One more holder. NULL stays NULL. */
struct pool_string *pool_string_hold(struct pool_string *text);
/* One holder less; the last one frees it. */
void pool_string_release(struct pool_string **text);
/* Empty for NULL. */
struct bytes pool_string_bytes(const struct pool_string *text);

/* All texts as bytes; and one of them, or NULL, as its number among them. */
void string_pool_pack(const struct string_pool *texts, struct buffer *into);
void pool_string_pack(const struct pool_string *text, struct buffer *into);
/* Into a new pool, which holds each text once until string_pool_let_go. */
void string_pool_unpack(struct string_pool *texts, struct unpack *from);
/* With one more holder; NULL: none, or `from` is broken. */
MUST_CHECK struct pool_string *pool_string_unpack(const struct string_pool *texts, struct unpack *from);
void string_pool_let_go(struct string_pool *texts);
