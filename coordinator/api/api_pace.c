/* Changes the rate of a campaign, and pauses it. */
#include "coordinator/api/api_inside.h"

#include "proto/message/load_text.h"

static bool read_rate(const json_t *object, double *rate_per_s, struct error *error)
{
    static const char *const keys[] = {"rate", NULL};
    const json_t *value = json_object_get(object, "rate");
    if (!json_check_keys(object, keys, "rate", error)) {
        return false;
    }
    if (!json_is_string(value)) {
        return error_set(error, "rate is not a text like \"50/s\"");
    }
    struct bytes text = bytes_of(json_string_value(value), json_string_length(value));
    return load_parse_rate(text, rate_per_s, error);
}

static void answer_pace(struct api *api, struct http_exchange *request, uint64_t campaign,
                        enum pace_change change, double rate_per_s)
{
    struct error error;
    if (server_pace(api->server, campaign, change, rate_per_s, &error)) {
        api_answer_json(request, 202, json_object());
    } else {
        api_answer_error(request, 409, "%s", error.text);
    }
}

void api_rate_campaign(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    struct error error;
    double rate_per_s = 0;
    json_t *body = api_find(api, request, campaign) != NULL ? api_body_object(request) : NULL;
    if (body == NULL) {
        return;
    }
    if (read_rate(body, &rate_per_s, &error)) {
        answer_pace(api, request, campaign, PACE_RATE, rate_per_s);
    } else {
        api_answer_error(request, 400, "%s", error.text);
    }
    json_decref(body);
}

static void api_pause_or_resume(struct api *api, struct http_exchange *request, uint64_t campaign,
                                enum pace_change change)
{
    static const char *const keys[] = {NULL};
    struct error error;
    json_t *body = api_find(api, request, campaign) != NULL ? api_body_object(request) : NULL;
    if (body == NULL) {
        return;
    }
    if (json_check_keys(body, keys, "pause", &error)) {
        answer_pace(api, request, campaign, change, 0);
    } else {
        api_answer_error(request, 400, "%s", error.text);
    }
    json_decref(body);
}

void api_pause_campaign(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    api_pause_or_resume(api, request, campaign, PACE_PAUSE);
}

void api_resume_campaign(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    api_pause_or_resume(api, request, campaign, PACE_RESUME);
}
