/* The practice target that the coordinator lends to campaigns. */
#include "cli/local/shared_target.h"

#include "common/bytes.h"
#include "common/log.h"
#include "coordinator/http/listener.h"
#include "target/target.h"

#include <assert.h>
#include <string.h>

#define WHO "coordinator"
#define SCHEME "tcp://"

bool shared_target_open(struct shared_target *lent, uint16_t *port, struct error *error)
{
    struct listener_address address;
    assert(strncmp(lent->endpoint, SCHEME, strlen(SCHEME)) == 0);
    if (lent->target == NULL) {
        if (!listener_parse(lent->endpoint + strlen(SCHEME), &address, error)) {
            return false;
        }
        lent->target = target_start(address.host, lent->wanted_port, error);
        if (lent->target == NULL) {
            return false;
        }
        log_line(LOG_INFO, WHO, "the practice target is at %s, port %u", address.host,
                 (unsigned)target_port(lent->target));
    }
    *port = target_port(lent->target);
    return true;
}

void shared_target_close_unused(struct shared_target *lent, const struct coordinator_overview *overview)
{
    for (size_t i = 0; i < overview->campaign_count; i++) {
        if (overview->campaigns[i].state != CAMPAIGN_ENDED && overview->campaigns[i].target_port != 0) {
            return;
        }
    }
    shared_target_close(lent);
}

void shared_target_close(struct shared_target *lent)
{
    if (lent->target != NULL) {
        target_stop(&lent->target);
        log_line(LOG_INFO, WHO, "the practice target is no longer in use");
    }
}
