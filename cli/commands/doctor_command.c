/* `tutti doctor`: looks at this host. */
#include "cli/base/exit_code.h"
#include "cli/commands/subcommand.h"
#include "cli/doctor/doctor.h"
#include "cli/options/control_options.h"
#include "cli/remote/control.h"
#include "common/log.h"
#include "coordinator/json/json_put.h"

#include <stdio.h>

enum doctor_role { ROLE_BOTH, ROLE_AGENT, ROLE_COORDINATOR };

struct doctor_options {
    uint32_t role;
    const char *coordinator;
    const char *key;
    const char *keys;
    const char *state;
    const char *listen;
    const char *http;
    bool is_json;
};

/* By enum doctor_role. */
static const char *const role_choices[] = {"both", "agent", "coordinator", NULL};

#define FIELD(field) .offset = offsetof(struct doctor_options, field), .is_set_offset = SIZE_MAX

/* clang-format off */
static const struct option doctor_options[] = {
    {.name = "as", .type = OPTION_CHOICE, FIELD(role), .choices = role_choices,
        .help = "what the host is to be", .fallback = "both"},
    {.name = "coordinator", .type = OPTION_TEXT, FIELD(coordinator), .argument = "tcp://HOST:PORT",
        .help = "of an agent: the coordinator that it is to join"},
    {.name = "key", .type = OPTION_TEXT, FIELD(key), .argument = "FILE", .help = "of an agent: its key"},
    {.name = "keys", .type = OPTION_TEXT, FIELD(keys), .argument = "DIR",
        .help = "of a coordinator: its folder of keys"},
    {.name = "state", .type = OPTION_TEXT, FIELD(state), .argument = "DIR",
        .help = "of a coordinator: its folder for campaigns and reports"},
    {.name = "listen", .type = OPTION_TEXT, FIELD(listen), .argument = "tcp://ADDRESS:PORT",
        .help = "of a coordinator: the address that agents connect to", .fallback = "tcp://127.0.0.1:7440"},
    {.name = "http", .type = OPTION_TEXT, FIELD(http), .argument = "ADDRESS:PORT",
        .help = "of a coordinator: the address of the HTTP API", .fallback = "127.0.0.1:7441"},
    CONTROL_JSON_OPTION(offsetof(struct doctor_options, is_json), "print one JSON object"),
};
/* clang-format on */

static void doctor_command_print(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        printf("%-5s %-12s %s\n", finding_level_name(finding->level), finding->check, finding->text);
        if (finding->advice[0] != '\0') {
            printf("%19s-> %s\n", "", finding->advice);
        }
    }
    printf("\n%zu ok, %zu to look at, %zu that do not work\n", findings_count(findings, FINDING_OK),
           findings_count(findings, FINDING_WARN), findings_count(findings, FINDING_FAIL));
}

static void doctor_command_print_json(const struct findings *findings)
{
    json_t *object = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        json_t *row = json_object();
        json_put_text(row, "check", bytes_of_string(finding->check));
        json_put_text(row, "level", bytes_of_string(finding_level_name(finding->level)));
        json_put_text(row, "text", bytes_of_string(finding->text));
        json_put_text(row, "advice", bytes_of_string(finding->advice));
        (void)json_array_append_new(list, row);
    }
    json_put(object, "findings", list);
    for (int level = 0; level < FINDING_LEVELS; level++) {
        json_put_count(object, finding_level_name((enum finding_level)level),
                       findings_count(findings, (enum finding_level)level));
    }
    control_print_json(object);
    json_decref(object);
}

static int run_doctor(int argc, char **argv)
{
    struct doctor_options options = {.listen = "tcp://127.0.0.1:7440", .http = "127.0.0.1:7441"};
    struct findings findings = {.count = 0};
    size_t word_count = 0;
    if (!subcommand_parse(&doctor_subcommand, argc, argv, &options, NULL, 0, &word_count)) {
        return EXIT_CODE_USAGE;
    }
    const struct doctor doctor = {.is_agent = options.role != ROLE_COORDINATOR,
                                  .is_coordinator = options.role != ROLE_AGENT,
                                  .coordinator = options.coordinator,
                                  .key = options.key,
                                  .keys = options.keys,
                                  .state = options.state,
                                  .listen = options.listen,
                                  .http = options.http,
                                  .findings = &findings};
    doctor_look(&doctor);
    if (options.is_json) {
        doctor_command_print_json(&findings);
    } else {
        doctor_command_print(&findings);
    }
    return findings_count(&findings, FINDING_FAIL) > 0 ? EXIT_CODE_FAILED : EXIT_CODE_PASSED;
}

const struct subcommand doctor_subcommand = {
    .name = "doctor",
    .usage = "[options]",
    .summary = "Looks whether this host is fit for an agent or a coordinator",
    .details =
        "Says of limits, memory, clock, browsers, keys, folders and the way to the coordinator whether they\n"
        "are right, and what to change. Give it the options of the agent or coordinator, as its user; it\n"
        "changes nothing. Exit code 1 if something does not work.\n",
    .examples = "  tutti doctor --as agent --coordinator tcp://10.0.0.1:7440 --key host-7.key\n"
                "  tutti doctor --as coordinator --state /var/lib/tutti --keys keys\n",
    .options = doctor_options,
    .option_count = sizeof doctor_options / sizeof doctor_options[0],
    .needs = {.descriptors = 12, .threads = 1},
    .run = run_doctor,
};
