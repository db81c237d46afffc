/* The opening handshake of a WebSocket client. */
#include "agent/websocket/handshake.h"

#include "agent/http/message/fields.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#define ACCEPT_SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SHA1_BYTES 20u

static_assert(HANDSHAKE_KEY_BYTES == (HANDSHAKE_NONCE_BYTES + 2) / 3 * 4 + 1, "a key is base64 of its nonce");
static_assert(HANDSHAKE_ACCEPT_BYTES == (SHA1_BYTES + 2) / 3 * 4 + 1, "an accept key is base64 of SHA-1");

void handshake_key(const uint8_t nonce[HANDSHAKE_NONCE_BYTES], char key[HANDSHAKE_KEY_BYTES])
{
    (void)EVP_EncodeBlock((unsigned char *)key, nonce, HANDSHAKE_NONCE_BYTES);
}

void handshake_accept(const char *key, char accept[HANDSHAKE_ACCEPT_BYTES])
{
    char text[HANDSHAKE_KEY_BYTES + sizeof ACCEPT_SUFFIX];
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t size = strnlen(key, HANDSHAKE_KEY_BYTES - 1);

    memcpy(text, key, size);
    memcpy(text + size, ACCEPT_SUFFIX, sizeof ACCEPT_SUFFIX);
    (void)EVP_Digest(text, size + sizeof ACCEPT_SUFFIX - 1, digest, NULL, EVP_sha1(), NULL);
    (void)EVP_EncodeBlock((unsigned char *)accept, digest, SHA1_BYTES);
}

/* A field that is there once; empty where it is not there. False where it is there twice. */
static bool handshake_take_single(struct bytes fields, const char *wanted, struct bytes *found)
{
    struct bytes name;
    struct bytes value;
    size_t at = 0;
    unsigned count = 0;

    *found = bytes_of("", 0);
    while (fields_next(fields, &at, &name, &value)) {
        if (field_is_word(name, wanted)) {
            *found = value;
            count++;
        }
    }
    return count <= 1;
}

static bool check_upgrade(struct bytes fields, struct error *error)
{
    struct bytes upgrade;
    struct bytes connection;

    if (!fields_find(fields, "upgrade", &upgrade) || !field_is_word(upgrade, "websocket")) {
        return error_set(error, "the server's answer has no \"Upgrade: websocket\"");
    }
    if (!fields_find(fields, "connection", &connection) || !field_has_word(connection, "upgrade")) {
        return error_set(error, "the server's answer has no \"Connection: Upgrade\"");
    }
    return true;
}

static bool check_accept(const char *key, struct bytes fields, struct error *error)
{
    char wanted[HANDSHAKE_ACCEPT_BYTES];
    struct bytes accept;

    handshake_accept(key, wanted);
    if (!handshake_take_single(fields, "sec-websocket-accept", &accept) || accept.size == 0) {
        return error_set(error, "the server's answer has no Sec-WebSocket-Accept, or several");
    }
    if (!bytes_equal_string(accept, wanted)) {
        return error_set(error, "the server's Sec-WebSocket-Accept \"%.*s\" is not that of our key (%s)",
                         (int)(accept.size < 60 ? accept.size : 60), (const char *)accept.data, wanted);
    }
    return true;
}

/* Subprotocols depend on case (RFC 6455 section 4.1). */
static bool handshake_is_offered(const char *protocols, struct bytes protocol)
{
    const char *at = protocols;

    while (at != NULL && *at != '\0') {
        size_t length = strcspn(at, ",");
        if (bytes_equal(field_trim(bytes_of(at, length)), protocol)) {
            return true;
        }
        at += length;
        at += *at == ',';
    }
    return false;
}

static bool check_protocol(const char *protocols, struct bytes fields, struct bytes *protocol,
                           struct error *error)
{
    if (!handshake_take_single(fields, "sec-websocket-protocol", protocol)) {
        return error_set(error, "the server's answer has several subprotocols");
    }
    if (protocol->size > 0 && !handshake_is_offered(protocols, *protocol)) {
        return error_set(error, "the server has chosen the subprotocol \"%.*s\", which was not offered (%s)",
                         (int)(protocol->size < 60 ? protocol->size : 60), (const char *)protocol->data,
                         protocols != NULL ? protocols : "none was");
    }
    return true;
}

/* The next of several that `separator` divides. */
static bool handshake_next_piece(struct bytes *list, char separator, struct bytes *piece)
{
    if (list->size == 0) {
        return false;
    }
    const uint8_t *end = memchr(list->data, separator, list->size);
    size_t size = end != NULL ? (size_t)(end - list->data) : list->size;
    size_t used = end != NULL ? size + 1 : size;
    *piece = field_trim(bytes_of(list->data, size));
    *list = bytes_of(list->data + used, list->size - used);
    return true;
}

/* "server_max_window_bits=10" begins with the word, a "=" follows. */
static bool handshake_has_window(struct bytes parameter)
{
    static const char word[] = "server_max_window_bits=";

    return parameter.size > sizeof word - 1 && memcmp(parameter.data, word, sizeof word - 1) == 0;
}

/* The parameters of permessage-deflate (RFC 7692 section 7.1) that a client that has offered what we have
 * must accept: a smaller window of the server needs nothing of us. */
static bool check_deflate(struct bytes parameters, struct handshake_answer *answer, struct error *error)
{
    struct bytes parameter;

    answer->is_compressed = answer->has_context = true;
    while (handshake_next_piece(&parameters, ';', &parameter)) {
        if (field_is_word(parameter, "server_no_context_takeover")) {
            answer->has_context = false;
        } else if (!field_is_word(parameter, "client_no_context_takeover") &&
                   !handshake_has_window(parameter)) {
            return error_set(error, "the server's permessage-deflate has \"%.*s\", which was not offered",
                             (int)(parameter.size < 60 ? parameter.size : 60), (const char *)parameter.data);
        }
    }
    return true;
}

static bool check_extensions(const struct handshake_offer *offer, struct bytes fields,
                             struct handshake_answer *answer, struct error *error)
{
    struct bytes list;
    struct bytes extension;

    if (!handshake_take_single(fields, "sec-websocket-extensions", &list)) {
        return error_set(error, "the server's answer has several Sec-WebSocket-Extensions");
    }
    while (handshake_next_piece(&list, ',', &extension)) {
        struct bytes parameters = extension;
        struct bytes name = bytes_of("", 0);
        if (!handshake_next_piece(&parameters, ';', &name)) {
            continue;
        }
        if (!offer->is_compressed || answer->is_compressed || !field_is_word(name, "permessage-deflate")) {
            return error_set(error, "the server uses the extension \"%.*s\", which was not offered",
                             (int)(name.size < 60 ? name.size : 60), (const char *)name.data);
        }
        if (!check_deflate(parameters, answer, error)) {
            return false;
        }
    }
    return true;
}

bool handshake_check(const struct handshake_offer *offer, struct bytes fields,
                     struct handshake_answer *answer, struct error *error)
{
    struct handshake_answer found = {0};

    if (!check_upgrade(fields, error) || !check_accept(offer->key, fields, error) ||
        !check_protocol(offer->protocols, fields, &found.protocol, error) ||
        !check_extensions(offer, fields, &found, error)) {
        return false;
    }
    *answer = found;
    return true;
}
