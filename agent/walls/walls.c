/* Which places are accessible behind the walls, and the order in which the walls go up. */
#include "agent/walls/walls.h"

#include "agent/walls/landlock.h"
#include "agent/walls/privileges.h"
#include "agent/walls/syscall_filter.h"
#include "common/bytes.h"
#include "common/memory.h"

#include <fts.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define INTERPRETER_BYTES 256
#define MAX_ENTRIES 5000u
#define MAX_DEPTH 4

enum inhabitant { SCRIPTS = 1, BROWSERS = 2, EVERYBODY = 3 };

#define PLACE(who, access, path) {who, access, path},
static const struct place {
    enum inhabitant who;
    enum landlock_access access;
    const char *path;
} places[] = {
#include "agent/walls/walls_places.inc"
};

/* Environment variables that name files which the libraries below us read. */
static const char *const variables[] = {"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "OPENSSL_CONF",
                                        "TZDIR"};

static void allow_pattern(struct landlock *landlock, const struct place *place)
{
    glob_t found;

    if (strchr(place->path, '*') == NULL) {
        landlock_allow(landlock, place->path, place->access);
        return;
    }
    if (glob(place->path, GLOB_NOSORT, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            landlock_allow(landlock, found.gl_pathv[i], place->access);
        }
        globfree(&found);
    }
}

static void allow_list(struct landlock *landlock, const char *list, char separator,
                       enum landlock_access access)
{
    const char ends[] = {separator, 0};

    while (list != NULL && *list != 0) {
        char path[PATH_MAX];
        size_t size = strcspn(list, ends);
        if (size > 0 && size < sizeof path) {
            bytes_to_text(bytes_of(list, size), path, sizeof path);
            landlock_allow(landlock, path, access);
        }
        list += size;
        list += *list == separator;
    }
}

/* A program that replaces a plain /etc/resolv.conf (one that is neither a link nor a mount) puts another file
 * in its place, to which the rule of the old one does not apply. Allowing the whole folder would expose too
 * much to root. */
static bool is_resolver_replaced(void)
{
    struct stat file;
    struct stat folder;

    return geteuid() != 0 && lstat("/etc/resolv.conf", &file) == 0 && S_ISREG(file.st_mode) &&
           stat("/etc", &folder) == 0 && file.st_dev == folder.st_dev;
}

/* Targets of links in there are considered intended; of a folder with very many entries only the first
 * part. */
static void allow_links(struct landlock *landlock, char *folder)
{
    char *roots[] = {folder, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;

    if (walk == NULL) {
        return;
    }
    for (unsigned i = 0; i < MAX_ENTRIES && (entry = fts_read(walk)) != NULL; i++) {
        if (entry->fts_info == FTS_SL) {
            landlock_allow(landlock, entry->fts_accpath, LANDLOCK_READ);
        }
        if (entry->fts_info == FTS_D && entry->fts_level >= MAX_DEPTH) {
            (void)fts_set(walk, entry, FTS_SKIP);
        }
    }
    (void)fts_close(walk);
}

static void allow_script(struct landlock *landlock, const char *script)
{
    const char *slash = strrchr(script, '/');
    SCOPED(memory_free_at)
    char *folder =
        slash != NULL ? memory_copy(script, (size_t)(slash + 1 - script)) : memory_copy_string(".");

    landlock_allow(landlock, folder, LANDLOCK_READ);
    landlock_allow(landlock, script, LANDLOCK_READ);
    allow_links(landlock, folder);
}

static void allow_places(struct landlock *landlock, const struct walls *walls, enum inhabitant who)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if ((places[i].who & who) != 0) {
            allow_pattern(landlock, &places[i]);
        }
    }
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        allow_list(landlock, getenv(variables[i]), ':', LANDLOCK_READ);
    }
    if (walls->is_lasting && is_resolver_replaced()) {
        landlock_allow(landlock, "/etc", LANDLOCK_READ);
    }
    allow_list(landlock, walls->readable, ',', LANDLOCK_READ);
    if (walls->script != NULL) {
        allow_script(landlock, walls->script);
    }
    if (walls->writable != NULL) {
        landlock_allow(landlock, walls->writable, LANDLOCK_WRITE);
    }
