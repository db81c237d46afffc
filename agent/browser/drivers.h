/* The WebDriver processes of one loop: started a few at a time, watched, and stopped with all their
 * children. Each is kept by a reaper, a small process of ours that cleans up after it even when we are
 * killed.
 *
 * To the Lua sources of this folder, and to no script, they are the table `drivers` (lua_drivers.c);
 * everything that waits does so in the worker's coroutine, and everything that fails raises an error object
 * with .kind = "driver" and one line:
 *
 *   drivers.browsers    the campaign's choice: a list of "chromium", "firefox", "webkit"
 *   drivers.start(options)
 *                       options: { browser = (the first), timeout = 60 }. Waits for its turn in the
 *                       pool (as long as that takes), then at most `timeout` seconds until the driver
 *                       answers. Returns a driver. Raises `stopped` if the campaign is stopping.
 *   driver:url()        "http://127.0.0.1:PORT", without a slash at the end
 *   driver:profile()    an empty folder of this driver alone, for the browser's profile
 *   driver:log()        path of the output of driver and browser; removed with the driver
 *   driver:tail()       the last lines of that output, "" if there are none; also after the driver has gone
 *   driver:settle()     the browser is up (New Session has answered, well or badly): the next one may
 *                       start. A driver that is stopped, or 60 s old, has settled by itself
 *   driver:is_alive()   false once it has ended, for whatever reason, or was told to
 *   driver:why()        how it ended, in one line ("chromedriver was ended by signal 9 (Killed)"); nil
 *                       while it is alive or if it was told to end
 *   driver:usage()      waits for { processes =, bytes = (PSS), cpu_s = } of driver and browser, measured
 *                       by the reaper; nil once they are gone
 *   driver:place_file(name, content)
 *                       the path of a new file in its folder, for an upload
 *   driver:stop()       waits until driver, browser and all their children are gone and the folder is
 *                       removed. Idempotent. __close and __gc stop it without waiting
 *
 * A driver belongs to the worker that started it, and is stopped at the latest when that worker ends (after
 * its teardown) or the campaign is released; a driver of a global fixture when that fixture ends. */
#pragma once
#include "agent/browser/kind.h"
#include "common/attributes.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct drivers;
struct starter_link;
struct webdriver;

struct drivers_settings {
    struct starter_link *starter; /* borrowed; NULL: no driver can be started */
    uint32_t starts_at_once;      /* 0: one per core */
    /* 0: 60 s. A browser that takes longer to come up, or a script that never reports it, does not block the
     * others. */
    uint64_t settle_ms;
    uint64_t
        end_ms; /* 0: 10 s. A reaper that takes longer to end is stuck; it is killed and swept up after */
};

enum webdriver_state {
    WEBDRIVER_QUEUED,   /* waits while others start */
    WEBDRIVER_STARTING, /* has its turn */
    WEBDRIVER_READY,    /* answers */
    WEBDRIVER_ENDING,   /* has ended or was told to, and its descendants are being killed */
    WEBDRIVER_GONE      /* nothing is left of it */
};

struct webdriver_request {
    enum browser_kind kind;
    uint64_t timeout_ms; /* from its turn on */
    /* Called when the state has changed, or an answer to webdriver_measure has arrived. Not called before
     * webdriver_start returns. It must not call any function of this header. */
    void (*on_change)(void *context);
    void *context;
};

struct webdriver_usage {
    uint64_t processes;
    uint64_t bytes;   /* proportional set size */
    uint64_t cpu_us;  /* including those that have ended */
    uint64_t answers; /* how many there have been so far */
};

MUST_CHECK struct drivers *drivers_new(uv_loop_t *loop, const struct drivers_settings *settings);
/* Stops all. The loop continues until nothing is left of them, at most DRIVERS_END_MS; then the memory is
 * freed. */
void drivers_close(struct drivers **drivers);
#define DRIVERS_END_MS 2500u

MUST_CHECK struct webdriver *webdriver_start(struct drivers *drivers,
                                             const struct webdriver_request *request);
enum webdriver_state webdriver_state(const struct webdriver *driver);
/* From READY on; "" before. */
const char *webdriver_url(const struct webdriver *driver);
/* Its private folder, from READY on; "" before. It contains the profile and the log. */
const char *webdriver_folder(const struct webdriver *driver);
/* Why it ended, and the last lines of its log at that moment; "" if it has not ended, or was told to. */
const char *webdriver_failure(const struct webdriver *driver);
const char *webdriver_last_words(const struct webdriver *driver);
/* Others may start now. */
void webdriver_settle(struct webdriver *driver);
/* Requests its usage. */
void webdriver_measure(struct webdriver *driver);
const struct webdriver_usage *webdriver_usage(const struct webdriver *driver);
void webdriver_stop(struct webdriver *driver);
/* Stops it and releases it: there are no more callbacks. */
void webdriver_release(struct webdriver **driver);
