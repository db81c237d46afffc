/* Sets a handle of curl up for a request. */
#include "agent/http/curl/curl_request.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROXY_OF_ENVIRONMENT "environment"
#define PROXY_DEFAULT_PORT 80L

void curl_request_init(struct curl_request *request, CURL *easy)
{
    char *folder = NULL;

    *request = (struct curl_request){.easy = easy};
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    if (curl_easy_getinfo(easy, CURLINFO_CAPATH, &folder) == CURLE_OK && folder != NULL) {
        request->ca_folder = memory_copy_string(folder);
    }
}

void curl_request_finish(struct curl_request *request)
{
    curl_slist_free_all(request->headers);
    memory_free(request->url);
    memory_free(request->ca_folder);
    memory_free(request->proxy);
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

/* Curl would send a form's type with every body, and wait before a large one: neither is wanted unless the
 * script says so. */
static void set_headers(struct curl_request *request, const struct http_request *wanted)
{
    bool is_tunnelled = wanted->proxy != NULL && strncasecmp(wanted->url, "https:", 6) == 0;

    for (size_t i = 0; i < wanted->header_count; i++) {
        const struct http_header *header = &wanted->headers[i];
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

/* The folder of authorities would be trusted beside the ones that are given. */
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
    curl_easy_setopt(easy, CURLOPT_CAPATH, tls->ca_pem != NULL ? NULL : request->ca_folder);
    set_blob(easy, CURLOPT_CAINFO_BLOB, tls->ca_pem);
    set_blob(easy, CURLOPT_SSLCERT_BLOB, tls->certificate_pem);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, tls->key_pem);
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

/* Takes back what the last request had beyond a plain GET. */
static void reset_special(struct curl_request *request)
{
    CURL *easy = request->easy;

    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 0L);
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
    request->is_special = true;
    set_method(request, wanted);
    set_headers(request, wanted);
    curl_easy_setopt(request->easy, CURLOPT_FOLLOWLOCATION, wanted->is_followed ? 1L : 0L);
    curl_easy_setopt(request->easy, CURLOPT_FRESH_CONNECT, wanted->is_fresh ? 1L : 0L);
    curl_easy_setopt(request->easy, CURLOPT_FORBID_REUSE, wanted->is_fresh ? 1L : 0L);
    if (wanted->user != NULL) {
        curl_easy_setopt(request->easy, CURLOPT_HTTPAUTH,
                         wanted->is_digest ? (long)CURLAUTH_DIGEST : (long)CURLAUTH_BASIC);
        curl_easy_setopt(request->easy, CURLOPT_USERNAME, wanted->user);
        curl_easy_setopt(request->easy, CURLOPT_PASSWORD, wanted->password);
    }
}

static void set_url(struct curl_request *request, const char *url)
{
    if (request->url != NULL && strcmp(request->url, url) == 0) {
        return;
    }
    memory_free(request->url);
    request->url = memory_copy_string(url);
    /* Curl refuses those of megabytes. */
    if (curl_easy_setopt(request->easy, CURLOPT_URL, url) != CURLE_OK) {
        curl_easy_setopt(request->easy, CURLOPT_URL, "");
    }
}

/* Without TLS it is said without asking, as our own engine does. */
static void set_version(struct curl_request *request, bool is_http2)
{
    bool is_plain = strncmp(request->url, "http:", 5) == 0;
    long version = is_plain ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : CURL_HTTP_VERSION_2TLS;

    if (is_http2 || request->is_http2) {
        curl_easy_setopt(request->easy, CURLOPT_HTTP_VERSION, is_http2 ? version : CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(request->easy, CURLOPT_PIPEWAIT, is_http2 ? 1L : 0L);
        request->is_http2 = is_http2;
    }
}

void curl_request_set(struct curl_request *request, const struct http_request *wanted)
{
    bool is_plain = strcmp(wanted->method, "GET") == 0 && !wanted->has_body && wanted->header_count == 0 &&
                    !wanted->is_followed && !wanted->is_fresh && wanted->user == NULL;

    if (request->is_special) {
        reset_special(request);
    }
    set_url(request, wanted->url);
    set_version(request, wanted->is_http2);
    set_tls(request, wanted->tls);
    set_proxy(request, wanted->proxy);
    if (!is_plain) {
        set_special(request, wanted);
    }
}

void curl_request_set_timeout(struct curl_request *request, uint64_t timeout_ms)
{
    if (request->timeout_ms != timeout_ms) {
        request->timeout_ms = timeout_ms;
        curl_easy_setopt(request->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    }
}

bool curl_request_is_proxied(const struct curl_request *request)
{
    if (request->proxy == NULL || strcmp(request->proxy, PROXY_OF_ENVIRONMENT) != 0) {
        return request->proxy != NULL;
    }
    bool is_tls = request->url != NULL && strncasecmp(request->url, "https:", 6) == 0;
    return getenv(is_tls ? "https_proxy" : "http_proxy") != NULL;
}
