/* Which program drives which browser, its arguments, and where it is found. */
#include "agent/browser/kind.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* All of them listen on loopback only; chromedriver does so by default. */
static const struct browser_facts facts_of_kinds[BROWSER_KINDS] = {
    [BROWSER_CHROMIUM] = {.name = "chromium",
                          .program = "chromedriver",
                          .variable = "TUTTI_CHROMEDRIVER",
                          .install = "apt-get install chromium-driver",
                          .port_mark = "successfully on port ",
                          /* It takes any free port of IPv6, and gives up if that port is taken for IPv4. */
                          .taken_mark = "port not available",
                          .chooses_by_ipv6 = true,
                          .port_argument = "--port=%s"},
    [BROWSER_FIREFOX] = {.name = "firefox",
                         .program = "geckodriver",
                         .variable = "TUTTI_GECKODRIVER",
                         .install = "cargo install geckodriver --version 0.37.1 --locked, and apt-get "
                                    "install firefox-esr",
                         .port_mark = "Listening on 127.0.0.1:",
                         .port_argument = "--port=%s",
                         .folder_argument = "--profile-root=%s",
                         .arguments = {"--host=127.0.0.1", "--websocket-port=0"}},
    [BROWSER_WEBKIT] = {.name = "webkit",
                        .program = "WebKitWebDriver",
                        .variable = "TUTTI_WEBKITWEBDRIVER",
                        .install = "apt-get install webkit2gtk-driver",
                        .port_argument = "--port=%s",
                        .arguments = {"--host=127.0.0.1"}},
};

const struct browser_facts *browser_facts(enum browser_kind kind)
{
    assert((unsigned)kind < BROWSER_KINDS);
    return &facts_of_kinds[kind];
}

static bool is_program(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static bool try_path(const char *folder, size_t size, const char *rest, const char *program,
                     char path[DRIVER_PATH_BYTES])
{
    int count = snprintf(path, DRIVER_PATH_BYTES, "%.*s%s/%s", (int)size, folder, rest, program);

    return count > 0 && count < DRIVER_PATH_BYTES && size < DRIVER_PATH_BYTES && is_program(path);
}

static bool search_path(const char *program, char path[DRIVER_PATH_BYTES])
{
    const char *folders = getenv("PATH");

    while (folders != NULL && *folders) {
        size_t size = strcspn(folders, ":");
        if (size > 0 && try_path(folders, size, "", program, path)) {
            return true;
        }
        folders += size;
        folders += *folders == ':';
    }
    return false;
}

/* `cargo install` itself warns that its folder may not be in PATH; the other folder is where our tests build
 * it. */
static bool search_cargo(const char *program, char path[DRIVER_PATH_BYTES])
{
    const char *home = getenv("HOME");
    const char *cache = getenv("XDG_CACHE_HOME");

    if (cache != NULL && *cache && try_path(cache, strlen(cache), "/tutti/geckodriver/bin", program, path)) {
        return true;
    }
    return home != NULL && *home &&
           (try_path(home, strlen(home), "/.cargo/bin", program, path) ||
            try_path(home, strlen(home), "/.cache/tutti/geckodriver/bin", program, path));
}

bool browser_find_driver(enum browser_kind kind, char path[DRIVER_PATH_BYTES], struct error *error)
{
    const struct browser_facts *facts = browser_facts(kind);
    const char *told = getenv(facts->variable);

    if (told != NULL && *told) {
        if (*told != '/' || strlen(told) >= DRIVER_PATH_BYTES || !is_program(told)) {
            return error_set(error, "%s is %.200s, which is not the absolute path of a program",
                             facts->variable, told);
        }
        snprintf(path, DRIVER_PATH_BYTES, "%s", told);
        return true;
    }
    if (search_path(facts->program, path) ||
        (kind == BROWSER_FIREFOX && search_cargo(facts->program, path))) {
        return true;
    }
    return error_set(error, "%s needs %s: %s", facts->name, facts->program, facts->install);
}

bool browser_find_drivers(const struct browser_mix *mix, struct error *error)
{
    char path[DRIVER_PATH_BYTES];
    struct error missing;
    bool are_all_here = true;

    for (size_t i = 0; i < mix->count; i++) {
        if (mix->kinds[i] == BROWSER_REMOTE || browser_mix_has_before(mix, i) ||
            browser_find_driver(mix->kinds[i], path, &missing)) {
            continue;
        }
        if (are_all_here) {
            error_set(error, "%s", missing.text);
        } else {
            error_wrap(error, "%s; ", missing.text);
        }
        are_all_here = false;
    }
    return are_all_here;
}
