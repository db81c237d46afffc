/* What a request wants, and how that is written. */
#include "agent/http/native/native_inside.h"

#include "agent/http/message/proxy.h"
#include "agent/http/message/resend.h"
#include "common/base64.h"
#include "common/clock.h"
#include "common/memory.h"

#include <stdio.h>
#include <string.h>

#define FIELDS_MAX_BYTES (1024u * 1024u)
#define HEAD_MAX_BYTES (2u * 1024u * 1024u)
#define BODY_MAX_BYTES (1024u * 1024u * 1024u)

static bool is_among(struct bytes name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (field_is_word(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool has_field(const struct native_wish *wish, const char *name)
{
    struct bytes value;
    return wish->fields.size > 0 && fields_find(buffer_bytes(&wish->fields), name, &value);
}

void native_wish_finish(struct native_wish *wish)
{
    url_finish(&wish->url);
    native_tls_drop(&wish->tls);
    native_proxy_drop(&wish->proxy);
    buffer_finish(&wish->fields);
    buffer_finish(&wish->head);
    memory_free(wish->body);
    memory_free(wish->authorization);
    memory_free(wish->digest_user);
    memory_free(wish->digest_password);
    wish->authorization = wish->digest_user = wish->digest_password = NULL;
}

/* `method` is shorter than the wish's. */
static void wish_set_method(struct native_wish *wish, const char *method)
{
    static const char *const with_body[] = {"POST", "PUT", "PATCH", NULL};

    memcpy(wish->method, method, strlen(method) + 1);
    wish->is_to_head = strcmp(method, "HEAD") == 0;
    wish->is_idempotent = resend_is_harmless(method);
    wish->has_body_by_method = is_among(bytes_of_string(method), with_body);
    buffer_clear(&wish->head);
}

bool native_wish_is_idempotent(const struct native_wish *wish)
{
    return wish->is_idempotent && !wish->is_chunked;
}

static bool take_method(struct native_wish *wish, const char *method, struct error *error)
{
    if (*method != 0 && strcmp(wish->method, method) == 0) {
        return true;
    }
    if (!field_is_token(bytes_of_string(method)) || strlen(method) >= sizeof wish->method) {
        return error_set(error, "the method is not a token (letters, digits and some punctuation)");
    }
    wish_set_method(wish, method);
    return true;
}

/* False where there is no room for all of it. */
static bool append_line(struct buffer *out, struct bytes name, struct bytes value)
{
    return buffer_append(out, name.data, name.size) && buffer_append(out, ": ", value.size > 0 ? 2 : 1) &&
           buffer_append(out, value.data, value.size) && buffer_append(out, "\r\n", 2);
}

/* Whether the fields go on at `*at` with this text, which is then passed. */
static bool passes_text(const struct native_wish *wish, size_t *at, struct bytes text)
{
    const struct buffer *fields = &wish->fields;

    if (text.size > fields->size - *at || memcmp(fields->data + *at, text.data, text.size) != 0) {
        return false;
    }
    *at += text.size;
    return true;
}

/* Whether the request has the fields of the one before: most have. */
static bool has_same_fields(const struct native_wish *wish, const struct http_request *request)
{
    size_t at = 0;

    for (size_t i = 0; i < request->header_count; i++) {
        struct bytes value = bytes_of_string(request->headers[i].value);
        if (!passes_text(wish, &at, bytes_of_string(request->headers[i].name)) ||
            !passes_text(wish, &at, bytes_of(": ", value.size > 0 ? 2 : 1)) ||
            !passes_text(wish, &at, value) || !passes_text(wish, &at, bytes_of("\r\n", 2))) {
            return false;
        }
    }
    return at == wish->fields.size;
}

static bool has_field_word(const struct native_wish *wish, const char *name, const char *word)
{
    struct bytes value;
    return wish->fields.size > 0 && fields_find(buffer_bytes(&wish->fields), name, &value) &&
           field_has_word(value, word);
}

static bool take_fields(struct native_wish *wish, const struct http_request *request, struct error *error)
{
    if (wish->are_fields_taken && has_same_fields(wish, request)) {
        return true;
    }
    wish->are_fields_taken = false;
    buffer_clear(&wish->head);
    buffer_clear(&wish->fields);
    for (size_t i = 0; i < request->header_count; i++) {
        struct bytes name = bytes_of_string(request->headers[i].name);
        struct bytes value = bytes_of_string(request->headers[i].value);
        static const char *const ours[] = {"content-length", "transfer-encoding", NULL};
        if (!field_is_token(name) || !field_is_value(value)) {
            return error_set(error, "the header %.60s cannot be sent", request->headers[i].name);
        }
        if (is_among(name, ours)) {
            return error_set(error, "the header %.60s is the client's own: it knows the body",
                             request->headers[i].name);
        }
        if (!append_line(&wish->fields, name, value)) {
            return error_set(error, "the headers are larger than %u bytes", FIELDS_MAX_BYTES);
        }
    }
    wish->has_cookie_field = has_field(wish, "cookie");
    wish->has_close_field = has_field_word(wish, "connection", "close");
    wish->has_expect_field = has_field_word(wish, "expect", "100-continue");
    wish->are_fields_taken = true;
    return true;
}

static void take_user(struct native_wish *wish, const char *user, const char *password)
{
    memory_free(wish->authorization);
    wish->authorization = NULL;
    if (user == NULL) {
        return;
    }
    SCOPED(memory_free_at) char *plain = memory_format("%s:%s", user, password != NULL ? password : "");
    SCOPED(buffer_finish) struct buffer coded;
    buffer_init(&coded, FIELDS_MAX_BYTES);
    if (base64_encode(&coded, bytes_of_string(plain))) {
        wish->authorization = memory_format("Basic %s", buffer_string(&coded));
    }
}

/* A field of the script's own is sent in its place. */
static void take_digest(struct native_wish *wish, const struct http_request *request)
{
    memory_free(wish->digest_user);
    memory_free(wish->digest_password);
    wish->digest_user = wish->digest_password = NULL;
    if (request->is_digest && !has_field(wish, "authorization")) {
        wish->digest_user = memory_copy_string(request->user);
        wish->digest_password = memory_copy_string(request->password);
    }
}

static bool take_url(struct native_exchange *exchange, const char *text, struct error *error)
{
    struct native_wish *wish = &exchange->wish;

    if (exchange->given_url != NULL && strcmp(exchange->given_url, text) == 0) {
        return true;
    }
    struct url url;
    if (!url_parse(bytes_of_string(text), &url, error)) {
        return false;
    }
    url_finish(&wish->url);
    wish->url = url;
    buffer_clear(&wish->head);
    memory_free(exchange->given_url);
    exchange->given_url = memory_copy_string(text);
    return true;
}

static bool take_body(struct native_wish *wish, const struct http_request *request, struct error *error)
{
    wish->has_body = request->has_body;
    wish->is_chunked = request->is_chunked;
    bool has_length = request->has_body || wish->has_body_by_method;
    if (has_length != wish->has_length) {
        wish->has_length = has_length;
        buffer_clear(&wish->head); /* some fields depend on it */
    }
    wish->body_size = request->has_body ? request->body.size : 0;
    if (wish->body_size > BODY_MAX_BYTES) {
        return error_set(error, "the body is larger than %u bytes", BODY_MAX_BYTES);
    }
    /* Exactly as large as it is: a redirect or a second try may want it again. */
    if (wish->body_size > wish->body_capacity) {
        memory_free(wish->body);
        wish->body = memory_new(wish->body_size, 1);
        wish->body_capacity = wish->body_size;
    }
    if (wish->body_size > 0) {
        memcpy(wish->body, request->body.data, wish->body_size);
    }
    return true;
}

/* Found before the last ones are dropped: they are usually the same. */
static void take_tls(struct native_exchange *exchange, const struct http_tls *wanted)
{
    struct native_tls *tls = native_tls_find(exchange->engine, wanted);

    native_tls_drop(&exchange->wish.tls);
    exchange->wish.tls = tls;
}

/* Bodies that come and go in pieces, and challenges, are exchanged one at a time on a connection. */
static bool may_be_multiplexed(const struct http_request *request)
{
    return request->on_head == NULL && !request->is_chunked && !request->is_digest;
}

/* Whether the proxy itself is asked for the whole URL. For another protocol it opens a tunnel. */
static bool is_asked_of_proxy(const struct native_wish *wish)
{
    return wish->proxy != NULL && !wish->url.is_tls && !wish->is_upgrade;
}

/* The same holds for proxies as for TLS. A proxy that is asked itself is asked over HTTP/1.1. */
static bool take_proxy(struct native_exchange *exchange, const char *wanted, struct error *error)
{
    struct native_wish *wish = &exchange->wish;
    struct native_proxy *proxy = NULL;
    bool is_good = native_proxy_find(exchange->engine, wanted, &wish->url, &proxy, error);

    if (proxy != wish->proxy) {
        buffer_clear(&wish->head);
    }
    native_proxy_drop(&wish->proxy);
    wish->proxy = proxy;
    wish->is_proxy_of_environment = wanted != NULL && strcmp(wanted, PROXY_OF_ENVIRONMENT) == 0;
    if (is_asked_of_proxy(wish)) {
        wish->is_http2 = wish->is_shared = false;
    }
    return is_good;
}

bool native_wish_take(struct native_exchange *exchange, const struct http_request *request,
                      struct error *error)
{
    struct native_wish *wish = &exchange->wish;

    wish->fields.maximum = FIELDS_MAX_BYTES;
    wish->head.maximum = HEAD_MAX_BYTES;
    wish->is_followed = request->is_followed;
    wish->is_fresh = request->is_fresh;
    wish->is_upgrade = request->is_upgrade;
    wish->has_left_origin = false;
    wish->has_dropped_body = false;
    wish->is_expectation_refused = false;
    wish->max_body_bytes = request->max_body_bytes;
    wish->is_http2 = request->is_http2 && may_be_multiplexed(request);
    wish->is_shared = wish->is_http2 && request->is_shared;
    if (!take_url(exchange, request->url, error) || !take_method(wish, request->method, error) ||
        !take_fields(wish, request, error) || !take_body(wish, request, error) ||
        !take_proxy(exchange, request->proxy, error)) {
        return false;
    }
    take_tls(exchange, request->tls);
    take_digest(wish, request);
    bool has_user = !request->is_digest && (request->user != NULL || wish->url.user != NULL);
    take_user(wish, has_user ? (request->user != NULL ? request->user : wish->url.user) : NULL,
              request->user != NULL ? request->password : wish->url.password);
    wish->expects = wish->body_size > 0 && wish->has_expect_field;
    return true;
}

/* Those of the jar, then what the script has given. */
static void write_cookies(struct native_exchange *exchange)
{
    const struct native_wish *wish = &exchange->wish;
    struct buffer *out = &exchange->engine->out;
    struct bytes own = {0};
    bool has_own = wish->has_cookie_field && !wish->has_left_origin &&
                   fields_find(buffer_bytes(&wish->fields), "cookie", &own);

    if (exchange->client->jar.count == 0 && !has_own) {
        return;
    }
    size_t start = out->size;
    buffer_append_string(out, "Cookie: ");
    size_t empty = out->size;
    cookie_jar_append(&exchange->client->jar, &wish->url, (int64_t)(clock_wall_ns() / NS_PER_S), out);
    if (has_own && own.size > 0) {
        buffer_append_string(out, out->size > empty ? "; " : "");
        buffer_append(out, own.data, own.size);
    }
    if (out->size == empty) {
        out->size = start;
    } else {
        buffer_append_string(out, "\r\n");
    }
}

static void write_fields(const struct native_wish *wish, struct buffer *out)
{
    struct bytes fields = buffer_bytes(&wish->fields);
    struct bytes name;
    struct bytes value;
    size_t at = 0;

    while (fields_next(fields, &at, &name, &value)) {
        static const char *const cookie[] = {"cookie", NULL};
        static const char *const expect[] = {"expect", NULL};
        static const char *const of_proxy[] = {"proxy-authorization", NULL};
        bool is_left_out = is_among(name, cookie) ||
                           ((wish->is_expectation_refused || !wish->has_length) && is_among(name, expect)) ||
                           (wish->has_left_origin && resend_leaves_with_origin(name)) ||
                           (wish->proxy != NULL && is_among(name, of_proxy) &&
                            (!is_asked_of_proxy(wish) || native_proxy_authorization(wish->proxy) != NULL)) ||
                           (wish->has_dropped_body && resend_leaves_with_body(name));
        if (!is_left_out) {
            append_line(out, name, value);
        }
    }
}

/* Unless the script has given it, and that is sent. */
static void write_field(struct buffer *out, const struct native_wish *wish, const char *name,
                        struct bytes value)
{
    bool is_left_behind = wish->has_left_origin && resend_leaves_with_origin(bytes_of_string(name));

    if (is_left_behind || !has_field(wish, name)) {
        buffer_append_string(out, name);
        buffer_append(out, ": ", 2);
        buffer_append(out, value.data, value.size);
        buffer_append(out, "\r\n", 2);
    }
}

static void write_usual_fields(const struct native_wish *wish, struct buffer *out)
{
    write_field(out, wish, "Host", wish->url.authority);
    write_field(out, wish, "User-Agent", bytes_of_string("tutti/" TUTTI_VERSION));
    write_field(out, wish, "Accept", bytes_of_string("*/*"));
    write_field(out, wish, "Accept-Encoding", bytes_of_string(CONTENT_DECODER_ACCEPTS));
    if (wish->authorization != NULL && !wish->has_left_origin) {
        write_field(out, wish, "Authorization", bytes_of_string(wish->authorization));
    }
    if (is_asked_of_proxy(wish) && native_proxy_authorization(wish->proxy) != NULL) {
        buffer_append_format(out, "Proxy-Authorization: %s\r\n", native_proxy_authorization(wish->proxy));
    }
    if (wish->fields.size > 0) {
        write_fields(wish, out);
    }
}

static void write_length(struct buffer *out, size_t size)
{
    char digits[24];
    size_t start = sizeof digits;

    do {
        digits[--start] = (char)('0' + size % 10);
        size /= 10;
    } while (size > 0);
    buffer_append_string(out, "Content-Length: ");
    buffer_append(out, digits + start, sizeof digits - start);
    buffer_append(out, "\r\n", 2);
}

/* What is this request's alone. */
static void write_own_fields(struct native_exchange *exchange)
{
    const struct native_wish *wish = &exchange->wish;
    struct buffer *out = &exchange->engine->out;

    native_digest_write(exchange, out);
    write_cookies(exchange);
    if (wish->is_chunked) {
        buffer_append_string(out, "Transfer-Encoding: chunked\r\n");
    } else if (wish->has_length) {
        write_length(out, wish->body_size);
    }
}

void native_wish_write_fields(struct native_exchange *exchange)
{
    write_usual_fields(&exchange->wish, &exchange->engine->out);
    write_own_fields(exchange);
}

/* What the next request begins with as well, if it is of the same kind. */
static void write_beginning(const struct native_wish *wish, struct buffer *out)
{
    buffer_append_string(out, wish->method);
    buffer_append(out, " ", 1);
    if (is_asked_of_proxy(wish)) {
        buffer_append_string(out, wish->url.text);
    } else {
        buffer_append(out, wish->url.target.data, wish->url.target.size);
    }
    buffer_append_string(out, " HTTP/1.1\r\n");
    write_usual_fields(wish, out);
}

void native_wish_write_head(struct native_exchange *exchange)
{
    struct native_wish *wish = &exchange->wish;
    struct buffer *out = &exchange->engine->out;
    bool is_usual = wish->authorization == NULL && !wish->has_left_origin && !wish->is_expectation_refused &&
                    !wish->has_dropped_body;

    buffer_clear(out);
    if (is_usual && wish->head.size > 0) {
        buffer_append(out, wish->head.data, wish->head.size); /* of the request before */
    } else {
        write_beginning(wish, out);
        buffer_clear(&wish->head);
        if (is_usual) {
            buffer_append(&wish->head, out->data, out->size);
        }
    }
    write_own_fields(exchange);
    buffer_append(out, "\r\n", 2);
}

static void change_method(struct native_wish *wish, uint32_t status)
{
    if (resend_becomes_get(status, wish->method)) {
        wish->has_dropped_body = true;
        wish_set_method(wish, "GET");
        wish->has_body = wish->has_length = wish->expects = wish->is_chunked = false;
        wish->body_size = 0;
    }
}

bool native_wish_redirect(struct native_exchange *exchange, uint32_t status, struct bytes location,
                          struct error *error)
{
    struct native_wish *wish = &exchange->wish;
    struct url url;

    if (!url_resolve(&wish->url, location, &url, error)) {
        return error_wrap(error, "the redirect leads nowhere: ");
    }
    if (!url_is_same_origin(&wish->url, &url)) {
        wish->has_left_origin = true;
    }
    url_finish(&wish->url);
    wish->url = url;
    buffer_clear(&wish->head);
    memory_free(exchange->given_url);
    exchange->given_url = NULL;
    change_method(wish, status);
    if (wish->is_chunked) {
        return error_set(error, "the redirect wants the body once more, which came from a function");
    }
    if (wish->is_proxy_of_environment && !take_proxy(exchange, PROXY_OF_ENVIRONMENT, error)) {
        return false;
    }
    if (is_asked_of_proxy(wish)) {
        wish->is_http2 = wish->is_shared = false;
    }
    return true;
}
