/* Which workers can never move again, found by brute force over the truth. */
#include "tests/simulation/oracle.h"

struct view {
    struct world *world;
    enum oracle_doubt doubt;
    uint32_t live;    /* bits of workers that are not past every step */
    uint32_t waiting; /* ... those of them that wait without a timeout of their own */
    uint32_t limbo;   /* ... whose process is dead */
    uint32_t movable;
    uint32_t doubtful; /* ... who are or were on a dead agent: what they did may have died with it */
};

static const struct actor *actor_of(const struct world *world, uint32_t worker)
{
    uint64_t owner = world->truth.worker[worker].owner;
    for (uint32_t i = 0; i < world->plan->hosts; i++) {
        const struct actor *actor = &world->hosts[i].actors[worker];
        if (owner != 0 && actor->state != ACTOR_NONE && actor->incarnation == owner) {
            return actor;
        }
    }
    return NULL;
}

static bool is_owner_dead(const struct world *world, uint32_t worker)
{
    uint64_t owner = world->truth.worker[worker].owner;
    for (uint32_t i = 0; i < world->plan->hosts; i++) {
        if (world->hosts[i].is_up && !world->hosts[i].is_leaving && world->hosts[i].incarnation == owner) {
            return false;
        }
    }
    return owner != 0;
}

/* It was one too many before it was told so: a worker that knows this does not wait for it. */
static bool is_taken_back(const struct world *world, uint32_t worker)
{
    return worker >= world->workers && world->truth.worker[worker].is_coming;
}

static bool waits_for_writer(const struct view *view, uint32_t worker, uint8_t name, uint64_t step)
{
    const struct actor *actor = actor_of(view->world, worker);
    return actor != NULL && actor->state == ACTOR_WAITING && actor->aside_until_ns == 0 &&
           actor->call == OPERATION_WAIT_WRITER && actor->waits_in.name == name && actor->wait_step == step;
}

static bool can_writer_wait_end(const struct view *view, uint32_t worker, const struct actor *actor)
{
    struct truth *truth = &view->world->truth;
    uint8_t name = actor->waits_in.name;
    const struct truth_notifier *notifier = truth_notifier(truth, worker, name, actor->wait_step);
    bool is_confirmed = notifier->payload != 0 || notifier->winner != 0;
    if (is_confirmed || (notifier->writers & ~view->doubtful) != 0) {
        return true;
    }
    uint32_t others = truth_room_mask(truth, truth_room(truth, worker)) & ~(1u << worker);
    uint32_t rest = truth_others_within(truth, worker, actor->wait_step);
    bool do_all_wait = true;
    for (uint32_t other = 0; other < truth->workers; other++) {
        if ((rest & (1u << other)) != 0 && !waits_for_writer(view, other, name, actor->wait_step)) {
            do_all_wait = false;
        }
    }
    bool is_somebody_past = rest != others;
    return (is_somebody_past && do_all_wait) || (rest & view->movable) != 0;
}

/* `missing` are the others that have not arrived; `come` how many have, `wanted` how many are enough (0:
 * all). */
static bool can_gathering_end(const struct view *view, uint32_t missing, uint32_t come, uint32_t wanted)
{
    uint32_t coming = (uint32_t)__builtin_popcount(missing & view->movable);
    return (missing & ~view->movable) == 0 || (wanted > 0 && come + coming >= wanted);
}

static bool can_variable_wait_end(const struct view *view, uint32_t worker, const struct actor *actor)
{
    struct truth *truth = &view->world->truth;
    enum variable_role role = actor->call == OPERATION_GET_OR_MAKE ? VARIABLE_MADE : VARIABLE_FLAG;
    const struct truth_variable *variable = truth_variable(truth, worker, role, actor->waits_in.is_campaign);
    bool is_surely_set = (variable->setters & ~view->doubtful) != 0 && !variable->was_deleted;
    if (role == VARIABLE_FLAG && is_surely_set) {
        return true;
    }
    if (role == VARIABLE_MADE && (variable->is_made || variable->maker == TRUTH_NOBODY)) {
        return true;
    }
    uint32_t scope =
        actor->waits_in.is_campaign ? UINT32_MAX : truth_room_mask(truth, truth_room(truth, worker));
    return (view->movable & scope) != 0;
}

static uint32_t count(const struct view *view, uint32_t mask)
{
    return (uint32_t)__builtin_popcount(mask & ~view->doubtful);
}

static bool can_move(const struct view *view, uint32_t worker)
{
    struct truth *truth = &view->world->truth;
    const struct actor *actor = actor_of(view->world, worker);
    uint32_t within = truth_others_within(truth, worker, actor->wait_step);
    /* The coordinator treats any moving worker that is not past the step as able to release others, although
     * it may have read or arrived already, or not suffice alone: it reports a little later than it could. */
    bool is_meeting = actor->call < OPERATION_GET;
    if (view->doubt == ORACLE_HAS_TO_BE_SAID && is_meeting && (within & view->movable) != 0) {
        return true;
    }
    switch (actor->call) {
    case OPERATION_WAIT_WRITER:
        return can_writer_wait_end(view, worker, actor);
    case OPERATION_WAIT_READERS: {
        const struct truth_notifier *notifier =
            truth_notifier(truth, worker, actor->waits_in.name, actor->wait_step);
        return can_gathering_end(view, within & ~notifier->readers, count(view, notifier->readers),
                                 notifier->declared);
    }
    case OPERATION_BARRIER: {
        const struct truth_barrier *barrier =
            truth_barrier(truth, worker, actor->waits_in.name, actor->wait_step, actor->wait_nth);
        return can_gathering_end(view, within & ~barrier->arrived, count(view, barrier->arrived),
                                 actor->waits_in.count);
    }
    default:
        return can_variable_wait_end(view, worker, actor);
    }
}

static bool waits_without_timeout(const struct actor *actor)
{
    return actor != NULL && actor->state == ACTOR_WAITING && operation_is_wait(actor->call) &&
           actor->waits_in.timeout_ms == 0 && actor->aside_until_ns == 0;
}

uint32_t oracle_stuck(struct world *world, enum oracle_doubt doubt)
{
    struct view view = {.world = world, .doubt = doubt};
    for (uint32_t worker = 0; worker < world->truth.workers; worker++) {
        uint32_t bit = 1u << worker;
        bool is_in_limbo = is_owner_dead(world, worker) || is_taken_back(world, worker);
        bool is_doubtful = world->truth.worker[worker].is_lost || is_in_limbo;
        view.doubtful |= doubt == ORACLE_MAY_BE_SAID && is_doubtful ? bit : 0;
        if (world->truth.worker[worker].is_over) {
            continue;
        }
        view.live |= bit;
        view.waiting |= waits_without_timeout(actor_of(world, worker)) ? bit : 0;
        view.limbo |= is_in_limbo ? bit : 0;
    }
    uint32_t still = doubt == ORACLE_MAY_BE_SAID ? view.waiting | view.limbo : view.waiting;
    if (still == 0) {
        return 0;
    }
    view.movable = view.live & ~still;
    for (uint32_t before = ~view.movable; before != view.movable;) {
        before = view.movable;
        for (uint32_t worker = 0; worker < world->truth.workers; worker++) {
            uint32_t bit = 1u << worker;
            bool may_move = (view.waiting & ~view.limbo & ~view.movable & bit) != 0;
            if (may_move && can_move(&view, worker)) {
                view.movable |= bit;
            }
        }
    }
    return still & ~view.movable;
}
