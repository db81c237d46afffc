/* The drivers of one loop: queued, starting, running, and those whose remains are being removed. */
#include "agent/browser/drivers.h"

#include "agent/browser/reaper.h"
#include "agent/browser/reaper_link.h"
#include "common/clock.h"
#include "common/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define URL_BYTES 40
#define FOLDER_BYTES 256
#define LINE_BYTES 1024
#define TICK_MS 1000u
#define SETTLE_MS 60000u
#define END_MS 10000u
#define SWEEPS 3

struct webdriver {
    struct drivers *drivers;
    struct webdriver *next;
    struct webdriver_request request;
    enum webdriver_state state;
    uint64_t since_ns;        /* since when it is in this state */
    struct reaper_link *link; /* of the reaper, or of one that sweeps up after it; NULL: none runs */
    unsigned sweeps;
    bool is_settled;  /* it does not count as starting (any more) */
    bool is_released; /* freed as soon as it is gone */
    bool is_sweeping;
    struct webdriver_usage usage;
    char url[URL_BYTES];
    char folder[FOLDER_BYTES];
    char failure[LINE_BYTES];
    char *last_words;
};

struct drivers {
    uv_loop_t *loop;
    struct starter_link *starter;
    uv_timer_t tick;
    struct webdriver *first; /* in the order in which they were requested */
    uint32_t starts_at_once;
    uint32_t starting;
    uint64_t settle_ns;
    uint64_t end_ns;
    bool is_closing;
};

static void on_gone(struct webdriver *driver);

static void drivers_tell(struct webdriver *driver)
{
    if (driver->request.on_change != NULL) {
        driver->request.on_change(driver->request.context);
    }
}

static void drivers_settle(struct webdriver *driver)
{
    if (driver->is_settled) {
        return;
    }
    driver->is_settled = true;
    driver->drivers->starting--;
}

static void drivers_enter(struct webdriver *driver, enum webdriver_state state)
{
    assert(state > driver->state);
    driver->state = state;
    driver->since_ns = clock_now_ns();
    if (state >= WEBDRIVER_ENDING) {
        drivers_settle(driver);
    }
    drivers_tell(driver);
}

static void drivers_fail(struct webdriver *driver, const char *text)
{
    if (driver->state >= WEBDRIVER_ENDING) {
        return;
    }
    snprintf(driver->failure, sizeof driver->failure, "%s", text);
    drivers_enter(driver, WEBDRIVER_ENDING);
}

static void on_ready(struct webdriver *driver, struct bytes text)
{
    char words[FOLDER_BYTES + 16];
    unsigned port = 0;
    int folder_at = 0;

    bytes_to_text(text, words, sizeof words);
    if (driver->state != WEBDRIVER_STARTING || sscanf(words, " %5u %n", &port, &folder_at) != 1 ||
        folder_at == 0) {
        return;
    }
    snprintf(driver->url, sizeof driver->url, "http://127.0.0.1:%u", port);
    snprintf(driver->folder, sizeof driver->folder, "%.*s", FOLDER_BYTES - 1, words + folder_at);
    drivers_enter(driver, WEBDRIVER_READY);
}

static void drivers_on_failure(struct webdriver *driver, struct bytes text)
{
    char words[REAPER_PACKET_BYTES];

    if (driver->state >= WEBDRIVER_ENDING) {
        return;
    }
    bytes_to_text(text, words, sizeof words);
    char *log = strchr(words, '\n');
    if (log != NULL) {
        *log++ = 0;
    }
    memory_free(driver->last_words);
    driver->last_words = memory_copy_string(log);
    drivers_fail(driver, words + (words[0] == ' '));
}

static void drivers_on_usage(struct webdriver *driver, struct bytes text)
{
    unsigned long long numbers[3];
    char words[96];

    bytes_to_text(text, words, sizeof words);
    if (sscanf(words, " %llu %llu %llu", &numbers[0], &numbers[1], &numbers[2]) != 3) {
        return;
    }
    driver->usage = (struct webdriver_usage){.processes = numbers[0],
                                             .bytes = numbers[1],
                                             .cpu_us = numbers[2],
                                             .answers = driver->usage.answers + 1};
    drivers_tell(driver);
}

