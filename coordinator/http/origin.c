/* The host that a request is addressed to, and where it comes from. */
#include "coordinator/http/origin.h"

#include <string.h>
#include <strings.h>

#define PORT_MAX_DIGITS 5u

/* A host and its port, as in an address. */
struct authority {
    struct bytes host;
    struct bytes port; /* empty: none was given */
};

static struct bytes bytes_trim(struct bytes text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = bytes_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

static bool bytes_equal_nocase(struct bytes left, struct bytes right)
{
    return left.size == right.size &&
           (left.size == 0 || strncasecmp((const char *)left.data, (const char *)right.data, left.size) == 0);
}

static bool bytes_start_nocase(struct bytes text, const char *start)
{
    size_t size = strlen(start);
    return text.size >= size && bytes_equal_nocase(bytes_of(text.data, size), bytes_of_string(start));
}

/* Cuts off the part before the first of `mark`. */
static struct bytes bytes_cut(struct bytes *rest, char mark)
{
    const uint8_t *end = rest->size > 0 ? memchr(rest->data, mark, rest->size) : NULL;
    size_t size = end != NULL ? (size_t)(end - rest->data) : rest->size;
    struct bytes first = bytes_of(rest->data, size);
    *rest = end != NULL ? bytes_of(end + 1, rest->size - size - 1) : bytes_of(NULL, 0);
    return first;
}

static bool port_is_good(struct bytes port)
{
    for (size_t i = 0; i < port.size; i++) {
        if (port.data[i] < '0' || port.data[i] > '9') {
            return false;
        }
    }
    return port.size > 0 && port.size <= PORT_MAX_DIGITS;
}

/* "name", "name:80", "10.0.0.1:80", "[::1]:80". */
static bool authority_parse(struct bytes text, struct authority *authority)
{
    size_t size = 0;
    if (text.size > 0 && text.data[0] == '[') {
        const uint8_t *end = memchr(text.data, ']', text.size);
        size = end != NULL ? (size_t)(end - text.data) + 1 : 0;
    } else if (text.size > 0) {
        const uint8_t *colon = memchr(text.data, ':', text.size);
        size = colon != NULL ? (size_t)(colon - text.data) : text.size;
    }
    authority->host = bytes_of(text.data, size);
    authority->port = bytes_of(NULL, 0);
    if (size == 0 || size == text.size) {
        return size > 0;
    }
    authority->port = bytes_of(text.data + size + 1, text.size - size - 1);
    return text.data[size] == ':' && port_is_good(authority->port);
}

/* DNS rules decide about names; the syntax of a literal in brackets is left to address_parse. */
static bool host_name_is_good(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] <= ' ' || name.data[i] > '~' || strchr("/@?#\\\"'<>", name.data[i]) != NULL) {
            return false;
        }
    }
    return name.size > 0 && name.size < HOST_NAME_BYTES;
}

bool host_names_add(struct host_names *names, struct bytes list, struct error *error)
{
    while (list.size > 0) {
        struct bytes name = bytes_trim(bytes_cut(&list, ','));
        struct address literal;
        struct authority authority;
        bool is_literal = address_parse(name, &literal);
        if (!host_name_is_good(name) || (!is_literal && memchr(name.data, ':', name.size) != NULL) ||
            (!is_literal && !authority_parse(name, &authority))) {
            return error_set(error, "\"%.*s\" is not the name or the address of a host, without a port",
                             (int)(name.size < 80 ? name.size : 80),
                             name.size > 0 ? (const char *)name.data : "");
        }
        if (names->count == HOST_NAMES_MAX) {
            return error_set(error, "at most %u names", HOST_NAMES_MAX);
        }
        bytes_to_text(name, names->names[names->count++], HOST_NAME_BYTES);
    }
    return true;
}

static bool host_is_known(struct bytes host, const struct host_names *names, const struct address *literal)
{
    for (size_t i = 0; i < names->count; i++) {
        struct bytes name = bytes_of_string(names->names[i]);
        struct address address;
        if (bytes_equal_nocase(name, host) ||
            (literal != NULL && address_parse(name, &address) && address_equal(&address, literal))) {
            return true;
        }
    }
    return false;
}

