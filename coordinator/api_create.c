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

static void tell(struct http_request *request, unsigned status, uint64_t campaign)
{
    json_t *answer = json_object();
    json_put_count(answer, "campaign", campaign);
    SCOPED(memory_free_at) char *location = memory_format("/v1/campaigns/%llu", (unsigned long long)campaign);
    SCOPED(memory_free_at) char *text = json_to_text(answer, false);
    json_decref(answer);
    http_answer(request, &(struct http_answer){.status = status,
                                               .content_type = "application/json",
                                               .body = bytes_of_string(text),
                                               .header = "Location",
                                               .header_value = location});
}

/* Who asks once more, for he had no answer, is told of the campaign that he has. */
static uint64_t find_known(const struct api *api, const struct creation *creation)
{
    struct bytes key = bytes_of_string(creation->key);
    uint64_t known = server_find_key(api->server, key);
    return known != 0 || api->archive == NULL ? known : archive_find_key(api->archive, key);
}

static void create(struct api *api, struct http_request *request, struct creation *creation)
{
    struct error error;
    const struct server_campaign wanted = {.options = &creation->options,
                                           .bundle = &creation->bundle,
                                           .script = creation->script,
                                           .key = creation->key,
                                           .agents = creation->agents,
                                           .deadline_ms = creation->deadline_ms};
    if (!server_has_room(api->server, &wanted, &error)) {
        api_answer_error(request, 409, "%s", error.text);
        return;
    }
    if (!find_target(api, &creation->options, &error)) {
        api_answer_error(request, 503, "%s", error.text);
        return;
    }
    uint64_t campaign = server_create(api->server, &wanted);
    if (campaign != 0) {
        tell(request, 201, campaign);
        return;
    }
    api_answer_error(request, 503, "the journal has failed (%s), and no campaign shall be without",
                     survival_state(server_survival(api->server)).reason);
}

static void create_if_new(struct api *api, struct http_request *request, struct creation *creation)
{
    uint64_t known = find_known(api, creation);
    if (known != 0) {
        tell(request, 200, known);
    } else if (server_overview(api->server)->live_campaign_count >= API_LIVE_CAMPAIGNS) {
        api_answer_error(request, 503, "%u campaigns are under way already; wait for one to end",
                         API_LIVE_CAMPAIGNS);
    } else {
        create(api, request, creation);
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
    json_t *body = api_body_object(request);
    if (body == NULL) {
        return;
    }
    if (creation_read(&creation, body, &error)) {
        create_if_new(api, request, &creation);
    } else {
        api_answer_error(request, 400, "%s", error.text);
    }
    creation_finish(&creation);
    json_decref(body);
}
