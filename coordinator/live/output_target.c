/* Where points go while a campaign runs: one --out. */
#include "coordinator/live/output_target.h"

#include "common/buffer.h"
#include "common/digits.h"
#include "common/memory.h"
#include "common/trusted_file.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX_BYTES 4096u
#define SHOWN_BYTES 100

static const struct output_kind_row {
    const char *word;
    const char *what; /* that follows the word */
    bool is_http;
} KINDS[OUTPUT_KIND_COUNT] = {
    [OUTPUT_STATSD] = {"statsd", "HOST:PORT[,prefix=NAME]", false},
    [OUTPUT_INFLUXDB] = {"influxdb", "http://HOST:PORT/PATH[,token-file=FILE]", true},
    [OUTPUT_OTLP] = {"otlp", "http://HOST:PORT/PATH[,token-file=FILE]", true},
    [OUTPUT_PROMETHEUS] = {"prometheus", "http://HOST:PORT/PATH[,token-file=FILE]", true},
};

/* Takes up to the next `,NAME=` of a setting: a URL may have commas of its own. */
static char *output_take_place(const char **rest)
{
    static const char *const settings[] = {",prefix=", ",token-file="};
    const char *end = *rest + strlen(*rest);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        const char *found = strstr(*rest, settings[i]);
        end = found != NULL && found < end ? found : end;
    }
    char *place = memory_format("%.*s", (int)(end - *rest), *rest);
    *rest = end;
    return place;
}

static bool output_read_settings(struct output_target *target, const char *rest, struct error *error)
{
    while (*rest == ',') {
        const char *name = rest + 1;
        size_t name_size = strcspn(name, "=");
        const char *value = name + name_size + (name[name_size] == '=');
        size_t size = strcspn(value, ",");
        bool is_prefix = target->kind == OUTPUT_STATSD && strncmp(name, "prefix=", name_size + 1) == 0;
        bool is_token = KINDS[target->kind].is_http && strncmp(name, "token-file=", name_size + 1) == 0;
        char **place = is_prefix ? &target->prefix : &target->token_file;
        if ((!is_prefix && !is_token) || *place != NULL || size == 0) {
            return error_set(error, "\"%.*s\" is %s", SHOWN_BYTES, name,
                             (is_prefix || is_token) ? "given twice, or empty" : "no setting of this output");
        }
        *place = memory_format("%.*s", (int)size, value);
        rest = value + size;
    }
    return true;
}

static bool output_prefix_is_good(const char *prefix)
{
    return strspn(prefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.{}") ==
           strlen(prefix);
}

static bool output_parse_statsd(struct output_target *target, const char *place, struct error *error)
{
    const char *colon = strrchr(place, ':');
    const char *digits = colon != NULL ? colon + 1 : "";
    uint64_t port = 0;
    size_t size = colon != NULL ? (size_t)(colon - place) : 0;
    bool is_bracketed = size > 2 && place[0] == '[' && place[size - 1] == ']';
    if (size == 0 || *digits == '\0' || !digits_read(&digits, &port) || *digits != '\0' || port == 0 ||
        port > UINT16_MAX || (!is_bracketed && memchr(place, ':', size) != NULL)) {
        return error_set(error, "\"%.*s\" is not HOST:PORT", SHOWN_BYTES, place);
    }
    if (target->prefix == NULL) {
        target->prefix = memory_copy_string("tutti");
    }
    if (!output_prefix_is_good(target->prefix)) {
        return error_set(error, "a prefix has letters, digits and _-. alone, and {campaign}");
    }
    target->host =
        memory_format("%.*s", (int)(size - (is_bracketed ? 2u : 0u)), place + (is_bracketed ? 1 : 0));
    target->port = memory_copy_string(colon + 1);
    target->name = memory_format("statsd at %s", place);
    return true;
}

static char *output_url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, 0) != CURLUE_OK) {
        return NULL;
    }
    char *copy = memory_copy_string(text);
    curl_free(text);
    return copy;
}

static bool output_parse_url(struct output_target *target, const char *place, struct error *error)
{
    CURLU *url = curl_url();
    assert(url != NULL);
    bool is_url = curl_url_set(url, CURLUPART_URL, place, 0) == CURLUE_OK;
    SCOPED(memory_free_at) char *scheme = is_url ? output_url_part(url, CURLUPART_SCHEME) : NULL;
    SCOPED(memory_free_at) char *user = is_url ? output_url_part(url, CURLUPART_USER) : NULL;
    SCOPED(memory_free_at) char *host = is_url ? output_url_part(url, CURLUPART_HOST) : NULL;
    SCOPED(memory_free_at) char *port = is_url ? output_url_part(url, CURLUPART_PORT) : NULL;
    curl_url_cleanup(url);
    if (host == NULL || scheme == NULL || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)) {
        return error_set(error, "\"%.*s\" is not a URL of http or https", SHOWN_BYTES, place);
    }
    if (user != NULL) {
        return error_set(error, "a user in the URL can be seen by others on this host: use token-file=FILE");
    }
    target->url = memory_copy_string(place);
    target->name = memory_format("%s at %s://%s%s%s", KINDS[target->kind].word, scheme, host,
                                 port != NULL ? ":" : "", port != NULL ? port : "");
    return true;
}

