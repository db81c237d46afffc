/* Any lines as Set-Cookie fields: what goes back is clean, is the same twice, and goes where it belongs. */
#include "fuzz.h"

#include "agent/http/message/cookie_jar.h"

#include <string.h>

#define NOW_S 1700000000
#define URLS 5

static const char *const urls[URLS] = {"https://www.example.org/a/b", "http://www.example.org/a/b?c",
                                       "https://example.org/", "http://other.example.co.uk/a/",
                                       "http://127.0.0.1:8080/"};

static bool ends_with(const char *host, struct bytes domain)
{
    size_t size = strlen(host);
    return size >= domain.size && memcmp(host + size - domain.size, domain.data, domain.size) == 0;
}

static void check_jar(const struct cookie_jar *jar)
{
    struct cookie_view view;
    size_t at = 0;

    FUZZ_CHECK(jar->count <= COOKIE_JAR_MAX);
    while (cookie_jar_next(jar, &at, &view)) {
        bool is_of_some = false;
        FUZZ_CHECK(view.name.size + view.value.size > 0);
        FUZZ_CHECK(view.name.size + view.value.size <= COOKIE_MAX_BYTES);
        FUZZ_CHECK(view.path.size > 0 && view.path.data[0] == '/' && view.domain.size > 0);
        FUZZ_CHECK(memchr(view.value.data, ';', view.value.size) == NULL);
        FUZZ_CHECK(memchr(view.name.data, '=', view.name.size) == NULL);
        for (size_t i = 0; i < URLS; i++) {
            struct url url;
            struct error error;
            FUZZ_CHECK(url_parse(bytes_of_string(urls[i]), &url, &error));
            is_of_some |= ends_with(url.host, view.domain);
            url_finish(&url);
        }
        FUZZ_CHECK(is_of_some && !bytes_equal_string(view.domain, "co.uk") &&
                   !bytes_equal_string(view.domain, "org"));
    }
}

static void check_sending(struct cookie_jar *jar, const struct url *url)
{
    struct buffer first;
    struct buffer second;

    buffer_init(&first, 1u << 22);
    buffer_init(&second, 1u << 22);
    cookie_jar_append(jar, url, NOW_S, &first);
    cookie_jar_append(jar, url, NOW_S, &second);
    FUZZ_CHECK(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    for (size_t i = 0; i < first.size; i++) {
        FUZZ_CHECK((first.data[i] >= ' ' || first.data[i] == '\t') && first.data[i] != 127);
    }
    buffer_finish(&first);
    buffer_finish(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    struct cookie_jar jar = {0};
    int64_t wall_s;

    if (cookie_date_parse(input, &wall_s)) {
        FUZZ_CHECK(wall_s >= -11644473600 && wall_s < 253402300800); /* 1601 to 9999 */
    }
    while (input.size > 0) {
        struct url url;
        struct error error;
        FUZZ_CHECK(url_parse(bytes_of_string(urls[fuzz_number(&input, 1) % URLS]), &url, &error));
        const uint8_t *end = input.size > 0 ? memchr(input.data, '\n', input.size) : NULL;
        size_t line = end != NULL ? (size_t)(end - input.data) : input.size;
        size_t before = jar.count;
        if (!cookie_jar_take(&jar, &url, bytes_of(input.data, line), NOW_S)) {
            FUZZ_CHECK(jar.count == before);
        }
        check_jar(&jar);
        check_sending(&jar, &url);
        line += end != NULL;
        input = bytes_of(input.data + line, input.size - line);
        url_finish(&url);
    }
    cookie_jar_finish(&jar);
    return 0;
}
