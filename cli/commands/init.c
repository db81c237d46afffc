/* `tutti init`: a small script to start from. */
#include "cli/base/exit_code.h"
#include "cli/commands/subcommand.h"
#include "common/error.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char script_text[] =
    "-- A load test for tutti. Try it: tutti run loadtest.lua --target builtin\n"
    "local tutti = require \"tutti\"\n"
    "local http = require \"tutti.http\"\n"
    "\n"
    "-- The command line overrides these: tutti run loadtest.lua -w 20 -d 30s\n"
    "tutti.options { workers = 4, runs = 5 }\n"
    "\n"
    "-- What each worker does repeatedly: one call is one step.\n"
    "tutti.scenario(\"visit\", function(worker)\n"
    "  local page = http.get(tutti.target .. \"/\")\n"
    "  assert(page.status == 200, \"the front page answered \" .. page.status)\n"
    "end)\n"
    "\n"
    "-- Workers can meet. In every step, one of these four writes and the other three read what it wrote.\n"
    "tutti.scenario(\"pad\", { weight = 0 }, function(worker)\n"
    "  local round = worker:notifier(\"pad\")\n"
    "  local pad = tutti.target .. \"/pad/first\"\n"
    "  if worker.id == worker.count - 1 then\n"
    "    if worker.step > 1 then -- no worker is still reading the last text\n"
    "      worker:notifier(\"pad\", { step = worker.step - 1 }):wait_for_readers()\n"
    "    end\n"
    "    local text = \"step \" .. worker.step\n"
    "    http.put(pad, text)\n"
    "    round:written(text)\n"
    "  else\n"
    "    local text = round:wait_for_writer()\n"
    "    assert(http.get(pad).body == text)\n"
    "    round:one_read()\n"
    "  end\n"
    "end)\n";

static const char readme_text[] =
    "# Load test\n"
    "\n"
    "    tutti check loadtest.lua                           # what it contains, without running it\n"
    "    tutti run loadtest.lua --target builtin            # against the practice target\n"
    "    tutti run loadtest.lua -s pad --target builtin     # workers that wait for each other\n"
    "    tutti run loadtest.lua -w 50 -d 1m --target http://127.0.0.1:8080 --json report.json\n"
    "\n"
    "`tutti help run` lists the options and the exit codes.\n";

static const struct {
    const char *name;
    const char *text;
} files[] = {{"loadtest.lua", script_text}, {"README.md", readme_text}};

#define FILE_COUNT (sizeof files / sizeof files[0])

static bool write_new_file(const char *path, const char *text, struct error *error)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0) {
        return error_set_system(error, errno, "%s", path);
    }
    bool is_written = write_all(descriptor, bytes_of_string(text));
    int number = errno;
    if (close(descriptor) != 0 && is_written) {
        is_written = false;
        number = errno;
    }
    if (!is_written) {
        (void)unlink(path);
        return error_set_system(error, number, "%s", path);
    }
    return true;
}

/* Checks all files before it writes the first one: it writes all of them or none. */
static bool write_skeleton(const char *directory, struct error *error)
{
    if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
        return error_set_system(error, errno, "%s", directory);
    }
    char *paths[FILE_COUNT];
    bool is_good = true;
    for (size_t i = 0; i < FILE_COUNT; i++) {
        paths[i] = memory_format("%s/%s", directory, files[i].name);
        if (is_good && access(paths[i], F_OK) == 0) {
            is_good = error_set(error, "%s already exists; nothing was written", paths[i]);
        }
    }
    for (size_t i = 0; is_good && i < FILE_COUNT; i++) {
        is_good = write_new_file(paths[i], files[i].text, error);
    }
    for (size_t i = 0; i < FILE_COUNT; i++) {
        if (is_good) {
            printf("wrote %s\n", paths[i]);
        }
        memory_free(paths[i]);
    }
    return is_good;
}

static int run_init(int argc, char **argv)
{
    const char *directory = ".";
    size_t word_count = 0;
    if (!subcommand_parse(&init_subcommand, argc, argv, NULL, &directory, 1, &word_count)) {
        return EXIT_CODE_USAGE;
    }
    struct error error;
    if (!write_skeleton(directory, &error)) {
        log_line(LOG_ERROR, "init", "%s", error.text);
        return EXIT_CODE_USAGE;
    }
    printf("try it: tutti run %s/loadtest.lua --target builtin\n", directory);
    return EXIT_CODE_PASSED;
}

const struct subcommand init_subcommand = {
    .name = "init",
    .usage = "[DIR]",
    .summary = "Writes a small commented script to start from",
    .details =
        "Writes loadtest.lua and README.md into DIR (by default the current folder), which is created\n"
        "if it does not exist. Existing files are never overwritten.\n",
    .examples = "  tutti init shop && tutti run shop/loadtest.lua --target builtin\n",
    .needs = {.descriptors = 8, .threads = 0},
    .run = run_init,
};
