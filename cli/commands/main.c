/* The `tutti` command: finds the subcommand and runs it. */
#include "agent/browser/reaper.h"
#include "cli/base/exit_code.h"
#include "cli/base/process_limits.h"
#include "cli/commands/environment.h"
#include "cli/commands/subcommand.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_one_of(const char *word, const char *first, const char *second)
{
    return strcmp(word, first) == 0 || strcmp(word, second) == 0;
}

static bool is_given(int argc, char **argv, const char *first, const char *second)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_one_of(argv[i], first, second)) {
            return true;
        }
    }
    return false;
}

static int main_dispatch(int argc, char **argv)
{
    if (argc < 2) {
        subcommand_print_overview(stderr);
        return EXIT_CODE_USAGE;
    }
    if (is_one_of(argv[1], "--help", "-h")) {
        subcommand_print_overview(stdout);
        return EXIT_CODE_PASSED;
    }
    if (is_one_of(argv[1], "--version", "-V")) {
        return version_subcommand.run(argc - 1, argv + 1);
    }
    /* Not for people: agents start it, so help does not mention it. */
    if (strcmp(argv[1], "reaper") == 0) {
        return reaper_main(argc - 1, argv + 1);
    }
    const struct subcommand *subcommand = subcommand_find(argv[1]);
    if (subcommand == NULL) {
        subcommand_tell_unknown(NULL, argv[1]);
        return EXIT_CODE_USAGE;
    }
    /* Then nothing else counts. */
    if (is_given(argc - 1, argv + 1, "--help", "-h")) {
        subcommand_print_help(subcommand, stdout);
        return EXIT_CODE_PASSED;
    }
    /* Its parent has said so already. */
    if (!is_given(argc - 1, argv + 1, "--parent-bound=true", "--parent-bound")) {
        environment_warn_of_unknown(subcommand);
    }
    struct error error;
    process_limits_raise_files();
    if (!process_limits_check(&subcommand->needs, &error)) {
        log_line(LOG_ERROR, subcommand->name, "%s", error.text);
        return EXIT_CODE_LOST;
    }
    return subcommand->run(argc - 1, argv + 1);
}

/* If one of the first three descriptors is closed, a socket would get its number, and our messages would go
 * there. */
static void hold_standard_descriptors(void)
{
    int descriptor;
    do {
        descriptor = open("/dev/null", O_RDWR);
    } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
}

/* Large enough for every text of ours, so that a write that fails is the last one, whose errno is known. */
static void widen_output(void)
{
    static char buffer[64 * 1024];
    if (isatty(STDOUT_FILENO) == 0) {
        (void)setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    }
}

/* Whether standard output is a pipe without a reader. */
static bool has_reader_gone(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

int main(int argc, char **argv)
{
    hold_standard_descriptors();
    widen_output();
    log_configure(LOG_INFO, LOG_TEXT, 1);
    process_limits_guard();
    int code = main_dispatch(argc, argv);
    if (ferror(stdout) == 0) {
        int failure = fflush(stdout) != 0 ? errno : 0;
        return (int)exit_code_of_output((enum exit_code)code, NULL, failure);
    }
    if (has_reader_gone()) {
        return code;
    }
    /* An earlier write failed, and its errno is lost. */
    log_line(LOG_ERROR, NULL, "cannot write to standard output");
    return (int)exit_code_of_lost_results((enum exit_code)code);
}
