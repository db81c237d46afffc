/* SHA-256 as lower-case hexadecimal, computed by libcrypto. */
#include "common/digest.h"
#include "common/memory.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

struct digest {
    EVP_MD_CTX *context;
};

/* SHA-256 itself cannot fail; what can is an allocation, or a libcrypto that was built without it. */
static void must(int is_done)
{
    assert(is_done == 1);
}

static EVP_MD_CTX *new_context(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert(context != NULL);
    return context;
}

struct digest *digest_new(void)
{
    struct digest *digest = MEMORY_NEW(struct digest);
    digest->context = new_context();
    must(EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL));
    return digest;
}

void digest_free(struct digest **digest)
{
    if (*digest != NULL) {
        EVP_MD_CTX_free((*digest)->context);
        memory_free(*digest);
        *digest = NULL;
    }
}

void digest_add(struct digest *digest, struct bytes bytes)
{
    if (bytes.size > 0) {
        must(EVP_DigestUpdate(digest->context, bytes.data, bytes.size));
    }
}

void digest_text(struct digest *digest, char text[DIGEST_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *copy = new_context();
    must(EVP_MD_CTX_copy_ex(copy, digest->context));
    must(EVP_DigestFinal_ex(copy, sum, &size));
    EVP_MD_CTX_free(copy);
    assert(size * 2 + 1 == DIGEST_TEXT_BYTES);
    for (unsigned i = 0; i < size; i++) {
        text[2 * i] = digits[sum[i] >> 4];
        text[2 * i + 1] = digits[sum[i] & 0x0fU];
    }
    text[DIGEST_TEXT_BYTES - 1] = '\0';
}

void digest_start_of(struct bytes bytes, uint8_t *start, size_t size)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned sum_size = 0;
    must(EVP_Digest(bytes.data == NULL ? (const void *)"" : bytes.data, bytes.size, sum, &sum_size,
                    EVP_sha256(), NULL));
    assert(size <= sum_size);
    memcpy(start, sum, size);
}

bool digest_text_equal(const char left[DIGEST_TEXT_BYTES], const char right[DIGEST_TEXT_BYTES])
{
    return CRYPTO_memcmp(left, right, DIGEST_TEXT_BYTES) == 0;
}
