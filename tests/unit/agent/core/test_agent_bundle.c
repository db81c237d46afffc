/* How the bundle of a campaign reaches an agent: requested, checked, kept. */
#include "tests/unit/agent/core/test_agent_support.h"

#include "agent/core/bundle/bundle_cache.h"
#include "common/memory.h"
#include "proto/message/bundle.h"
#include "proto/message/limits.h"

#include <string.h>

/* A script, an empty file and data, with the hash of all. */
struct made {
    struct bundle_file files[3];
    struct bundle_entry entries[3];
    struct bundle bundle;
    struct bundle_listing listing;
    char hash[DIGEST_TEXT_BYTES];
    uint8_t *content; /* of all files */
    size_t size;
};

static void make(struct made *made, size_t size, uint8_t fill)
{
    static const char *const PATHS[] = {"pad.lua", "empty", "users.csv"};
    size_t sizes[] = {size < 10 ? size : 10, 0, size < 10 ? 0 : size - 10};
    *made = (struct made){.content = memory_new(size + 1, 1), .size = size};
    memset(made->content, fill, size);
    const uint8_t *at = made->content;
    for (size_t i = 0; i < 3; i++) {
        made->files[i] =
            (struct bundle_file){.path = bytes_of_string(PATHS[i]), .content = bytes_of(at, sizes[i])};
        made->entries[i] = (struct bundle_entry){.path = made->files[i].path, .size_bytes = sizes[i]};
        at += sizes[i];
    }
    made->bundle = (struct bundle){.files = made->files, .file_count = 3};
    bundle_hash(&made->bundle, made->hash);
    made->bundle.hash = bytes_of_string(made->hash);
    made->listing =
        (struct bundle_listing){.files = made->entries, .file_count = 3, .hash = made->bundle.hash};
}

static void say_deploy(struct fixture *fixture, const struct made *made)
{
    struct message message = {.kind = MESSAGE_DEPLOY, .campaign = CAMPAIGN};
    message.deploy.options = (struct campaign_options){.workers = 4, .runs = 3, .sync_timeout_ms = 60000};
    message.deploy.bundle = made->listing;
    give_workers(&message.deploy.workers, 0, 1, 4);
    say(fixture, &message);
    worker_set_finish(&message.deploy.workers);
}

static void say_chunk_of(struct fixture *fixture, const struct made *made, uint64_t offset, size_t size)
{
    struct message message = {.kind = MESSAGE_BUNDLE_CHUNK, .campaign = CAMPAIGN};
    message.bundle_chunk = (struct bundle_chunk){
        .hash = made->listing.hash, .offset = offset, .content = bytes_of(made->content + offset, size)};
    say(fixture, &message);
}

static void say_chunk(struct fixture *fixture, const struct made *made, uint64_t offset)
{
    say_chunk_of(fixture, made, offset, bundle_chunk_bytes(made->size, offset));
}

static void a_small_bundle_comes_in_one_chunk(void **state)
{
    struct fixture *fixture = *state;
    struct made made;
    make(&made, 30, 'a');
    start_joined(fixture);
    say_deploy(fixture, &made);
    turn_end(fixture);
    expect(fixture, "bundle_wanted(0)");
    say_chunk(fixture, &made, 0);
    expect(fixture, "0:deploy(0 2) 1:deploy(1 3)");
    memory_free(made.content);
}

static void a_large_one_is_asked_for_a_few_chunks_ahead(void **state)
{
    struct fixture *fixture = *state;
    struct made made;
    make(&made, 9 * (size_t)LIMIT_CHUNK_BYTES + 5, 'a');
    start_joined(fixture);
    say_deploy(fixture, &made);
    turn_end(fixture);
    expect(fixture, "bundle_wanted(0) bundle_wanted(262144) bundle_wanted(524288) bundle_wanted(786432) "
                    "bundle_wanted(1048576) bundle_wanted(1310720) bundle_wanted(1572864) "
                    "bundle_wanted(1835008)");
    say_chunk(fixture, &made, 0);
    turn_end(fixture);
    expect(fixture, "bundle_wanted(2097152)");
    for (uint64_t i = 1; i < 9; i++) {
        say_chunk(fixture, &made, i * LIMIT_CHUNK_BYTES);
    }
    turn_end(fixture);
    expect(fixture, "bundle_wanted(2359296)");
    say_chunk(fixture, &made, 9 * (uint64_t)LIMIT_CHUNK_BYTES);
    expect(fixture, "0:deploy(0 2) 1:deploy(1 3)");
    memory_free(made.content);
}

static void what_follows_waits_for_the_bundle(void **state)
{
    struct fixture *fixture = *state;
    struct made made;
    make(&made, 30, 'a');
    start_joined(fixture);
    say_deploy(fixture, &made);
    say_kind(fixture, MESSAGE_DRAIN);
    expect(fixture, "");
    say_chunk(fixture, &made, 0);
    expect(fixture, "0:deploy(0 2) 1:deploy(1 3) 0:drain() 1:drain()");
    memory_free(made.content);
}

static void a_bundle_that_is_known_is_not_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct made made;
    struct made other;
    make(&made, 30, 'a');
    make(&other, 30, 'b');
    start_joined(fixture);
    say_deploy(fixture, &made);
    say_chunk(fixture, &made, 0);
    say_kind(fixture, MESSAGE_FORGET);
    turn_end(fixture);
    ignore(fixture);
    say_deploy(fixture, &made);
    turn_end(fixture);
    expect(fixture, "0:deploy(0 2) 1:deploy(1 3)");
    say_kind(fixture, MESSAGE_FORGET);
    ignore(fixture);
    say_deploy(fixture, &other); /* a changed file makes a different bundle */
    turn_end(fixture);
    expect(fixture, "bundle_wanted(0)");
    memory_free(made.content);
    memory_free(other.content);
}

