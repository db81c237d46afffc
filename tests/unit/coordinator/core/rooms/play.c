/* Rooms under test: the test plays the workers, the clock is virtual. */
#include "tests/unit/coordinator/core/rooms/play.h"
#include "common/memory.h"
#include "common/value.h"
#include "common/worker_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COPIED 50u
#define COPIED_BYTES 100000u

#define STORY_BYTES (1024u * 1024u)

struct campaign_options play_options(uint32_t workers)
{
    return (struct campaign_options){.workers = workers, .sync_timeout_ms = 60000};
}

void play_init(struct play *play, const struct campaign_options *options)
{
    *play = (struct play){.now_ns = PLAY_START_NS};
    play->rooms = rooms_new(options, PLAY_START_MS * PLAY_MS, PLAY_DEADLOCK_MS * PLAY_MS);
    buffer_init(&play->story, STORY_BYTES);
}

void play_init_rooms(struct play *play, uint32_t workers, uint32_t room_size)
{
    struct campaign_options options = play_options(workers);
    options.room_size = room_size;
    play_init(play, &options);
    play_expect(play, "");
}

void play_init_synchronised(struct play *play, uint32_t workers)
{
    play_init_rooms(play, workers, 0);
    play_read(play, 0, 1);
    play_known(play);
    play_expect(play, "room 0 synchronises\n");
}

void play_finish(struct play *play)
{
    rooms_free(&play->before);
    rooms_free(&play->rooms);
    assert_null(play->rooms);
    buffer_finish(&play->story);
}

static void tell_workers(struct buffer *story, const struct worker_set *workers)
{
    char words[256];
    worker_set_describe(workers, words, sizeof words);
    buffer_append_string(story, words);
}

static void tell_value(struct buffer *story, struct bytes value)
{
    char words[128];
    if (value.size > 0) {
        value_describe(value, words, sizeof words);
        buffer_append_format(story, " %s", words);
    }
}

static void tell_reply(struct buffer *story, const struct reply *reply)
{
    tell_workers(story, &reply->workers);
    buffer_append_format(story, ": %s %.*s", operation_name(reply->kind), BYTES_FORMAT(reply->name));
    if (reply->step > 0) {
        buffer_append_format(story, "@%llu", (unsigned long long)reply->step);
    }
    buffer_append_format(story, reply->nth > 0 ? "#%u %s" : "%.0u %s", reply->nth,
                         outcome_name(reply->outcome));
    tell_value(story, reply->value);
    if (reply->count > 0 || reply->total > 0) {
        buffer_append_format(story, " %llu of %llu", (unsigned long long)reply->count,
                             (unsigned long long)reply->total);
    }
    if (reply->rank > 0) {
        buffer_append_format(story, " rank %llu", (unsigned long long)reply->rank);
    }
    if (reply->present > 0 && reply->present != reply->count) {
        buffer_append_format(story, " with %llu present", (unsigned long long)reply->present);
    }
    buffer_append_string(story, reply->is_won ? " won" : "");
    buffer_append_string(story, reply->is_maker ? " maker" : "");
    buffer_append_string(story, reply->is_by_loss ? " by loss" : "");
    if (reply->at_ns > 0) {
        buffer_append_format(story, " at %lld ms",
                             ((long long)reply->at_ns - (long long)PLAY_START_NS) / (long long)PLAY_MS);
    }
    if (reply->text.size > 0) {
        buffer_append_format(story, " (%.*s)", BYTES_FORMAT(reply->text));
    }
    if (reply->missing.run_count > 0) {
        buffer_append_string(story, " without ");
        tell_workers(story, &reply->missing);
    }
    buffer_append_string(story, "\n");
}

static void tell_rooms(struct buffer *story, const char *what, const struct worker_set *rooms)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(rooms, &cursor)) {
        buffer_append_format(story, "room %u %s\n", cursor.worker, what);
    }
}

/* Continues with rooms unpacked from the bytes of these: so every story also covers rooms that were packed at
 * any of its turns. Less often if there are many turns or workers, which are much alike. */
