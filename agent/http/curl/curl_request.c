/* Sets a handle of curl up for a request. */
#include "agent/http/curl/curl_request.h"

#include "agent/http/curl/curl_client.h"
#include "agent/http/message/content_decoder.h"
#include "agent/http/message/fields.h"
#include "agent/http/message/proxy.h"
#include "agent/http/message/resend.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROXY_DEFAULT_PORT 80L

/* The machine's authorities are those of the engine: curl would parse them all for each connection. */
static void trust_machine(struct curl_request *request, bool is_trusted)
{
    CURL *easy = request->easy;

    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, is_trusted ? curl_engine_trust : NULL);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, request->engine);
}

void curl_request_init(struct curl_request *request, struct curl_engine *engine, CURL *easy)
{
    *request = (struct curl_request){.easy = easy, .engine = engine};
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    trust_machine(request, true);
    /* Each client has names of its own, so that each has its own order of their addresses. */
    curl_easy_setopt(easy, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    /* Coded bodies are decoded as by the native engine. */
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, CONTENT_DECODER_ACCEPTS);
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
}

void curl_request_finish(struct curl_request *request)
{
    curl_slist_free_all(request->headers);
    memory_free(request->given_url);
    memory_free(request->proxy);
    url_finish(&request->url);
}

static bool curl_request_has_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void curl_request_add_header(struct curl_request *request, const char *line)
{
    struct curl_slist *longer = curl_slist_append(request->headers, line);

    if (longer == NULL) {
        abort();
    }
    request->headers = longer;
}

/* Curl appends it to the cookies of its own. */
static void set_cookie(struct curl_request *request, const struct http_request *wanted)
{
    for (size_t i = 0; i < wanted->header_count; i++) {
        if (strcasecmp(wanted->headers[i].name, "cookie") == 0) {
            const char *value = wanted->headers[i].value;
            curl_easy_setopt(request->easy, CURLOPT_COOKIE, *value ? value : NULL);
            return;
        }
    }
}

/* Curl would send a form's type with every body, and wait before a large one: neither is wanted unless the
 * script says so. */
static void set_headers(struct curl_request *request, const struct http_request *wanted)
{
    bool is_tunnelled = wanted->proxy != NULL && request->url.is_tls;

    for (size_t i = 0; i < wanted->header_count; i++) {
        const struct http_header *header = &wanted->headers[i];
        if (strcasecmp(header->name, "cookie") == 0) {
            continue;
        }
        if (is_tunnelled && strcasecmp(header->name, "Proxy-Authorization") == 0) {
            continue; /* it would go to the origin */
        }
        char *line = header->value[0] ? memory_format("%s: %s", header->name, header->value)
                                      : memory_format("%s;", header->name);
        curl_request_add_header(request, line);
        memory_free(line);
    }
    if (wanted->has_body && !curl_request_has_header(wanted, "content-type")) {
        curl_request_add_header(request, "Content-Type:");
    }
    if (wanted->has_body && !curl_request_has_header(wanted, "expect")) {
        curl_request_add_header(request, "Expect:");
    }
    curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers);
    set_cookie(request, wanted);
}

static void set_method(struct curl_request *request, const struct http_request *wanted)
{
    CURL *easy = request->easy;
    bool is_body_usual = strcmp(wanted->method, "POST") == 0 || strcmp(wanted->method, "PUT") == 0 ||
                         strcmp(wanted->method, "PATCH") == 0;

    if (strcmp(wanted->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (wanted->has_body || is_body_usual) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)wanted->body.size);
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS,
                         wanted->body.size > 0 ? (const char *)wanted->body.data : "");
        if (strcmp(wanted->method, "POST") != 0) {
            curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, wanted->method);
        }
    } else if (strcmp(wanted->method, "GET") != 0) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, wanted->method);
    }
}

/* Curl copies the text; NULL takes the option back. */
static void set_blob(CURL *easy, CURLoption option, const char *text)
{
    struct curl_blob blob = {
        .data = (char *)text, .len = text != NULL ? strlen(text) : 0, .flags = CURL_BLOB_COPY};

    curl_easy_setopt(easy, option, text != NULL ? &blob : NULL);
}

