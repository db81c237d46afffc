/* The API's answers about itself: whether it works, and what it offers. */
#include "coordinator/api/api_inside.h"

#include "coordinator/api/openapi.h"

void api_show_health(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    (void)api;
    (void)campaign;
    http_answer(request, &(struct http_answer){.status = 200,
                                               .content_type = "text/plain; charset=utf-8",
                                               .body = bytes_of_string("ok\n")});
}

void api_show_readiness(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    (void)campaign;
    const char *why_not = api->is_draining ? "draining\n" : api->serves_one_run ? "one run\n" : NULL;
    http_answer(request,
                &(struct http_answer){.status = why_not != NULL ? 503 : 200,
                                      .content_type = "text/plain; charset=utf-8",
                                      .body = bytes_of_string(why_not != NULL ? why_not : "ready\n")});
}

void api_show_description(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    (void)api;
    (void)campaign;
    http_answer(request, &(struct http_answer){.status = 200,
                                               .content_type = "application/yaml; charset=utf-8",
                                               .body = bytes_of(openapi_text, openapi_size)});
}
