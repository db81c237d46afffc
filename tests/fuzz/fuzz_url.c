/* Any bytes as URLs: what is read is written as something that reads the same; a line break separates a base
 * from a reference. */
#include "fuzz.h"

#include "agent/http/message/url.h"
#include "agent/http/message/url_coding.h"
#include "common/memory.h"

#include <string.h>

static void check_text(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        FUZZ_CHECK(text.data[i] > ' ' && text.data[i] < 127);
    }
}

static void check_url(const struct url *url)
{
    struct url again;
    struct error error;

    FUZZ_CHECK(strlen(url->text) <= URL_MAX_BYTES && url->host[0] != 0 && url->port != 0);
    FUZZ_CHECK(url->target.size > 0 && url->target.data[0] == '/');
    FUZZ_CHECK(url_path(url).size > 0 && memchr(url_path(url).data, '?', url_path(url).size) == NULL);
    check_text(bytes_of_string(url->text));
    FUZZ_CHECK(memchr(url->authority.data, '@', url->authority.size) == NULL);
    FUZZ_CHECK(url_parse(bytes_of_string(url->text), &again, &error));
    FUZZ_CHECK(strcmp(url->text, again.text) == 0 && strcmp(url->host, again.host) == 0);
    FUZZ_CHECK(url->port == again.port && url->is_tls == again.is_tls && url->is_literal == again.is_literal);
    FUZZ_CHECK(bytes_equal(url->authority, again.authority) && bytes_equal(url->target, again.target));
    FUZZ_CHECK(again.user == NULL && again.password == NULL && url_is_same_origin(url, &again));
    url_finish(&again);
}

static void check_resolving(const struct url *base, struct bytes reference)
{
    struct url made;
    struct error error;

    if (url_resolve(base, reference, &made, &error)) {
        check_url(&made);
        url_finish(&made);
    }
    FUZZ_CHECK(url_resolve(base, bytes_of("", 0), &made, &error) && strcmp(made.text, base->text) == 0);
    url_finish(&made);
    FUZZ_CHECK(url_resolve(base, bytes_of_string(base->text), &made, &error));
    FUZZ_CHECK(strcmp(made.text, base->text) == 0);
    url_finish(&made);
}

/* What is encoded comes back; what is decoded fits, and is the same when it is encoded and decoded again. */
static void check_coding(struct bytes text)
{
    size_t size = url_encoded_size(text, "");
    char *encoded = memory_new(size + 1, 1);
    char *decoded = memory_new(size + 1, 1);
    size_t decoded_size = 0;
    struct bytes name;
    struct bytes value;

    url_encode_to(encoded, text, "");
    FUZZ_CHECK(url_decode_to(decoded, bytes_of(encoded, size), true, &decoded_size));
    FUZZ_CHECK(bytes_equal(bytes_of(decoded, decoded_size), text));
    if (url_decode_to(decoded, text, true, &decoded_size)) {
        FUZZ_CHECK(decoded_size <= text.size);
    }
    for (struct bytes rest = text; url_query_next(&rest, &name, &value);) {
        FUZZ_CHECK(name.size + value.size <= text.size && memchr(name.data, '=', name.size) == NULL);
    }
    memory_free(encoded);
    memory_free(decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line_end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t first = line_end != NULL ? (size_t)(line_end - data) : size;
    struct bytes reference = line_end != NULL ? bytes_of(line_end + 1, size - first - 1) : bytes_of("", 0);
    struct url url = {0};
    struct error error = {""};

    check_coding(reference);
    if (url_parse(bytes_of(data, first), &url, &error)) {
        check_url(&url);
        check_resolving(&url, reference);
        url_finish(&url);
    } else {
        FUZZ_CHECK(error.text[0] != 0);
    }
    return 0;
}
