/* A named shared value, and the waits for it. */
#include "coordinator/core/sync/variable.h"
#include "common/map.h"
#include "common/memory.h"

#include "common/value.h"
#include <string.h>

static const uint8_t nil[] = {'n'};

void variables_init(struct variables *variables, uint32_t worker_count)
{
    *variables = (struct variables){.worker_count = worker_count, .quota = {.maximum = VARIABLES_MAX_BYTES}};
}

static size_t charge_of(struct bytes name)
{
    return sizeof(struct variable) + name.size;
}

static void free_variable(struct variables *variables, struct variable *variable)
{
    quota_give(&variables->quota, charge_of(variable->name.bytes) + variable->value.size);
    variables->count--;
    text_finish(&variable->name);
    shared_release(&variable->shared);
    memory_free(variable);
}

void variables_clear(struct variables *variables, struct map *map)
{
    struct map_cursor cursor = {0};
    while (map != NULL && map_next(map, &cursor)) {
        struct variable *variable = cursor.value;
        map_remove(map, cursor.key);
        free_variable(variables, variable);
    }
}

void variables_extend(struct variables *variables, uint32_t worker_count)
{
    if (variables->making != NULL) {
        struct variable **making = memory_new(worker_count, sizeof(struct variable *));
        memcpy(making, variables->making, variables->worker_count * sizeof(struct variable *));
        memory_free(variables->making);
        variables->making = making;
    }
    variables->worker_count = worker_count;
}

void variables_finish(struct variables *variables)
{
    variables_clear(variables, variables->of_campaign);
    map_free(&variables->of_campaign);
    memory_free(variables->making);
    variables->making = NULL;
}

struct variable *variables_need(struct variables *variables, struct map **map, uint32_t room,
                                struct bytes name)
{
    struct variable *variable = *map == NULL ? NULL : map_get(*map, name);
    if (variable != NULL) {
        return variable;
    }
    if (variables->count >= VARIABLES_MAX_COUNT || !quota_take(&variables->quota, charge_of(name))) {
        return NULL;
    }
    if (*map == NULL) {
        *map = map_new();
    }
    variables->count++;
    variable = MEMORY_NEW(struct variable);
    variable->room = room;
    variable->name = text_copy(name);
    map_put(*map, name, variable);
    return variable;
}

void variables_tidy(struct variables *variables, struct map *map, struct variable *variable)
{
    if (variable->value.size == 0 && variable->waits.count == 0 && !variable->is_being_made) {
        map_remove(map, variable->name.bytes);
        free_variable(variables, variable);
    }
}

bool variable_is_nil(struct bytes value)
{
    return value.size == 0 || value_is_nil(value);
}

struct bytes variable_value(const struct variable *variable)
{
    return variable == NULL || variable->value.size == 0 ? bytes_of(nil, sizeof nil) : variable->value;
}

bool variables_assign(struct variables *variables, struct variable *variable, struct bytes value)
{
    value = variable_is_nil(value) ? bytes_of(NULL, 0) : value;
    if (value.size > VALUE_MAX_BYTES) {
        return false;
    }
    size_t before = variable->value.size;
    quota_give(&variables->quota, before);
    if (!quota_take(&variables->quota, value.size)) {
        bool fitted = quota_take(&variables->quota, before);
        (void)fitted; /* it did a moment ago */
        return false;
    }
    struct shared *copy =
        value.size > 0 ? shared_new(value) : NULL; /* before the record that may contain it is freed */
    shared_release(&variable->shared);
    variable->shared = copy;
    variable->value = shared_bytes(copy);
    return true;
}

void variables_begin_making(struct variables *variables, struct variable *variable, uint32_t maker)
{
    if (variables->making == NULL) {
        variables->making = memory_new(variables->worker_count, sizeof(struct variable *));
    }
    variable->is_being_made = true;
    variable->maker = maker;
    variable->next_making = variables->making[maker];
    variables->making[maker] = variable;
}

void variables_end_making(struct variables *variables, struct variable *variable)
{
    if (!variable->is_being_made) {
        return;
    }
    struct variable **place = &variables->making[variable->maker];
    while (*place != variable) {
        place = &(*place)->next_making;
    }
    *place = variable->next_making;
    variable->next_making = NULL;
    variable->is_being_made = false;
}

struct variable *variables_made_by(const struct variables *variables, uint32_t worker)
{
    return variables->making == NULL ? NULL : variables->making[worker];
}
