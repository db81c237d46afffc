/* What `tutti start` sends. */
#include "cli/remote/start_request.h"
#include "common/base64.h"
#include "common/memory.h"
#include "coordinator/json/json_put.h"

#include <assert.h>

/* The name of a choice stands in the row from which it was read. */
static const char *choice_of(const char *name, uint32_t index)
{
    for (size_t i = 0; i < START_OPTION_COUNT; i++) {
        if (bytes_equal_string(bytes_of_string(name), start_option_table[i].name)) {
            return start_option_table[i].choices[index];
        }
    }
    assert(false);
    return NULL;
}

static void put_fail(json_t *object, const struct fail_limit *fail)
{
    if (fail->percent > 0) {
        json_put(object, "fail_percent", json_real(fail->percent));
    } else {
        json_put_count(object, "fail_steps", fail->steps);
    }
}

/* A seed that nobody chose is for the coordinator to draw. */
static json_t *options_of(const struct run_options *run)
{
    json_t *object = json_object();
    json_put_count(object, "workers", run->workers);
    json_put_count(object, "runs", run->runs);
    json_put_count(object, "duration_ms", run->duration_ms);
    json_put_count(object, "ramp_up_ms", run->ramp_up_ms);
    json_put_count(object, "delay_ms", run->delay_ms);
    json_put_count(object, "room_size", run->room_size);
    json_put_text(object, "on_loss", bytes_of_string(choice_of("on-loss", run->on_loss)));
    json_put_text(object, "on_deadlock", bytes_of_string(choice_of("on-deadlock", run->on_deadlock)));
    json_put_text(object, "browser", bytes_of_string(choice_of("browser", run->browser)));
    json_put_count(object, "sync_timeout_ms", run->sync_timeout_ms);
    json_put_count(object, "setup_timeout_ms", run->setup_timeout_ms);
    json_put_count(object, "verbosity", run->verbosity);
    json_put(object, "single_run", json_boolean(run->is_single_run));
    json_put(object, "exception", json_boolean(run->is_stopped_by_failure));
    put_fail(object, &run->fail);
    if (run->single_mode != NULL) {
        json_put_text(object, "single_mode", bytes_of_string(run->single_mode));
    }
    if (run->target != NULL) {
        json_put_text(object, "target", bytes_of_string(run->target));
    }
    if (run->is_set[RUN_SEED]) {
        json_put_count(object, "seed", run->seed);
    }
    return object;
}

static json_t *file_of(const struct bundle_file *file)
{
    SCOPED(buffer_finish) struct buffer content;
    buffer_init(&content, file->content.size / 3 * 4 + 8);
    bool fits = base64_encode(&content, file->content);
    assert(fits);
    (void)fits;
    json_t *object = json_object();
    json_put_text(object, "path", file->path);
    json_put(object, "content", json_stringn(buffer_string(&content), content.size));
    return object;
}

char *start_request(const char *script, const struct start_options *options, const struct bundle *bundle,
                    const char *key)
{
    json_t *object = json_object();
    json_t *files = json_array();
    for (size_t i = 0; i < bundle->file_count; i++) {
        int result = json_array_append_new(files, file_of(&bundle->files[i]));
        assert(result == 0);
        (void)result;
    }
    json_put_text(object, "script", bytes_of_string(script));
    json_put(object, "files", files);
    json_t *campaign = options_of(&options->run);
    if (options->labels != NULL) {
        json_put_text(campaign, "on", bytes_of_string(options->labels));
    }
    json_put(object, "options", campaign);
    json_put_count(object, "expect_agents", options->expected_agents);
    json_put_count(object, "deadline_ms", options->deadline_ms);
    json_put_text(object, "creation_key", bytes_of_string(key));
    char *text = json_to_text(object, false);
    json_decref(object);
    return text;
}
