/* Curl gives and takes cookies as lines of a Netscape cookie file: domain, whether its subdomains get it too,
 * path, whether it is secure, seconds since 1970 when it expires (0: with the session), name and value,
 * separated by tabs. */
#include "agent/http/curl/curl_cookies.h"

#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 7u
#define HTTP_ONLY "#HttpOnly_"

void curl_cookies_finish(struct curl_cookies *cookies)
{
    cookie_jar_finish(&cookies->jar);
    if (cookies->easy != NULL) {
        curl_easy_cleanup(cookies->easy);
        cookies->easy = NULL;
    }
}

static void cookies_add_line(struct cookie_jar *jar, const char *line)
{
    struct cookie_view view = {0};
    struct bytes columns[COLUMNS] = {{0}};

    if (strncmp(line, HTTP_ONLY, strlen(HTTP_ONLY)) == 0) {
        view.is_http_only = true;
        line += strlen(HTTP_ONLY);
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        size_t size = i + 1 < COLUMNS ? strcspn(line, "\t") : strlen(line);
        columns[i] = bytes_of(line, size);
        line += size + (line[size] == '\t');
    }
    view.domain = columns[0];
    if (view.domain.size > 0 && view.domain.data[0] == '.') {
        view.domain = bytes_of(view.domain.data + 1, view.domain.size - 1);
    }
    view.is_host_only = !bytes_equal_string(columns[1], "TRUE");
    view.path = columns[2];
    view.is_secure = bytes_equal_string(columns[3], "TRUE");
    int64_t expires_s = strtoll((const char *)columns[4].data, NULL, 10);
    view.expires_s = expires_s != 0 ? expires_s : INT64_MAX;
    view.name = columns[5];
    view.value = columns[6];
    cookie_jar_add(jar, &view);
}

struct cookie_jar *curl_cookies_read(struct curl_cookies *cookies, CURLSH *share)
{
    struct curl_slist *lines = NULL;

    if (cookies->easy == NULL) {
        cookies->easy = curl_easy_init();
        if (cookies->easy == NULL) {
            abort();
        }
        curl_easy_setopt(cookies->easy, CURLOPT_SHARE, share);
        curl_easy_setopt(cookies->easy, CURLOPT_COOKIEFILE, "");
    }
    cookie_jar_clear(&cookies->jar);
    curl_easy_getinfo(cookies->easy, CURLINFO_COOKIELIST, &lines);
    for (const struct curl_slist *line = lines; line != NULL; line = line->next) {
        cookies_add_line(&cookies->jar, line->data);
    }
    curl_slist_free_all(lines);
    return &cookies->jar;
}

void curl_cookies_write(struct curl_cookies *cookies)
{
    struct cookie_view view;
    size_t at = 0;

    curl_easy_setopt(cookies->easy, CURLOPT_COOKIELIST, "ALL");
    while (cookie_jar_next(&cookies->jar, &at, &view)) {
        int64_t expires_s = view.expires_s < INT64_MAX ? view.expires_s : 0;
        SCOPED(memory_free_at)
        char *line = memory_format("%s%s%.*s\t%s\t%.*s\t%s\t%" PRId64 "\t%.*s\t%.*s",
                                   view.is_http_only ? HTTP_ONLY : "", view.is_host_only ? "" : ".",
                                   BYTES_FORMAT(view.domain), view.is_host_only ? "FALSE" : "TRUE",
                                   BYTES_FORMAT(view.path), view.is_secure ? "TRUE" : "FALSE", expires_s,
                                   BYTES_FORMAT(view.name), BYTES_FORMAT(view.value));
        curl_easy_setopt(cookies->easy, CURLOPT_COOKIELIST, line);
    }
}
