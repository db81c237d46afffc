/* What of a request is sent once more. */
#include "agent/http/message/resend.h"

#include "agent/http/message/fields.h"

#include <stddef.h>
#include <string.h>

static bool resend_is_among(struct bytes name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (field_is_word(name, names[i])) {
            return true;
        }
    }
    return false;
}

bool resend_is_harmless(const char *method)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", NULL};
    return resend_is_among(bytes_of_string(method), methods);
}

bool resend_is_redirect(uint32_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool resend_becomes_get(uint32_t status, const char *method)
{
    bool is_safe = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;

    return (status == 303 && !is_safe) || ((status == 301 || status == 302) && strcmp(method, "POST") == 0);
}

bool resend_leaves_with_body(struct bytes name)
{
    static const char *const names[] = {"content-type",
                                        "content-length",
                                        "content-encoding",
                                        "content-language",
                                        "content-location",
                                        "expect",
                                        NULL};
    return resend_is_among(name, names);
}

bool resend_leaves_with_origin(struct bytes name)
{
    static const char *const names[] = {"authorization", "cookie", "host", "proxy-authorization", NULL};
    return resend_is_among(name, names);
}
