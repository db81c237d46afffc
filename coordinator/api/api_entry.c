/* Who may use the API. A browser sends requests for any page that it shows, and a foreign name may resolve to
 * this host. So a request has to address us by one of our names, must not come from a page of another origin,
 * has to carry the token, and may have no body but JSON. */
#include "coordinator/api/api_inside.h"

#include "common/log.h"
#include "common/memory.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#define ENTRY_SHOWN_BYTES 100
#define BEARER "Bearer "

static void entry_digest(const char *token, char digest[DIGEST_TEXT_BYTES])
{
    struct digest *sum = digest_new();
    digest_add(sum, bytes_of_string(token));
    digest_text(sum, digest);
    digest_free(&sum);
}

/* A name that is not valid is left out: no request could carry it. */
static void entry_add_name(struct api_entry *entry, const char *name)
{
    struct error error;
    if (!host_names_add(&entry->names, bytes_of_string(name), &error)) {
        log_line(LOG_WARNING, "coordinator", "not asked by the name of this host: %s", error.text);
    }
}

void api_entry_open(struct api_entry *entry, const struct api_settings *settings)
{
    char own[HOST_NAME_BYTES] = "";
    entry->names = *settings->names;
    if (strcmp(settings->address->host, "*") != 0) {
        entry_add_name(entry, settings->address->host);
    }
    if (!listener_is_loopback(settings->address) && gethostname(own, sizeof own - 1) == 0 && *own != '\0') {
        entry_add_name(entry, own);
    }
    if (settings->token != NULL) {
        entry->token = memory_copy_string(settings->token);
        entry_digest(settings->token, entry->token_digest);
    }
}

void api_entry_close(struct api_entry *entry)
{
    if (entry->token != NULL) {
        explicit_bzero(entry->token, strlen(entry->token));
        memory_free(entry->token);
        entry->token = NULL;
    }
}

static bool entry_refuse_origin(struct http_exchange *request)
{
    api_answer_error(request, 403, "a web page of another origin may not use this API");
    return false;
}

bool api_entry_check_host(const struct api *api, struct http_exchange *request)
{
    const char *host = http_header(request, "Host");
    const struct address local = http_local_address(request);
    if (!host_is_ours(bytes_of_string(host), &api->entry.names, &local)) {
        api_answer_error(request, 403,
                         "this coordinator is not called \"%.*s\": ask by an address that it listens on, or "
                         "start it with --api-host",
                         ENTRY_SHOWN_BYTES, host != NULL ? host : "");
        return false;
    }
    return true;
}

/* Who follows a link sends no Origin. */
bool api_entry_check_origin(struct http_exchange *request, bool is_page)
{
    const char *host = http_header(request, "Host");
    const char *origin = http_header(request, "Origin");
    const char *site = http_header(request, "Sec-Fetch-Site");
    if ((origin != NULL && !origin_is_host(bytes_of_string(origin), bytes_of_string(host))) ||
        (site != NULL && !is_page && !fetch_site_is_own(bytes_of_string(site)))) {
        return entry_refuse_origin(request);
    }
    return true;
}

/* Compares digests, so that the time taken reveals nothing about the token. */
bool api_entry_check_token(const struct api *api, struct http_exchange *request)
{
    const char *given = http_header(request, "Authorization");
    bool is_right = api->entry.token == NULL;
    if (!is_right && given != NULL && strncasecmp(given, BEARER, strlen(BEARER)) == 0) {
        char digest[DIGEST_TEXT_BYTES];
        entry_digest(given + strlen(BEARER), digest);
        is_right = digest_text_equal(digest, api->entry.token_digest);
    }
    if (!is_right) {
        api_answer_error(request, 401,
                         "this needs the header Authorization: Bearer TOKEN with the right token");
    }
    return is_right;
}

/* An HTML form can send three content types to another origin without a preflight; JSON is not one of them.
 */
bool api_entry_check_body(struct http_exchange *request)
{
    const char *type = http_header(request, "Content-Type");
    bool is_good = type != NULL ? content_type_is_json(bytes_of_string(type)) : !http_has_body(request);
    if (!is_good) {
        api_answer_error(request, 415, "a body has to come as Content-Type: application/json");
    }
    return is_good;
}
