/* Shows the rooms of a campaign that has not ended. */
#include "coordinator/api/api_inside.h"

#include "common/digits.h"
#include "common/memory.h"
#include "common/time_units.h"
#include "coordinator/core/rooms/rooms_view.h"

#define ROOMS_MOST 20000u
#define SEATS_MOST 1000u
#define LIMIT_USUAL 1000u

/* Which part of a long list. */
struct page_wish {
    uint64_t offset;
    uint64_t limit;
};

static bool page_read(const struct http_exchange *request, uint64_t most, struct page_wish *page,
                      struct error *error)
{
    const char *offset = http_argument(request, "offset");
    const char *limit = http_argument(request, "limit");
    *page = (struct page_wish){.limit = LIMIT_USUAL};
    if (offset != NULL && (!digits_are(offset, &page->offset) || page->offset > UINT32_MAX)) {
        return error_set(error, "offset is not a number");
    }
    if (limit != NULL && (!digits_are(limit, &page->limit) || page->limit < 1 || page->limit > most)) {
        return error_set(error, "limit is not a number from 1 to %llu", (unsigned long long)most);
    }
    return true;
}

/* NULL after it has answered why not. */
static const struct rooms *api_find_rooms(struct api *api, struct http_exchange *request, uint64_t campaign,
                                          uint64_t most, struct page_wish *page)
{
    struct error error;
    if (api_find(api, request, campaign) == NULL) {
        return NULL;
    }
    const struct rooms *rooms = server_rooms(api->server, campaign);
    if (rooms == NULL) {
        api_answer_error(request, 409, "campaign %llu has ended, and its rooms with it",
                         (unsigned long long)campaign);
        return NULL;
    }
    if (!page_read(request, most, page, &error)) {
        api_answer_error(request, 400, "%s", error.text);
        return NULL;
    }
    return rooms;
}

static json_t *count_or_null(bool is_there, uint64_t count)
{
    return is_there ? json_integer((json_int_t)count) : json_null();
}

static json_t *room_object(uint64_t room, const struct room_view *view)
{
    json_t *object = json_object();
    json_put_count(object, "room", room);
    json_put_count(object, "workers", view->workers);
    json_put_count(object, "live", view->live);
    json_put_count(object, "waiting", view->waiting);
    json_put(object, "step", count_or_null(view->step > 0, view->step));
    if (view->waiting > 0) {
        json_put_s(object, "oldest_wait_s", view->oldest_ns);
    } else {
        json_put(object, "oldest_wait_s", json_null());
    }
    return object;
}

void api_list_rooms(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    struct page_wish page;
    const struct rooms *rooms = api_find_rooms(api, request, campaign, ROOMS_MOST, &page);
    if (rooms == NULL) {
        return;
    }
    uint64_t now_ns = server_now_ns(api->server);
    uint64_t total = rooms_view_count(rooms);
    json_t *list = json_array();
    for (uint64_t room = page.offset; room < total && room < page.offset + page.limit; room++) {
        struct room_view view = rooms_view_room(rooms, now_ns, (uint32_t)room);
        json_array_append_new(list, room_object(room, &view));
    }
    json_t *answer = json_object();
    json_put_count(answer, "total", total);
    json_put_count(answer, "offset", page.offset);
    json_put(answer, "rooms", list);
    api_answer_json(request, 200, answer);
}

static json_t *seat_wait_object(const struct seat_view *seat)
{
    if (!seat->is_waiting) {
        return json_null();
    }
    const struct wait_view_now *wait = &seat->wait;
    json_t *object = json_object();
    json_t *missing = json_array();
    for (uint32_t i = 0; i < wait->missing_count; i++) {
        json_array_append_new(missing, json_integer(wait->missing[i]));
    }
    json_put(object, "kind", json_string(operation_name(wait->kind)));
    json_put_text(object, "name", wait->name);
    json_put(object, "step", count_or_null(wait->step > 0, wait->step));
    json_put_count(object, "call", (uint64_t)wait->nth + 1);
    json_put_s(object, "age_s", wait->waited_ns);
    json_put_s(object, "timeout_s", wait->timeout_ms * NS_PER_MS);
    json_put(object, "arrived", count_or_null(wait->has_progress, wait->arrived));
    json_put(object, "parties", count_or_null(wait->has_progress, wait->parties));
    json_put(object, "for", missing);
    json_put(object, "for_more", json_boolean(wait->has_more_missing));
    return object;
}

static json_t *seat_object(const struct api *api, uint64_t campaign, uint64_t number,
                           const struct seat_view *seat)
{
    json_t *object = json_object();
    json_put_count(object, "seat", number);
    json_put_count(object, "worker", seat->worker);
    json_put_text(object, "agent", server_agent_of(api->server, campaign, seat->worker));
    json_put(object, "state",
             json_string(seat->has_ended    ? "ended"
                         : seat->is_waiting ? "waiting"
                                            : "running"));
    json_put(object, "step", count_or_null(seat->step > 0, seat->step));
    json_put(object, "wait", seat_wait_object(seat));
    return object;
}

void api_show_room(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    struct page_wish page;
    uint64_t room = http_request_match(request)->numbers[1];
    const struct rooms *rooms = api_find_rooms(api, request, campaign, SEATS_MOST, &page);
    if (rooms == NULL) {
        return;
    }
    if (room >= rooms_view_count(rooms)) {
        api_answer_error(request, 404, "campaign %llu has no room %llu", (unsigned long long)campaign,
                         (unsigned long long)room);
        return;
    }
    uint64_t now_ns = server_now_ns(api->server);
    SCOPED(memory_free_at) struct seat_view *seats = memory_new((size_t)page.limit, sizeof *seats);
    struct room_view view = rooms_view_room(rooms, now_ns, (uint32_t)room);
    size_t count =
        rooms_view_seats(rooms, now_ns, (uint32_t)room, (uint32_t)page.offset, seats, (size_t)page.limit);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, seat_object(api, campaign, page.offset + i, &seats[i]));
    }
    json_t *answer = room_object(room, &view);
    json_put_count(answer, "offset", page.offset);
    json_put(answer, "seats", list);
    api_answer_json(request, 200, answer);
}
