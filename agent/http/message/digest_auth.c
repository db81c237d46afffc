/* Digest authentication. Names of sections are those of RFC 7616. */
#include "agent/http/message/digest_auth.h"

#include "agent/http/message/fields.h"
#include "common/memory.h"

#include <openssl/evp.h>
#include <string.h>

#define DIGEST_TEXT_MAX_BYTES (1024u * 1024u)

struct digest_hex {
    char text[2 * EVP_MAX_MD_SIZE + 1];
};

void digest_challenge_finish(struct digest_challenge *challenge)
{
    memory_free(challenge->realm);
    memory_free(challenge->nonce);
    memory_free(challenge->opaque);
    *challenge = (struct digest_challenge){0};
}

static struct bytes digest_skip(struct bytes text, size_t size)
{
    return bytes_of(text.data + size, text.size - size);
}

static struct bytes digest_skip_blanks(struct bytes text)
{
    while (text.size > 0 && field_is_space(text.data[0])) {
        text = digest_skip(text, 1);
    }
    return text;
}

/* Takes what stands before the next of `stops`. */
static struct bytes digest_take_word(struct bytes *text, const char *stops)
{
    size_t size = 0;

    while (size < text->size && (text->data[size] == 0 || strchr(stops, text->data[size]) == NULL)) {
        size++;
    }
    struct bytes word = bytes_of(text->data, size);
    *text = digest_skip(*text, size);
    return word;
}

/* Takes a value: a word, or what is in quotes, without them. */
static struct bytes digest_take_value(struct bytes *text)
{
    size_t size = 0;

    *text = digest_skip_blanks(*text);
    if (text->size == 0 || text->data[0] != '"') {
        return field_trim(digest_take_word(text, ","));
    }
    *text = digest_skip(*text, 1);
    while (size < text->size && text->data[size] != '"') {
        size += text->data[size] == '\\' && size + 1 < text->size ? 2 : 1;
    }
    struct bytes value = bytes_of(text->data, size);
    *text = digest_skip(*text, size < text->size ? size + 1 : size);
    return value;
}

/* What is escaped stands for itself (RFC 9110 §5.6.4). */
static void digest_replace(char **text, struct bytes value)
{
    char *copy = memory_new(value.size + 1, 1);
    size_t size = 0;

    for (size_t i = 0; i < value.size; i++) {
        i += value.data[i] == '\\' && i + 1 < value.size;
        copy[size++] = (char)value.data[i];
    }
    memory_free(*text);
    *text = copy;
}

/* What a challenge asks for and is not known here makes it one that cannot be answered. */
struct digest_reading {
    struct digest_challenge challenge;
    bool is_digest;
    bool is_unknown;
};

/* §3.3: algorithm = "MD5" / "MD5-sess" / "SHA-256" / … */
static void digest_read_algorithm(struct digest_reading *reading, struct bytes value)
{
    static const char *const names[] = {
        [DIGEST_MD5] = "MD5", [DIGEST_SHA_256] = "SHA-256", [DIGEST_SHA_512_256] = "SHA-512-256"};
    static const char *const session_names[] = {[DIGEST_MD5] = "MD5-sess",
                                                [DIGEST_SHA_256] = "SHA-256-sess",
                                                [DIGEST_SHA_512_256] = "SHA-512-256-sess"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool is_session = field_is_word(value, session_names[i]);
        if (is_session || field_is_word(value, names[i])) {
            reading->challenge.hash = (enum digest_hash)i;
            reading->challenge.is_session = is_session;
            reading->challenge.has_algorithm = true;
            return;
        }
    }
    reading->is_unknown = true;
}

static void digest_read_parameter(struct digest_reading *reading, struct bytes name, struct bytes value)
{
    struct digest_challenge *challenge = &reading->challenge;

    if (field_is_word(name, "realm")) {
        digest_replace(&challenge->realm, value);
    } else if (field_is_word(name, "nonce")) {
        digest_replace(&challenge->nonce, value);
    } else if (field_is_word(name, "opaque")) {
        digest_replace(&challenge->opaque, value);
    } else if (field_is_word(name, "algorithm")) {
        digest_read_algorithm(reading, value);
    } else if (field_is_word(name, "qop")) {
        challenge->has_qop = field_has_word(value, "auth");
        reading->is_unknown |= !challenge->has_qop;
    } else if (field_is_word(name, "stale")) {
        challenge->is_stale = field_is_word(value, "true");
    } else if (field_is_word(name, "userhash")) {
        challenge->is_user_hashed = field_is_word(value, "true");
    }
}