static void drivers_on_packet(void *context, char kind, struct bytes text)
{
    struct webdriver *driver = context;

    if (kind == REAPER_READY) {
        on_ready(driver, text);
    } else if (kind == REAPER_ENDED) {
        drivers_on_failure(driver, text);
    } else if (kind == REAPER_USAGE) {
        drivers_on_usage(driver, text);
    }
}

static void on_reaper_end(void *context, const char *what);

static struct reaper_link_callbacks callbacks_of(struct webdriver *driver)
{
    return (struct reaper_link_callbacks){
        .on_packet = drivers_on_packet, .on_end = on_reaper_end, .context = driver};
}

/* The remains of a killed reaper are known to the next one. */
static bool drivers_sweep(struct webdriver *driver)
{
    static const struct starter_request request = {.action = STARTER_SWEEP};
    const struct reaper_link_callbacks callbacks = callbacks_of(driver);

    if (driver->sweeps++ >= SWEEPS) {
        return false;
    }
    driver->link =
        reaper_link_start(driver->drivers->loop, driver->drivers->starter, &request, &callbacks, NULL);
    return driver->link != NULL;
}

static void on_reaper_end(void *context, const char *what)
{
    struct webdriver *driver = context;
    char text[LINE_BYTES];

    reaper_link_close(&driver->link);
    snprintf(text, sizeof text, "the reaper of %s %s", browser_facts(driver->request.kind)->program,
             what != NULL ? what : "has ended");
    drivers_fail(driver, text);
    if (what == NULL || !drivers_sweep(driver)) {
        on_gone(driver);
    }
}

static void drivers_begin(struct webdriver *driver)
{
    const struct reaper_link_callbacks callbacks = callbacks_of(driver);
    const struct starter_request request = {
        .action = STARTER_START,
        .kind = driver->request.kind,
        .timeout_ms = driver->request.timeout_ms < STARTER_MAX_TIMEOUT_MS
                          ? (uint32_t)driver->request.timeout_ms
                          : STARTER_MAX_TIMEOUT_MS,
    };
    struct error error;

    driver->link =
        reaper_link_start(driver->drivers->loop, driver->drivers->starter, &request, &callbacks, &error);
    if (driver->link != NULL) {
        driver->is_settled = false;
        driver->drivers->starting++;
        drivers_enter(driver, WEBDRIVER_STARTING);
    } else {
        drivers_fail(driver, error.text);
        drivers_enter(driver, WEBDRIVER_GONE);
    }
}

static struct webdriver *first_queued(const struct drivers *drivers)
{
    struct webdriver *driver = drivers->first;

    while (driver != NULL && driver->state != WEBDRIVER_QUEUED) {
        driver = driver->next;
    }
    return driver;
}

static void pump(struct drivers *drivers)
{
    struct webdriver *driver;

    while (!drivers->is_closing && drivers->starting < drivers->starts_at_once &&
           (driver = first_queued(drivers)) != NULL) {
        drivers_begin(driver);
    }
}

static void free_driver(struct webdriver *driver)
{
    struct webdriver **at = &driver->drivers->first;

    while (*at != driver) {
        at = &(*at)->next;
    }
    *at = driver->next;
    reaper_link_close(&driver->link);
    memory_free(driver->last_words);
    memory_free(driver);
}

static void on_tick_closed(uv_handle_t *tick)
{
    memory_free(tick->data);
}

static void close_if_empty(struct drivers *drivers)
{
    if (drivers->is_closing && drivers->first == NULL && !uv_is_closing((uv_handle_t *)&drivers->tick)) {
        uv_close((uv_handle_t *)&drivers->tick, on_tick_closed);
    }
}

/* Nothing is left of it. */
static void on_gone(struct webdriver *driver)
{
    struct drivers *drivers = driver->drivers;

    drivers_enter(driver, WEBDRIVER_GONE);
    if (driver->is_released) {
        free_driver(driver);
    }
    pump(drivers);
    close_if_empty(drivers);
}

static void on_tick(uv_timer_t *tick)
{
    struct drivers *drivers = tick->data;
    uint64_t now_ns = clock_now_ns();

    for (struct webdriver *driver = drivers->first; driver != NULL; driver = driver->next) {
        uint64_t age_ns = now_ns - driver->since_ns;
        if (driver->state == WEBDRIVER_READY && age_ns > drivers->settle_ns) {
            drivers_settle(driver);
        }
        if (driver->state == WEBDRIVER_ENDING && driver->link != NULL && age_ns > drivers->end_ns) {
            reaper_link_kill(driver->link);
        }
    }
    pump(drivers);
    if (drivers->first == NULL) {
        (void)uv_timer_stop(tick);
    }
}

