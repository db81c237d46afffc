/* The rooms of a campaign as bytes. Derived data, such as counts of waits and quota usage, is recomputed. */
#include "common/histogram_pack.h"
#include "coordinator/core/base/timer_pack.h"
#include "coordinator/core/rooms/rooms_inside.h"

static_assert(sizeof(struct rooms) == 576 && sizeof(struct variable) == 88,
              "packing has to cover each field");

bool rooms_is_at_rest(const struct rooms *rooms)
{
    bool is_at_rest = rooms->is_settled && rooms->is_told && rooms->dirty_count == 0 && rooms->gone == NULL &&
                      rooms->asker_count == 0;
    for (uint32_t id = 0; is_at_rest && id < rooms->room_count; id++) {
        const struct room *room = rooms->items[id];
        is_at_rest =
            room == NULL || (!room->is_dirty && room->first_dirty == NULL && room->leaver_count == 0);
    }
    return is_at_rest;
}

static void ends_pack(const struct rooms *rooms, struct buffer *into)
{
    pack_flag(into, rooms->ends != NULL);
    for (uint32_t worker = 0; rooms->ends != NULL && worker < rooms->worker_count; worker++) {
        pool_string_pack(rooms->ends[worker], into);
    }
}

static void ends_unpack(struct rooms *rooms, struct unpack *from)
{
    if (!unpack_flag(from)) {
        return;
    }
    rooms->ends = memory_new(rooms->worker_count, sizeof(struct pool_string *));
    for (uint32_t worker = 0; worker < rooms->worker_count && !from->is_broken; worker++) {
        rooms->ends[worker] = pool_string_unpack(rooms->texts, from);
        if (rooms->ends[worker] != NULL && !rooms_has_ended(rooms, worker)) {
            unpack_break(from);
        }
    }
}

static void variables_pack(const struct map *map, struct buffer *into)
{
    struct map_cursor cursor = {0};
    pack_number(into, map == NULL ? 0 : map_size(map));
    while (map != NULL && map_next(map, &cursor)) {
        const struct variable *variable = cursor.value;
        pack_bytes(into, variable->name.bytes);
        pack_bytes(into, variable->value);
        wait_list_pack(&variable->waits, into);
    }
}

static void variables_unpack(struct rooms *rooms, uint32_t room, struct unpack *from)
{
    struct map **map = rooms_variables_of(rooms, room);
    uint32_t *tally = room == ROOM_CAMPAIGN ? &rooms->campaign_tally : &rooms->items[room]->tally;
    uint64_t count = unpack_bounded(from, VARIABLES_MAX_COUNT);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct bytes name = unpack_bytes(from);
        struct bytes value = unpack_bytes(from);
        bool is_new = !from->is_broken && name.size > 0 && (*map == NULL || map_get(*map, name) == NULL);
        struct variable *variable = is_new ? variables_need(&rooms->variables, map, room, name) : NULL;
        if (variable == NULL || !variables_assign(&rooms->variables, variable, value)) {
            unpack_break(from);
            return;
        }
        const struct wait like = {
            .kind = OPERATION_WAIT_SET, .room = room, .tally = tally, .variable = variable};
        wait_list_unpack(rooms, &like, &variable->waits, from);
    }
}

/* In the order in which they were begun: factories may nest. */
static void makings_pack(const struct rooms *rooms, uint32_t maker, struct buffer *into)
{
    const struct variable **made = memory_new(rooms->variables.count, sizeof *made);
    size_t count = 0;
    for (const struct variable *each = variables_made_by(&rooms->variables, maker); each != NULL;
         each = each->next_making) {
        made[count++] = each;
    }
    while (count > 0) {
        const struct variable *variable = made[--count];
        pack_flag(into, true);
        pack_number(into, maker);
        pack_number(into, variable->room);
        pack_bytes(into, variable->name.bytes);
    }
    memory_free(made);
}

static void makings_unpack(struct rooms *rooms, struct unpack *from)
{
    while (unpack_flag(from)) {
        uint64_t maker = unpack_number(from);
        uint64_t room = unpack_bounded(from, UINT32_MAX);
        struct bytes name = unpack_bytes(from);
        bool is_known = room == ROOM_CAMPAIGN || (room < rooms->room_count && rooms->items[room] != NULL);
        const struct map *map = is_known ? *rooms_variables_of(rooms, (uint32_t)room) : NULL;
        struct variable *variable = map != NULL ? map_get(map, name) : NULL;
        if (variable == NULL || variable->is_being_made || maker >= rooms->worker_count) {
            unpack_break(from);
            return;
        }
        variables_begin_making(&rooms->variables, variable, (uint32_t)maker);
    }
}

static void items_pack(const struct rooms *rooms, struct buffer *into)
{
    for (uint32_t id = 0; id < rooms->room_count; id++) {
        const struct room *room = rooms->items[id];
        if (room != NULL) {
            pack_number(into, (uint64_t)id + 1);
            room_pack(room, into);
            variables_pack(room->variables, into);
        }
    }
    pack_number(into, 0);
}

static void items_unpack(struct rooms *rooms, struct unpack *from)
{
    uint64_t id = 0;
    while ((id = unpack_bounded(from, rooms->room_count)) > 0 && rooms->items[id - 1] == NULL) {
        room_unpack(rooms, rooms_need_room(rooms, (uint32_t)id - 1), from);
        variables_unpack(rooms, (uint32_t)id - 1, from);
    }
    if (id > 0) {
        unpack_break(from); /* the room is there twice */
    }
}

