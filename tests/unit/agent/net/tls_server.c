/* A TLS server on the test's own loop. */
#include "tests/unit/agent/net/tls_server.h"

#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct tls_server_peer {
    uv_tcp_t tcp;
    struct tls_server *server;
    struct tls_server_peer *next;
    SSL *ssl;
    bool is_open;
    char wire[16384];
};

struct tls_server {
    uv_tcp_t tcp;
    SSL_CTX *context;
    struct tls_server_peer *peers;
    unsigned handshakes;
};

static void add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* `names` NULL: of an authority. */
static X509 *make_certificate(const char *name, const char *names, EVP_PKEY *key, X509 *issuer,
                              EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509 *certificate = X509_new();

    assert_non_null(certificate);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    issuer = issuer != NULL ? issuer : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    add_extension(certificate, issuer, NID_basic_constraints,
                  names != NULL ? "CA:FALSE" : "critical,CA:TRUE");
    if (names != NULL) {
        add_extension(certificate, issuer, NID_subject_alt_name, names);
    }
    assert_int_not_equal(X509_sign(certificate, issuer_key, EVP_sha256()), 0);
    return certificate;
}

static char *text_of_papers(X509 *certificate, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;

    PEM_write_bio_X509(bio, certificate);
    if (key != NULL) {
        PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    }
    long size = BIO_get_mem_data(bio, &data);
    char *text = memory_copy(data, (size_t)size);
    BIO_free(bio);
    return text;
}

void tls_papers_make(struct tls_papers *papers)
{
    EVP_PKEY *root_key = EVP_EC_gen("P-256");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *root = make_certificate("An authority", NULL, root_key, NULL, root_key);
    X509 *server = make_certificate("server", "DNS:localhost,IP:127.0.0.1", key, root, root_key);
    X509 *client = make_certificate("client", "DNS:client", key, root, root_key);

    papers->authority = text_of_papers(root, NULL);
    papers->server = text_of_papers(server, key);
    papers->client = text_of_papers(client, key);
    X509_free(root);
    X509_free(server);
    X509_free(client);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(key);
}

void tls_papers_finish(struct tls_papers *papers)
{
    memory_free(papers->authority);
    memory_free(papers->server);
    memory_free(papers->client);
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *size, const unsigned char *in,
                           unsigned in_size, void *context)
{
    (void)ssl, (void)context;
    *out = in + 1;
    *size = in[0];
    return in_size > in[0] ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static void on_peer_closed(uv_handle_t *handle)
{
    struct tls_server_peer *peer = handle->data;

    SSL_free(peer->ssl);
    memory_free(peer);
}

static void close_peer(struct tls_server_peer *peer)
{
    struct tls_server_peer **at = &peer->server->peers;

    while (*at != peer) {
        at = &(*at)->next;
    }
    *at = peer->next;
    uv_close((uv_handle_t *)&peer->tcp, on_peer_closed);
}

/* What the library has to say goes out at once. */
static void flush_peer(struct tls_server_peer *peer)
{
    char *data;
    long size = BIO_get_mem_data(SSL_get_wbio(peer->ssl), &data);

    if (size > 0) {
        uv_buf_t buffer = uv_buf_init(data, (unsigned)size);
        int sent = uv_try_write((uv_stream_t *)&peer->tcp, &buffer, 1);
        assert_true(sent == size || sent < 0);
        (void)BIO_reset(SSL_get_wbio(peer->ssl));
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct tls_server_peer *peer = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(peer->wire, sizeof peer->wire);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct tls_server_peer *peer = stream->data;
    char plain[16384];
    int got;

    if (count < 0) {
        close_peer(peer);
        return;
    }
    BIO_write(SSL_get_rbio(peer->ssl), buffer->base, (int)count);
    if (!peer->is_open && SSL_accept(peer->ssl) == 1) {
        peer->is_open = true;
        peer->server->handshakes++;
    }
    while (peer->is_open && (got = SSL_read(peer->ssl, plain, sizeof plain)) > 0) {
        assert_int_equal(SSL_write(peer->ssl, plain, got), got);
    }
    flush_peer(peer);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct tls_server *server = stream->data;
    struct tls_server_peer *peer = MEMORY_NEW(struct tls_server_peer);

    assert_int_equal(status, 0);
    uv_tcp_init(stream->loop, &peer->tcp);
    peer->tcp.data = peer;
    peer->server = server;
    peer->next = server->peers;
    server->peers = peer;
    peer->ssl = SSL_new(server->context);
    SSL_set_bio(peer->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    assert_int_equal(uv_accept(stream, (uv_stream_t *)&peer->tcp), 0);
    uv_read_start((uv_stream_t *)&peer->tcp, on_alloc, on_read);
}

static void use_papers(SSL_CTX *context, const struct tls_papers *papers, bool asks_for_certificate)
{
    BIO *bio = BIO_new_mem_buf(papers->server, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(bio);
    if (asks_for_certificate) {
        bio = BIO_new_mem_buf(papers->authority, -1);
        certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);
        X509_free(certificate);
        BIO_free(bio);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
}

struct tls_server *tls_server_new(uv_loop_t *loop, const struct tls_papers *papers, bool asks_for_certificate,
                                  int most_version)
{
    struct tls_server *server = MEMORY_NEW(struct tls_server);
    struct sockaddr_in address;

    server->context = SSL_CTX_new(TLS_server_method());
    assert_non_null(server->context);
    use_papers(server->context, papers, asks_for_certificate);
    SSL_CTX_set_alpn_select_cb(server->context, choose_protocol, NULL);
    SSL_CTX_set_max_proto_version(server->context, most_version);
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(loop, &server->tcp);
    server->tcp.data = server;
    uv_tcp_bind(&server->tcp, (const struct sockaddr *)&address, 0);
    assert_int_equal(uv_listen((uv_stream_t *)&server->tcp, 512, on_connection), 0);
    return server;
}

uint16_t tls_server_port(const struct tls_server *server)
{
    struct sockaddr_in address;
    int size = sizeof address;

    uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

unsigned tls_server_handshakes(const struct tls_server *server)
{
    return server->handshakes;
}

void tls_server_end_all(struct tls_server *server)
{
    while (server->peers != NULL) {
        (void)SSL_shutdown(server->peers->ssl);
        flush_peer(server->peers);
        close_peer(server->peers);
    }
}

void tls_server_cut_all(struct tls_server *server)
{
    while (server->peers != NULL) {
        close_peer(server->peers);
    }
}

static void on_server_closed(uv_handle_t *handle)
{
    struct tls_server *server = handle->data;

    SSL_CTX_free(server->context);
    memory_free(server);
}

void tls_server_close(struct tls_server **server)
{
    tls_server_end_all(*server);
    uv_close((uv_handle_t *)&(*server)->tcp, on_server_closed);
    *server = NULL;
}