bool host_is_ours(struct bytes host, const struct host_names *names, const struct address *local)
{
    struct authority authority;
    struct address address;
    if (!authority_parse(bytes_trim(host), &authority)) {
        return false;
    }
    if (address_parse(authority.host, &address)) {
        return address_is_loopback(&address) || address_equal(&address, local) ||
               host_is_known(authority.host, names, &address);
    }
    /* A name may end with a dot for the root. */
    struct bytes name = authority.host;
    name.size -= name.size > 1 && name.data[name.size - 1] == '.';
    return bytes_equal_nocase(name, bytes_of_string("localhost")) || host_is_known(name, names, NULL);
}

static bool port_is(struct bytes port, struct bytes other, const char *fallback)
{
    struct bytes usual = bytes_of_string(fallback);
    return bytes_equal(port.size > 0 ? port : usual, other.size > 0 ? other : usual);
}

bool origin_is_host(struct bytes origin, struct bytes host)
{
    static const struct {
        const char *scheme;
        const char *port;
    } schemes[] = {{"http://", "80"}, {"https://", "443"}};
    origin = bytes_trim(origin);
    host = bytes_trim(host);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        struct authority page;
        struct authority ours;
        size_t size = strlen(schemes[i].scheme);
        if (bytes_start_nocase(origin, schemes[i].scheme)) {
            return authority_parse(bytes_of(origin.data + size, origin.size - size), &page) &&
                   authority_parse(host, &ours) && bytes_equal_nocase(page.host, ours.host) &&
                   port_is(page.port, ours.port, schemes[i].port);
        }
    }
    return false;
}

bool fetch_site_is_own(struct bytes site)
{
    site = bytes_trim(site);
    return bytes_equal_nocase(site, bytes_of_string("same-origin")) ||
           bytes_equal_nocase(site, bytes_of_string("none"));
}

bool content_type_is_json(struct bytes type)
{
    struct bytes name = bytes_trim(bytes_cut(&type, ';'));
    return bytes_equal_nocase(name, bytes_of_string("application/json"));
}

bool trusted_proxies_add(struct trusted_proxies *proxies, struct bytes list, struct error *error)
{
    while (list.size > 0) {
        if (proxies->count == TRUSTED_PROXIES_MAX) {
            return error_set(error, "at most %u networks", TRUSTED_PROXIES_MAX);
        }
        if (!network_parse(bytes_trim(bytes_cut(&list, ',')), &proxies->networks[proxies->count], error)) {
            return false;
        }
        proxies->count++;
    }
    return true;
}

bool trusted_proxies_hold(const struct trusted_proxies *proxies, const struct address *address)
{
    for (size_t i = 0; i < proxies->count; i++) {
        if (network_holds(&proxies->networks[i], address)) {
            return true;
        }
    }
    return false;
}

/* The value of `for` in an element of a Forwarded header, without quotes. */
static struct bytes forwarded_for(struct bytes element)
{
    while (element.size > 0) {
        struct bytes pair = bytes_trim(bytes_cut(&element, ';'));
        if (bytes_start_nocase(pair, "for=")) {
            struct bytes value = bytes_of(pair.data + 4, pair.size - 4);
            bool is_quoted = value.size > 1 && value.data[0] == '"' && value.data[value.size - 1] == '"';
            return is_quoted ? bytes_of(value.data + 1, value.size - 2) : value;
        }
    }
    return bytes_of(NULL, 0);
}

/* Each proxy appends its client, so anything before the last untrusted address may be forged. */
struct address forwarded_client(const struct trusted_proxies *proxies, const struct address *peer,
                                struct bytes x_forwarded_for, struct bytes forwarded)
{
    bool is_plain = bytes_trim(x_forwarded_for).size > 0;
    struct bytes list = is_plain ? x_forwarded_for : forwarded;
    struct address client = *peer;
    while (list.size > 0) {
        struct bytes element = bytes_trim(bytes_cut(&list, ','));
        struct bytes text = is_plain ? element : forwarded_for(element);
        struct authority authority;
        struct address address;
        if (!address_parse(text, &address) &&
            !(authority_parse(text, &authority) && address_parse(authority.host, &address))) {
            client = *peer; /* "unknown", or a name that hides the address */
        } else if (!trusted_proxies_hold(proxies, &address)) {
            client = address;
        }
    }
    return client;
}
