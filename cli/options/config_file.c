/* A file of named runs. JSON is a part of YAML, so that one parser reads both, and knows the lines of both.
 */
#include "cli/options/config_file.h"

#include "cli/base/text_file.h"
#include "cli/options/env_file.h"
#include "cli/options/run_options.h"
#include "cli/options/start_options.h"
#include "common/memory.h"
#include "proto/message/environment.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#define CONFIG_FILE_MAX_BYTES ((size_t)1024 * 1024)
#define CONFIG_NAME_BYTES 64u

/* What is being read. */
struct config_file {
    const char *path;
    yaml_document_t document;
    struct config_run *run;
    bool is_wanted; /* that run is the one that was asked for */
    struct error *error;
};

/* A pair of a mapping. */
struct config_pair {
    const yaml_node_t *key;
    const yaml_node_t *value;
    const char *name; /* the text of the key */
};

void config_run_init(struct config_run *run)
{
    *run = (struct config_run){0};
    environment_init(&run->environment);
}

static void config_run_forget_options(struct config_run *run)
{
    for (size_t i = 0; i < run->option_count; i++) {
        memory_free(run->options[i].name);
        memory_free(run->options[i].text);
    }
    run->option_count = 0;
    memory_free(run->script);
    run->script = NULL;
}

void config_run_finish(struct config_run *run)
{
    config_run_forget_options(run);
    memory_free(run->options);
    buffer_finish(&run->environment);
}

bool config_run_has(const struct config_run *run, const char *option)
{
    for (size_t i = 0; i < run->option_count; i++) {
        if (strcmp(run->options[i].name, option) == 0) {
            return true;
        }
    }
    return false;
}

/* "file:7: ", in front of the error. */
static bool config_file_at(const struct config_file *file, const yaml_node_t *node)
{
    return error_wrap(file->error, "%s:%zu: ", file->path, node->start_mark.line + 1);
}

static const char *config_text(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE &&
                   strlen((const char *)node->data.scalar.value) == node->data.scalar.length
               ? (const char *)node->data.scalar.value
               : NULL;
}

/* The pairs of a mapping from `at` on; false at its end, or with an error in `is_bad`. */
static bool config_next_pair(struct config_file *file, const yaml_node_t *mapping, size_t *at,
                             struct config_pair *pair, bool *is_bad)
{
    const yaml_node_pair_t *pairs = mapping->data.mapping.pairs.start;
    size_t count = (size_t)(mapping->data.mapping.pairs.top - pairs);
    if (*at == count) {
        return false;
    }
    pair->key = yaml_document_get_node(&file->document, pairs[*at].key);
    pair->value = yaml_document_get_node(&file->document, pairs[*at].value);
    pair->name = config_text(pair->key);
    if (pair->name == NULL) {
        (void)error_set(file->error, "a key is not a text");
        *is_bad = true;
        return config_file_at(file, pair->key);
    }
    for (size_t i = 0; i < *at; i++) {
        const char *before = config_text(yaml_document_get_node(&file->document, pairs[i].key));
        if (before != NULL && strcmp(before, pair->name) == 0) {
            (void)error_set(file->error, "\"%.*s\" stands there twice", (int)CONFIG_NAME_BYTES, pair->name);
            *is_bad = true;
            return config_file_at(file, pair->key);
        }
    }
    ++*at;
    return true;
}

static bool config_is_mapping(struct config_file *file, const struct config_pair *pair)
{
    if (pair->value->type == YAML_MAPPING_NODE) {
        return true;
    }
    (void)error_set(file->error, "%.*s is not an object", (int)CONFIG_NAME_BYTES, pair->name);
    return config_file_at(file, pair->value);
}

/* Relative to the folder of the file. */
static char *config_path(const struct config_file *file, const char *path)
{
    const char *slash = strrchr(file->path, '/');
    return *path == '/' || slash == NULL
               ? memory_copy_string(path)
               : memory_format("%.*s/%s", (int)(slash - file->path), file->path, path);
}

static bool config_take_environment(struct config_file *file, const struct config_pair *env)
{
    struct config_pair pair;
    size_t at = 0;
    bool is_bad = false;
    if (!config_is_mapping(file, env)) {
        return false;
    }
    while (config_next_pair(file, env->value, &at, &pair, &is_bad)) {
        const char *text = config_text(pair.value);
        bool is_good = text != NULL || error_set(file->error, "the value of a variable is not a text");
        if (!is_good || !environment_set(&file->run->environment, bytes_of_string(pair.name),
                                         bytes_of_string(text), file->error)) {
            (void)error_wrap(file->error, "env: ");
            return config_file_at(file, pair.key);
        }
    }
    return !is_bad;
}

/* Of either command: one file serves both. */
static const struct option *config_find_option(const char *name)
{
    for (size_t i = 0; i < START_OPTION_COUNT; i++) {
        if (strcmp(start_option_table[i].name, name) == 0) {
            return &start_option_table[i];
        }
    }
    for (size_t i = 0; i < RUN_OPTION_COUNT; i++) {
        if (strcmp(run_option_table[i].name, name) == 0) {
            return &run_option_table[i];
        }
    }
    return NULL;
}