static void set_tls(struct curl_request *request, const struct http_tls *tls)
{
    static const struct http_tls usual;
    CURL *easy = request->easy;

    if (tls == NULL && !request->has_tls) {
        return;
    }
    request->has_tls = tls != NULL;
    tls = tls != NULL ? tls : &usual;
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls->is_unverified ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls->is_unverified ? 0L : 2L);
    trust_machine(request, !tls->is_unverified && tls->ca_pem == NULL);
    set_blob(easy, CURLOPT_CAINFO_BLOB, tls->ca_pem);
    set_blob(easy, CURLOPT_SSLCERT_BLOB, tls->certificate_pem);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, tls->key_pem);
}

/* A GET. */
static void set_no_body(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
}

/* Takes back what the last request had beyond a plain GET. */
static void reset_special(struct curl_request *request)
{
    CURL *easy = request->easy;

    set_no_body(easy);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_COOKIE, NULL);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 0L);
    curl_easy_setopt(easy, CURLOPT_USERNAME, NULL);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_slist_free_all(request->headers);
    request->headers = NULL;
    request->is_special = false;
}

static void set_special(struct curl_request *request, const struct http_request *wanted)
{
    const struct url *url = &request->url;

    request->is_special = true;
    set_method(request, wanted);
    set_headers(request, wanted);
    curl_easy_setopt(request->easy, CURLOPT_FORBID_REUSE, wanted->is_fresh ? 1L : 0L);
    curl_easy_setopt(request->easy, CURLOPT_HTTPAUTH,
                     wanted->is_digest ? (long)CURLAUTH_DIGEST : (long)CURLAUTH_BASIC);
    if (wanted->user != NULL || url->user != NULL) {
        const char *password = wanted->user != NULL ? wanted->password : url->password;
        curl_easy_setopt(request->easy, CURLOPT_USERNAME, wanted->user != NULL ? wanted->user : url->user);
        curl_easy_setopt(request->easy, CURLOPT_PASSWORD, password != NULL ? password : "");
    }
}

static void forget_given_url(struct curl_request *request)
{
    memory_free(request->given_url);
    request->given_url = NULL;
}