struct drivers *drivers_new(uv_loop_t *loop, const struct drivers_settings *settings)
{
    struct drivers *drivers = MEMORY_NEW(struct drivers);

    drivers->loop = loop;
    drivers->starter = settings->starter;
    drivers->starts_at_once =
        settings->starts_at_once ? settings->starts_at_once : uv_available_parallelism();
    drivers->settle_ns = (settings->settle_ms ? settings->settle_ms : SETTLE_MS) * NS_PER_MS;
    drivers->end_ns = (settings->end_ms ? settings->end_ms : END_MS) * NS_PER_MS;
    (void)uv_timer_init(loop, &drivers->tick);
    drivers->tick.data = drivers;
    return drivers;
}

/* The reapers carry on by themselves. */
static void on_patience_end(uv_timer_t *tick)
{
    struct drivers *drivers = tick->data;

    while (drivers->first != NULL) {
        free_driver(drivers->first);
    }
    close_if_empty(drivers);
}

void drivers_close(struct drivers **pointer)
{
    struct drivers *drivers = *pointer;
    struct webdriver *next;

    *pointer = NULL;
    if (drivers == NULL) {
        return;
    }
    drivers->is_closing = true;
    (void)uv_timer_start(&drivers->tick, on_patience_end, DRIVERS_END_MS, 0);
    for (struct webdriver *driver = drivers->first; driver != NULL; driver = next) {
        next = driver->next;
        if (!driver->is_released) {
            webdriver_release(&(struct webdriver *){driver});
        }
    }
    close_if_empty(drivers);
}

static void append(struct webdriver *driver)
{
    struct webdriver **at = &driver->drivers->first;

    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = driver;
}

struct webdriver *webdriver_start(struct drivers *drivers, const struct webdriver_request *request)
{
    struct webdriver *driver = MEMORY_NEW(struct webdriver);

    driver->drivers = drivers;
    driver->request = *request;
    driver->request.on_change = NULL;
    driver->is_settled = true;
    driver->since_ns = clock_now_ns();
    append(driver);
    if (!uv_is_active((uv_handle_t *)&drivers->tick)) {
        (void)uv_timer_start(&drivers->tick, on_tick, TICK_MS, TICK_MS);
    }
    pump(drivers);
    driver->request.on_change = request->on_change;
    return driver;
}

enum webdriver_state webdriver_state(const struct webdriver *driver)
{
    return driver->state;
}

const char *webdriver_url(const struct webdriver *driver)
{
    return driver->url;
}

const char *webdriver_folder(const struct webdriver *driver)
{
    return driver->folder;
}

const char *webdriver_failure(const struct webdriver *driver)
{
    return driver->failure;
}

const char *webdriver_last_words(const struct webdriver *driver)
{
    return driver->last_words != NULL ? driver->last_words : "";
}

void webdriver_settle(struct webdriver *driver)
{
    drivers_settle(driver);
    pump(driver->drivers);
}

void webdriver_measure(struct webdriver *driver)
{
    if (driver->state == WEBDRIVER_READY) {
        reaper_link_send(driver->link, REAPER_USAGE);
    }
}

const struct webdriver_usage *webdriver_usage(const struct webdriver *driver)
{
    return &driver->usage;
}

void webdriver_stop(struct webdriver *driver)
{
    if (driver->state >= WEBDRIVER_ENDING) {
        return;
    }
    if (driver->link != NULL) {
        reaper_link_hang_up(driver->link);
        drivers_enter(driver, WEBDRIVER_ENDING);
    } else {
        drivers_enter(driver, WEBDRIVER_GONE);
    }
    pump(driver->drivers);
}

void webdriver_release(struct webdriver **pointer)
{
    struct webdriver *driver = *pointer;

    *pointer = NULL;
    if (driver == NULL) {
        return;
    }
    driver->request.on_change = NULL;
    driver->is_released = true;
    webdriver_stop(driver);
    if (driver->state == WEBDRIVER_GONE) {
        free_driver(driver);
    }
}