/* The one that was read so far is complete: whether it can be answered. If not, the next one begins. */
static bool digest_is_answerable(struct digest_reading *reading)
{
    if (reading->is_digest && !reading->is_unknown && reading->challenge.realm != NULL &&
        reading->challenge.nonce != NULL) {
        return true;
    }
    digest_challenge_finish(&reading->challenge);
    *reading = (struct digest_reading){0};
    return false;
}

/* A field is a list of challenges, and each of them a list: "Digest a=b, c=d, Basic e=f". What is followed by
 * no "=" begins another challenge. */
static bool digest_read_field(struct bytes text, struct digest_reading *reading)
{
    while (text.size > 0) {
        if (text.data[0] == ',' || field_is_space(text.data[0])) {
            text = digest_skip(text, 1);
            continue;
        }
        struct bytes name = digest_take_word(&text, " \t,=");
        text = digest_skip_blanks(text);
        if (text.size > 0 && text.data[0] == '=') {
            text = digest_skip(text, 1);
            struct bytes value = digest_take_value(&text);
            if (reading->is_digest) {
                digest_read_parameter(reading, name, value);
            }
            continue;
        }
        if (digest_is_answerable(reading)) {
            return true;
        }
        reading->is_digest = field_is_word(name, "digest");
    }
    return digest_is_answerable(reading);
}

bool digest_challenge_read(struct bytes head, struct digest_challenge *challenge)
{
    struct digest_reading reading = {0};
    struct bytes name;
    struct bytes value;
    size_t at = 0;

    while (fields_next(head, &at, &name, &value)) {
        if (field_is_word(name, "www-authenticate") && digest_read_field(value, &reading)) {
            *challenge = reading.challenge;
            return true;
        }
    }
    return false;
}

/* The hash of the parts with colons between them; the last part is NULL data. */
static bool digest_hash_parts(enum digest_hash hash, const struct bytes *parts, struct digest_hex *hex)
{
    const EVP_MD *const kinds[] = {
        [DIGEST_MD5] = EVP_md5(), [DIGEST_SHA_256] = EVP_sha256(), [DIGEST_SHA_512_256] = EVP_sha512_256()};
    static const char digits[] = "0123456789abcdef";
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_ok = context != NULL && EVP_DigestInit_ex(context, kinds[hash], NULL) == 1;

    for (size_t i = 0; is_ok && parts[i].data != NULL; i++) {
        is_ok = (i == 0 || EVP_DigestUpdate(context, ":", 1) == 1) &&
                EVP_DigestUpdate(context, parts[i].data, parts[i].size) == 1;
    }
    is_ok = is_ok && EVP_DigestFinal_ex(context, value, &size) == 1;
    EVP_MD_CTX_free(context);
    for (unsigned i = 0; i < size; i++) {
        hex->text[2 * i] = digits[value[i] >> 4];
        hex->text[2 * i + 1] = digits[value[i] & 15];
    }
    hex->text[2 * size] = 0;
    return is_ok;
}

static struct bytes digest_hex_bytes(const struct digest_hex *hex)
{
    return bytes_of_string(hex->text);
}

/* Never NULL, which would end a list of parts. */
static struct bytes digest_part(struct bytes part)
{
    return part.data != NULL ? part : bytes_of("", 0);
}

/* §3.4.2 */
static bool digest_hash_secret(const struct digest_challenge *challenge, const struct digest_request *request,
                               struct digest_hex *secret)
{
    const struct bytes secret_parts[] = {
        digest_part(request->user), bytes_of_string(challenge->realm), digest_part(request->password), {0}};

