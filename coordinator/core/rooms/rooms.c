/* The rooms of one campaign: creating and freeing them, and which of their workers are live. */
#include "coordinator/core/rooms/room_steps.h"
#include "coordinator/core/rooms/rooms_inside.h"

#include <assert.h>

/* Plus this much per worker: a million workers in small rooms need as many notifiers at the same time. */
#define MEETINGS_MAX_BYTES (64u * 1024u * 1024u)
#define MEETINGS_WORKER_BYTES 256u

static void synchronise_all(struct rooms *rooms)
{
    for (uint32_t id = 0; id < rooms->room_count; id++) {
        room_synchronise(rooms_need_room(rooms, id), rooms->ended);
    }
    bool is_run = worker_set_add_run(&rooms->synchronised,
                                     (struct worker_run){.stride = 1, .count = rooms->room_count});
    assert(is_run);
}

struct rooms *rooms_empty(uint32_t worker_count, uint32_t room_size)
{
    struct rooms *rooms = MEMORY_NEW(struct rooms);
    rooms->worker_count = worker_count;
    rooms->room_size = room_size;
    rooms->room_count = (worker_count - 1) / room_size + 1;
    rooms->items = memory_new(rooms->room_count, sizeof(struct room *));
    rooms->texts = string_pool_new();
    waits_init(&rooms->waits, worker_count);
    variables_init(&rooms->variables, worker_count);
    rooms_set_quota(rooms);
    rooms->searches = timers_new();
    timer_init(&rooms->campaign_search);
    buffer_init(&rooms->deadlock, LIMIT_TEXT_BYTES);
    return rooms;
}

struct rooms *rooms_new(const struct campaign_options *options, uint64_t start_delay_ns,
                        uint64_t deadlock_delay_ns)
{
    assert(options->workers > 0);
    struct rooms *rooms = rooms_empty(options->workers, campaign_room_ids(options));
    rooms->start_count = options->workers;
    rooms->sync_timeout_ms = campaign_sync_timeout_ms(options);
    rooms->start_delay_ns = start_delay_ns;
    rooms->deadlock_delay_ns = deadlock_delay_ns;
    rooms->ended = memory_new(bitset_words(rooms->worker_count), sizeof(uint64_t));
    rooms->lost = memory_new(bitset_words(rooms->worker_count), sizeof(uint64_t));
    rooms->live = rooms->worker_count;
    rooms->release_spread_us = histogram_new();
    rooms->sightings = sightings_new();
    rooms->latecomers = latecomers_new();
    rooms->synchronises_all = on_loss_replaces(options->on_loss);
    rooms->repeats_steps = options->on_loss == ON_LOSS_REPLACE_AGAIN;
    if (rooms->synchronises_all) {
        synchronise_all(rooms);
    }
    return rooms;
}

void rooms_set_quota(struct rooms *rooms)
{
    rooms->meeting_quota.maximum = MEETINGS_MAX_BYTES + (size_t)rooms->worker_count * MEETINGS_WORKER_BYTES;
}

size_t rooms_untold_bytes(const struct rooms *rooms)
{
    return rooms->replies.are_told ? 0 : rooms->replies.bytes;
}

static void free_ends(struct rooms *rooms)
{
    for (uint32_t worker = 0; rooms->ends != NULL && worker < rooms->worker_count; worker++) {
        pool_string_release(&rooms->ends[worker]);
    }
    memory_free(rooms->ends);
}

void rooms_set_start_delay(struct rooms *rooms, uint64_t start_delay_ns)
{
    rooms->start_delay_ns = start_delay_ns;
}

void rooms_free(struct rooms **rooms)
{
    if (*rooms == NULL) {
        return;
    }
    struct rooms *freed = *rooms;
    waits_finish(&freed->waits);
    for (uint32_t id = 0; id < freed->room_count; id++) {
        if (freed->items[id] != NULL) {
            variables_clear(&freed->variables, freed->items[id]->variables);
        }
        room_free(&freed->items[id]);
    }
    variables_finish(&freed->variables);
    free_ends(freed);
    string_pool_free(&freed->texts);
    memory_free(freed->items);
    memory_free(freed->dirty);
    memory_free(freed->ended);
    memory_free(freed->lost);
    memory_free(freed->gone);
    memory_free(freed->asked);
    memory_free(freed->askers);
    timers_free(&freed->searches);
    replies_finish(&freed->replies);
    worker_set_finish(&freed->synchronised);
    worker_set_finish(&freed->done);
    buffer_finish(&freed->deadlock);
    histogram_free(&freed->release_spread_us);
    sightings_free(&freed->sightings);
    latecomers_free(&freed->latecomers);
    memory_free(freed);
    *rooms = NULL;
}