static void release_pack(const struct rooms *rooms, struct buffer *into)
{
    pack_number(into, rooms->start.reported);
    pack_number(into, (uint64_t)rooms->start.first_ns);
    pack_number(into, (uint64_t)rooms->start.last_ns);
    pack_flag(into, rooms->is_start_known);
    histogram_pack(rooms->release_spread_us, into);
}

static void release_unpack(struct rooms *rooms, struct unpack *from)
{
    rooms->start.reported = (uint32_t)unpack_bounded(from, UINT32_MAX);
    rooms->start.first_ns = (int64_t)unpack_number(from);
    rooms->start.last_ns = (int64_t)unpack_number(from);
    rooms->is_start_known = unpack_flag(from);
    rooms->release_spread_us = histogram_unpack(from);
}

static void settings_pack(const struct rooms *rooms, struct buffer *into)
{
    pack_number(into, rooms->worker_count);
    pack_number(into, rooms->room_size);
    pack_number(into, rooms->start_count);
    pack_flag(into, rooms->synchronises_all);
    pack_flag(into, rooms->repeats_steps);
    pack_number(into, rooms->steps_ended);
    pack_number(into, rooms->steps_lost);
    pack_number(into, rooms->sync_timeout_ms);
    pack_number(into, rooms->start_delay_ns);
    pack_number(into, rooms->deadlock_delay_ns);
    pack_flag(into, rooms->is_draining);
    pack_flag(into, rooms->is_stopping);
    pack_flag(into, rooms->has_drained);
    pack_flag(into, rooms->has_found_deadlock);
}

static struct rooms *settings_unpack(struct unpack *from)
{
    uint32_t workers = (uint32_t)unpack_bounded(from, LIMIT_WORKERS);
    uint32_t room_size = (uint32_t)unpack_bounded(from, LIMIT_ROOM_SIZE);
    if (workers == 0 || room_size == 0 || from->left.size < bitset_words(workers) * sizeof(uint64_t)) {
        unpack_break(from);
        return NULL;
    }
    struct rooms *rooms = rooms_empty(workers, room_size);
    rooms->start_count = (uint32_t)unpack_bounded(from, UINT32_MAX);
    rooms->synchronises_all = unpack_flag(from);
    rooms->repeats_steps = unpack_flag(from);
    rooms->steps_ended = unpack_number(from);
    rooms->steps_lost = unpack_number(from);
    rooms->sync_timeout_ms = unpack_number(from);
    rooms->start_delay_ns = unpack_number(from);
    rooms->deadlock_delay_ns = unpack_number(from);
    rooms->is_draining = unpack_flag(from);
    rooms->is_stopping = unpack_flag(from);
    rooms->has_drained = unpack_flag(from);
    rooms->has_found_deadlock = unpack_flag(from);
    rooms->replies.are_told = rooms->is_told = rooms->is_settled = true;
    return rooms;
}

void rooms_pack(const struct rooms *rooms, struct buffer *into)
{
    settings_pack(rooms, into);
    bitset_pack(rooms->ended, rooms->worker_count, into);
    bitset_pack(rooms->lost, rooms->worker_count, into);
    string_pool_pack(rooms->texts, into);
    ends_pack(rooms, into);
    sightings_pack(rooms->sightings, into);
    latecomers_pack(rooms->latecomers, into);
    pack_number(into, timers_order(rooms->waits.timers));
    pack_number(into, timers_order(rooms->searches));
    timer_pack(&rooms->campaign_search, into);
    items_pack(rooms, into);
    variables_pack(rooms->variables.of_campaign, into);
    for (uint32_t worker = 0; rooms->variables.making != NULL && worker < rooms->worker_count; worker++) {
        if (rooms->variables.making[worker] != NULL) {
            makings_pack(rooms, worker, into);
        }
    }
    pack_flag(into, false);
    release_pack(rooms, into);
}

static void count_live(struct rooms *rooms)
{
    for (uint32_t worker = 0; worker < rooms->worker_count; worker++) {
        rooms->live += rooms_has_ended(rooms, worker) ? 0 : 1;
    }
}

struct rooms *rooms_unpack(struct unpack *from)
{
    struct rooms *rooms = settings_unpack(from);
    if (rooms == NULL) {
        return NULL;
    }
    rooms->ended = bitset_unpack(from, rooms->worker_count);
    rooms->lost = bitset_unpack(from, rooms->worker_count);
    string_pool_unpack(rooms->texts, from);
    if (rooms->ended != NULL && rooms->lost != NULL) {
        count_live(rooms);
        ends_unpack(rooms, from);
        rooms->sightings = sightings_unpack(from);
        rooms->latecomers = latecomers_unpack(from);
        timers_set_order(rooms->waits.timers, unpack_number(from));
        timers_set_order(rooms->searches, unpack_number(from));
        timer_unpack(rooms->searches, &rooms->campaign_search, from);
        items_unpack(rooms, from);
        variables_unpack(rooms, ROOM_CAMPAIGN, from);
        makings_unpack(rooms, from);
        release_unpack(rooms, from);
    }
    string_pool_let_go(rooms->texts);
    if (from->is_broken || rooms->release_spread_us == NULL) {
        unpack_break(from);
        rooms_free(&rooms);
    }
    return rooms;
}
