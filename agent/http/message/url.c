/* URLs of http and https. */
#include "agent/http/message/url.h"

#include "agent/http/message/fields.h"
#include "common/address.h"
#include "common/buffer.h"
#include "common/digits.h"
#include "common/memory.h"

#include <idn2.h>
#include <string.h>

/* The parts of a reference, as RFC 3986's appendix B splits it. */
struct url_parts {
    struct bytes scheme;
    struct bytes authority;
    struct bytes path;
    struct bytes query;
    bool has_scheme;
    bool has_authority;
    bool has_query;
};

static struct bytes bytes_from(struct bytes text, size_t at)
{
    return bytes_of(text.data + at, text.size - at);
}

/* Where the first of `stops` is; the size where there is none. */
static size_t find_any(struct bytes text, const char *stops)
{
    size_t at = 0;

    while (at < text.size && (text.data[at] == 0 || strchr(stops, text.data[at]) == NULL)) {
        at++;
    }
    return at;
}

static bool is_letter(uint8_t byte)
{
    byte |= 0x20;
    return byte >= 'a' && byte <= 'z';
}

static struct bytes without_blanks(struct bytes text)
{
    while (text.size > 0 && text.data[0] <= ' ') {
        text = bytes_from(text, 1);
    }
    while (text.size > 0 && text.data[text.size - 1] <= ' ') {
        text.size--;
    }
    return text;
}

static struct url_parts split_url(struct bytes text)
{
    struct url_parts parts = {0};
    size_t colon = find_any(text, ":/?#");

    if (colon > 0 && colon < text.size && text.data[colon] == ':' && is_letter(text.data[0])) {
        parts.scheme = bytes_of(text.data, colon);
        parts.has_scheme = true;
        text = bytes_from(text, colon + 1);
    }
    if (text.size >= 2 && text.data[0] == '/' && text.data[1] == '/') {
        text = bytes_from(text, 2);
        size_t end = find_any(text, "/?#");
        parts.authority = bytes_of(text.data, end);
        parts.has_authority = true;
        text = bytes_from(text, end);
    }
    text.size = find_any(text, "#");
    size_t query = find_any(text, "?");
    parts.path = bytes_of(text.data, query);
    if (query < text.size) {
        parts.has_query = true;
        parts.query = bytes_from(text, query + 1);
    }
    return parts;
}

/* "http:" or "https:", as scripts usually write it. */
static bool has_usual_scheme(struct bytes reference)
{
    return reference.size > 5 && memcmp(reference.data, "http", 4) == 0 &&
           (reference.data[4] == ':' || (reference.data[4] == 's' && reference.data[5] == ':'));
}

bool url_is_relative(struct bytes reference)
{
    if (has_usual_scheme(reference)) {
        return false;
    }
    reference = without_blanks(reference);
    size_t colon = find_any(reference, ":/?#");
    return colon == 0 || colon == reference.size || reference.data[colon] != ':' ||
           !is_letter(reference.data[0]);
}

static char *percent_decode(struct bytes text)
{
    char *out = memory_new(text.size + 1, 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        int high = i + 2 < text.size && text.data[i] == '%' ? digits_hex_value(text.data[i + 1]) : -1;
        int low = high >= 0 ? digits_hex_value(text.data[i + 2]) : -1;
        if (low >= 0 && (high | low) != 0) {
            out[size++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[size++] = (char)text.data[i];
        }
    }
    return out;
}

/* What a path or a query must not hold is written as %XX; what is encoded already stays. */
static void append_encoded(struct buffer *out, struct bytes text)
{
    static const char unsafe[] = " \"<>\\^`{|}";
    size_t start = 0; /* of what stays as it is */

    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte <= ' ' || byte >= 127 || strchr(unsafe, byte) != NULL) {
            buffer_append(out, text.data + start, i - start);
            buffer_append_format(out, "%%%02X", byte);
            start = i + 1;
        }
    }
    buffer_append(out, text.data + start, text.size - start);
}

/* RFC 3986 §5.2.4, on what stands in `path`. */
static void remove_dot_segments(struct buffer *path)
{
    char *text = (char *)path->data;
    size_t read = 0;
    size_t write = 0;

    while (read < path->size) {
        size_t end = read + 1;
        while (end < path->size && text[end] != '/') {
            end++;
        }
        size_t size = end - read; /* with the slash in front */
        bool is_last = end == path->size;
        if (size == 2 && memcmp(text + read, "/.", 2) == 0) {
            if (is_last) {
                text[write++] = '/';
            }
        } else if (size == 3 && memcmp(text + read, "/..", 3) == 0) {
            while (write > 0 && text[--write] != '/') {
            }
            if (is_last) {
                text[write++] = '/';
            }
        } else {
            memmove(text + write, text + read, size);
            write += size;
        }
        read = end;
    }
    path->size = write;
}

