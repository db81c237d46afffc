/* TLS as the options of a campaign want it of all requests: --insecure, --ca, --cert, --key. */
#pragma once
#include "agent/http/engine.h"
#include "common/attributes.h"
#include "common/error.h"

struct campaign_options;
struct script_files;

/* Owns its texts; zeroed it is empty. */
struct shard_tls {
    struct http_tls tls;
    bool is_given;
    char *ca;
    char *certificate;
    char *key;
};

/* Reads the files of the bundle. False with an error: one is not there, or not what it should be. To be
 * finished either way. */
MUST_CHECK bool shard_tls_load(struct shard_tls *tls, const struct campaign_options *options,
                               struct script_files *files, struct error *error);
void shard_tls_finish(struct shard_tls *tls);