#ifdef TUTTI_COUNTS_INTO
    /* Coverage data, which every process writes at its end. */
    landlock_allow(landlock, TUTTI_COUNTS_INTO, LANDLOCK_WRITE);
#endif
}

/* For a script, this is the name of its interpreter; "/usr/bin/env NAME" is NAME as found in PATH. */
static bool find_interpreter(const char *program, char interpreter[INTERPRETER_BYTES])
{
    char line[INTERPRETER_BYTES] = "";
    FILE *file = fopen(program, "re");

    if (file == NULL) {
        return false;
    }
    bool is_script = fgets(line, sizeof line, file) != NULL && strncmp(line, "#!", 2) == 0;
    (void)fclose(file);
    char *rest = NULL;
    const char *word = is_script ? strtok_r(line + 2, " \t\n", &rest) : NULL;
    if (word == NULL) {
        return false;
    }
    bytes_to_text(bytes_of_string(word), interpreter, INTERPRETER_BYTES);
    return true;
}

static void allow_program(struct landlock *landlock, const char *program)
{
    char interpreter[INTERPRETER_BYTES];

    landlock_allow(landlock, program, LANDLOCK_RUN);
    if (find_interpreter(program, interpreter)) {
        landlock_allow(landlock, interpreter, LANDLOCK_RUN);
    }
}

/* A kernel without seccomp says so; a refusal for any other reason is an error. */
static bool filter_calls(enum syscall_filter filter, bool *is_filtered, struct error *error)
{
    bool has_filters = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;

    *is_filtered = has_filters && syscall_filter_load(filter, error);
    return !has_filters || *is_filtered;
}

bool walls_raise_for_scripts(const struct walls *walls, struct walls_standing *standing, struct error *error)
{
    const struct landlock_settings settings = {.keeps_ports = true};
    struct landlock landlock;

    *standing = (struct walls_standing){.is_privilege_kept = privileges_drop(error)};
    if (!standing->is_privilege_kept || !landlock_init(&landlock, &settings, error)) {
        return false;
    }
    standing->landlock_abi = landlock.abi;
    allow_places(&landlock, walls, SCRIPTS);
    landlock_allow_port(&landlock, 0);
    if (walls->port != 0) {
        landlock_allow_port(&landlock, walls->port);
    }
    bool is_enforced = landlock_enforce(&landlock, error);
    landlock_finish(&landlock);
    return is_enforced && filter_calls(SYSCALL_FILTER_SCRIPTS, &standing->is_filtered, error);
}

bool walls_raise_for_browser(const struct walls *walls, struct error *error)
{
    const struct landlock_settings settings = {.keeps_ports = false};
    struct landlock landlock;
    bool is_filtered;

    if (!privileges_drop(error) || !landlock_init(&landlock, &settings, error)) {
        return false;
    }
    allow_places(&landlock, walls, BROWSERS);
    allow_list(&landlock, walls->runnable, ',', LANDLOCK_RUN);
    if (walls->program != NULL) {
        allow_program(&landlock, walls->program);
    }
    /* Chromium writes its user id in the namespace of its own sandbox there; root has no such sandbox, and
     * could change the kernel there. */
    if (geteuid() != 0) {
        landlock_allow(&landlock, "/proc", LANDLOCK_AMEND);
    }
    bool is_enforced = landlock_enforce(&landlock, error);
    landlock_finish(&landlock);
    return is_enforced && filter_calls(SYSCALL_FILTER_BROWSERS, &is_filtered, error);
}

void walls_describe(const struct walls_standing *standing, char text[WALLS_TEXT_BYTES])
{
    char landlock[32] = "";

    if (standing->landlock_abi > 0) {
        (void)snprintf(landlock, sizeof landlock, "Landlock %d, ", standing->landlock_abi);
    }
    (void)snprintf(text, WALLS_TEXT_BYTES, "%s%s%s%s%s", landlock, standing->is_filtered ? "seccomp, " : "",
                   standing->is_privilege_kept ? "no_new_privs" : "",
                   standing->landlock_abi > 0 ? "" : " (no Landlock on this kernel)",
                   standing->is_filtered ? "" : " (no seccomp on this kernel)");
}
