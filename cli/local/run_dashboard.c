/* The dashboard of `tutti run`. */
#include "cli/local/run_dashboard.h"

#include "cli/options/token.h"
#include "common/memory.h"
#include "coordinator/api/api.h"

#define LOOPBACK "127.0.0.1"

struct run_dashboard {
    struct api *api;
    struct token_file *file;
};

static bool run_dashboard_open(struct run_dashboard *dashboard, uv_loop_t *loop, struct server *server,
                               uint16_t port, struct error *error)
{
    static const struct host_names names = {0};
    static const struct trusted_proxies proxies = {0};
    const struct listener_address address = {.host = LOOPBACK, .port = port};
    SCOPED(token_free) char *token = token_draw();
    const struct api_settings settings = {.address = &address,
                                          .token = token,
                                          .names = &names,
                                          .proxies = &proxies,
                                          .server = server,
                                          .serves_one_run = true};
    dashboard->api = api_new(loop, &settings, error);
    if (dashboard->api == NULL) {
        return false;
    }
    dashboard->file = token_file_new(api_port(dashboard->api), token, error);
    return dashboard->file != NULL;
}

struct run_dashboard *run_dashboard_new(uv_loop_t *loop, struct server *server, uint16_t port,
                                        struct error *error)
{
    struct run_dashboard *dashboard = MEMORY_NEW(struct run_dashboard);
    if (!run_dashboard_open(dashboard, loop, server, port, error)) {
        (void)error_wrap(error, "--dashboard: ");
        run_dashboard_close(&dashboard);
    }
    return dashboard;
}

char *run_dashboard_link(struct run_dashboard *dashboard)
{
    char code[API_CODE_BYTES];
    api_draw_code(dashboard->api, code);
    return memory_format("http://" LOOPBACK ":%u/#code=%s", (unsigned)api_port(dashboard->api), code);
}

void run_dashboard_changed(struct run_dashboard *dashboard, uint64_t campaign, enum campaign_state state)
{
    if (dashboard != NULL) {
        api_campaign_changed(dashboard->api, campaign, state);
    }
}

void run_dashboard_deadlock(struct run_dashboard *dashboard, uint64_t campaign, const char *text)
{
    if (dashboard != NULL) {
        api_deadlock_found(dashboard->api, campaign, text);
    }
}

void run_dashboard_log(struct run_dashboard *dashboard, enum log_level level,
                       const struct log_subject *subject, const char *text)
{
    if (dashboard != NULL) {
        api_log(dashboard->api, level, subject, text);
    }
}

void run_dashboard_close(struct run_dashboard **at)
{
    struct run_dashboard *dashboard = *at;
    *at = NULL;
    if (dashboard != NULL) {
        api_close(&dashboard->api);
        token_file_free(&dashboard->file);
        memory_free(dashboard);
    }
}
