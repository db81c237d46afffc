/* The request for a new campaign: its script, its files, how many agents it waits for. */
#include "coordinator/api/creation.h"

#include "common/base64.h"
#include "common/memory.h"
#include "coordinator/json/json_put.h"
#include "proto/message/bundle.h"
#include "proto/message/environment.h"
#include "proto/message/limits.h"

#include <string.h>

#define AGENTS_MAX 100000
#define DEADLINE_FALLBACK_MS 60000
#define KEY_MAX_BYTES 64u

static bool refuse_content(struct error *error)
{
    return error_set(error, "the content is not Base64 of at most %u bytes", LIMIT_BUNDLE_BYTES);
}

static struct bytes content_text(const json_t *file)
{
    const json_t *content = json_object_get(file, "content");
    return bytes_of(json_string_value(content), json_string_length(content));
}

static bool creation_take_file(const json_t *object, struct bundle_file *file, struct error *error)
{
    static const char *const keys[] = {"path", "content", NULL};
    const json_t *path = json_object_get(object, "path");
    if (!json_is_string(path) || !json_is_string(json_object_get(object, "content"))) {
        return error_set(error, "a file is an object with the texts path and content");
    }
    file->path = bytes_of(json_string_value(path), json_string_length(path));
    return json_check_keys(object, keys, "file", error) &&
           (base64_decoded_room(content_text(object)) <= LIMIT_BUNDLE_BYTES + 2 || refuse_content(error));
}

/* Into one block of memory that has room for all of them. */
static bool decode_files(struct creation *creation, json_t *files, size_t room, struct error *error)
{
    size_t at = 0;
    creation->content = memory_new(room + 1, 1);
    for (size_t i = 0; i < creation->bundle.file_count; i++) {
        json_t *object = json_array_get(files, i);
        size_t size = 0;
        if (!base64_decode_to(creation->content + at, content_text(object), &size)) {
            return refuse_content(error) || error_wrap(error, "files[%zu]: ", i);
        }
        creation->bundle.files[i].content = bytes_of(creation->content + at, size);
        at += size;
        (void)json_object_del(object, "content");
    }
    return true;
}

static bool take_files(struct creation *creation, json_t *files, struct error *error)
{
    size_t count = json_array_size(files); /* 0 for what is not an array */
    size_t room = 0;
    if (count == 0 || count > LIMIT_BUNDLE_FILES) {
        return error_set(error, "files is not a list of 1 to %u files", LIMIT_BUNDLE_FILES);
    }
    struct bundle *bundle = &creation->bundle;
    bundle->files = memory_new(count, sizeof *bundle->files);
    bundle->file_count = count;
    for (size_t i = 0; i < count; i++) {
        if (!creation_take_file(json_array_get(files, i), &bundle->files[i], error)) {
            return error_wrap(error, "files[%zu]: ", i);
        }
        room += base64_decoded_room(content_text(json_array_get(files, i)));
    }
    if (!decode_files(creation, files, room, error) || !bundle_check(bundle, error)) {
        return false;
    }
    bundle_hash(bundle, creation->hash);
    bundle->hash = bytes_of_string(creation->hash);
    return true;
}

static bool take_script(struct creation *creation, const json_t *script, struct error *error)
{
    struct bytes text = bytes_of(json_string_value(script), json_string_length(script));
    if (text.size == 0 || text.size > LIMIT_PATH_BYTES || !bytes_is_printable(text)) {
        return error_set(error, "script is not a text of 1 to %u printable bytes", LIMIT_PATH_BYTES);
    }
    creation->script = json_string_value(script);
    return true;
}

/* Identifies the request when it is repeated because no answer came. */
static bool take_key(struct creation *creation, const json_t *key, struct error *error)
{
    struct bytes text = bytes_of(json_string_value(key), json_string_length(key));
    if (key != NULL && (text.size == 0 || text.size > KEY_MAX_BYTES || !bytes_is_printable(text))) {
        return error_set(error, "creation_key is not a text of 1 to %u printable bytes", KEY_MAX_BYTES);
    }
    creation->key = json_string_value(key);
    return true;
}

static bool creation_take_number(const json_t *value, const char *what, json_int_t minimum,
                                 json_int_t maximum, struct error *error)
{
    if (!json_is_integer(value) || json_integer_value(value) < minimum ||
        json_integer_value(value) > maximum) {
        return error_set(error, "%s is not an integer from %lld to %lld", what, (long long)minimum,
                         (long long)maximum);
    }
    return true;
}

static bool take_waiting(struct creation *creation, const json_t *object, struct error *error)
{
    const json_t *agents = json_object_get(object, "expect_agents");
    const json_t *deadline = json_object_get(object, "deadline_ms");
    if ((agents != NULL && !creation_take_number(agents, "expect_agents", 1, AGENTS_MAX, error)) ||
        (deadline != NULL &&
         !creation_take_number(deadline, "deadline_ms", 0, (json_int_t)LIMIT_DURATION_MS, error))) {
        return false;
    }
    creation->agents = agents != NULL ? (uint32_t)json_integer_value(agents) : 1;
    creation->deadline_ms = deadline != NULL ? (uint64_t)json_integer_value(deadline) : DEADLINE_FALLBACK_MS;
    return true;
}

/* `script` may have the folder that it was in, the files never have. */
static bool check_first_file(const struct creation *creation, struct error *error)
{
    const char *slash = strrchr(creation->script, '/');
    const char *name = slash != NULL ? slash + 1 : creation->script;
    struct bytes first = creation->bundle.files[0].path;
    if (!bytes_equal_string(first, name)) {
        return error_set(error, "script is \"%.80s\", but the first of the files is \"%.*s\"",
                         creation->script, (int)(first.size < 80 ? first.size : 80),
                         (const char *)first.data);
    }
    return true;
}

/* {"NAME": "value"} */
static bool take_environment(struct creation *creation, const json_t *env, struct error *error)
{
    const char *name = NULL;
    json_t *value = NULL;
    if (env != NULL && !json_is_object(env)) {
        return error_set(error, "env is no object");
    }
    json_object_foreach((json_t *)(uintptr_t)env, name, value)
    {
        struct bytes text = bytes_of(json_string_value(value), json_string_length(value));
        if (!json_is_string(value)) {
            return error_set(error, "env: the value of \"%.40s\" is not a text", name);
        }
        if (!environment_set(&creation->environment, bytes_of_string(name), text, error)) {
            return error_wrap(error, "env: ");
        }
    }
    creation->options.env = buffer_bytes(&creation->environment);
    return true;
}

bool creation_read(struct creation *creation, struct json_t *object, struct error *error)
{
    static const char *const keys[] = {"script",        "files",       "options",      "env",
                                       "expect_agents", "deadline_ms", "creation_key", NULL};
    *creation = (struct creation){.agents = 1};
    environment_init(&creation->environment);
    return json_check_keys(object, keys, "campaign", error) &&
           take_script(creation, json_object_get(object, "script"), error) &&
           take_key(creation, json_object_get(object, "creation_key"), error) &&
           take_waiting(creation, object, error) &&
           creation_read_options(&creation->options, json_object_get(object, "options"), error) &&
           take_environment(creation, json_object_get(object, "env"), error) &&
           take_files(creation, json_object_get(object, "files"), error) && check_first_file(creation, error);
}

void creation_finish(struct creation *creation)
{
    memory_free(creation->content);
    memory_free(creation->bundle.files);
    buffer_finish(&creation->environment);
    creation->content = NULL;
    creation->bundle = (struct bundle){0};
}
