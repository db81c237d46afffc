/* What workers do with variables. Each operation takes effect at once, so that operations on one variable are
 * linearizable. */
#include "common/value.h"
#include "coordinator/core/rooms/rooms_inside.h"

#define STOPPING "the campaign is stopping"
#define FULL "too many variables: a campaign may have 100,000, and 64 MiB of values, each up to 64 KiB"

static const uint8_t nil[] = {'n'};

struct map **rooms_variables_of(struct rooms *rooms, uint32_t room)
{
    return room == ROOM_CAMPAIGN ? &rooms->variables.of_campaign : &rooms_need_room(rooms, room)->variables;
}

static struct variable *rooms_variable_find(const struct rooms *rooms, const struct operation *operation)
{
    const struct map *map = rooms->variables.of_campaign;
    if (operation->room != ROOM_CAMPAIGN) {
        const struct room *room = rooms->items[operation->room];
        map = room == NULL ? NULL : room->variables;
    }
    return map == NULL ? NULL : map_get(map, operation->name);
}

/* NULL, and refused, if the limit is reached. */
static struct variable *need(struct rooms *rooms, const struct operation *operation)
{
    struct map **map = rooms_variables_of(rooms, operation->room);
    struct variable *variable = variables_need(&rooms->variables, map, operation->room, operation->name);
    if (variable == NULL) {
        rooms_answer(rooms, operation, OUTCOME_REFUSED, FULL);
    }
    return variable;
}

static void tidy(struct rooms *rooms, struct variable *variable)
{
    variables_tidy(&rooms->variables, *rooms_variables_of(rooms, variable->room), variable);
}

/* Variables that are waited for are part of the search for deadlocks. */
static void touch(struct rooms *rooms, uint64_t now_ns, uint32_t room)
{
    if (room != ROOM_CAMPAIGN && rooms->items[room] != NULL) {
        rooms_touch(rooms, now_ns, rooms->items[room]);
    }
}

/* A reference held by the replies, or nil. */
static struct bytes present_value(struct rooms *rooms, const struct variable *variable)
{
    return variable == NULL || variable->shared == NULL ? bytes_of(nil, sizeof nil)
                                                        : replies_hold(&rooms->replies, variable->shared);
}

static struct reply *answer_value(struct rooms *rooms, const struct operation *operation,
                                  const struct variable *variable)
{
    struct reply *reply = rooms_answer(rooms, operation, OUTCOME_OK, NULL);
    reply->value = present_value(rooms, variable);
    return reply;
}

static bool is_other(const struct operation *operation, const struct variable *variable)
{
    bool is_nil = variable_is_nil(operation->expected);
    return !bytes_equal(is_nil ? bytes_of(nil, sizeof nil) : operation->expected, variable_value(variable));
}

/* Ends the waits that the new value ends. A wait for a change has existed since the value was the expected
 * one, so the expected value need not be stored. Adjacent waits with the same request share a reply. */
static void rooms_variable_release(struct rooms *rooms, struct variable *variable)
{
    struct bytes value = bytes_of(NULL, 0);
    struct reply *reply = NULL;
    struct wait *next;
    for (struct wait *wait = variable->waits.first; wait != NULL; wait = next) {
        next = wait->next;
        if (wait->kind != OPERATION_WAIT_CHANGED && variable->value.size == 0) {
            continue;
        }
        if (value.size == 0) {
            value = present_value(rooms, variable);
        }
        if (reply == NULL || reply->kind != wait->kind || reply->call != wait->call) {
            reply = rooms_reply_to(rooms, wait, OUTCOME_OK);
            reply->value = value;
        }
        rooms_end_wait(rooms, wait, reply);
    }
}

/* False, and refused, if the value exceeds the limit. */
static bool assign(struct rooms *rooms, const struct operation *operation, struct variable *variable,
                   struct bytes value)
{
    bool is_same = bytes_equal(variable->value, variable_is_nil(value) ? bytes_of(NULL, 0) : value);
    if (!variables_assign(&rooms->variables, variable, value)) {
        rooms_answer(rooms, operation, OUTCOME_REFUSED, FULL);
        return false;
    }
    if (variable->value.size > 0) {
        variables_end_making(&rooms->variables, variable); /* setting it first counts as making it */
    }
    if (!is_same) {
        rooms_variable_release(rooms, variable);
    }
    return true;
}

/* Nobody makes it now: the first waiting worker is asked to. */
static void hand_on(struct rooms *rooms, struct variable *variable)
{
    for (struct wait *wait = variable->waits.first; wait != NULL; wait = wait->next) {
        if (wait->kind == OPERATION_GET_OR_MAKE) {
            variables_begin_making(&rooms->variables, variable, wait->worker);
            struct reply *reply = rooms_reply_to(rooms, wait, OUTCOME_OK);
            reply->is_maker = true;
            reply->value = bytes_of(nil, sizeof nil);
            rooms_end_wait(rooms, wait, reply);
            return;
        }
    }
}

void rooms_unmake(struct rooms *rooms, uint32_t worker)
{
    struct variable *variable;
    while ((variable = variables_made_by(&rooms->variables, worker)) != NULL) {
        variables_end_making(&rooms->variables, variable);
        hand_on(rooms, variable);
        tidy(rooms, variable);
    }
}