static void what_is_not_of_the_hash_is_not_run(void **state)
{
    struct fixture *fixture = *state;
    struct made made;
    make(&made, 30, 'a');
    made.content[29] = 'b';
    start_joined(fixture);
    say_deploy(fixture, &made);
    say_chunk(fixture, &made, 0);
    turn_end(fixture);
    expect(fixture, "bundle_wanted(0) deployed(not ok the files of the bundle that came are not those that "
                    "its hash is of)");
    say_kind(fixture, MESSAGE_FORGET);
    made.content[29] = 'a';
    say_deploy(fixture, &made); /* it was not kept either */
    turn_end(fixture);
    expect(fixture, "bundle_wanted(0)");
    memory_free(made.content);
}

static void a_chunk_that_does_not_fit_ends_it(void **state)
{
    struct fixture *fixture = *state;
    struct made made;
    make(&made, 30, 'a');
    start_joined(fixture);
    say_deploy(fixture, &made);
    say_kind(fixture, MESSAGE_DRAIN); /* waits for the bundle, and goes with it */
    say_chunk_of(fixture, &made, 0, 29);
    turn_end(fixture);
    expect(fixture, "bundle_wanted(0) deployed(not ok a part of the bundle came that was not the next)");
    say_chunk(fixture, &made, 0);
    expect(fixture, "log(dropped what the coordinator sent: a part of a bundle that was not asked for (1 so "
                    "far))");
    memory_free(made.content);
}

static void a_stop_ends_it_too(void **state)
{
    struct fixture *fixture = *state;
    struct made made;
    make(&made, 30, 'a');
    start_joined(fixture);
    say_deploy(fixture, &made);
    say_kind(fixture, MESSAGE_STOP);
    turn_end(fixture);
    expect(fixture, "bundle_wanted(0) finished(4)");
    say_kind(fixture, MESSAGE_FORGET);
    expect(fixture, "");
    memory_free(made.content);
}

static void to_be_forgotten_on_the_way_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct made made;
    make(&made, 30, 'a');
    start_joined(fixture);
    say_deploy(fixture, &made);
    say_kind(fixture, MESSAGE_FORGET);
    say_deploy(fixture, &made);
    ignore(fixture);
    say_chunk(fixture, &made, 0);
    expect(fixture, "0:deploy(0 2) 1:deploy(1 3)");
    memory_free(made.content);
}

static void keep(struct bundle_cache *cache, struct made *made)
{
    struct shared_bundle *shared = shared_bundle_copy(&made->bundle);
    bundle_cache_add(cache, shared);
    shared_bundle_release(&shared);
}

static void the_last_few_are_kept(void **state)
{
    struct bundle_cache cache = {0};
    struct made made[6];
    (void)state;
    for (uint8_t i = 0; i < 6; i++) {
        make(&made[i], 20, i);
    }
    for (uint8_t i = 0; i < 4; i++) {
        keep(&cache, &made[i]);
        keep(&cache, &made[i]); /* once */
    }
    assert_non_null(bundle_cache_find(&cache, made[0].bundle.hash)); /* used again */
    keep(&cache, &made[4]);
    keep(&cache, &made[5]);
    assert_int_equal(cache.count, BUNDLE_CACHE_MOST);
    static const bool IS_KEPT[] = {true, false, false, true, true, true};
    for (size_t i = 0; i < 6; i++) {
        struct shared_bundle *found = bundle_cache_find(&cache, made[i].bundle.hash);
        assert_int_equal(found != NULL, IS_KEPT[i]);
        memory_free(made[i].content);
    }
    bundle_cache_finish(&cache);
    assert_int_equal(cache.count, 0);
}

static void no_more_bytes_are_kept_than_may_be(void **state)
{
    struct bundle_cache cache = {0};
    struct made made[3];
    (void)state;
    for (uint8_t i = 0; i < 3; i++) {
        make(&made[i], BUNDLE_CACHE_MOST_BYTES / 2, i);
        keep(&cache, &made[i]);
    }
    assert_int_equal(cache.count, 2);
    assert_null(bundle_cache_find(&cache, made[0].bundle.hash));
    struct shared_bundle *last = shared_bundle_hold(bundle_cache_find(&cache, made[2].bundle.hash));
    bundle_cache_finish(&cache);
    assert_int_equal(shared_bundle_bytes(last), BUNDLE_CACHE_MOST_BYTES / 2); /* its users still have it */
    shared_bundle_release(&last);
    for (uint8_t i = 0; i < 3; i++) {
        memory_free(made[i].content);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_small_bundle_comes_in_one_chunk),
        TEST(a_large_one_is_asked_for_a_few_chunks_ahead),
        TEST(what_follows_waits_for_the_bundle),
        TEST(a_bundle_that_is_known_is_not_asked_for),
        TEST(what_is_not_of_the_hash_is_not_run),
        TEST(a_chunk_that_does_not_fit_ends_it),
        TEST(a_stop_ends_it_too),
        TEST(to_be_forgotten_on_the_way_leaves_nothing),
        cmocka_unit_test(the_last_few_are_kept),
        cmocka_unit_test(no_more_bytes_are_kept_than_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
