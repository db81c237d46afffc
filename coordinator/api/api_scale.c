/* Changes the number of workers of a campaign. */
#include "coordinator/api/api_inside.h"

#include "proto/message/limits.h"

static bool read_workers(const json_t *object, uint32_t *workers, struct error *error)
{
    static const char *const keys[] = {"workers", NULL};
    const json_t *value = json_object_get(object, "workers");
    if (!json_check_keys(object, keys, "scale", error)) {
        return false;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > LIMIT_WORKERS) {
        return error_set(error, "workers is not an integer from 1 to %u", LIMIT_WORKERS);
    }
    *workers = (uint32_t)json_integer_value(value);
    return true;
}

void api_scale_campaign(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    uint32_t workers = 0;
    struct error error;
    if (api_find(api, request, campaign) == NULL) {
        return;
    }
    json_t *body = api_body_object(request);
    if (body == NULL) {
        return;
    }
    if (!read_workers(body, &workers, &error)) {
        api_answer_error(request, 400, "%s", error.text);
    } else if (!server_scale(api->server, campaign, workers, &error)) {
        api_answer_error(request, 409, "%s", error.text);
    } else {
        api_answer_json(request, 202, json_object());
    }
    json_decref(body);
}
