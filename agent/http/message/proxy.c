/* HTTP proxies as they are named in options and in the environment. */
#include "agent/http/message/proxy.h"

#include "common/address.h"
#include "common/base64.h"
#include "common/memory.h"

#include <string.h>
#include <strings.h>

#define TEXT_MAX_BYTES 4096u

static bool has_scheme(const char *text, const char *scheme)
{
    size_t size = strlen(scheme);
    return strncasecmp(text, scheme, size) == 0 && strncmp(text + size, "://", 3) == 0;
}

static bool refuse_scheme(const char *text, struct error *error)
{
    if (has_scheme(text, "https")) {
        return error_set(error, "proxy: one that is spoken to in TLS (https://) takes --http-engine curl");
    }
    if (strncasecmp(text, "socks", 5) == 0) {
        return error_set(error, "proxy: SOCKS takes --http-engine curl");
    }
    return error_set(error, "proxy: it is written http://user:password@host:port");
}

static char *basic_authorization(const struct url *url)
{
    SCOPED(memory_free_at)
    char *plain = memory_format("%s:%s", url->user, url->password != NULL ? url->password : "");
    struct bytes bytes = bytes_of_string(plain);
    size_t size = base64_encoded_size(bytes);
    char *text = memory_new(sizeof "Basic " + size, 1);

    memcpy(text, "Basic ", sizeof "Basic ");
    base64_encode_to(text + 6, bytes);
    return text;
}

bool proxy_parse(const char *text, struct proxy *proxy, struct error *error)
{
    struct url url;

    if (strlen(text) > TEXT_MAX_BYTES) {
        return error_set(error, "proxy: longer than %u bytes", TEXT_MAX_BYTES);
    }
    if (strstr(text, "://") != NULL && !has_scheme(text, "http")) {
        return refuse_scheme(text, error);
    }
    SCOPED(memory_free_at)
    char *whole = memory_format("%s%s", strstr(text, "://") != NULL ? "" : "http://", text);
    if (!url_parse(bytes_of_string(whole), &url, error)) {
        return error_wrap(error, "proxy: ");
    }
    *proxy = (struct proxy){.host = memory_copy_string(url.host),
                            .is_literal = url.is_literal,
                            .port = url.port,
                            .authorization = url.user != NULL ? basic_authorization(&url) : NULL};
    url_finish(&url);
    return true;
}

void proxy_finish(struct proxy *proxy)
{
    memory_free(proxy->host);
    memory_free(proxy->authorization);
    *proxy = (struct proxy){0};
}

/* The port goes, if there is one: false if it is another one than the URL's. */
static bool take_port(struct bytes *entry, const struct url *url)
{
    const uint8_t *colon = memrchr(entry->data, ':', entry->size);
    struct address ignored;
    unsigned port = 0;

    if (colon == NULL || (memchr(entry->data, ':', entry->size) != colon && colon[-1] != ']') ||
        address_parse(*entry, &ignored)) {
        return true; /* an IPv6 address has several, and no port without brackets */
    }
    for (const uint8_t *at = colon + 1; at < entry->data + entry->size; at++) {
        if (*at < '0' || *at > '9' || port > UINT16_MAX) {
            return false;
        }
        port = port * 10 + (unsigned)(*at - '0');
    }
    entry->size = (size_t)(colon - entry->data);
    return port == url->port;
}

static bool is_bypassed_by(struct bytes entry, const struct url *url)
{
    struct network network;
    struct address address;

    if (bytes_equal_string(entry, "*")) {
        return true;
    }
    if (!take_port(&entry, url)) {
        return false;
    }
    if (url->is_literal) {
        return network_parse(entry, &network, NULL) && address_parse(bytes_of_string(url->host), &address) &&
               network_holds(&network, &address);
    }
    while (entry.size > 0 && (entry.data[0] == '.' || entry.data[0] == '*')) {
        entry = bytes_of(entry.data + 1, entry.size - 1);
    }
    size_t size = strlen(url->host);
    if (entry.size == 0 || entry.size > size) {
        return false;
    }
    const char *end = url->host + size - entry.size;
    return strncasecmp(end, (const char *)entry.data, entry.size) == 0 &&
           (entry.size == size || end[-1] == '.');
}

bool proxy_is_bypassed(const char *list, const struct url *url)
{
    while (*list) {
        size_t size = strcspn(list, ", \t");
        if (size > 0 && is_bypassed_by(bytes_of(list, size), url)) {
            return true;
        }
        list += size + (list[size] != '\0');
    }
    return false;
}
