/* Addresses that the user has set for hosts. */
#include "common/host_override.h"

#include <string.h>
#include <strings.h>

#define HOST_MAX_BYTES 255u
#define PORT_DIGITS 5u

static bool host_override_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* The next entry as it is written; empty after the last. */
static struct bytes host_override_word(struct bytes *text)
{
    size_t start = 0;

    while (start < text->size && host_override_is_space(text->data[start])) {
        start++;
    }
    size_t end = start;
    while (end < text->size && !host_override_is_space(text->data[end])) {
        end++;
    }
    struct bytes word = bytes_of(text->data + start, end - start);
    *text = bytes_of(text->data + end, text->size - end);
    return word;
}

/* What comes before the first `separator`, which goes too; all where there is none. */
static struct bytes host_override_cut(struct bytes *rest, char separator)
{
    const uint8_t *found = rest->size > 0 ? memchr(rest->data, separator, rest->size) : NULL;
    size_t size = found != NULL ? (size_t)(found - rest->data) : rest->size;
    size_t used = found != NULL ? size + 1 : size;
    struct bytes piece = bytes_of(rest->data, size);

    *rest = bytes_of(rest->data + used, rest->size - used);
    return piece;
}

static bool host_override_port(struct bytes text, uint16_t *port)
{
    unsigned number = 0;

    for (size_t i = 0; i < text.size && i < PORT_DIGITS; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (unsigned)(text.data[i] - '0');
    }
    *port = (uint16_t)number;
    return text.size > 0 && text.size <= PORT_DIGITS && number > 0 && number <= UINT16_MAX;
}

static bool host_override_read(struct bytes word, struct host_override *entry)
{
    struct address address;
    unsigned count = 0;

    entry->host = host_override_cut(&word, ':');
    bool has_port = host_override_port(host_override_cut(&word, ':'), &entry->port);
    entry->addresses = word;
    while (word.size > 0) {
        bool is_last = memchr(word.data, ',', word.size) == NULL;
        struct bytes literal = host_override_cut(&word, ',');
        if (!address_parse(literal, &address) || (!is_last && word.size == 0)) {
            return false;
        }
        count++;
    }
    return has_port && entry->host.size > 0 && entry->host.size <= HOST_MAX_BYTES && count > 0 &&
           count <= HOST_OVERRIDE_ADDRESSES;
}

/* The entry may come from the wire, and hold anything. */
static bool host_overrides_refuse(struct bytes word, struct error *error)
{
    char shown[80];

    bytes_to_text(word, shown, sizeof shown);
    return error_set(error,
                     "\"%s\" is not HOST:PORT:ADDRESS, like app.example:443:10.0.0.7 (several addresses are "
                     "separated by commas, several hosts by spaces)",
                     bytes_is_printable(bytes_of_string(shown)) ? shown : "?");
}

bool host_overrides_check(struct bytes text, struct error *error)
{
    struct host_override entry;
    struct bytes word;

    while ((word = host_override_word(&text)).size > 0) {
        if (!host_override_read(word, &entry)) {
            return host_overrides_refuse(word, error);
        }
    }
    return true;
}

bool host_override_next(struct bytes *text, struct host_override *entry)
{
    struct bytes word = host_override_word(text);
    return word.size > 0 && host_override_read(word, entry);
}

bool host_override_next_address(struct bytes *addresses, struct address *address)
{
    return addresses->size > 0 && address_parse(host_override_cut(addresses, ','), address);
}

bool host_override_find(struct bytes text, const char *host, uint16_t port, struct host_override *entry)
{
    size_t size = strlen(host);

    while (host_override_next(&text, entry)) {
        bool is_host =
            bytes_equal_string(entry->host, "*") ||
            (entry->host.size == size && strncasecmp((const char *)entry->host.data, host, size) == 0);
        if (is_host && entry->port == port) {
            return true;
        }
    }
    return false;
}