void rooms_begin_news(struct rooms *rooms)
{
    replies_begin(&rooms->replies);
    rooms->is_settled = false;
    if (rooms->is_told) {
        rooms->is_told = false;
        worker_set_clear(&rooms->synchronised);
        worker_set_clear(&rooms->done);
        buffer_clear(&rooms->deadlock);
        rooms->more_deadlocks = 0;
    }
}

bool rooms_has_ended(const struct rooms *rooms, uint32_t worker)
{
    return bitset_has(rooms->ended, worker);
}

struct room *rooms_need_room(struct rooms *rooms, uint32_t id)
{
    if (rooms->items[id] == NULL) {
        uint32_t first = id * rooms->room_size;
        uint32_t rest = rooms->worker_count - first;
        uint32_t size = rest < rooms->room_size ? rest : rooms->room_size;
        struct room *room = room_new(id, first, size, &rooms->meeting_quota);
        for (uint32_t worker = first; worker < first + size; worker++) {
            room->live += rooms_has_ended(rooms, worker) ? 0 : 1;
        }
        rooms->items[id] = room;
    }
    return rooms->items[id];
}

struct room *rooms_need_seats(struct rooms *rooms, uint64_t now_ns, uint32_t id)
{
    struct room *room = rooms_need_room(rooms, id);
    if (room->seats == NULL) {
        room_synchronise(room, rooms->ended);
        for (uint32_t seat = 0; rooms->ends != NULL && seat < room->size; seat++) {
            room->seats[seat].end = rooms->ends[room->first + seat];
        }
        worker_set_add(&rooms->synchronised, id);
        rooms_touch(rooms, now_ns, room);
    }
    return room;
}

struct room *rooms_room_of(const struct rooms *rooms, uint32_t worker)
{
    return rooms->items[worker / rooms->room_size];
}

void rooms_touch(struct rooms *rooms, uint64_t now_ns, struct room *room)
{
    if (!room->is_dirty) {
        room->is_dirty = true;
        rooms->dirty = memory_reserve(rooms->dirty, &rooms->dirty_capacity, rooms->dirty_count + 1,
                                      sizeof(struct room *));
        rooms->dirty[rooms->dirty_count++] = room;
    }
    if (room->search.position == TIMER_UNSET) {
        /* A search looks at every seat, so a large room is searched less often. */
        uint64_t delay_ns = rooms->deadlock_delay_ns + (uint64_t)room->size * 200;
        timers_set(rooms->searches, &room->search, now_ns + delay_ns);
    }
}

void rooms_forget_wait(struct rooms *rooms, uint32_t worker)
{
    struct wait *wait = waits_of(&rooms->waits, worker);
    if (wait == NULL) {
        return;
    }
    struct variable *variable = wait_is_for_variable(wait) ? wait->variable : NULL;
    waits_end(&rooms->waits, wait);
    if (variable != NULL) {
        variables_tidy(&rooms->variables, *rooms_variables_of(rooms, variable->room), variable);
    }
}

static void keep_end(struct rooms *rooms, uint32_t worker, struct pool_string *text)
{
    if (text != NULL && rooms->ends == NULL) {
        rooms->ends = memory_new(rooms->worker_count, sizeof(struct pool_string *));
    }
    if (rooms->ends != NULL) {
        rooms->ends[worker] = pool_string_hold(text);
    }
}

void rooms_end_worker(struct rooms *rooms, uint64_t now_ns, uint32_t worker, struct pool_string *text)
{
    if (!bitset_add(rooms->ended, worker)) {
        return;
    }
    rooms->live--;
    keep_end(rooms, worker, text);
    rooms_forget_wait(rooms, worker);
    rooms_unmake(rooms, worker);
    bool has_drained = rooms->is_draining && text == NULL;
    rooms->has_drained = rooms->has_drained || has_drained;
    struct room *room = rooms_room_of(rooms, worker);
    if (room == NULL) {
        return;
    }
    room->live--;
    room->has_drained = room->has_drained || has_drained;
    if (room->seats != NULL) {
        room_end(room, worker - room->first, text);
    }
    rooms_touch(rooms, now_ns, room);
}

void rooms_silence(struct rooms *rooms, uint32_t worker)
{
    if (rooms->gone == NULL && rooms->replies.count > 0) {
        rooms->gone = memory_new(bitset_words(rooms->worker_count), sizeof(uint64_t));
    }
    if (rooms->gone != NULL) {
        bitset_add(rooms->gone, worker);
    }
}

/* As far as it has been reported. */
static bool was_in_step(const struct rooms *rooms, uint32_t worker)
{
    const struct room *room = rooms_room_of(rooms, worker);
    const struct seat *seat = room == NULL || room->seats == NULL ? NULL : &room->seats[worker - room->first];
    return seat != NULL && seat->begun > seat->past;
}

