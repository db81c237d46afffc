/* Any lines as WWW-Authenticate fields: what answers a challenge is one line that quotes what was asked, and
 * is the same twice. The first byte says how often the nonce was used. */
#include "fuzz.h"

#include "agent/http/message/digest_auth.h"
#include "agent/http/message/fields.h"

#include <string.h>

static void check_challenge(const struct digest_challenge *challenge)
{
    FUZZ_CHECK(challenge->realm != NULL && challenge->nonce != NULL);
    FUZZ_CHECK(challenge->hash <= DIGEST_SHA_512_256);
}

/* Quotes come in pairs, and nothing ends the line. */
static void check_line(struct bytes line)
{
    bool is_quoted = false;

    FUZZ_CHECK(line.size > 7 && memcmp(line.data, "Digest ", 7) == 0 && field_is_value(line));
    for (size_t i = 0; i < line.size; i++) {
        if (is_quoted && line.data[i] == '\\') {
            i++;
            FUZZ_CHECK(i < line.size);
        } else if (line.data[i] == '"') {
            is_quoted = !is_quoted;
        }
    }
    FUZZ_CHECK(!is_quoted);
}

static void check_answer(const struct digest_challenge *challenge, uint32_t count)
{
    const struct digest_request request = {.user = bytes_of_string("J\xc3\xa4s\xc3\xb8n \"Doe\\"),
                                           .password = bytes_of_string("Secret, or not?"),
                                           .method = bytes_of_string("GET"),
                                           .target = bytes_of_string("/dir/index.html?a=b"),
                                           .client_nonce = bytes_of_string("0a4f113b"),
                                           .count = count};
    struct buffer first;
    struct buffer second;

    buffer_init(&first, 1u << 18);
    buffer_init(&second, 1u << 18);
    bool is_written = digest_write(challenge, &request, &first);
    FUZZ_CHECK(digest_write(challenge, &request, &second) == is_written);
    if (is_written) {
        check_line(buffer_bytes(&first));
        FUZZ_CHECK(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    }
    buffer_finish(&first);
    buffer_finish(&second);
}

/* Other heads are refused before they come so far. */
static bool is_head(struct bytes head)
{
    struct bytes name;
    struct bytes value;
    size_t at = 0;

    while (fields_next(head, &at, &name, &value)) {
        if (!field_is_value(value)) {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    struct digest_challenge challenge = {0};
    uint32_t count = (uint32_t)fuzz_number(&input, 1) + 1;

    if (is_head(input) && digest_challenge_read(input, &challenge)) {
        check_challenge(&challenge);
        check_answer(&challenge, count);
        digest_challenge_finish(&challenge);
    }
    return 0;
}
