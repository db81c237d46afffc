/* Writes the files that a report of a coordinator is also written to. */
#include "cli/remote/control_outputs.h"
#include "cli/remote/control.h"
#include "common/memory.h"
#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"
#include "coordinator/json/report_json.h"
#include "coordinator/json/series_json.h"

#include <inttypes.h>

struct control_artifacts {
    struct artifact items[LIMIT_ARTIFACTS];
    struct buffer contents[LIMIT_ARTIFACTS];
    size_t count;
};

static void control_artifacts_finish(struct control_artifacts *artifacts)
{
    for (size_t i = 0; i < artifacts->count; i++) {
        buffer_finish(&artifacts->contents[i]);
    }
}

/* One that is not there any more stays empty. */
static void control_artifacts_fetch(struct control_artifacts *artifacts, struct api_client *client,
                                    const json_t *report)
{
    const json_t *list = json_object_get(report, "artifacts");
    uint64_t campaign = json_get_count(report, "campaign");
    for (size_t i = 0; i < json_array_size(list) && i < LIMIT_ARTIFACTS; i++) {
        const json_t *item = json_array_get(list, i);
        struct artifact *artifact = &artifacts->items[i];
        struct buffer *content = &artifacts->contents[i];
        struct error error;
        bool is_picture =
            bytes_equal_string(json_get_text(item, "kind"), artifact_kind_name(ARTIFACT_SCREENSHOT));
        buffer_init(content, LIMIT_ARTIFACT_BYTES);
        artifacts->count = i + 1;
        artifact->kind = is_picture ? ARTIFACT_SCREENSHOT : ARTIFACT_SOURCE;
        artifact->worker = (uint32_t)json_get_count(item, "worker");
        artifact->step = json_get_count(item, "step");
        SCOPED(memory_free_at)
        char *rest = memory_format("/artifacts/%" PRIu64, json_get_count(item, "number"));
        SCOPED(memory_free_at) char *path = control_path(campaign, rest);
        if (is_picture && api_client_fetch(client, path, content, &error) == API_DONE) {
            artifact->content = buffer_bytes(content);
        }
    }
}

bool control_outputs_write(struct outputs *outputs, struct api_client *client, const json_t *report,
                           struct error *error)
{
    SCOPED(control_artifacts_finish) struct control_artifacts artifacts = {.count = 0};
    SCOPED(memory_free_at) char *text = NULL;
    json_t *object =
        outputs_want_series(outputs) ? control_series(client, json_get_count(report, "campaign")) : NULL;
    SCOPED(series_view_free) struct series_view *series = series_json_read(object);
    SCOPED(report_view_free) struct report_view *view = report_json_read(report);
    if (outputs_want_json(outputs)) {
        SCOPED(memory_free_at) char *points = object != NULL ? json_to_text(object, false) : NULL;
        text = report_json_with_series(report, points);
        control_artifacts_fetch(&artifacts, client, report);
    }
    json_decref(object);
    const struct output_content content = {.report = view,
                                           .series = series,
                                           .json = text,
                                           .artifacts = artifacts.items,
                                           .artifact_count = artifacts.count};
    return outputs_write(outputs, &content, error);
}