void rooms_apply_get(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    (void)now_ns;
    answer_value(rooms, operation, rooms_variable_find(rooms, operation));
}

static void begin_wait(struct rooms *rooms, uint64_t now_ns, const struct operation *operation,
                       struct variable *variable)
{
    if (rooms->is_stopping) {
        rooms_answer(rooms, operation, OUTCOME_STOPPED, STOPPING);
        tidy(rooms, variable);
        return;
    }
    uint32_t *tally =
        operation->room == ROOM_CAMPAIGN ? &rooms->campaign_tally : &rooms->items[operation->room]->tally;
    struct wait like = rooms_wait_like(rooms, operation, operation->workers.runs[0].first, tally);
    like.variable = variable;
    waits_begin(&rooms->waits, now_ns, &variable->waits, &like);
    touch(rooms, now_ns, operation->room);
}

void rooms_apply_get_or_make(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    struct variable *variable = need(rooms, operation);
    if (variable == NULL) {
        return;
    }
    if (variable->value.size > 0) {
        answer_value(rooms, operation, variable);
    } else if (variable->is_being_made && variable->maker != operation->workers.runs[0].first) {
        begin_wait(rooms, now_ns, operation, variable);
    } else {
        /* Also for a maker that asks again: its factory was aborted. */
        variables_end_making(&rooms->variables, variable);
        variables_begin_making(&rooms->variables, variable, operation->workers.runs[0].first);
        answer_value(rooms, operation, variable)->is_maker = true;
    }
}

void rooms_apply_made(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    (void)now_ns;
    struct variable *variable = need(rooms, operation);
    if (variable == NULL) {
        return;
    }
    bool is_unset = variable->value.size == 0;
    bool is_ok = !is_unset || assign(rooms, operation, variable, operation->value);
    if (is_ok) {
        answer_value(rooms, operation, variable);
    }
    if (variable->is_being_made && variable->maker == operation->workers.runs[0].first) {
        /* Its factory returned nil, or a value above the limit: the next one may succeed. */
        variables_end_making(&rooms->variables, variable);
        hand_on(rooms, variable);
    }
    tidy(rooms, variable);
}

void rooms_apply_making_failed(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    (void)now_ns;
    struct variable *variable = rooms_variable_find(rooms, operation);
    if (variable == NULL || !variable->is_being_made || variable->maker != operation->workers.runs[0].first) {
        return;
    }
    variables_end_making(&rooms->variables, variable);
    hand_on(rooms, variable);
    tidy(rooms, variable);
}

/* SET, and DELETE, which sets nil. */
void rooms_apply_set(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    (void)now_ns;
    bool is_deletion = operation->kind == OPERATION_DELETE;
    struct bytes value = is_deletion ? bytes_of(NULL, 0) : operation->value;
    struct variable *variable = rooms_variable_find(rooms, operation);
    if (variable == NULL && variable_is_nil(value)) {
        rooms_answer(rooms, operation, OUTCOME_OK, NULL);
        return;
    }
    variable = variable == NULL ? need(rooms, operation) : variable;
    if (variable == NULL) {
        return;
    }
    bool was_set = variable->value.size > 0;
    if (assign(rooms, operation, variable, value)) {
        rooms_answer(rooms, operation, OUTCOME_OK, NULL)->is_won = is_deletion && was_set;
    }
    tidy(rooms, variable);
}

void rooms_apply_cas(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    (void)now_ns;
    struct variable *variable = need(rooms, operation);
    if (variable == NULL) {
        return;
    }
    struct bytes expected =
        variable_is_nil(operation->expected) ? bytes_of(nil, sizeof nil) : operation->expected;
    bool is_won = bytes_equal(variable_value(variable), expected);
    if (!is_won || assign(rooms, operation, variable, operation->value)) {
        answer_value(rooms, operation, variable)->is_won = is_won;
    }
    tidy(rooms, variable);
}

void rooms_apply_incr(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    (void)now_ns;
    struct variable *variable = need(rooms, operation);
    if (variable == NULL) {
        return;
    }
    SCOPED(buffer_finish) struct buffer sum;
    buffer_init(&sum, VALUE_MAX_BYTES);
    struct error error = {0};
    struct bytes step = variable_is_nil(operation->value) ? bytes_of(nil, sizeof nil) : operation->value;
    if (!value_add(variable_value(variable), step, &sum, &error)) {
        rooms_answer(rooms, operation, OUTCOME_REFUSED, error.text);
    } else if (assign(rooms, operation, variable, buffer_bytes(&sum))) {
        answer_value(rooms, operation, variable);
    }
    tidy(rooms, variable);
}

void rooms_apply_wait_variable(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    struct variable *variable = need(rooms, operation);
    if (variable == NULL) {
        return;
    }
    bool is_for_change = operation->kind == OPERATION_WAIT_CHANGED;
    if (is_for_change ? is_other(operation, variable) : variable->value.size > 0) {
        answer_value(rooms, operation, variable);
        tidy(rooms, variable);
    } else {
        begin_wait(rooms, now_ns, operation, variable);
    }
}
