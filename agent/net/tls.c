/* TLS of a client, by OpenSSL, without a socket. */
#include "agent/net/tls.h"

#include "common/memory.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXTS_MAX 32u /* the one made first gives way */

struct tls_context {
    SSL_CTX *context;
    char *key; /* its options as text */
};

struct tls_contexts {
    struct tls_context items[CONTEXTS_MAX];
    size_t count;
    BIO_METHOD *method;
};

struct tls_session {
    SSL *ssl;
    struct bytes wire; /* that came, and has not been used */
    struct tls_callbacks callbacks;
};

static int wire_read(BIO *bio, char *data, int size)
{
    struct tls_session *session = BIO_get_data(bio);
    size_t count = session->wire.size < (size_t)size ? session->wire.size : (size_t)size;

    BIO_clear_retry_flags(bio);
    if (count == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(data, session->wire.data, count);
    session->wire = bytes_of(session->wire.data + count, session->wire.size - count);
    return (int)count;
}

static int wire_write(BIO *bio, const char *data, int size)
{
    struct tls_session *session = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    return session->callbacks.on_write(session->callbacks.context, bytes_of(data, (size_t)size)) ? size : -1;
}

static long wire_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

struct tls_contexts *tls_contexts_new(void)
{
    struct tls_contexts *contexts = MEMORY_NEW(struct tls_contexts);

    contexts->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    if (contexts->method == NULL) {
        abort();
    }
    BIO_meth_set_read(contexts->method, wire_read);
    BIO_meth_set_write(contexts->method, wire_write);
    BIO_meth_set_ctrl(contexts->method, wire_control);
    return contexts;
}

static void drop_first_context(struct tls_contexts *contexts)
{
    SSL_CTX_free(contexts->items[0].context);
    memory_free(contexts->items[0].key);
    contexts->count--;
    memmove(&contexts->items[0], &contexts->items[1], contexts->count * sizeof *contexts->items);
}

void tls_contexts_free(struct tls_contexts **pointer)
{
    struct tls_contexts *contexts = *pointer;

    if (contexts == NULL) {
        return;
    }
    while (contexts->count > 0) {
        drop_first_context(contexts);
    }
    BIO_meth_free(contexts->method);
    memory_free(contexts);
    *pointer = NULL;
}

/* "what: why", by the first error that OpenSSL has kept. */
static bool set_tls_error(struct error *error, const char *what)
{
    unsigned long number = ERR_get_error();
    const char *reason = number != 0 ? ERR_reason_error_string(number) : NULL;

    ERR_clear_error();
    return error_set(error, "%s: %s", what, reason != NULL ? reason : "unknown error");
}

/* Each certificate of the text. */
static bool add_authorities(SSL_CTX *context, const char *pem, struct error *error)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate;
    size_t count = 0;

    while (bio != NULL && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        count += X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
    }
    BIO_free(bio);
    ERR_clear_error(); /* the end of the text is one */
    return count > 0 || error_set(error, "tls: ca holds no certificate");
}

static bool use_certificate(SSL_CTX *context, const struct tls_options *options, struct error *error)
{
    BIO *bio = BIO_new_mem_buf(options->certificate_pem, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    bool is_ok = certificate != NULL && SSL_CTX_use_certificate(context, certificate) == 1;

    X509_free(certificate);
    while (is_ok && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        is_ok = SSL_CTX_add0_chain_cert(context, certificate) == 1;
    }
    BIO_free(bio);
    if (!is_ok) {
        return set_tls_error(error, "tls: the client's certificate cannot be used");
    }
    ERR_clear_error();
    const char *pem = options->key_pem != NULL ? options->key_pem : options->certificate_pem;
    bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
    is_ok =
        key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return is_ok || set_tls_error(error, "tls: the client's key cannot be used");
}

static bool set_context(SSL_CTX *context, const struct tls_options *options, struct error *error)
{
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_read_ahead(context, 1); /* head and content of a record at once: all of the wire is there */
    SSL_CTX_set_options(context,
                        SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, options->is_unverified ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if ((options->least_version != 0 &&
         SSL_CTX_set_min_proto_version(context, options->least_version) != 1) ||
        (options->most_version != 0 && SSL_CTX_set_max_proto_version(context, options->most_version) != 1)) {
        return set_tls_error(error, "tls: the versions cannot be used");
    }
    if (options->protocols != NULL &&
        SSL_CTX_set_alpn_protos(context, (const unsigned char *)options->protocols,
                                (unsigned)strlen(options->protocols)) != 0) {
        return set_tls_error(error, "tls: the protocols cannot be offered");
    }
    if (options->certificate_pem != NULL && !use_certificate(context, options, error)) {
        return false;
    }
    if (options->ca_pem != NULL) {
        return add_authorities(context, options->ca_pem, error);
    }
    /* The machine's folder of authorities is looked into for the one that is needed: parsing them all would
     * take longer than a handshake. */
    return options->is_unverified || SSL_CTX_set_default_verify_paths(context) == 1 ||
           set_tls_error(error, "tls: the machine's authorities cannot be read");
}

static SSL_CTX *tls_context_new(const struct tls_options *options, struct error *error)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) {
        set_tls_error(error, "tls");
    } else if (!set_context(context, options, error)) {
        SSL_CTX_free(context);
        context = NULL;
    }
    return context;
}