/* As the command line spells it: with dashes, and by our names. */
static void config_option_name(const char *key, char name[CONFIG_NAME_BYTES])
{
    static const char *const molotov[][2] = {{"max-runs", "runs"}, {"processes", "agents"}};
    (void)snprintf(name, CONFIG_NAME_BYTES, "%s", key);
    for (char *at = name; *at != '\0'; at++) {
        *at = *at == '_' ? '-' : *at;
    }
    for (size_t i = 0; i < sizeof molotov / sizeof molotov[0]; i++) {
        if (strcmp(name, molotov[i][0]) == 0) {
            (void)snprintf(name, CONFIG_NAME_BYTES, "%s", molotov[i][1]);
        }
    }
}

/* A text, or those of a list with the option's separator between them: for memory_free; NULL with an error.
 */
static char *config_spell(struct config_file *file, const yaml_node_t *node, const struct option *option)
{
    if (node->type == YAML_SCALAR_NODE && config_text(node) != NULL) {
        return memory_copy_string(config_text(node));
    }
    if (node->type != YAML_SEQUENCE_NODE || !option->is_list) {
        (void)error_set(file->error, "%s: it is not a %s", option->name,
                        option->is_list ? "text or a list" : "text");
        return NULL;
    }
    SCOPED(buffer_finish) struct buffer joined;
    buffer_init(&joined, CONFIG_FILE_MAX_BYTES);
    char separator = option->separator != 0 ? option->separator : ' ';
    const yaml_node_item_t *items = node->data.sequence.items.start;
    for (size_t i = 0; i < (size_t)(node->data.sequence.items.top - items); i++) {
        const char *text = config_text(yaml_document_get_node(&file->document, items[i]));
        if (text == NULL) {
            (void)error_set(file->error, "%s: the list has something that is not a text", option->name);
            return NULL;
        }
        (void)buffer_append(&joined, &separator, i > 0 ? 1 : 0);
        (void)buffer_append_string(&joined, text);
    }
    return memory_copy_string(buffer_string(&joined));
}

/* Into a structure that is thrown away, so that what is wrong is said with its line. */
static bool config_check_option(struct config_file *file, const struct option *option, const char *text)
{
    struct start_options scratch = {0};
    return option_set(option, 1, bytes_of_string(option->name), text, &scratch, file->error);
}

static bool config_take_env_file(struct config_file *file, const char *text)
{
    SCOPED(memory_free_at) char *path = config_path(file, text);
    return env_file_add(path, &file->run->environment, file->error);
}

/* Takes the texts. */
static void config_run_add(struct config_run *run, const char *name, char *text)
{
    run->options =
        memory_reserve(run->options, &run->option_capacity, run->option_count + 1, sizeof *run->options);
    run->options[run->option_count++] =
        (struct config_option){.name = memory_copy_string(name), .text = text};
}

static bool config_refuse_key(struct config_file *file, const char *name)
{
    struct start_options scratch = {0};
    struct error why;
    bool is_known =
        option_set(start_option_table, START_OPTION_COUNT, bytes_of_string(name), "", &scratch, &why);
    const char *hint = is_known ? NULL : strchr(why.text, ';');
    return error_set(file->error, "\"%s\" is not known here%s", name, hint != NULL ? hint : "");
}

static bool config_take_option(struct config_file *file, const struct config_pair *pair)
{
    char name[CONFIG_NAME_BYTES];
    config_option_name(pair->name, name);
    const struct option *option = config_find_option(name);
    if (option == NULL || strcmp(name, "config") == 0 || strcmp(name, "env") == 0) {
        return config_refuse_key(file, name);
    }
    char *text = config_spell(file, pair->value, option);
    bool is_good = text != NULL && config_check_option(file, option, text);
    if (is_good && option->type == OPTION_TEXTS) {
        is_good = !file->is_wanted || config_take_env_file(file, text);
    } else if (is_good) {
        config_run_add(file->run, name, text);
        return true;
    }
    memory_free(text);
    return is_good;
}

static bool config_take_script(struct config_file *file, const struct config_pair *pair)
{
    const char *text = config_text(pair->value);
    if (text == NULL || *text == '\0') {
        return error_set(file->error, "script: it is not the path of a script");
    }
    file->run->script = config_path(file, text);
    return true;
}

static bool config_take_run(struct config_file *file, const struct config_pair *run)
{
    struct config_pair pair;
    size_t at = 0;
    bool is_bad = false;
    if (!config_is_mapping(file, run)) {
        return false;
    }
    while (config_next_pair(file, run->value, &at, &pair, &is_bad)) {
        bool is_script = strcmp(pair.name, "script") == 0 || strcmp(pair.name, "scenario") == 0;
        if (strcmp(pair.name, "env") == 0) {
            if (!config_take_environment(file, &pair)) {
                return false;
            }
        } else if (!(is_script ? config_take_script(file, &pair) : config_take_option(file, &pair))) {
            (void)error_wrap(file->error, "%.*s: ", (int)CONFIG_NAME_BYTES, run->name);
            return config_file_at(file, pair.key);
        }
    }
    if (!is_bad && file->run->script == NULL) {
        (void)error_set(file->error, "%.*s: it has no script", (int)CONFIG_NAME_BYTES, run->name);
        return config_file_at(file, run->key);
    }
    return !is_bad;
}

