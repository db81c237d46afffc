/* Serves the dashboard: the page and what it consists of. */
#include "coordinator/api/api_inside.h"

#include "coordinator/dashboard/dashboard.h"
#include "coordinator/http/negotiation.h"

#include <string.h>

#define FOLDER "/dashboard/"

static void answer_file(struct http_exchange *request, const struct dashboard_file *file)
{
    bool is_compressed = accepts_gzip(bytes_of_string(http_header(request, "Accept-Encoding")));
    const struct dashboard_form *form = is_compressed ? &file->compressed : &file->plain;
    bool is_known = etag_is_known(bytes_of_string(http_header(request, "If-None-Match")), form->etag);
    http_answer(request,
                &(struct http_answer){.status = is_known ? 304 : 200,
                                      .content_type = file->content_type,
                                      .body = is_known ? bytes_of(NULL, 0) : form->bytes,
                                      .is_constant = true,
                                      .cache_control = "no-cache",
                                      .headers = {{"ETag", form->etag},
                                                  {"Vary", "Accept-Encoding"},
                                                  {is_compressed ? "Content-Encoding" : NULL, "gzip"}}});
}

void api_show_dashboard(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    (void)api;
    (void)campaign;
    answer_file(request, dashboard_find(DASHBOARD_INDEX));
}

void api_show_dashboard_file(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    (void)api;
    (void)campaign;
    const struct dashboard_file *file = dashboard_find(http_path(request) + strlen(FOLDER));
    if (file != NULL) {
        answer_file(request, file);
    } else {
        api_answer_error(request, 404, "the dashboard has no such file");
    }
}
