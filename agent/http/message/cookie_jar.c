/* The cookies of one user. */
#include "agent/http/message/cookie_jar.h"

#include "agent/http/message/fields.h"
#include "common/memory.h"

#include <libpsl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct cookie {
    char *name;
    char *value;
    char *domain;
    char *path;
    int64_t expires_s; /* INT64_MAX: with the session */
    uint64_t created;
    uint64_t sent; /* orders, not times */
    bool is_host_only;
    bool is_secure;
    bool is_http_only;
};

/* What a Set-Cookie field says, borrowed from it. */
struct set_cookie {
    struct bytes name;
    struct bytes value;
    struct bytes domain;
    struct bytes path;
    int64_t expires_s;
    bool has_max_age;
    bool is_secure;
    bool is_http_only;
};

static void cookie_finish(struct cookie *cookie)
{
    memory_free(cookie->name);
    memory_free(cookie->value);
    memory_free(cookie->domain);
    memory_free(cookie->path);
}

static void drop_cookie(struct cookie_jar *jar, size_t at)
{
    cookie_finish(&jar->cookies[at]);
    jar->count--;
    memmove(&jar->cookies[at], &jar->cookies[at + 1], (jar->count - at) * sizeof *jar->cookies);
}

void cookie_jar_clear(struct cookie_jar *jar)
{
    while (jar->count > 0) {
        drop_cookie(jar, jar->count - 1);
    }
}

void cookie_jar_finish(struct cookie_jar *jar)
{
    cookie_jar_clear(jar);
    memory_free(jar->cookies);
    *jar = (struct cookie_jar){0};
}

/* Takes what stands before the next `stop`, without it. */
static struct bytes take_until(struct bytes *text, char stop)
{
    const uint8_t *end = memchr(text->data, stop, text->size);
    size_t size = end != NULL ? (size_t)(end - text->data) : text->size;
    struct bytes taken = bytes_of(text->data, size);

    size += end != NULL;
    *text = bytes_of(text->data + size, text->size - size);
    return taken;
}

static void read_max_age(struct set_cookie *set, struct bytes value, int64_t wall_s)
{
    bool is_negative = value.size > 0 && value.data[0] == '-';
    int64_t seconds = 0;

    for (size_t i = is_negative; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return;
        }
        seconds = seconds < INT32_MAX ? seconds * 10 + (value.data[i] - '0') : seconds;
    }
    if (value.size > (size_t)is_negative) {
        set->has_max_age = true;
        set->expires_s = is_negative || seconds == 0 ? INT64_MIN : wall_s + seconds;
    }
}

static void read_attribute(struct set_cookie *set, struct bytes attribute, int64_t wall_s)
{
    struct bytes value = attribute;
    struct bytes name = field_trim(take_until(&value, '='));

    value = field_trim(value);
    if (field_is_word(name, "expires") && !set->has_max_age) {
        int64_t expires_s;
        if (cookie_date_parse(value, &expires_s)) {
            set->expires_s = expires_s;
        }
    } else if (field_is_word(name, "max-age")) {
        read_max_age(set, value, wall_s);
    } else if (field_is_word(name, "domain")) {
        set->domain =
            value.size > 0 && value.data[0] == '.' ? bytes_of(value.data + 1, value.size - 1) : value;
    } else if (field_is_word(name, "path")) {
        set->path = value.size > 0 && value.data[0] == '/' ? value : bytes_of("", 0);
    } else if (field_is_word(name, "secure")) {
        set->is_secure = true;
    } else if (field_is_word(name, "httponly")) {
        set->is_http_only = true;
    }
}

