/* The HTTP API: its beginning, its turn each second, and its end. */
#include "coordinator/api/api_inside.h"

#include "common/clock.h"
#include "common/memory.h"

#define SAMPLE_MS 1000u
/* Every so many ticks, live campaigns are written to the archive. */
#define KEEP_EVERY 10u
#define INCOMING_BYTES (4 * API_BODY_BYTES)
#define DISCARDED_BYTES ((size_t)128 * 1024 * 1024)
/* Enough for a report of thousands of kinds of requests and errors. */
#define STREAM_BYTES ((size_t)8 * 1024 * 1024)
#define CONNECTIONS 512u
#define CONNECTIONS_EACH 64u
#define CONNECTIONS_SPARE 64u
#define HEADERS_MS 10000u
#define IDLE_MS 30000u
#define BODY_MS 20000u
#define ANSWER_MS 30000u

static void on_tick(uv_timer_t *timer)
{
    struct api *api = (struct api *)timer->data;
    api->ticks++;
    server_flush(api->server);
    api_refresh_reports(api);
    api_tell_progress(api);
    if (api->ticks % KEEP_EVERY == 0) {
        api_keep_all(api);
    }
}

struct api *api_new(uv_loop_t *loop, const struct api_settings *settings, struct error *error)
{
    struct api *api = MEMORY_NEW(struct api);
    api->proxies = *settings->proxies;
    const struct http_settings http = {.address = settings->address,
                                       .body_bytes = API_BODY_BYTES,
                                       .incoming_bytes = INCOMING_BYTES,
                                       .discarded_bytes = DISCARDED_BYTES,
                                       .stream_bytes = STREAM_BYTES,
                                       .http_clients = {.most = CONNECTIONS,
                                                        .most_each = CONNECTIONS_EACH,
                                                        .spare = CONNECTIONS_SPARE,
                                                        .headers_ms = HEADERS_MS,
                                                        .idle_ms = IDLE_MS,
                                                        .body_ms = BODY_MS,
                                                        .answer_ms = ANSWER_MS},
                                       .proxies = &api->proxies,
                                       .on_headers = api_on_headers,
                                       .on_request = api_on_request,
                                       .context = api};
    api->http = http_new(loop, &http, error);
    if (api->http == NULL) {
        memory_free(api);
        return NULL;
    }
    api_entry_open(&api->entry, settings);
    api->server = settings->server;
    api->archive = settings->archive;
    api->artifacts = settings->artifacts;
    api->target = settings->target;
    api->serves_one_run = settings->serves_one_run;
    api->began_wall_ns = clock_wall_ns();
    api->work.loop = loop;
    api->open_parts = 1;
    (void)uv_timer_init(loop, &api->tick);
    api->tick.data = api;
    (void)uv_timer_start(&api->tick, on_tick, SAMPLE_MS, SAMPLE_MS);
    return api;
}

static void api_on_closed(uv_handle_t *handle)
{
    api_release((struct api *)handle->data);
}

void api_close(struct api **at)
{
    struct api *api = *at;
    *at = NULL;
    if (api == NULL) {
        return;
    }
    http_close(&api->http);
    api_work_close(&api->work);
    uv_close((uv_handle_t *)&api->tick, api_on_closed);
}
