/* Who came last to barriers and notifiers, as JSON and back. */
#include "coordinator/json/last_json.h"

#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"

static const char *name_of_wait_kind(int kind)
{
    return operation_name((enum operation_kind)kind);
}

static const struct json_names WAIT_KINDS = {name_of_wait_kind, 0, OPERATION_KIND_COUNT - 1};

static void put_other_latecomers(json_t *object, const char *key, const void *item);
static bool get_other_latecomers(const json_t *value, void *item, struct report_view *view);
static const struct json_special special_others = {put_other_latecomers, get_other_latecomers};

/* clang-format off */
#define LATECOMER(field) offsetof(struct latecomer_view, field)
#define LATECOMER_NUMBERS \
    {.key = "times", .type = JSON_TABLE_COUNT, .offset = LATECOMER(times)}, \
    {.key = "waited_s", .type = JSON_TABLE_US_AS_S, .offset = LATECOMER(waited_us)}

static const struct json_row WORKER_ROWS[] = {
    {.key = "worker", .type = JSON_TABLE_COUNT32, .offset = LATECOMER(worker)},
    {.key = "agent", .type = JSON_TABLE_TEXT, .offset = LATECOMER(agent)},
    LATECOMER_NUMBERS,
};
static const struct json_table WORKERS = {JSON_ROWS(WORKER_ROWS, struct latecomer_view)};

static const struct json_row AGENT_ROWS[] = {
    {.key = "agent", .type = JSON_TABLE_TEXT, .offset = LATECOMER(agent)},
    LATECOMER_NUMBERS,
};
static const struct json_table AGENTS = {JSON_ROWS(AGENT_ROWS, struct latecomer_view)};

static const struct json_row OTHERS_ROWS[] = {
    LATECOMER_NUMBERS,
};
static const struct json_table OTHERS = {JSON_ROWS(OTHERS_ROWS, struct latecomer_view)};

#define LAST(field) offsetof(struct last_view, field)
static const struct json_row LAST_ROWS[] = {
    {.key = "name", .type = JSON_TABLE_TEXT, .offset = LAST(name)},
    {.key = "kind", .type = JSON_TABLE_NAME, .offset = LAST(kind), .names = &WAIT_KINDS},
    {.key = "times", .type = JSON_TABLE_COUNT, .offset = LAST(times)},
    {.key = "waited_s", .type = JSON_TABLE_US_AS_S, .offset = LAST(waited_us)},
    {.key = "workers", .type = JSON_TABLE_LIST, .offset = LAST(workers), .count_offset = LAST(worker_count), .table = &WORKERS},
    {.key = "others", .type = JSON_TABLE_SPECIAL, .special = &special_others},
    {.key = "agents", .type = JSON_TABLE_LIST, .offset = LAST(agents), .count_offset = LAST(agent_count), .table = &AGENTS},
};
const struct json_table json_table_last = {JSON_ROWS(LAST_ROWS, struct last_view)};
/* clang-format on */

/* Left out as long as all are listed. */
static void put_other_latecomers(json_t *object, const char *key, const void *item)
{
    const struct last_view *last = item;
    if (last->others.times > 0) {
        json_t *others = json_object();
        json_table_put(&OTHERS, others, &last->others);
        json_put(object, key, others);
    }
}

static bool get_other_latecomers(const json_t *value, void *item, struct report_view *view)
{
    struct last_view *last = item;
    json_table_get(&OTHERS, value, &last->others, view);
    return json_is_object(value);
}
