/* Digest authentication: the first request of a client to a server is refused with a challenge and sent once
 * more; further ones answer that challenge at once, until its nonce has expired. */
#include "agent/http/native/native_inside.h"

#include "common/clock.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void native_digest_free(struct native_digest **pointer)
{
    struct native_digest *digest = *pointer;

    if (digest != NULL) {
        digest_challenge_finish(&digest->challenge);
        memory_free(digest->host);
        memory_free(digest);
    }
    *pointer = NULL;
}

static bool native_digest_is_of(const struct native_digest *digest, const struct url *url)
{
    return digest != NULL && digest->is_tls == url->is_tls && digest->port == url->port &&
           strcmp(digest->host, url->host) == 0;
}

void native_digest_write(const struct native_exchange *exchange, struct buffer *out)
{
    const struct native_wish *wish = &exchange->wish;
    struct native_digest *digest = exchange->client->digest;

    if (wish->digest_user == NULL || wish->has_left_origin || !native_digest_is_of(digest, &wish->url)) {
        return;
    }
    struct digest_request request = {.user = bytes_of_string(wish->digest_user),
                                     .password = bytes_of_string(wish->digest_password),
                                     .method = bytes_of_string(wish->method),
                                     .target = wish->url.target,
                                     .client_nonce = bytes_of_string(digest->client_nonce),
                                     .count = ++digest->uses};
    size_t start = out->size;
    buffer_append_string(out, "Authorization: ");
    if (digest_write(&digest->challenge, &request, out)) {
        buffer_append(out, "\r\n", 2);
    } else {
        out->size = start;
    }
}

/* No secret, but nobody else's: of the time and of the nonce that the server has chosen. */
static void native_digest_choose_nonce(struct native_digest *digest)
{
    uint64_t number = clock_wall_ns() ^ bytes_hash(bytes_of_string(digest->challenge.nonce));

    snprintf(digest->client_nonce, sizeof digest->client_nonce, "%016" PRIx64, number);
}

bool native_digest_take(struct native_exchange *exchange)
{
    const struct native_wish *wish = &exchange->wish;
    struct digest_challenge challenge = {0};

    if (exchange->response.status != 401 || wish->digest_user == NULL || wish->has_left_origin ||
        wish->is_chunked || !digest_challenge_read(buffer_bytes(&exchange->bodies.head), &challenge)) {
        return false;
    }
    /* Who has answered this server's challenge gets another one for a nonce that has expired, and once only:
     * else the password is wrong. */
    if (exchange->challenges > 1 || (exchange->challenges == 1 && !challenge.is_stale)) {
        digest_challenge_finish(&challenge);
        return false;
    }
    exchange->challenges++;
    native_digest_free(&exchange->client->digest);
    struct native_digest *digest = MEMORY_NEW(struct native_digest);
    digest->challenge = challenge;
    digest->host = memory_copy_string(wish->url.host);
    digest->port = wish->url.port;
    digest->is_tls = wish->url.is_tls;
    native_digest_choose_nonce(digest);
    exchange->client->digest = digest;
    return true;
}
