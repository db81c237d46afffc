/* Writes the embedded templates and annotations into a folder. */
#include "cli/skeleton/skeleton.h"
#include "cli/skeleton/sources.h"
#include "common/buffer.h"
#include "common/memory.h"
#include "common/replace_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0644
#define ANNOTATIONS "annotations/"
#define README_BYTES 4096u

const char *const skeleton_templates[] = {"start", "pad", "chat", "http", "rest", "browser", NULL};

static const char settings_text[] = "{\n"
                                    "  \"runtime.version\": \"Lua 5.4\",\n"
                                    "  \"workspace.library\": [\".tutti\"],\n"
                                    "  \"workspace.checkThirdParty\": false\n"
                                    "}\n";

static const char readme_text[] =
    "# Load test\n"
    "\n"
    "    tutti check loadtest.lua                           # what it contains, without running it\n"
    "    tutti run loadtest.lua --target builtin            # against the practice target\n"
    "%s"
    "    tutti run loadtest.lua -w 50 -d 1m --target http://127.0.0.1:8080 --json report.json\n"
    "\n"
    "`tutti help run` lists the options and the exit codes. `tutti init --editor` writes .tutti again, which "
    "tells\n"
    "an editor with lua-language-server the functions of tutti.\n";

static const char readme_of_rooms[] =
    "    tutti run loadtest.lua -s pad --target builtin     # workers that wait for each other\n";

struct new_file {
    const char *name;
    struct bytes content;
};

static struct bytes source_named(const char *folder, const char *name)
{
    for (size_t i = 0; i < skeleton_source_count; i++) {
        const struct embedded_source *source = &skeleton_sources[i];
        size_t size = strlen(folder);
        if (strncmp(source->name, folder, size) == 0 &&
            strncmp(source->name + size, name, strlen(name)) == 0 &&
            strcmp(source->name + size + strlen(name), ".lua") == 0) {
            return bytes_of(source->text, source->size);
        }
    }
    return bytes_of(NULL, 0);
}

static bool make_folder(const char *path, struct error *error)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST || error_set_system(error, errno, "%s", path);
}

/* Looks at all files before it writes the first one. */
static bool write_new_files(const char *folder, const struct new_file *files, size_t count,
                            struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        SCOPED(memory_free_at) char *path = memory_format("%s/%s", folder, files[i].name);
        if (access(path, F_OK) == 0) {
            return error_set(error, "%s already exists; nothing was written", path);
        }
    }
    for (size_t i = 0; i < count; i++) {
        SCOPED(memory_free_at) char *path = memory_format("%s/%s", folder, files[i].name);
        if (!replace_file(path, files[i].content, FILE_MODE, false, error)) {
            return false;
        }
        printf("wrote %s\n", path);
    }
    return true;
}

bool skeleton_write_project(const char *folder, const char *name, struct error *error)
{
    SCOPED(buffer_finish) struct buffer readme;
    buffer_init(&readme, README_BYTES);
    buffer_append_format(&readme, readme_text,
                         strcmp(name, skeleton_templates[0]) == 0 ? readme_of_rooms : "");
    const struct new_file files[] = {
        {"loadtest.lua", source_named("templates/", name)},
        {"README.md", buffer_bytes(&readme)},
    };
    return make_folder(folder, error) &&
           write_new_files(folder, files, sizeof files / sizeof files[0], error);
}

static bool write_settings(const char *folder, struct error *error)
{
    const struct new_file settings = {".luarc.json", bytes_of_string(settings_text)};
    SCOPED(memory_free_at) char *path = memory_format("%s/%s", folder, settings.name);
    return access(path, F_OK) == 0 || write_new_files(folder, &settings, 1, error);
}

/* The module tutti.http is tutti/http.lua, as require finds it. */
static bool write_annotation(const char *library, const struct embedded_source *source, struct error *error)
{
    const char *name = source->name + strlen(ANNOTATIONS);
    bool is_root = strcmp(name, "tutti.lua") == 0;
    SCOPED(memory_free_at) char *path = memory_format("%s/%s%s", library, is_root ? "" : "tutti/", name);
    return replace_file(path, bytes_of(source->text, source->size), FILE_MODE, true, error);
}

bool skeleton_write_annotations(const char *folder, struct error *error)
{
    SCOPED(memory_free_at) char *library = memory_format("%s/.tutti", folder);
    SCOPED(memory_free_at) char *modules = memory_format("%s/tutti", library);
    if (!make_folder(folder, error) || !make_folder(library, error) || !make_folder(modules, error) ||
        !write_settings(folder, error)) {
        return false;
    }
    for (size_t i = 0; i < skeleton_source_count; i++) {
        const struct embedded_source *source = &skeleton_sources[i];
        if (strncmp(source->name, ANNOTATIONS, strlen(ANNOTATIONS)) == 0 &&
            !write_annotation(library, source, error)) {
            return false;
        }
    }
    printf("wrote %s\n", library);
    return true;
}
