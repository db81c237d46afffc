/* Texts that many share: a thousand workers that failed alike hold one text. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/pack.h"

#define STRING_POOL_KEPT_BYTES 240u /* of each; the rest is cut */

/* Different ones at once. Who comes with another one then holds one that says so. */
#define STRING_POOL_MOST 50000u
#define STRING_POOL_TOO_MANY "(one of too many different texts)"

struct string_pool;
struct pool_string;

MUST_CHECK struct string_pool *string_pool_new(void);
/* All texts have been released before. */
void string_pool_free(struct string_pool **texts);
/* The text with one holder more; NULL for an empty one. */
MUST_CHECK struct pool_string *string_pool_hold(struct string_pool *texts, struct bytes bytes);

/* One holder more. NULL stays NULL. */
struct pool_string *pool_string_hold(struct pool_string *text);
/* One holder less; the last one's release frees it. */
void pool_string_release(struct pool_string **text);
/* Empty for NULL. */
struct bytes pool_string_bytes(const struct pool_string *text);

/* All that are held, as bytes; and one of them, or NULL, by the number that it has there. */
void string_pool_pack(const struct string_pool *texts, struct buffer *into);
void pool_string_pack(const struct pool_string *text, struct buffer *into);
/* Into new ones. Each is held once by `texts`, until string_pool_let_go. */
void string_pool_unpack(struct string_pool *texts, struct unpack *from);
/* With one holder more; NULL for none, and where `from` is broken. */
MUST_CHECK struct pool_string *pool_string_unpack(const struct string_pool *texts, struct unpack *from);
void string_pool_let_go(struct string_pool *texts);