bool tls_options_check(const struct tls_options *options, struct error *error)
{
    SSL_CTX *context = tls_context_new(options, error);

    SSL_CTX_free(context);
    return context != NULL;
}

static const char *text_or_nothing(const char *text)
{
    return text != NULL ? text : "";
}

static SSL_CTX *find_context(struct tls_contexts *contexts, const struct tls_options *options,
                             struct error *error)
{
    SCOPED(memory_free_at)
    char *key = memory_format("%d %d %d %s\n%s\n%s\n%s", options->is_unverified, options->least_version,
                              options->most_version, text_or_nothing(options->protocols),
                              text_or_nothing(options->ca_pem), text_or_nothing(options->certificate_pem),
                              text_or_nothing(options->key_pem));
    for (size_t i = contexts->count; i > 0; i--) {
        if (strcmp(contexts->items[i - 1].key, key) == 0) {
            return contexts->items[i - 1].context;
        }
    }
    SSL_CTX *context = tls_context_new(options, error);
    if (context == NULL) {
        return NULL;
    }
    if (contexts->count == CONTEXTS_MAX) {
        drop_first_context(contexts);
    }
    contexts->items[contexts->count++] = (struct tls_context){.context = context, .key = key};
    key = NULL;
    return context;
}

static bool set_peer(SSL *ssl, const char *host, bool is_literal)
{
    if (is_literal) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct tls_session *tls_session_new(struct tls_contexts *contexts, const struct tls_options *options,
                                    const char *host, bool is_literal, const struct tls_callbacks *callbacks,
                                    struct error *error)
{
    SSL_CTX *context = find_context(contexts, options, error);

    if (context == NULL) {
        return NULL;
    }
    struct tls_session *session = MEMORY_NEW(struct tls_session);
    session->callbacks = *callbacks;
    session->ssl = SSL_new(context);
    BIO *bio = BIO_new(contexts->method);
    if (session->ssl == NULL || bio == NULL) {
        abort();
    }
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    SSL_set_connect_state(session->ssl);
    if (!set_peer(session->ssl, host, is_literal)) {
        set_tls_error(error, "tls: the host's name cannot be used");
        tls_session_free(&session);
    }
    return session;
}

void tls_session_free(struct tls_session **pointer)
{
    struct tls_session *session = *pointer;

    if (session == NULL) {
        return;
    }
    SSL_free(session->ssl);
    memory_free(session);
    *pointer = NULL;
}

void tls_session_feed(struct tls_session *session, struct bytes wire)
{
    session->wire = wire;
}

static enum tls_result tls_result_of(struct tls_session *session, int result, const char *what,
                                     struct error *error)
{
    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_END;
    case SSL_ERROR_SYSCALL:
        error_set(error, "%s: the connection cannot be written to", what);
        return TLS_FAILED;
    default:
        break;
    }
    long verified = SSL_get_verify_result(session->ssl);
    if (verified != X509_V_OK && SSL_get_verify_mode(session->ssl) != SSL_VERIFY_NONE) {
        ERR_clear_error();
        error_set(error, "%s: the server's certificate: %s", what, X509_verify_cert_error_string(verified));
    } else {
        set_tls_error(error, what);
    }
    return TLS_FAILED;
}

/* SSL_get_error judges by the thread's errors too. Clearing them costs more than looking whether there are
 * any. */
static void forget_errors(void)
{
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
}

enum tls_result tls_session_handshake(struct tls_session *session, struct error *error)
{
    forget_errors();
    int result = SSL_do_handshake(session->ssl);
    return result == 1 ? TLS_OK : tls_result_of(session, result, "TLS handshake", error);
}

enum tls_result tls_session_read(struct tls_session *session, void *data, size_t size, size_t *count,
                                 struct error *error)
{
    forget_errors();
    int result = SSL_read_ex(session->ssl, data, size, count);
    return result == 1 ? TLS_OK : tls_result_of(session, result, "TLS", error);
}

bool tls_session_is_drained(const struct tls_session *session)
{
    return session->wire.size == 0 && SSL_has_pending(session->ssl) == 0;
}

enum tls_result tls_session_write(struct tls_session *session, struct bytes data, struct error *error)
{
    while (data.size > 0) {
        size_t count = 0;
        forget_errors();
        int result = SSL_write_ex(session->ssl, data.data, data.size, &count);
        if (result != 1) {
            return tls_result_of(session, result, "TLS", error);
        }
        data = bytes_of(data.data + count, data.size - count);
    }
    return TLS_OK;
}

void tls_session_close(struct tls_session *session)
{
    ERR_clear_error();
    (void)SSL_shutdown(session->ssl);
    ERR_clear_error();
}

struct bytes tls_session_protocol(const struct tls_session *session)
{
    const unsigned char *name = NULL;
    unsigned size = 0;

    SSL_get0_alpn_selected(session->ssl, &name, &size);
    return bytes_of(name, size);
}