static bool is_ascii(const char *text)
{
    while (*text != 0 && (*text & 0x80) == 0) {
        text++;
    }
    return *text == 0;
}

/* A name or an address in ASCII, in lower case. */
static bool set_plain_host(struct url *url, const char *name, bool is_bracketed, struct error *error)
{
    struct address address;
    size_t size = 0;

    if (name[0] == 0) {
        return error_set(error, "the URL has no host");
    }
    for (; name[size] != 0 && size < sizeof url->host - 1; size++) {
        url->host[size] = (char)(name[size] >= 'A' && name[size] <= 'Z' ? name[size] + 32 : name[size]);
    }
    url->host[size] = 0;
    if (name[size] != 0) {
        return error_set(error, "the host of the URL is longer than %u bytes", URL_HOST_MAX_BYTES);
    }
    /* An address of IPv6 stands in brackets, and nothing else does. */
    bool has_colon = strchr(name, ':') != NULL;
    if (has_colon == is_bracketed && name[0] != '[' && address_parse(bytes_of_string(name), &address)) {
        url->is_literal = true;
        return true;
    }
    if (is_bracketed) {
        return error_set(error, "the host in brackets is not an IPv6 address");
    }
    for (size_t i = 0; i < size; i++) {
        if ((uint8_t)name[i] <= ' ' || (uint8_t)name[i] >= 127 ||
            strchr("<>\"^`{|}\\%/?#:@[]", name[i]) != NULL) {
            return error_set(error, "the host of the URL holds a character that no host has");
        }
    }
    return true;
}