    if (!digest_hash_parts(challenge->hash, secret_parts, secret)) {
        return false;
    }
    if (!challenge->is_session) {
        return true;
    }
    struct digest_hex once = *secret;
    const struct bytes parts[] = {
        digest_hex_bytes(&once), bytes_of_string(challenge->nonce), request->client_nonce, {0}};
    return digest_hash_parts(challenge->hash, parts, secret);
}

/* §3.4.1 */
static bool digest_hash_response(const struct digest_challenge *challenge,
                                 const struct digest_request *request, struct digest_hex *response)
{
    struct digest_hex secret;
    struct digest_hex asked;
    char count[9];
    struct buffer text;
    const struct bytes asked_parts[] = {digest_part(request->method), digest_part(request->target), {0}};

    if (!digest_hash_secret(challenge, request, &secret) ||
        !digest_hash_parts(challenge->hash, asked_parts, &asked)) {
        return false;
    }
    buffer_init_within(&text, count, sizeof count);
    buffer_append_format(&text, "%08x", request->count);
    const struct bytes nonce = bytes_of_string(challenge->nonce);
    const struct bytes parts[] = {digest_hex_bytes(&secret),
                                  nonce,
                                  bytes_of_string(count),
                                  request->client_nonce,
                                  bytes_of_string("auth"),
                                  digest_hex_bytes(&asked),
                                  {0}};
    const struct bytes old_parts[] = {digest_hex_bytes(&secret), nonce, digest_hex_bytes(&asked), {0}};
    return digest_hash_parts(challenge->hash, challenge->has_qop ? parts : old_parts, response);
}

static void digest_put_quoted(struct buffer *out, struct bytes text)
{
    buffer_append(out, "\"", 1);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            buffer_append(out, "\\", 1);
        }
        buffer_append(out, &text.data[i], 1);
    }
    buffer_append(out, "\"", 1);
}

static void digest_put(struct buffer *out, const char *name, const char *value)
{
    buffer_append_string(out, name);
    digest_put_quoted(out, bytes_of_string(value));
}

/* §3.4.4: the name itself, or its hash. */
static bool digest_put_user(const struct digest_challenge *challenge, const struct digest_request *request,
                            struct buffer *out)
{
    struct digest_hex hashed;
    const struct bytes parts[] = {digest_part(request->user), bytes_of_string(challenge->realm), {0}};

    buffer_append_string(out, "Digest username=");
    if (!challenge->is_user_hashed) {
        digest_put_quoted(out, request->user);
        return true;
    }
    if (!digest_hash_parts(challenge->hash, parts, &hashed)) {
        return false;
    }
    digest_put_quoted(out, digest_hex_bytes(&hashed));
    return true;
}

bool digest_write(const struct digest_challenge *challenge, const struct digest_request *request,
                  struct buffer *out)
{
    static const char *const names[] = {
        [DIGEST_MD5] = "MD5", [DIGEST_SHA_256] = "SHA-256", [DIGEST_SHA_512_256] = "SHA-512-256"};
    struct digest_hex response;

    if (!digest_hash_response(challenge, request, &response) || !digest_put_user(challenge, request, out)) {
        return false;
    }
    digest_put(out, ", realm=", challenge->realm);
    buffer_append_string(out, ", uri=");
    digest_put_quoted(out, request->target);
    if (challenge->has_algorithm) {
        buffer_append_format(out, ", algorithm=%s%s", names[challenge->hash],
                             challenge->is_session ? "-sess" : "");
    }
    digest_put(out, ", nonce=", challenge->nonce);
    if (challenge->has_qop) {
        buffer_append_format(out, ", nc=%08x, cnonce=", request->count);
        digest_put_quoted(out, request->client_nonce);
        buffer_append_string(out, ", qop=auth");
    } else if (challenge->is_session) {
        buffer_append_string(out, ", cnonce=");
        digest_put_quoted(out, request->client_nonce);
    }
    digest_put(out, ", response=", response.text);
    if (challenge->opaque != NULL) {
        digest_put(out, ", opaque=", challenge->opaque);
    }
    if (challenge->is_user_hashed) {
        buffer_append_string(out, ", userhash=true");
    }
    return !out->has_overflowed;
}
