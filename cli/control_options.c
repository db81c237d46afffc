/* Where the coordinator of the control commands is, and how they show that they may ask. */
#include "cli/control_options.h"
#include "cli/token.h"
#include "common/log.h"
#include "common/memory.h"

#include <string.h>

#define URL_MAX_BYTES 1000u

/* What can stand in a header, or in an address: no spaces, nothing invisible. */
static bool is_visible(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

bool control_parse_api(const char *text, void *value, struct error *error)
{
    bool has_scheme = strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
    size_t length = strlen(text);
    if (!has_scheme || strstr(text, "://")[3] == '\0' || strstr(text, "://")[3] == '/' ||
        length > URL_MAX_BYTES || !is_visible(text) || strpbrk(text, "?#") != NULL) {
        return error_set(error, "\"%.80s\" is not an address like " CONTROL_API_FALLBACK, text);
    }
    *(const char **)value = text;
    return true;
}

struct api_client *control_connect(const char *who, const struct control_options *options)
{
    struct error error;
    SCOPED(token_free) char *token = NULL;
    struct token_choice choice = {.text = options->token, .path = options->token_path};
    if (!token_choose(&choice, &error) || !token_read(&choice, false, &token, &error)) {
        log_line(LOG_ERROR, who, "%s", error.text);
        return NULL;
    }
    SCOPED(memory_free_at)
    char *url = memory_copy_string(options->api != NULL ? options->api : CONTROL_API_FALLBACK);
    for (size_t length = strlen(url); length > 0 && url[length - 1] == '/'; length--) {
        url[length - 1] = '\0';
    }
    if (token == NULL) {
        token = token_find(url);
    }
    return api_client_new(url, token);
}