static void go_on_as_a_copy(struct play *play)
{
    uint64_t every = 1 + play->settlings++ / COPIED + rooms_worker_count(play->rooms) / COPIED;
    if (play->is_original || play->settlings % every != 0 || play->copied_bytes > COPIED_BYTES) {
        return;
    }
    SCOPED(buffer_finish) struct buffer once;
    SCOPED(buffer_finish) struct buffer twice;
    buffer_init(&once, UINT32_MAX);
    buffer_init(&twice, UINT32_MAX);
    assert_true(rooms_is_at_rest(play->rooms));
    rooms_pack(play->rooms, &once);
    struct unpack from = unpack_of(buffer_bytes(&once));
    struct rooms *copy = rooms_unpack(&from);
    assert_true(copy != NULL && unpack_is_done(&from));
    rooms_pack(copy, &twice);
    assert_true(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
    play->copied_bytes += once.size;
    play->before = play->rooms;
    play->rooms = copy;
}

void play_settle(struct play *play)
{
    rooms_free(&play->before);
    rooms_settle(play->rooms, play->now_ns, &play->news);
    assert_true(rooms_due_ns(play->rooms) > 0);
    go_on_as_a_copy(play);
    if (play->is_quiet) {
        return;
    }
    tell_rooms(&play->story, "synchronises", &play->news.synchronised);
    for (size_t i = 0; i < play->news.reply_count; i++) {
        tell_reply(&play->story, &play->news.replies[i]);
    }
    tell_rooms(&play->story, "is done", &play->news.done);
    if (play->news.deadlock != NULL) {
        buffer_append_format(&play->story, "deadlock: %s\n", play->news.deadlock);
    }
}

void play_expect(struct play *play, const char *story)
{
    play_settle(play);
    assert_string_equal(buffer_string(&play->story), story);
    buffer_clear(&play->story);
}

void play_pass_ms(struct play *play, uint64_t milliseconds)
{
    uint64_t until_ns = play->now_ns + milliseconds * PLAY_MS;
    play_settle(play);
    while (rooms_due_ns(play->rooms) <= until_ns) {
        uint64_t due_ns = rooms_due_ns(play->rooms);
        play->now_ns = due_ns > play->now_ns ? due_ns : play->now_ns;
        play_settle(play);
    }
    play->now_ns = until_ns;
}

static bool apply(struct play *play, uint32_t first, uint32_t last, struct operation operation,
                  struct error *error)
{
    struct worker_run run = {.first = first, .stride = 1, .count = last - first + 1};
    operation.workers = (struct worker_set){.runs = &run, .run_count = 1, .run_capacity = 1};
    return rooms_apply(play->rooms, play->now_ns, &operation, error);
}

void play_operation(struct play *play, uint32_t first, uint32_t last, struct operation operation)
{
    struct error error = {0};
    if (!apply(play, first, last, operation, &error)) {
        fail_msg("%s", error.text);
    }
}

void play_nonsense(struct play *play, uint32_t first, uint32_t last, struct operation operation,
                   const char *error)
{
    struct error said = {0};
    assert_false(apply(play, first, last, operation, &said));
    assert_string_equal(said.text, error);
}

void play_all_past(struct play *play, uint64_t step)
{
    struct operation past = {.kind = OPERATION_PAST, .step = step};
    play_operation(play, 0, rooms_live_workers(play->rooms) - 1, past);
}

void play_known(struct play *play)
{
    play_all_past(play, 0);
}

void play_past(struct play *play, uint32_t worker, uint64_t step, const char *failure)
{
    struct operation past = {.kind = OPERATION_PAST, .step = step, .text = bytes_of_string(failure)};
    play_operation(play, worker, worker, past);
}

void play_begun(struct play *play, uint32_t worker, uint64_t step)
{
    play_operation(play, worker, worker, (struct operation){.kind = OPERATION_BEGUN, .step = step});
}

void play_ended(struct play *play, uint32_t worker, const char *text)
{
    struct operation ended = {.kind = OPERATION_ENDED, .text = bytes_of_string(text)};
    play_operation(play, worker, worker, ended);
}

static void at_pad(struct play *play, enum operation_kind kind, uint32_t worker, uint64_t step,
                   struct bytes value)
{
    struct operation operation = {.kind = kind, .name = bytes_of_string("pad"), .step = step, .value = value};
    play_operation(play, worker, worker, operation);
}

void play_written(struct play *play, uint32_t worker, uint64_t step, const char *payload)
{
    at_pad(play, OPERATION_WRITTEN, worker, step, play_value(payload));
}

void play_read(struct play *play, uint32_t worker, uint64_t step)
{
    at_pad(play, OPERATION_READ, worker, step, bytes_of(NULL, 0));
}

void play_wait_writer(struct play *play, uint32_t worker, uint64_t step)
{
    at_pad(play, OPERATION_WAIT_WRITER, worker, step, bytes_of(NULL, 0));
}

void play_wait_readers(struct play *play, uint32_t worker, uint64_t step)
{
    at_pad(play, OPERATION_WAIT_READERS, worker, step, bytes_of(NULL, 0));
}

void play_wait_strictly(struct play *play, uint32_t worker, uint64_t step)
{
    struct operation wait = {
        .kind = OPERATION_WAIT_READERS, .name = bytes_of_string("pad"), .step = step, .is_strict = true};
    play_operation(play, worker, worker, wait);
}

void play_declare(struct play *play, uint32_t worker, uint64_t step, uint32_t readers)
{
    struct operation declare = {
        .kind = OPERATION_DECLARE, .name = bytes_of_string("pad"), .step = step, .count = readers};
    play_operation(play, worker, worker, declare);
}

void play_readers_wait(struct play *play, uint64_t step)
{
    struct operation wait = {.kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = step};
    play_operation(play, 0, 3, wait);
}

void play_readers_past(struct play *play, uint64_t step)
{
    for (uint32_t worker = 0; worker < 4; worker++) {
        play_past(play, worker, step, NULL);
    }
}

void play_barrier(struct play *play, uint32_t worker, uint64_t step)
{
    struct operation operation = {.kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = step};
    play_operation(play, worker, worker, operation);
}

void play_lose(struct play *play, uint32_t worker, const char *text)
{
    struct worker_run run = {.first = worker, .stride = 1, .count = 1};
    struct worker_set workers = {.runs = &run, .run_count = 1, .run_capacity = 1};
    rooms_lose(play->rooms, play->now_ns, &workers, text);
}

struct bytes play_value(const char *text)
{
    static struct {
        uint8_t data[256];
    } values[4];
    static unsigned next;
    SCOPED(buffer_finish) struct buffer value;
    buffer_init(&value, sizeof values[0].data);
    char *end;
    long number = strtol(text, &end, 10);
    if (strcmp(text, "nil") == 0) {
        value_append_nil(&value);
    } else if (strcmp(text, "false") == 0) {
        value_append_boolean(&value, false);
    } else if (text[0] != '\0' && *end == '\0') {
        value_append_integer(&value, number);
    } else {
        value_append_string(&value, bytes_of_string(text));
    }
    uint8_t *data = values[next++ % 4].data;
    memcpy(data, value.data, value.size);
    return bytes_of(data, value.size);
}

void play_variable(struct play *play, enum operation_kind kind, uint32_t worker, const char *name,
                   const char *value)
{
    struct operation operation = {
        .kind = kind, .room = ROOM_CAMPAIGN, .name = bytes_of_string(name), .value = play_value(value)};
    play_operation(play, worker, worker, operation);
}

void play_get_or_make(struct play *play, uint32_t worker, const char *name)
{
    play_variable(play, OPERATION_GET_OR_MAKE, worker, name, "nil");
}

struct campaign_report play_count(struct play *play)
{
    struct campaign_report report = {0};
    rooms_count(play->rooms, &report);
    return report;
}
