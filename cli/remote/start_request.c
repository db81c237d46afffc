/* What `tutti start` sends. */
#include "cli/remote/start_request.h"
#include "common/base64.h"
#include "common/memory.h"
#include "coordinator/json/json_put.h"
#include "proto/message/campaign_option.h"
#include "proto/message/environment.h"

#include <assert.h>

/* A number below its minimum and an empty text are what nobody has set, such as the seed: no value. */
static json_t *option_value(const struct option *option, const struct campaign_options *options)
{
    const void *value = (const char *)options + option->offset;
    const struct bytes *text = value;
    switch (option->type) {
    case OPTION_FLAG:
        return json_boolean(*(const bool *)value);
    case OPTION_REAL:
        return json_real(*(const double *)value);
    case OPTION_BYTES:
        return text->size > 0 ? json_stringn((const char *)text->data, text->size) : NULL;
    case OPTION_CHOICE:
        return json_string(option_choice(option, (uint32_t)option_number(option, options)));
    default: {
        uint64_t number = option_number(option, options);
        return number >= option->minimum ? json_integer((json_int_t)number) : NULL;
    }
    }
}

static json_t *options_of(const struct campaign_options *options)
{
    json_t *object = json_object();
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        const struct campaign_option *row = &campaign_option_table[i];
        json_t *value = row->key != NULL ? option_value(&row->option, options) : NULL;
        if (value != NULL) {
            json_put(object, row->key, value);
        }
    }
    return object;
}

static json_t *environment_of(struct bytes environment)
{
    json_t *object = json_object();
    struct bytes name;
    struct bytes value;
    while (environment_next(&environment, &name, &value)) {
        json_t *text = json_stringn((const char *)value.data, value.size);
        SCOPED(memory_free_at) char *key = memory_format("%.*s", BYTES_FORMAT(name));
        json_put(object, key, text);
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
    json_put(object, "options", options_of(&options->run.campaign));
    json_put(object, "env", environment_of(options->run.campaign.env));
    json_put_count(object, "expect_agents", options->expected_agents);
    json_put_count(object, "deadline_ms", options->deadline_ms);
    json_put_text(object, "creation_key", bytes_of_string(key));
    char *text = json_to_text(object, false);
    json_decref(object);
    return text;
}
