/* `tutti target`: the practice target in the foreground. */
#include "cli/base/exit_code.h"
#include "cli/commands/subcommand.h"
#include "common/log.h"
#include "target/target.h"

#include <errno.h>
#include <signal.h>

struct target_command_options {
    uint64_t port;
    uint64_t tcp_port;
    const char *address;
};

static const struct option target_command_options[] = {
    {.name = "port",
     .letter = 'p',
     .type = OPTION_NUMBER,
     .offset = offsetof(struct target_command_options, port),
     .is_set_offset = SIZE_MAX,
     .maximum = 65535,
     .argument = "N",
     .help = "TCP port; 0 takes a free one",
     .fallback = "8080"},
    {.name = "tcp-port",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct target_command_options, tcp_port),
     .is_set_offset = SIZE_MAX,
     .maximum = 65535,
     .argument = "N",
     .help = "port of the plain TCP that GET /tcp tells; 0 takes a free one",
     .fallback = "0"},
    {.name = "address",
     .type = OPTION_TEXT,
     .offset = offsetof(struct target_command_options, address),
     .is_set_offset = SIZE_MAX,
     .argument = "ADDR",
     .help = "the address to listen on",
     .fallback = "127.0.0.1"},
};

static int run_target_command(int argc, char **argv)
{
    struct target_command_options options = {.port = 8080, .address = "127.0.0.1"};
    size_t word_count = 0;
    if (!subcommand_parse(&target_command_subcommand, argc, argv, &options, NULL, 0, &word_count)) {
        return EXIT_CODE_USAGE;
    }
    /* Blocked before the target starts its threads, so that only sigwait receives them. */
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, NULL);

    struct error error;
    struct target *target =
        target_start_with_tcp(options.address, (uint16_t)options.port, (uint16_t)options.tcp_port, &error);
    if (target == NULL) {
        log_line(LOG_ERROR, "target", "%s; --address, --port and --tcp-port select another one", error.text);
        return EXIT_CODE_USAGE;
    }
    printf("http://%s:%u\n", options.address, (unsigned)target_port(target));
    int failure = fflush(stdout) != 0 ? errno : 0;
    int number = 0;
    /* Without its address nobody can find it. */
    if (failure == 0) {
        sigwait(&ending, &number);
    }
    target_stop(&target);
    clearerr(stdout);
    return (int)exit_code_of_output(EXIT_CODE_PASSED, "target", failure);
}

const struct subcommand target_command_subcommand = {
    .name = "target",
    .usage = "[options]",
    .summary = "Serves the practice target until Ctrl-C",
    .details =
        "A small HTTP server to try scripts on: pads (GET and PUT /pad/NAME, texts with a version),\n"
        "/status/CODE, /delay/MS, /bytes/N, /headers and /cookies, WebSockets, server-sent events, and an\n"
        "echo over plain TCP, which GET /tcp tells. It prints its address as its only line.\n"
        "`tutti run --target builtin` starts one by itself.\n",
    .examples = "  tutti target --port 8080\n"
                "  tutti run loadtest.lua --target http://127.0.0.1:8080\n",
    .options = target_command_options,
    .option_count = sizeof target_command_options / sizeof target_command_options[0],
    .needs = {.descriptors = 32, .threads = 8},
    .run = run_target_command,
};
