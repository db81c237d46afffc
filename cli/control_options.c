/* Where the coordinator of the control commands is, and how they show that they may ask. */
#include "cli/control_options.h"
#include "cli/text_file.h"
#include "common/log.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

#define URL_MAX_BYTES 1000u
#define TOKEN_MAX_BYTES 4096u

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

static bool check_token(const char *token, struct error *error)
{
    if (*token == '\0') {
        return error_set(error, "it is empty");
    }
    if (strlen(token) > TOKEN_MAX_BYTES || !is_visible(token)) {
        return error_set(error, "must have at most %u visible characters of ASCII", TOKEN_MAX_BYTES);
    }
    return true;
}

/* The first line, for text_file_wipe. */
static char *read_token(const char *path, struct error *error)
{
    struct error warning;
    char *token = text_file_read_secret(path, &warning, error);
    if (token == NULL) {
        (void)error_wrap(error, "--token-file: ");
        return NULL;
    }
    token[strcspn(token, "\r\n")] = '\0';
    if (!check_token(token, error)) {
        (void)error_wrap(error, "--token-file: %s: ", path);
        text_file_wipe(&token);
    }
    return token;
}

/* Both may be given, if one comes from the environment: the command line wins. */
static bool choose(const struct control_options *options, const char **token, const char **path,
                   struct error *error)
{
    *token = options->token;
    *path = options->token_path;
    if (*token == NULL || *path == NULL) {
        return true;
    }
    bool is_token_near = *token != getenv("TUTTI_TOKEN");
    bool is_path_near = *path != getenv("TUTTI_TOKEN_FILE");
    if (is_token_near == is_path_near) {
        return error_set(error, "--token and --token-file contradict each other");
    }
    *(is_token_near ? path : token) = NULL;
    return true;
}

static bool find_token(const struct control_options *options, char **found, struct error *error)
{
    const char *token = NULL;
    const char *path = NULL;
    if (!choose(options, &token, &path, error)) {
        return false;
    }
    if (path != NULL) {
        *found = read_token(path, error);
        return *found != NULL;
    }
    if (token != NULL && !check_token(token, error)) {
        return error_wrap(error, "--token: ");
    }
    *found = memory_copy_string(token);
    return true;
}

struct api_client *control_connect(const char *who, const struct control_options *options)
{
    struct error error;
    SCOPED(text_file_wipe) char *token = NULL;
    if (!find_token(options, &token, &error)) {
        log_line(LOG_ERROR, who, "%s", error.text);
        return NULL;
    }
    SCOPED(memory_free_at)
    char *url = memory_copy_string(options->api != NULL ? options->api : CONTROL_API_FALLBACK);
    for (size_t length = strlen(url); length > 0 && url[length - 1] == '/'; length--) {
        url[length - 1] = '\0';
    }
    return api_client_new(url, token);
}
