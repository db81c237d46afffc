/* How the workers of a campaign reach hosts: its options --resolve and --source. */
#pragma once
#include "agent/http/engine.h"
#include "common/attributes.h"
#include "common/error.h"
#include "common/worker_set.h"
#include "proto/message/campaign.h"

struct address;
struct vu;

/* The worker's address of --source; false if it has none. */
bool vu_network_source(const struct vu *vu, struct address *source);
/* Of a new client of this worker: each has another address of --source. */
void vu_network_set(const struct vu *vu, struct http_client *client);
/* Whether this machine has the addresses of these workers; false with an error that names one that it does
 * not have. Of very many only the first are looked at. */
MUST_CHECK bool vu_network_check(const struct campaign_options *options, const struct worker_set *workers,
                                 struct error *error);