void rooms_lose(struct rooms *rooms, uint64_t now_ns, const struct worker_set *workers, const char *text)
{
    rooms_begin_news(rooms);
    bool has_words = text != NULL && text[0] != '\0';
    struct pool_string *why = string_pool_hold(rooms->texts, bytes_of_string(has_words ? text : "lost"));
    struct worker_cursor cursor = {0};
    while (worker_set_next(workers, &cursor)) {
        if (cursor.worker < rooms->worker_count && !rooms_has_ended(rooms, cursor.worker)) {
            bitset_add(rooms->lost, cursor.worker);
            rooms->steps_lost += was_in_step(rooms, cursor.worker) ? 1 : 0;
            rooms_silence(rooms, cursor.worker);
            rooms_end_worker(rooms, now_ns, cursor.worker, why);
        }
    }
    pool_string_release(&why);
}

static void revive(struct rooms *rooms, struct room *room, uint32_t worker)
{
    bitset_remove(rooms->ended, worker);
    bitset_remove(rooms->lost, worker);
    rooms->live++;
    if (room != NULL) {
        room->live++;
        room->is_done = false;
    }
    if (room != NULL && room->seats != NULL) {
        room_revive(room, worker - room->first);
    }
    if (rooms->ends != NULL) {
        pool_string_release(&rooms->ends[worker]);
    }
}

/* If it was in a step, that step is begun again. */
static uint64_t repeat_step(struct room *room, uint32_t seat)
{
    struct seat *it = &room->seats[seat];
    room_steps_repeat(room, seat);
    it->signalled = it->past;
    it->begun = it->past;
    (void)room_pass(room, seat, it->past, NULL); /* where it continues is known from now on */
    return it->past + 1;
}

/* A step that may have begun is not begun again. The worker may have been lost before it could report its
 * progress: its signals count as well. */
static uint64_t pass_over(struct rooms *rooms, struct room *room, uint32_t seat, const char *text)
{
    struct seat *it = &room->seats[seat];
    uint64_t begun = it->signalled > it->begun ? it->signalled : it->begun;
    uint64_t past = begun > it->past ? begun : it->past;
    bool was_in_step = past > it->past;
    struct pool_string *why = was_in_step ? string_pool_hold(rooms->texts, bytes_of_string(text)) : NULL;
    rooms->steps_lost += past - it->past;
    (void)room_pass(room, seat, past, why);
    it->lost_step = was_in_step ? past : it->lost_step;
    pool_string_release(&why);
    return past + 1;
}

uint64_t rooms_restart(struct rooms *rooms, uint64_t now_ns, uint32_t worker, const char *text)
{
    if (worker >= rooms->worker_count ||
        (rooms_has_ended(rooms, worker) && !bitset_has(rooms->lost, worker))) {
        return 0;
    }
    rooms_begin_news(rooms);
    struct room *room = rooms_room_of(rooms, worker);
    if (rooms_has_ended(rooms, worker)) {
        revive(rooms, room, worker);
    }
    rooms_silence(rooms, worker);
    rooms_forget_wait(rooms, worker);
    rooms_unmake(rooms, worker);
    if (room == NULL) {
        return 1;
    }
    rooms_touch(rooms, now_ns, room);
    if (room->seats == NULL) {
        return 1;
    }
    return rooms->repeats_steps ? repeat_step(room, worker - room->first)
                                : pass_over(rooms, room, worker - room->first, text);
}

void rooms_drain(struct rooms *rooms, uint64_t now_ns)
{
    (void)now_ns; /* changes the outcome of waits that end later, and ends none */
    rooms->is_draining = true;
}

bool rooms_is_synchronising(const struct rooms *rooms, uint32_t room)
{
    return room < rooms->room_count && rooms->items[room] != NULL && rooms->items[room]->seats != NULL;
}

uint64_t rooms_steps_ended(const struct rooms *rooms)
{
    return rooms->steps_ended;
}

uint64_t rooms_steps_lost(const struct rooms *rooms)
{
    return rooms->steps_lost;
}

uint32_t rooms_worker_count(const struct rooms *rooms)
{
    return rooms->worker_count;
}

uint32_t rooms_live_workers(const struct rooms *rooms)
{
    return rooms->live;
}

bool rooms_found_deadlock(const struct rooms *rooms)
{
    return rooms->has_found_deadlock;
}

struct sightings *rooms_sightings(struct rooms *rooms)
{
    return rooms->sightings;
}

struct sightings *rooms_take_sightings(struct rooms *rooms)
{
    struct sightings *sightings = rooms->sightings;
    for (uint32_t id = 0; id < rooms->room_count; id++) {
        if (rooms->items[id] != NULL) {
            room_close(rooms->items[id], rooms_close_step, rooms);
        }
    }
    rooms->sightings = sightings_new();
    return sightings;
}

struct latecomers *rooms_latecomers(struct rooms *rooms)
{
    return rooms->latecomers;
}

struct latecomers *rooms_take_latecomers(struct rooms *rooms)
{
    struct latecomers *latecomers = rooms->latecomers;
    rooms->latecomers = latecomers_new();
    return latecomers;
}
