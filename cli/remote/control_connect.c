/* The client for what the command line says of the coordinator. */
#include "cli/remote/control_connect.h"

#include "cli/options/token.h"
#include "common/log.h"
#include "common/memory.h"

#include <string.h>

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
    struct api_client *client = api_client_new(url, token);
    api_client_be_patient(client, options->retry_ms);
    return client;
}