static bool has_control(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((text.data[i] < 0x20 && text.data[i] != '\t') || text.data[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

static bool read_set_cookie(struct set_cookie *set, struct bytes field, int64_t wall_s)
{
    *set = (struct set_cookie){.expires_s = INT64_MAX};
    if (has_control(field)) {
        return false;
    }
    struct bytes pair = take_until(&field, ';');
    bool has_name = pair.size > 0 && memchr(pair.data, '=', pair.size) != NULL;
    struct bytes name = has_name ? take_until(&pair, '=') : bytes_of("", 0);
    set->name = field_trim(name);
    set->value = field_trim(pair);
    while (field.size > 0) {
        read_attribute(set, take_until(&field, ';'), wall_s);
    }
    return set->name.size + set->value.size > 0 && set->name.size + set->value.size <= COOKIE_MAX_BYTES &&
           set->domain.size <= URL_HOST_MAX_BYTES && set->path.size <= 1024;
}

/* RFC 6265 §5.1.3; both in lower case. */
static bool is_domain_match(const char *host, const char *domain, bool is_literal)
{
    size_t host_size = strlen(host);
    size_t domain_size = strlen(domain);

    if (host_size == domain_size) {
        return strcmp(host, domain) == 0;
    }
    return !is_literal && host_size > domain_size && strcmp(host + host_size - domain_size, domain) == 0 &&
           host[host_size - domain_size - 1] == '.';
}

static bool is_path_match(struct bytes path, const char *of_cookie)
{
    size_t size = strlen(of_cookie);

    return path.size >= size && memcmp(path.data, of_cookie, size) == 0 &&
           (path.size == size || of_cookie[size - 1] == '/' || path.data[size] == '/');
}

/* RFC 6265 §5.1.4 */
static struct bytes default_path(const struct url *url)
{
    struct bytes path = url_path(url);

    while (path.size > 1 && path.data[path.size - 1] != '/') {
        path.size--;
    }
    path.size -= path.size > 1;
    return path;
}

static bool has_prefix(struct bytes text, const char *prefix)
{
    size_t size = strlen(prefix);
    return text.size >= size && strncasecmp((const char *)text.data, prefix, size) == 0;
}

/* What a host may not do: speak for a public suffix, or for others; set secure cookies over plain HTTP. */
static bool is_permitted(const struct set_cookie *set, const struct url *url, const char *domain)
{
    bool has_domain = set->domain.size > 0;

    if (set->is_secure && !url->is_tls) {
        return false;
    }
    if (has_prefix(set->name, "__Secure-") && !set->is_secure) {
        return false;
    }
    /* Without a name the value is all that is sent: it would pass for one of those. */
    if (set->name.size == 0 && (has_prefix(set->value, "__Secure-") || has_prefix(set->value, "__Host-"))) {
        return false;
    }
    if (has_prefix(set->name, "__Host-") &&
        (!set->is_secure || has_domain || !bytes_equal_string(set->path, "/"))) {
        return false;
    }
    if (!has_domain) {
        return true;
    }
    if (!is_domain_match(url->host, domain, url->is_literal)) {
        return false;
    }
    /* A host that is a public suffix itself may have cookies of its own. */
    return strcmp(url->host, domain) == 0 || !psl_is_public_suffix(psl_builtin(), domain);
}

static struct cookie *find_cookie(struct cookie_jar *jar, const struct set_cookie *set, const char *domain,
                                  struct bytes path)
{
    for (size_t i = 0; i < jar->count; i++) {
        struct cookie *cookie = &jar->cookies[i];
        if (bytes_equal_string(set->name, cookie->name) && strcmp(cookie->domain, domain) == 0 &&
            bytes_equal_string(path, cookie->path)) {
            return cookie;
        }
    }
    return NULL;
}

/* Over plain HTTP nobody replaces, or hides, a secure cookie (RFC 6265bis §5.7). */
static bool is_overlaying_secure(const struct cookie_jar *jar, const struct set_cookie *set,
                                 const struct url *url, const char *domain, struct bytes path)
{
    for (size_t i = 0; i < jar->count && !url->is_tls; i++) {
        const struct cookie *cookie = &jar->cookies[i];
        if (cookie->is_secure && bytes_equal_string(set->name, cookie->name) &&
            (is_domain_match(domain, cookie->domain, url->is_literal) ||
             is_domain_match(cookie->domain, domain, url->is_literal)) &&
            is_path_match(path, cookie->path)) {
            return true;
        }
    }
    return false;
}

static struct cookie *add_cookie(struct cookie_jar *jar)
{
    if (jar->count == COOKIE_JAR_MAX) {
        size_t oldest = 0;
        for (size_t i = 1; i < jar->count; i++) {
            oldest = jar->cookies[i].sent < jar->cookies[oldest].sent ? i : oldest;
        }
        drop_cookie(jar, oldest);
    }
    jar->cookies = memory_reserve(jar->cookies, &jar->capacity, jar->count + 1, sizeof *jar->cookies);
    jar->cookies[jar->count] = (struct cookie){.created = ++jar->order};
    return &jar->cookies[jar->count++];
}

static char *text_of(struct bytes bytes)
{
    return bytes.size > 0 ? memory_copy(bytes.data, bytes.size) : memory_copy_string("");
}

static void cookie_set(struct cookie *cookie, const struct set_cookie *set, const char *domain,
                       struct bytes path)
{
    cookie_finish(cookie);
    cookie->name = text_of(set->name);
    cookie->value = text_of(set->value);
    cookie->domain = memory_copy_string(domain);
    cookie->path = text_of(path);
    cookie->expires_s = set->expires_s;
    cookie->is_host_only = set->domain.size == 0;
    cookie->is_secure = set->is_secure;
    cookie->is_http_only = set->is_http_only;
}

bool cookie_jar_take(struct cookie_jar *jar, const struct url *url, struct bytes field, int64_t wall_s)
{
    struct set_cookie set;
    char domain[URL_HOST_MAX_BYTES + 1];

    if (!read_set_cookie(&set, field, wall_s)) {
        return false;
    }
    bytes_to_text(set.domain.size > 0 ? set.domain : bytes_of_string(url->host), domain, sizeof domain);
    for (char *at = domain; *at != 0; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
    }
    if (!is_permitted(&set, url, domain)) {
        return false;
    }
    struct bytes path = set.path.size > 0 ? set.path : default_path(url);
    if (is_overlaying_secure(jar, &set, url, domain, path)) {
        return false;
    }
    struct cookie *cookie = find_cookie(jar, &set, domain, path);
    if (set.expires_s <= wall_s) {
        if (cookie != NULL) {
            drop_cookie(jar, (size_t)(cookie - jar->cookies));
        }
        return true;
    }
    if (cookie == NULL) {
        cookie = add_cookie(jar);
    }
    cookie_set(cookie, &set, domain, path);
    cookie->sent = ++jar->order;
    return true;
}

static bool goes_to(const struct cookie *cookie, const struct url *url, struct bytes path)
{
    bool is_of_domain = cookie->is_host_only ? strcmp(cookie->domain, url->host) == 0
                                             : is_domain_match(url->host, cookie->domain, url->is_literal);
    return is_of_domain && (url->is_tls || !cookie->is_secure) && is_path_match(path, cookie->path);
}

/* The longest path first, then the one that was there first. */
static int compare_cookies(const void *left_pointer, const void *right_pointer)
{
    const struct cookie *left = *(const struct cookie *const *)left_pointer;
    const struct cookie *right = *(const struct cookie *const *)right_pointer;
    size_t left_size = strlen(left->path);
    size_t right_size = strlen(right->path);

    if (left_size != right_size) {
        return left_size > right_size ? -1 : 1;
    }
    return left->created < right->created ? -1 : 1;
}

/* Forgets those that have expired, and chooses those that go to `url`, in the order in which they go. */
static size_t choose_cookies(struct cookie_jar *jar, const struct url *url, int64_t wall_s,
                             struct cookie *chosen[COOKIE_JAR_MAX])
{
    struct bytes path = url_path(url);
    size_t count = 0;

    for (size_t i = jar->count; i > 0; i--) {
        if (jar->cookies[i - 1].expires_s <= wall_s) {
            drop_cookie(jar, i - 1);
        }
    }
    for (size_t i = 0; i < jar->count; i++) {
        if (goes_to(&jar->cookies[i], url, path)) {
            chosen[count++] = &jar->cookies[i];
        }
    }
    if (count > 1) {
        qsort(chosen, count, sizeof *chosen, compare_cookies);
    }
    return count;
}

void cookie_jar_append(struct cookie_jar *jar, const struct url *url, int64_t wall_s, struct buffer *out)
{
    struct cookie *chosen[COOKIE_JAR_MAX];
    size_t count = choose_cookies(jar, url, wall_s, chosen);

    for (size_t i = 0; i < count; i++) {
        chosen[i]->sent = ++jar->order;
        buffer_append_string(out, i > 0 ? "; " : "");
        buffer_append_string(out, chosen[i]->name);
        buffer_append_string(out, chosen[i]->name[0] != 0 ? "=" : "");
        buffer_append_string(out, chosen[i]->value);
    }
}

static struct cookie_view view_of(const struct cookie *cookie)
{
    return (struct cookie_view){.name = bytes_of_string(cookie->name),
                                .value = bytes_of_string(cookie->value),
                                .domain = bytes_of_string(cookie->domain),
                                .path = bytes_of_string(cookie->path),
                                .expires_s = cookie->expires_s,
                                .is_host_only = cookie->is_host_only,
                                .is_secure = cookie->is_secure,
                                .is_http_only = cookie->is_http_only};
}

size_t cookie_jar_find(struct cookie_jar *jar, const struct url *url, int64_t wall_s,
                       struct cookie_view found[COOKIE_JAR_MAX])
{
    struct cookie *chosen[COOKIE_JAR_MAX];
    size_t count = choose_cookies(jar, url, wall_s, chosen);

    for (size_t i = 0; i < count; i++) {
        found[i] = view_of(chosen[i]);
    }
    return count;
}

bool cookie_jar_next(const struct cookie_jar *jar, size_t *at, struct cookie_view *view)
{
    if (*at >= jar->count) {
        return false;
    }
    *view = view_of(&jar->cookies[(*at)++]);
    return true;
}

void cookie_jar_add(struct cookie_jar *jar, const struct cookie_view *view)
{
    struct cookie *cookie = add_cookie(jar);

    cookie->name = text_of(view->name);
    cookie->value = text_of(view->value);
    cookie->domain = text_of(view->domain);
    cookie->path = text_of(view->path);
    cookie->expires_s = view->expires_s;
    cookie->sent = ++jar->order;
    cookie->is_host_only = view->is_host_only;
    cookie->is_secure = view->is_secure;
    cookie->is_http_only = view->is_http_only;
}