/* Names with an underscore or a leading digit are in use: only what is not ASCII goes through IDNA. */
static bool set_host(struct url *url, struct bytes host, bool is_bracketed, struct error *error)
{
    SCOPED(memory_free_at) char *plain = percent_decode(host);
    char *ascii = NULL;

    if (is_ascii(plain)) {
        return set_plain_host(url, plain, is_bracketed, error);
    }
    int status = idn2_to_ascii_8z(plain, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    if (status != IDN2_OK) {
        return error_set(error, "the host of the URL is not a valid international name: %s",
                         idn2_strerror(status));
    }
    bool is_ok = set_plain_host(url, ascii, is_bracketed, error);
    idn2_free(ascii);
    return is_ok;
}

static bool set_port(struct url *url, struct bytes port, struct error *error)
{
    uint32_t number = 0;
    uint16_t usual = url->is_tls ? 443 : 80;

    for (size_t i = 0; i < port.size; i++) {
        number = port.data[i] >= '0' && port.data[i] <= '9' && number < 65536
                     ? number * 10 + (uint32_t)(port.data[i] - '0')
                     : UINT32_MAX;
    }
    if (port.size > 0 && (number == 0 || number > UINT16_MAX)) {
        return error_set(error, "the port of the URL is not from 1 to 65535");
    }
    url->port = port.size > 0 ? (uint16_t)number : usual;
    url->has_default_port = url->port == usual;
    return true;
}

static void set_user(struct url *url, struct bytes userinfo)
{
    size_t colon = find_any(userinfo, ":");

    url->user = percent_decode(bytes_of(userinfo.data, colon));
    url->password = percent_decode(colon < userinfo.size ? bytes_from(userinfo, colon + 1) : bytes_of("", 0));
}

/* "user:password@host:port" */
static bool set_authority(struct url *url, struct bytes authority, struct error *error)
{
    for (size_t i = authority.size; i > 0; i--) {
        if (authority.data[i - 1] == '@') {
            set_user(url, bytes_of(authority.data, i - 1));
            authority = bytes_from(authority, i);
            break;
        }
    }
    bool is_bracketed = authority.size > 0 && authority.data[0] == '[';
    size_t end = find_any(authority, is_bracketed ? "]" : ":");
    struct bytes host = is_bracketed ? bytes_of(authority.data + 1, end - 1) : bytes_of(authority.data, end);
    if (is_bracketed && end == authority.size) {
        return error_set(error, "the host of the URL has no closing bracket");
    }
    struct bytes rest = bytes_from(authority, end + is_bracketed);
    if (rest.size > 0 && rest.data[0] != ':') {
        return error_set(error, "the host of the URL is followed by something else than a port");
    }
    return set_host(url, host, is_bracketed, error) &&
           set_port(url, rest.size > 0 ? bytes_from(rest, 1) : rest, error);
}

/* Writes the URL out of its parts; `path` begins with a slash. */
static bool write_text(struct url *url, struct buffer *path, const struct url_parts *parts,
                       struct error *error)
{
    struct buffer text;
    bool is_v6 = url->is_literal && strchr(url->host, ':') != NULL;

    buffer_init(&text, URL_MAX_BYTES);
    buffer_append_string(&text, url->is_tls ? "https://" : "http://");
    size_t authority = text.size;
    buffer_append_format(&text, is_v6 ? "[%s]" : "%s", url->host);
    if (!url->has_default_port) {
        buffer_append_format(&text, ":%u", url->port);
    }
    size_t target = text.size;
    append_encoded(&text, buffer_bytes(path));
    if (parts->has_query) {
        buffer_append(&text, "?", 1);
        append_encoded(&text, parts->query);
    }
    if (text.has_overflowed || path->has_overflowed) {
        buffer_finish(&text);
        return error_set(error, "the URL is longer than %u bytes", URL_MAX_BYTES);
    }
    size_t size;
    url->text = (char *)buffer_take(&text, &size);
    url->authority = bytes_of(url->text + authority, target - authority);
    url->target = bytes_of(url->text + target, size - target);
    return true;
}

static bool finish_url(const struct url_parts *parts, struct buffer *path, struct url *url,
                       struct error *error)
{
    struct url made = {.is_tls = field_is_word(parts->scheme, "https")};

    if (!made.is_tls && !field_is_word(parts->scheme, "http")) {
        return error_set(error, "the scheme of the URL is neither http nor https");
    }
    if (path->size == 0) {
        buffer_append(path, "/", 1);
    }
    remove_dot_segments(path);
    if (!set_authority(&made, parts->authority, error) || !write_text(&made, path, parts, error)) {
        url_finish(&made);
        return false;
    }
    *url = made;
    return true;
}

static bool is_usable(struct bytes text, struct error *error)
{
    if (text.size > URL_MAX_BYTES) {
        return error_set(error, "the URL is longer than %u bytes", URL_MAX_BYTES);
    }
    return text.size == 0 || memchr(text.data, 0, text.size) == NULL ||
           error_set(error, "the URL holds a zero byte");
}

bool url_parse(struct bytes text, struct url *url, struct error *error)
{
    SCOPED(buffer_finish) struct buffer path;

    buffer_init(&path, 2 * (size_t)URL_MAX_BYTES);
    if (!is_usable(text, error)) {
        return false;
    }
    struct url_parts parts = split_url(without_blanks(text));
    if (!parts.has_scheme || !parts.has_authority) {
        return error_set(error, "not a URL: it must begin with http:// or https://");
    }
    buffer_append(&path, parts.path.data, parts.path.size);
    return finish_url(&parts, &path, url, error);
}

/* RFC 3986 §5.2.3: what stands after the last slash of the base gives way. */
static void merge_path(struct buffer *path, const struct url *base, struct bytes reference)
{
    struct bytes before = url_path(base);

    while (before.size > 0 && before.data[before.size - 1] != '/') {
        before.size--;
    }
    buffer_append(path, before.data, before.size);
    buffer_append(path, reference.data, reference.size);
}

bool url_resolve(const struct url *base, struct bytes reference, struct url *url, struct error *error)
{
    SCOPED(buffer_finish) struct buffer path;

    buffer_init(&path, 2 * (size_t)URL_MAX_BYTES);
    if (!is_usable(reference, error)) {
        return false;
    }
    struct url_parts parts = split_url(without_blanks(reference));
    if (parts.has_scheme && !parts.has_authority) {
        return error_set(error, "not a URL: its scheme is not followed by //");
    }
    if (parts.path.size > 0 && parts.path.data[0] != '/' && !parts.has_authority) {
        merge_path(&path, base, parts.path);
    } else if (parts.path.size > 0 || parts.has_authority) {
        buffer_append(&path, parts.path.data, parts.path.size);
    } else {
        struct bytes same = url_path(base);
        buffer_append(&path, same.data, same.size);
        if (!parts.has_query && same.size < base->target.size) {
            parts.has_query = true;
            parts.query = bytes_from(base->target, same.size + 1);
        }
    }
    if (!parts.has_scheme) {
        parts.scheme = bytes_of_string(base->is_tls ? "https" : "http");
    }
    if (!parts.has_authority) {
        parts.authority = base->authority;
    }
    return finish_url(&parts, &path, url, error);
}

void url_finish(struct url *url)
{
    memory_free(url->text);
    memory_free(url->user);
    memory_free(url->password);
    *url = (struct url){0};
}

bool url_is_same_origin(const struct url *left, const struct url *right)
{
    return left->is_tls == right->is_tls && left->port == right->port && strcmp(left->host, right->host) == 0;
}

struct bytes url_path(const struct url *url)
{
    return bytes_of(url->target.data, find_any(url->target, "?"));
}
