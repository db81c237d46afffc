/* What a search for a number of workers must have come to. */
#include "tests/simulation/world.h"

#include <string.h>

/* More of them than this are no search any more, by how many looks fit into a campaign. */
#define SEARCH_CHANGES_MOST 24u

static uint32_t search_most(const struct world *world)
{
    return plan_most_workers(world->plan);
}

void judge_searching(struct world *world)
{
    uint32_t size = world->plan->options.room_size > 0 ? world->plan->options.room_size : 1;
    if (world->plan->server.capacity == 0) {
        return;
    }
    world->search_changes++;
    if (world->workers == 0 || world->workers > search_most(world) || world->workers % size != 0) {
        world_break(world, "the search has come to %u workers, of at most %u", world->workers,
                    search_most(world));
    }
}

/* Whether so many are as near to what is right as noise and whole rooms let it be. */
static bool search_is_near(const struct world *world, double workers, double right)
{
    double unit = world->plan->options.room_size > 0 ? world->plan->options.room_size : 1;
    double most = search_most(world);
    double bound = right < most ? right : most;
    return workers >= 0.7 * bound - 1 - unit && workers <= 1.3 * bound + 1 + unit;
}

/* Five of a hundred steps fail where there are a nineteenth more workers than it serves. */
static void judge_sizing(struct world *world, const struct sizing_report *sizing)
{
    double right = world->plan->server.capacity / 0.95;
    bool is_end =
        sizing->state != NULL && (strcmp(sizing->state, "found") == 0 || strcmp(sizing->state, "all") == 0);
    if (!is_end) {
        world_break(world, "the sizing ends with %s", sizing->state != NULL ? sizing->state : "no word");
    } else if (!search_is_near(world, sizing->workers, right)) {
        world_break(world, "the sizing says %u workers (%s), where %.1f are right", sizing->workers,
                    sizing->state, right);
    }
}

static void judge_goal(struct world *world, const struct goal_report *goal)
{
    const struct played_server *server = &world->plan->server;
    double reached = server->wanted;
    double most = search_most(world) < server->capacity ? search_most(world) : server->capacity;
    bool can_be = server->is_refusing || reached <= 0.9 * most;
    bool cannot_be = !server->is_refusing && reached >= 1.15 * most;
    double right = server->is_refusing ? server->capacity / 0.9 : reached;
    if ((can_be && strcmp(goal->state, "held") != 0) || (cannot_be && strcmp(goal->state, "missed") != 0)) {
        world_break(world, "the goal is %s with %u workers", goal->state, goal->workers);
    } else if (can_be && !search_is_near(world, goal->workers, right)) {
        world_break(world, "the goal is held with %u workers, where %.1f are right", goal->workers, right);
    }
}

void judge_search(struct world *world, const struct campaign_report *report)
{
    const struct campaign_options *options = &world->plan->options;
    if (world->plan->server.capacity == 0 || !plan_is_calm(world->plan)) {
        return;
    }
    if (world->search_changes > SEARCH_CHANGES_MOST) {
        world_break(world, "the number of workers has changed %u times", world->search_changes);
    } else if (options->is_sizing) {
        judge_sizing(world, &report->sizing);
    } else {
        judge_goal(world, &report->goal);
    }
}
