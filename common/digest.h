/* SHA-256 as lower-case hexadecimal. */
#pragma once
#include "common/bytes.h"

#define DIGEST_TEXT_BYTES 65

struct digest;
struct digest *digest_new(void);
void digest_free(struct digest **digest);
void digest_add(struct digest *digest, struct bytes bytes);
/* The first `size` bytes of the digest of these bytes, at most 32. */
void digest_start_of(struct bytes bytes, uint8_t *start, size_t size);
/* Whether two digests in text form are equal, in a time that does not reveal where they differ. */
bool digest_text_equal(const char left[DIGEST_TEXT_BYTES], const char right[DIGEST_TEXT_BYTES]);
/* The digest of what was added so far; more may be added afterwards. */
void digest_text(struct digest *digest, char text[DIGEST_TEXT_BYTES]);
