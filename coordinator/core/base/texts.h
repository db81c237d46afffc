/* Texts that many share: a thousand workers that failed alike hold one text. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/pack.h"

#define TEXTS_KEPT_BYTES 240u /* of each; the rest is cut */

/* Different ones at once. Who comes with another one then holds one that says so. */
#define TEXTS_MOST 50000u
#define TEXTS_TOO_MANY "(one of too many different texts)"

struct texts;
struct text;

MUST_CHECK struct texts *texts_new(void);
/* All texts have been released before. */
void texts_free(struct texts **texts);
/* The text with one holder more; NULL for an empty one. */
MUST_CHECK struct text *texts_hold(struct texts *texts, struct bytes bytes);

/* One holder more. NULL stays NULL. */
struct text *text_hold(struct text *text);
/* One holder less; the last one's release frees it. */
void text_release(struct text **text);
/* Empty for NULL. */
struct bytes text_bytes(const struct text *text);

/* All that are held, as bytes; and one of them, or NULL, by the number that it has there. */
void texts_pack(const struct texts *texts, struct buffer *into);
void text_pack(const struct text *text, struct buffer *into);
/* Into new ones. Each is held once by `texts`, until texts_let_go. */
void texts_unpack(struct texts *texts, struct unpack *from);
/* With one holder more; NULL for none, and where `from` is broken. */
MUST_CHECK struct text *text_unpack(const struct texts *texts, struct unpack *from);
void texts_let_go(struct texts *texts);