/* Without TLS it is said without asking, as our own engine does. */
static void set_version(struct curl_request *request, bool is_http2)
{
    long version = request->url.is_tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;

    if (is_http2 || request->is_http2) {
        curl_easy_setopt(request->easy, CURLOPT_HTTP_VERSION, is_http2 ? version : CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(request->easy, CURLOPT_PIPEWAIT, is_http2 ? 1L : 0L);
        request->is_http2 = is_http2;
    }
}

/* Without one, an empty text keeps curl from looking into the environment; NULL lets it. */
static void set_proxy(struct curl_request *request, const char *proxy)
{
    bool is_socks = proxy != NULL && strncasecmp(proxy, "socks", 5) == 0;
    bool is_of_environment = proxy != NULL && strcmp(proxy, PROXY_OF_ENVIRONMENT) == 0;
    CURL *easy = request->easy;

    if (proxy == NULL ? request->proxy == NULL
                      : request->proxy != NULL && strcmp(proxy, request->proxy) == 0) {
        return;
    }
    memory_free(request->proxy);
    request->proxy = proxy != NULL ? memory_copy_string(proxy) : NULL;
    curl_easy_setopt(easy, CURLOPT_PROXY, is_of_environment ? NULL : proxy != NULL ? proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, is_of_environment ? NULL : "");
    curl_easy_setopt(easy, CURLOPT_PROXYPORT, is_socks ? 0L : PROXY_DEFAULT_PORT);
}

bool curl_request_is_proxied(const struct curl_request *request)
{
    if (request->proxy == NULL || strcmp(request->proxy, PROXY_OF_ENVIRONMENT) != 0) {
        return request->proxy != NULL;
    }
    const char *bypassed = getenv("no_proxy");
    return getenv(request->url.is_tls ? "https_proxy" : "http_proxy") != NULL &&
           (bypassed == NULL || !proxy_is_bypassed(bypassed, &request->url));
}

static bool set_url(struct curl_request *request, const char *text, struct error *error)
{
    struct url url;

    if (request->given_url != NULL && strcmp(request->given_url, text) == 0) {
        return true;
    }
    if (!url_parse(bytes_of_string(text), &url, error)) {
        return false;
    }
    url_finish(&request->url);
    request->url = url;
    forget_given_url(request);
    request->given_url = memory_copy_string(text);
    curl_easy_setopt(request->easy, CURLOPT_URL, url.text);
    return true;
}

static bool may_be_sent(const struct http_request *wanted, struct error *error)
{
    if (!field_is_token(bytes_of_string(wanted->method)) ||
        strlen(wanted->method) >= CURL_REQUEST_METHOD_BYTES) {
        return error_set(error, "the method is not a token (letters, digits and some punctuation)");
    }
    for (size_t i = 0; i < wanted->header_count; i++) {
        const struct http_header *header = &wanted->headers[i];
        struct bytes name = bytes_of_string(header->name);
        if (!field_is_token(name) || !field_is_value(bytes_of_string(header->value))) {
            return error_set(error, "the header %.60s cannot be sent", header->name);
        }
        if (field_is_word(name, "content-length") || field_is_word(name, "transfer-encoding")) {
            return error_set(error, "the header %.60s is the client's own: it knows the body", header->name);
        }
    }
    return true;
}

void curl_request_set_nowhere(struct curl_request *request)
{
    forget_given_url(request);
    curl_easy_setopt(request->easy, CURLOPT_URL, "");
}

void curl_request_set_timeout(struct curl_request *request, uint64_t timeout_ms)
{
    if (request->timeout_ms != timeout_ms) {
        request->timeout_ms = timeout_ms;
        curl_easy_setopt(request->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    }
}

bool curl_request_set(struct curl_request *request, const struct http_request *wanted, struct error *error)
{
    if (request->is_special) {
        reset_special(request);
    }
    if (!may_be_sent(wanted, error) || !set_url(request, wanted->url, error)) {
        curl_request_set_nowhere(request);
        return false;
    }
    memcpy(request->method, wanted->method, strlen(wanted->method) + 1);
    set_version(request, wanted->is_http2);
    set_tls(request, wanted->tls);
    set_proxy(request, wanted->proxy);
    bool is_plain = strcmp(wanted->method, "GET") == 0 && !wanted->has_body && wanted->header_count == 0 &&
                    !wanted->is_fresh && wanted->user == NULL && request->url.user == NULL;
    if (!is_plain) {
        set_special(request, wanted);
    }
    return true;
}

/* Leaves the headers out for which `leaves` holds. */
static void drop_headers(struct curl_request *request, bool (*leaves)(struct bytes name))
{
    struct curl_slist *all = request->headers;

    request->headers = NULL;
    for (const struct curl_slist *at = all; at != NULL; at = at->next) {
        if (!leaves(bytes_of(at->data, strcspn(at->data, ":;")))) {
            curl_request_add_header(request, at->data);
        }
    }
    curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers);
    curl_slist_free_all(all);
}

static void become_get(struct curl_request *request)
{
    memcpy(request->method, "GET", sizeof "GET");
    set_no_body(request->easy);
    drop_headers(request, resend_leaves_with_body);
}

static void leave_origin(struct curl_request *request)
{
    curl_easy_setopt(request->easy, CURLOPT_COOKIE, NULL);
    curl_easy_setopt(request->easy, CURLOPT_USERNAME, NULL);
    curl_easy_setopt(request->easy, CURLOPT_PASSWORD, NULL);
    drop_headers(request, resend_leaves_with_origin);
}

bool curl_request_redirect(struct curl_request *request, uint32_t status, struct bytes location,
                           struct error *error)
{
    struct url url;

    if (!url_resolve(&request->url, location, &url, error)) {
        return error_wrap(error, "the redirect leads nowhere: ");
    }
    if (!url_is_same_origin(&request->url, &url)) {
        leave_origin(request);
    }
    url_finish(&request->url);
    request->url = url;
    forget_given_url(request);
    curl_easy_setopt(request->easy, CURLOPT_URL, url.text);
    set_version(request, request->is_http2);
    if (resend_becomes_get(status, request->method)) {
        become_get(request);
    }
    return true;
}

static bool is_expectation(struct bytes name)
{
    return field_is_word(name, "expect");
}

bool curl_request_drop_expectation(struct curl_request *request)
{
    for (const struct curl_slist *at = request->headers; at != NULL; at = at->next) {
        if (strncasecmp(at->data, "expect: ", 8) == 0) {
            drop_headers(request, is_expectation);
            curl_request_add_header(request, "Expect:");
            curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers);
            return true;
        }
    }
    return false;
}
