/* The coordinator as bytes. */
#include "coordinator/core/coordinator_pack.h"

#include "coordinator/core/base/timer_pack.h"
#include "coordinator/core/coordinator_inside.h"
#include "proto/message/limits.h"

#include <assert.h>

static_assert(sizeof(struct coordinator_settings) == 56 &&
                  sizeof(struct coordinator) ==
                      192 + sizeof(struct deadline) + sizeof(struct admission_told) * ADMISSION_TOLD,
              "every field of the settings is packed");

static void coordinator_pack_settings(const struct coordinator_settings *settings, struct buffer *into)
{
    pack_fixed(into, settings->epoch);
    pack_number(into, settings->heartbeat_ms);
    pack_number(into, settings->lease_ms);
    pack_number(into, settings->loss_ms);
    pack_number(into, settings->deadlock_delay_ms);
    pack_number(into, settings->start_delay_ms);
    pack_number(into, settings->last_campaign);
}

static bool coordinator_unpack_settings(struct unpack *from, struct coordinator_settings *settings)
{
    settings->epoch = unpack_fixed(from);
    settings->heartbeat_ms = unpack_bounded(from, LIMIT_DURATION_MS);
    settings->lease_ms = unpack_bounded(from, LIMIT_DURATION_MS);
    settings->loss_ms = unpack_bounded(from, LIMIT_DURATION_MS);
    settings->deadlock_delay_ms = unpack_bounded(from, LIMIT_DURATION_MS);
    settings->start_delay_ms = unpack_bounded(from, LIMIT_DURATION_MS);
    settings->last_campaign = unpack_number(from);
    return !from->is_broken && settings->epoch != 0 && settings->heartbeat_ms > 0 &&
           settings->loss_ms > settings->lease_ms;
}

bool coordinator_is_at_rest(const struct coordinator *coordinator)
{
    return campaigns_are_at_rest(&coordinator->campaigns);
}

void coordinator_pack(const struct coordinator *coordinator, struct buffer *into)
{
    struct coordinator_settings settings = coordinator->settings;
    settings.last_campaign = coordinator->last_campaign;
    coordinator_pack_settings(&settings, into);
    pack_number(into, coordinator->last_restored);
    pack_number(into, coordinator->last_step_ns);
    admission_pack(&coordinator->admission, into);
    pack_number(into, timers_order(coordinator->timers));
    overview_pack(coordinator->overview, into);
    members_pack(coordinator->members, into);
    campaigns_pack(&coordinator->campaigns, into);
    timer_pack(&coordinator->leaving_due.timer, into);
}

struct coordinator *coordinator_unpack(struct bytes bytes, const struct bundle_source *bundles)
{
    struct unpack from = unpack_of(bytes);
    struct coordinator_settings settings;
    if (!coordinator_unpack_settings(&from, &settings)) {
        return NULL;
    }
    struct coordinator *coordinator = coordinator_new(&settings);
    coordinator->last_restored = unpack_number(&from);
    coordinator->last_step_ns = unpack_number(&from);
    admission_unpack(&coordinator->admission, &from);
    timers_set_order(coordinator->timers, unpack_number(&from));
    if (overview_unpack(coordinator->overview, &from) && members_unpack(coordinator->members, &from)) {
        struct campaign_home home = coordinator_home(coordinator);
        campaigns_unpack(&coordinator->campaigns, &home, bundles, &from);
        timer_unpack(coordinator->timers, &coordinator->leaving_due.timer, &from);
    }
    if (!unpack_is_done(&from)) {
        coordinator_free(&coordinator);
    }
    return coordinator;
}