static bool output_find_kind(const char *text, struct output_target *target, struct error *error)
{
    size_t size = strcspn(text, ":");
    for (int kind = 0; kind < OUTPUT_KIND_COUNT; kind++) {
        if (text[size] == ':' && strlen(KINDS[kind].word) == size &&
            strncmp(text, KINDS[kind].word, size) == 0) {
            target->kind = (enum output_kind)kind;
            return true;
        }
    }
    return error_set(error, "\"%.*s\" is none of statsd:HOST:PORT, influxdb:URL, otlp:URL and prometheus:URL",
                     SHOWN_BYTES, text);
}

bool output_target_parse(const char *text, struct output_target *target, struct error *error)
{
    *target = (struct output_target){0};
    if (!output_find_kind(text, target, error)) {
        return false;
    }
    const struct output_kind_row *kind = &KINDS[target->kind];
    const char *rest = text + strlen(kind->word) + 1;
    SCOPED(memory_free_at) char *place = output_take_place(&rest);
    bool is_good =
        output_read_settings(target, rest, error) &&
        (kind->is_http ? output_parse_url(target, place, error) : output_parse_statsd(target, place, error));
    if (!is_good) {
        (void)error_wrap(error, "%s:%s: ", kind->word, kind->what);
        output_target_finish(target);
    }
    return is_good;
}

bool output_list_add(struct output_list *list, const char *text, struct error *error)
{
    struct output_target target;
    if (list->count == OUTPUT_TARGETS) {
        return error_set(error, "at most %u outputs", OUTPUT_TARGETS);
    }
    if (!output_target_parse(text, &target, error)) {
        return false;
    }
    output_target_finish(&target);
    list->texts[list->count++] = text;
    return true;
}

static void output_authorize(struct output_target *target, const char *token)
{
    const char *scheme = target->kind == OUTPUT_INFLUXDB ? "Token" : "Bearer";
    target->headers[target->header_count++] = memory_format("Authorization: %s %s", scheme, token);
}

static bool output_read_token(struct output_target *target, struct error *error)
{
    struct buffer text;
    struct stat status;
    struct error warning;
    buffer_init(&text, TOKEN_MAX_BYTES);
    bool is_read =
        trusted_file_read(target->token_file, TRUSTED_FILE_SECRET, &text, &status, &warning, error) ||
        error_wrap(error, "token-file: ");
    if (is_read) {
        char *token = (char *)(uintptr_t)buffer_string(&text);
        size_t size = strcspn(token, "\r\n");
        is_read = (size > 0 && bytes_is_printable(bytes_of(token, size))) ||
                  error_set(error, "token-file: the first line of %s is no token", target->token_file);
        token[size] = '\0';
        if (is_read) {
            output_authorize(target, token);
        }
    }
    trusted_file_wipe(&text);
    return is_read;
}

/* "name=value,name=value", values in the coding of URLs. */
static void output_read_otlp_headers(struct output_target *target, const char *text)
{
    while (*text != '\0' && target->header_count < OUTPUT_HEADERS) {
        size_t size = strcspn(text, ",");
        size_t name_size = strcspn(text, "=,");
        if (name_size > 0 && name_size + 1 < size) {
            int length = 0;
            char *value =
                curl_easy_unescape(NULL, text + name_size + 1, (int)(size - name_size - 1), &length);
            if (value != NULL && bytes_is_printable(bytes_of(value, (size_t)length))) {
                target->headers[target->header_count++] =
                    memory_format("%.*s: %s", (int)name_size, text, value);
            }
            curl_free(value);
        }
        text += size + (text[size] == ',');
    }
}

bool output_target_open(struct output_target *target, struct error *error)
{
    const char *headers = getenv("OTEL_EXPORTER_OTLP_HEADERS");
    const char *token = getenv("INFLUX_TOKEN");
    if (target->token_file != NULL && !output_read_token(target, error)) {
        return false;
    }
    if (target->kind == OUTPUT_INFLUXDB && target->token_file == NULL && token != NULL && *token != '\0' &&
        bytes_is_printable(bytes_of_string(token))) {
        output_authorize(target, token);
    }
    if (target->kind == OUTPUT_OTLP && headers != NULL) {
        output_read_otlp_headers(target, headers);
    }
    return true;
}

void output_target_finish(struct output_target *target)
{
    char *texts[] = {target->name, target->url,    target->host,
                     target->port, target->prefix, target->token_file};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        memory_free(texts[i]);
    }
    for (size_t i = 0; i < target->header_count; i++) {
        explicit_bzero(target->headers[i], strlen(target->headers[i]));
        memory_free(target->headers[i]);
    }
    *target = (struct output_target){0};
}
