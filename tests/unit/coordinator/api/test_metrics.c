/* A scrape of /metrics builds the report of each campaign once, however many rows are made of it. */
#include "common/clock.h"
#include "coordinator/api/api.h"
#include "tests/unit/common/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CAMPAIGNS 12
#define ANSWER_BYTES 100000
#define ATTEMPTS 20
#define PATIENCE_NS (20 * NS_PER_S)

struct scene {
    uv_loop_t loop;
    struct server *server;
    struct api *api;
    char answer[ANSWER_BYTES];
};

static int set_up(void **state)
{
    static struct scene scene;
    static const struct host_names names = {0};
    static const struct trusted_proxies proxies = {0};
    const struct listener_address address = {.host = "127.0.0.1"};
    const struct server_options options = {.endpoint = "tcp://127.0.0.1:*",
                                           .settings = coordinator_default_settings(1)};
    struct error error;
    scene = (struct scene){0};
    (void)uv_loop_init(&scene.loop);
    scene.server = server_new(&scene.loop, &options, &error);
    assert_non_null(scene.server);
    const struct api_settings settings = {
        .address = &address, .names = &names, .proxies = &proxies, .server = scene.server};
    scene.api = api_new(&scene.loop, &settings, &error);
    assert_non_null(scene.api);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    api_close(&scene->api);
    server_close(&scene->server, 0);
    (void)uv_run(&scene->loop, UV_RUN_DEFAULT);
    return uv_loop_close(&scene->loop);
}

/* They wait for an agent that does not come. */
static void create_campaigns(const struct scene *scene)
{
    const struct campaign_options options = {.workers = 2, .sync_timeout_ms = 1000, .fail_steps = 1};
    struct bundle_file file = {.path = TEXT("pad.lua"), .content = TEXT("-- script")};
    const struct bundle bundle = {.files = &file,
                                  .file_count = 1,
                                  .hash = TEXT("e3b0c44298fc1c149afbf4c8996fb924"
                                               "27ae41e4649b934ca495991b7852b855")};
    const struct server_campaign campaign = {
        .options = &options, .bundle = &bundle, .script = "pad.lua", .agents = 1, .deadline_ms = 60000};
    for (int i = 0; i < CAMPAIGNS; i++) {
        assert_true(server_create(scene->server, &campaign, NULL) != 0);
    }
}

/* The answer, with its headers, in `answer`. */
static void get(struct scene *scene, const char *path)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(api_port(scene->api)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char request[200];
    size_t size = 0;
    uint64_t until_ns = clock_now_ns() + PATIENCE_NS;
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n\r\n", path,
                          (unsigned)api_port(scene->api));
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(client, request, (size_t)length, MSG_NOSIGNAL), length);
    for (;;) {
        ssize_t count = recv(client, scene->answer + size, sizeof scene->answer - 1 - size, MSG_DONTWAIT);
        assert_true(clock_now_ns() < until_ns && (count >= 0 || errno == EAGAIN));
        if (count == 0) {
            break;
        }
        size += count > 0 ? (size_t)count : 0;
        (void)uv_run(&scene->loop, UV_RUN_NOWAIT);
        (void)usleep(200);
    }
    scene->answer[size] = '\0';
    (void)close(client);
}

static unsigned count_of(const char *text, const char *word)
{
    unsigned count = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        count++;
    }
    return count;
}

/* True if all of it came before the API's own look at each campaign, once a second, which is no part of a
 * scrape. */
static bool scrape(struct scene *scene, uint64_t *first, uint64_t *again)
{
    uint64_t began_ns = clock_now_ns();
    create_campaigns(scene);
    uint64_t before = server_reports_built(scene->server);
    get(scene, "/metrics");
    *first = server_reports_built(scene->server) - before;
    assert_int_equal(count_of(scene->answer, "\ntutti_campaign_steps_total{campaign="), 4 * CAMPAIGNS);
    assert_int_equal(count_of(scene->answer, "\ntutti_campaign_requests_total{campaign="), CAMPAIGNS);
    get(scene, "/metrics");
    get(scene, "/v1/campaigns");
    assert_int_equal(count_of(scene->answer, "\"script\":\"pad.lua\""), CAMPAIGNS);
    *again = server_reports_built(scene->server) - before - *first;
    return clock_now_ns() - began_ns < NS_PER_S - NS_PER_S / 10;
}

static void a_scrape_builds_each_report_once(void **state)
{
    uint64_t first = 0;
    uint64_t again = 0;
    for (int i = 0; !scrape(*state, &first, &again); i++) {
        assert_true(i < ATTEMPTS);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
    assert_int_equal(first, CAMPAIGNS);
    assert_int_equal(again, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_scrape_builds_each_report_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
