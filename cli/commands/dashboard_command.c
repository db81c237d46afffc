/* `tutti dashboard`: a link to the dashboard of a coordinator, good for one login. */
#include "cli/base/open_link.h"
#include "cli/commands/subcommand.h"
#include "cli/options/control_options.h"
#include "cli/remote/control.h"
#include "cli/remote/control_connect.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"

#include <stdio.h>
#include <string.h>

struct dashboard_options {
    bool is_json;
    bool is_opened;
    struct control_options control;
};

/* clang-format off */
static const struct option dashboard_options[] = {
    {.name = "open", .type = OPTION_FLAG, .offset = offsetof(struct dashboard_options, is_opened),
        .is_set_offset = SIZE_MAX, .has_no_variable = true, .help = "open it in the browser ($BROWSER, else xdg-open)"},
    CONTROL_JSON_OPTION(offsetof(struct dashboard_options, is_json), "answer in JSON"),
    CONTROL_RETRY_OPTION(offsetof(struct dashboard_options, control)),
    CONTROL_OPTIONS(offsetof(struct dashboard_options, control))
};
/* clang-format on */

/* `code` is empty where no token is required. */
static char *dashboard_link(const struct dashboard_options *options, struct bytes code)
{
    const char *url = options->control.api != NULL ? options->control.api : CONTROL_API_FALLBACK;
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/') {
        length--;
    }
    return memory_format("%.*s/%s%.*s", (int)length, url, code.size > 0 ? "#code=" : "", BYTES_FORMAT(code));
}

static void dashboard_command_print(const struct dashboard_options *options, const char *link,
                                    const json_t *answer)
{
    if (options->is_json) {
        json_t *object = json_object();
        json_put_text(object, "url", bytes_of_string(link));
        json_put_count(object, "seconds", json_get_count(answer, "seconds"));
        control_print_json_line(object);
    } else {
        printf("%s\n", link);
    }
}

static enum exit_code dashboard_command_tell(const struct dashboard_options *options, const json_t *answer)
{
    struct error error;
    SCOPED(memory_free_at) char *link = dashboard_link(options, json_get_text(answer, "code"));
    if (options->is_opened && !open_link(link, &error)) {
        log_line(LOG_WARNING, "dashboard", "%s; the link is", error.text);
    }
    dashboard_command_print(options, link, answer);
    return EXIT_CODE_PASSED;
}

static int run_dashboard_command(int argc, char **argv)
{
    struct dashboard_options options = {.control.retry_ms = CONTROL_RETRY_MS};
    size_t word_count = 0;
    if (!subcommand_parse(&dashboard_subcommand, argc, argv, &options, NULL, 0, &word_count)) {
        return EXIT_CODE_USAGE;
    }
    SCOPED(api_client_free) struct api_client *client = control_connect("dashboard", &options.control);
    if (client == NULL) {
        return EXIT_CODE_USAGE;
    }
    json_t *answer = NULL;
    enum api_result result = control_ask("dashboard", client, "/v1/login/code", "{}", &answer);
    enum exit_code code =
        result == API_DONE ? dashboard_command_tell(&options, answer) : control_exit_code(result);
    json_decref(answer);
    return (int)code;
}

const struct subcommand dashboard_subcommand = {
    .name = "dashboard",
    .usage = "[options]",
    .summary = "Prints a link to the dashboard of a coordinator",
    .details =
        "The link is good for one login within a minute, and does not contain the token. A run on this\n"
        "machine has a dashboard with `tutti run --dashboard`.\n",
    .examples = "  tutti dashboard\n"
                "  tutti dashboard --open\n"
                "  tutti dashboard --api http://127.0.0.1:7441\n",
    .options = dashboard_options,
    .option_count = sizeof dashboard_options / sizeof dashboard_options[0],
    .needs = {.descriptors = 14, .threads = 2},
    .run = run_dashboard_command,
};