/* Checks every run, and keeps the one of this name. */
static bool config_take_runs(struct config_file *file, const struct config_pair *runs, const char *name,
                             struct buffer *names)
{
    struct config_run *kept = file->run;
    struct config_pair pair;
    size_t at = 0;
    bool is_bad = false;
    bool is_good = config_is_mapping(file, runs);
    while (is_good && config_next_pair(file, runs->value, &at, &pair, &is_bad)) {
        struct config_run other;
        file->is_wanted = name != NULL && strcmp(pair.name, name) == 0;
        config_run_init(&other);
        file->run = file->is_wanted ? kept : &other;
        is_good = config_take_run(file, &pair);
        (void)buffer_append_format(names, "%s\n", pair.name);
        config_run_finish(&other);
    }
    file->run = kept;
    return is_good && !is_bad;
}

/* The object under "tutti", or Molotov's own. */
static bool config_take_top(struct config_file *file, const struct config_pair *top, const char *name,
                            struct buffer *names)
{
    struct config_pair pair;
    size_t at = 0;
    bool is_bad = false;
    const struct config_pair none = {0};
    struct config_pair runs = none;
    if (!config_is_mapping(file, top)) {
        return false;
    }
    while (config_next_pair(file, top->value, &at, &pair, &is_bad)) {
        if (strcmp(pair.name, "runs") == 0 || strcmp(pair.name, "tests") == 0) {
            runs = pair;
        } else if (strcmp(pair.name, "env") != 0) {
            (void)error_set(file->error, "\"%.*s\" is not known here: env and runs are",
                            (int)CONFIG_NAME_BYTES, pair.name);
            return config_file_at(file, pair.key);
        } else if (!config_take_environment(file, &pair)) {
            return false; /* of all runs; what a run has itself comes over it */
        }
    }
    if (!is_bad && runs.value == NULL) {
        (void)error_set(file->error, "there are no runs");
        return config_file_at(file, top->key);
    }
    return !is_bad && config_take_runs(file, &runs, name, names);
}

static bool config_take_document(struct config_file *file, const char *name, struct buffer *names)
{
    const yaml_node_t *root = yaml_document_get_root_node(&file->document);
    struct config_pair top = {0};
    size_t at = 0;
    bool is_bad = false;
    bool is_object = root != NULL && root->type == YAML_MAPPING_NODE;
    if (!is_object || !config_next_pair(file, root, &at, &top, &is_bad) ||
        (strcmp(top.name, "tutti") != 0 && strcmp(top.name, "molotov") != 0)) {
        return !is_bad && error_set(file->error, "%s: it is no object with the key \"tutti\"", file->path);
    }
    struct config_pair more;
    if (config_next_pair(file, root, &at, &more, &is_bad)) {
        (void)error_set(file->error, "\"%.*s\" is not known here", (int)CONFIG_NAME_BYTES, more.name);
        return config_file_at(file, more.key);
    }
    return !is_bad && config_take_top(file, &top, name, names);
}

static bool config_is_named(const struct config_file *file, const char *name, struct buffer *names)
{
    if (name == NULL) {
        (void)fputs(buffer_string(names), stdout);
        return true;
    }
    if (file->run->script != NULL) {
        return true;
    }
    for (size_t i = 0; i + 1 < names->size; i++) {
        names->data[i] = names->data[i] == '\n' ? ' ' : names->data[i];
    }
    return error_set(file->error, "%s has no run \"%.*s\"; it has %s", file->path, (int)CONFIG_NAME_BYTES,
                     name, names->size > 0 ? buffer_string(names) : "none");
}

bool config_file_read(const char *path, const char *name, struct config_run *run, struct error *error)
{
    struct config_file file = {.path = path, .run = run, .error = error};
    yaml_parser_t parser;
    char *text = text_file_read_up_to(path, CONFIG_FILE_MAX_BYTES, error);
    if (text == NULL) {
        return false;
    }
    SCOPED(buffer_finish) struct buffer names;
    buffer_init(&names, CONFIG_FILE_MAX_BYTES);
    bool is_good = yaml_parser_initialize(&parser) != 0;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
    if (yaml_parser_load(&parser, &file.document) == 0) {
        (void)error_set(error, "%s:%zu: %s", path, parser.problem_mark.line + 1,
                        parser.problem != NULL ? parser.problem : "it is neither JSON nor YAML");
        is_good = false;
    } else {
        is_good = config_take_document(&file, name, &names) && config_is_named(&file, name, &names);
        yaml_document_delete(&file.document);
    }
    yaml_parser_delete(&parser);
    text_file_wipe(&text);
    return is_good;
}
