/* The sets of TLS options that requests have asked for. */
#include "agent/http/native/native_inside.h"

#include "common/memory.h"

#include <string.h>

#define PROTOCOLS "\010http/1.1"
#define PROTOCOLS_OF_2 "\002h2" PROTOCOLS

struct native_tls {
    struct native_tls *next;
    struct native_tls **at; /* the pointer that points to this one */
    unsigned references;
    struct tls_options options;
    struct tls_options options_of_2; /* the same, for HTTP/2 */
    char *ca;
    char *certificate;
    char *key;
};

static bool is_same_text(const char *left, const char *right)
{
    return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

static bool native_tls_is(const struct native_tls *tls, const struct http_tls *wanted)
{
    return tls->options.is_unverified == wanted->is_unverified && is_same_text(tls->ca, wanted->ca_pem) &&
           is_same_text(tls->certificate, wanted->certificate_pem) && is_same_text(tls->key, wanted->key_pem);
}

static char *copy_or_null(const char *text)
{
    return text != NULL ? memory_copy_string(text) : NULL;
}

static struct native_tls *native_tls_new(struct native_engine *engine, const struct http_tls *wanted)
{
    struct native_tls *tls = MEMORY_NEW(struct native_tls);

    tls->ca = copy_or_null(wanted->ca_pem);
    tls->certificate = copy_or_null(wanted->certificate_pem);
    tls->key = copy_or_null(wanted->key_pem);
    tls->options = (struct tls_options){.is_unverified = wanted->is_unverified,
                                        .ca_pem = tls->ca,
                                        .certificate_pem = tls->certificate,
                                        .key_pem = tls->key,
                                        .protocols = PROTOCOLS};
    tls->options_of_2 = tls->options;
    tls->options_of_2.protocols = PROTOCOLS_OF_2;
    tls->next = engine->tls;
    tls->at = &engine->tls;
    if (tls->next != NULL) {
        tls->next->at = &tls->next;
    }
    engine->tls = tls;
    return tls;
}

struct native_tls *native_tls_find(struct native_engine *engine, const struct http_tls *wanted)
{
    if (wanted == NULL) {
        return NULL;
    }
    struct native_tls *tls = engine->tls;
    while (tls != NULL && !native_tls_is(tls, wanted)) {
        tls = tls->next;
    }
    return native_tls_share(tls != NULL ? tls : native_tls_new(engine, wanted));
}

struct native_tls *native_tls_share(struct native_tls *tls)
{
    if (tls != NULL) {
        tls->references++;
    }
    return tls;
}

void native_tls_drop(struct native_tls **pointer)
{
    struct native_tls *tls = *pointer;

    *pointer = NULL;
    if (tls == NULL || --tls->references > 0) {
        return;
    }
    *tls->at = tls->next;
    if (tls->next != NULL) {
        tls->next->at = tls->at;
    }
    memory_free(tls->ca);
    memory_free(tls->certificate);
    memory_free(tls->key);
    memory_free(tls);
}

const struct tls_options *native_tls_options(const struct native_tls *tls, bool is_http2)
{
    static const struct tls_options usual = {.protocols = PROTOCOLS};
    static const struct tls_options usual_of_2 = {.protocols = PROTOCOLS_OF_2};

    if (tls == NULL) {
        return is_http2 ? &usual_of_2 : &usual;
    }
    return is_http2 ? &tls->options_of_2 : &tls->options;
}
