/* The API's way to a new campaign. */
#include "coordinator/api_inside.h"

#include "common/memory.h"
#include "coordinator/creation.h"

#define BUILTIN "builtin"

/* `builtin` as the target is one of ours: the agents put together where that is. */
static bool find_target(const struct api *api, struct campaign_options *options, struct error *error)
{
    if (!bytes_equal_string(options->target, BUILTIN)) {
        return true;
    }
    if (api->target.open == NULL) {
        return error_set(error, "this coordinator has no practice target");
    }
    options->target = bytes_of(NULL, 0);
    return api->target.open(api->target.context, &options->target_port, error) ||
           error_wrap(error, "the practice target: ");
}

static void tell_created(struct http_request *request, uint64_t campaign)
{
    json_t *answer = json_object();
    json_put_count(answer, "campaign", campaign);
    SCOPED(memory_free_at) char *location = memory_format("/v1/campaigns/%llu", (unsigned long long)campaign);
    SCOPED(memory_free_at) char *text = json_to_text(answer, false);
    json_decref(answer);
    http_answer(request, &(struct http_answer){.status = 201,
                                               .content_type = "application/json",
                                               .body = bytes_of_string(text),
                                               .header = "Location",
                                               .header_value = location});
}

static void create(struct api *api, struct http_request *request, struct creation *creation)
{
    struct error error;
    const struct server_campaign wanted = {.options = &creation->options,
                                           .bundle = &creation->bundle,
                                           .script = creation->script,
                                           .agents = creation->agents,
                                           .deadline_ms = creation->deadline_ms};
    if (!server_has_room(api->server, &wanted, &error)) {
        api_answer_error(request, 409, "%s", error.text);
    } else if (!find_target(api, &creation->options, &error)) {
        api_answer_error(request, 503, "%s", error.text);
    } else {
        tell_created(request, server_create(api->server, &wanted));
    }
}

void api_create_campaign(struct api *api, struct http_request *request, uint64_t campaign)
{
    struct creation creation;
    struct error error;
    (void)campaign;
    if (api->is_draining) {
        api_answer_error(request, 503, "the coordinator is shutting down and takes no new campaigns");
        return;
    }
    if (server_overview(api->server)->live_campaign_count >= API_LIVE_CAMPAIGNS) {
        api_answer_error(request, 503, "%u campaigns are under way already; wait for one to end",
                         API_LIVE_CAMPAIGNS);
        return;
    }
    json_t *body = api_body_object(request);
    if (body == NULL) {
        return;
    }
    if (!creation_read(&creation, body, &error)) {
        api_answer_error(request, 400, "%s", error.text);
    } else {
        create(api, request, &creation);
    }
    creation_finish(&creation);
    json_decref(body);
}
