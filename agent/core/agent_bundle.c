/* How the bundle of a campaign comes to an agent. */
#include "agent/core/agent_internal.h"
#include "common/memory.h"

#include <inttypes.h>

#define HASH_SHOWN 12

static void hand_out_held(struct agent *agent, struct share *share)
{
    fetch_free(&share->fetch);
    for (size_t i = 0; i < share->held_count; i++) {
        agent_give_command(agent, share, share->held[i].shard, share->held[i].command);
    }
    share->held_count = 0;
}

static void agent_bundle_give_up(struct agent *agent, struct share *share, const char *why)
{
    share_give_up(share, why);
    struct message message = {.kind = MESSAGE_DEPLOYED, .campaign = share->campaign};
    message.done.text = bytes_of_string(why);
    agent_send(agent, &message);
}

static void use(struct agent *agent, struct share *share, struct package *package, const char *whence)
{
    agent_log(agent, LOG_DEBUG,
              memory_format("campaign %" PRIu64 ": bundle %.*s, %" PRIu64 " bytes, %s", share->campaign,
                            HASH_SHOWN, (const char *)package_bundle(package)->hash.data,
                            package_bytes(package), whence));
    deployment_set_package(share->deployment, package);
    hand_out_held(agent, share);
}

static void agent_bundle_ask(struct agent *agent, struct share *share)
{
    struct message message = {.kind = MESSAGE_BUNDLE_WANTED, .campaign = share->campaign};
    while (fetch_next(share->fetch, &message.bundle_chunk)) {
        agent_send(agent, &message);
    }
}

static void check_whole(struct agent *agent, struct share *share)
{
    if (!fetch_is_whole(share->fetch)) {
        agent_bundle_ask(agent, share);
        return;
    }
    struct package *package = fetch_package(share->fetch);
    if (package == NULL) {
        agent_bundle_give_up(agent, share,
                             "the files of the bundle that came are not those that its hash is of");
        return;
    }
    packages_add(&agent->packages, package);
    use(agent, share, package, "fetched");
    package_release(&package);
}

void agent_get_bundle(struct agent *agent, struct share *share)
{
    struct package *package = packages_find(&agent->packages, fetch_hash(share->fetch));
    if (package != NULL) {
        use(agent, share, package, "known");
        return;
    }
    check_whole(agent, share);
}

void agent_take_chunk(struct agent *agent, struct share *share, const struct bundle_chunk *chunk)
{
    if (share->fetch == NULL) {
        agent_complain(agent, "a part of a bundle that was not asked for");
    } else if (fetch_take(share->fetch, chunk)) {
        check_whole(agent, share);
    } else {
        agent_bundle_give_up(agent, share, "a part of the bundle came that was not the next");
    }
}
