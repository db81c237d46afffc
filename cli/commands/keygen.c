/* `tutti keygen`: the keys of a coordinator and its agents, and which agents may join. */
#include "cli/base/exit_code.h"
#include "cli/commands/subcommand.h"
#include "common/log.h"
#include "common/memory.h"
#include "proto/keys/curve.h"
#include "proto/keys/key_folder.h"

#include <stdio.h>
#include <unistd.h>

struct keygen_options {
    const char *agent;
    const char *revoke;
};

#define FIELD(field) .offset = offsetof(struct keygen_options, field), .is_set_offset = SIZE_MAX

/* clang-format off */
static const struct option keygen_options[] = {
    {.name = "agent", .type = OPTION_TEXT, FIELD(agent), .argument = "NAME",
        .help = "let an agent of this name join, and write NAME.key here"},
    {.name = "revoke", .type = OPTION_TEXT, FIELD(revoke), .argument = "NAME",
        .help = "no longer let this agent join"},
};
/* clang-format on */

static void close_descriptor(const int *descriptor)
{
    if (*descriptor >= 0) {
        (void)close(*descriptor);
    }
}

static bool keygen_make_folder(const char *folder, struct error *error)
{
    if (!key_folder_make(folder, error)) {
        return false;
    }
    printf("wrote %s/coordinator.key and %s/agents.allow\n", folder, folder);
    printf("next: tutti keygen %s --agent NAME\n", folder);
    return true;
}

/* The file is written before the entry: an entry whose key nobody has would only be in the way. */
static bool write_both(const char *folder, struct allow_list *list, const struct agent_key *key,
                       struct error *error)
{
    SCOPED(memory_free_at) char *path = memory_format("%s.key", key->name);
    if (!allow_list_add(list, bytes_of_string(key->name), bytes_of_string(key->pair.public_key), error) ||
        !agent_key_write(path, key, error)) {
        return false;
    }
    if (!key_folder_write_list(folder, list, error)) {
        (void)unlink(path);
        return false;
    }
    printf("wrote %s: copy it to the host of %s, and run there\n"
           "  tutti agent --coordinator tcp://HOST:7440 --key %s\n",
           path, key->name, path);
    return true;
}

static bool keygen_add_agent(const char *folder, const char *name, struct error *error)
{
    struct key_stamp stamp;
    struct key_pair coordinator;
    struct error warning;
    if (!key_name_check(bytes_of_string(name), error)) {
        return false;
    }
    SCOPED(close_descriptor) int lock = key_folder_lock(folder, error);
    if (lock < 0 || !key_folder_read_pair(folder, &coordinator, &warning, error)) {
        return false;
    }
    struct agent_key key = {0};
    bytes_to_text(bytes_of_string(name), key.name, sizeof key.name);
    bytes_to_text(bytes_of_string(coordinator.public_key), key.coordinator, sizeof key.coordinator);
    key_pair_wipe(&coordinator);
    SCOPED(allow_list_free) struct allow_list *list = key_folder_read_list(folder, &stamp, error);
    if (list == NULL) {
        return false;
    }
    curve_draw(&key.pair);
    bool is_good = write_both(folder, list, &key, error);
    key_pair_wipe(&key.pair);
    if (warning.text[0] != '\0') {
        log_line(LOG_WARNING, "keygen", "%s", warning.text);
    }
    return is_good;
}

static bool revoke_agent(const char *folder, const char *name, struct error *error)
{
    struct key_stamp stamp;
    SCOPED(close_descriptor) int lock = key_folder_lock(folder, error);
    if (lock < 0) {
        return false;
    }
    SCOPED(allow_list_free) struct allow_list *list = key_folder_read_list(folder, &stamp, error);
    if (list == NULL) {
        return false;
    }
    if (!allow_list_remove(list, bytes_of_string(name))) {
        return error_set(error, "there is no agent \"%.80s\" on the list in %s", name, folder);
    }
    if (!key_folder_write_list(folder, list, error)) {
        return false;
    }
    printf("revoked %s: a running coordinator disconnects it within a second\n", name);
    return true;
}

static int run_keygen(int argc, char **argv)
{
    struct keygen_options options = {0};
    const char *folder = NULL;
    size_t word_count = 0;
    struct error error;
    if (!subcommand_parse(&keygen_subcommand, argc, argv, &options, &folder, 1, &word_count)) {
        return EXIT_CODE_USAGE;
    }
    bool is_good;
    if (word_count == 0) {
        is_good = error_set(&error, "a folder is required (see tutti help keygen)");
    } else if (options.agent != NULL && options.revoke != NULL) {
        is_good = error_set(&error, "--agent and --revoke exclude each other");
    } else if (options.agent != NULL) {
        is_good = keygen_add_agent(folder, options.agent, &error);
    } else if (options.revoke != NULL) {
        is_good = revoke_agent(folder, options.revoke, &error);
    } else {
        is_good = keygen_make_folder(folder, &error);
    }
    if (!is_good) {
        log_line(LOG_ERROR, "keygen", "%s", error.text);
    }
    return is_good ? EXIT_CODE_PASSED : EXIT_CODE_USAGE;
}

const struct subcommand keygen_subcommand = {
    .name = "keygen",
    .usage = "DIR [--agent NAME | --revoke NAME]",
    .summary = "Makes the keys of a coordinator and its agents",
    .details =
        "DIR alone creates the folder with the coordinator's key pair and an empty list of agents. With\n"
        "--agent it adds an agent to the list and writes NAME.key into the current folder: the one file to\n"
        "copy to its host. --revoke removes it from the list. A running coordinator applies changes within\n"
        "a second. Nothing is ever overwritten.\n",
    .examples = "  tutti keygen keys\n"
                "  tutti keygen keys --agent host-7      # host-7.key\n"
                "  tutti keygen keys --revoke host-7\n",
    .options = keygen_options,
    .option_count = sizeof keygen_options / sizeof keygen_options[0],
    .needs = {.descriptors = 8, .threads = 0},
    .run = run_keygen,
};
