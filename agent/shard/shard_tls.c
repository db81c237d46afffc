/* TLS as the options of a campaign want it of all requests. */
#include "agent/shard/shard_tls.h"

#include "agent/net/tls.h"
#include "agent/script/script_files.h"
#include "common/memory.h"
#include "proto/message/campaign.h"
#include "proto/message/limits.h"

#include <string.h>

/* `text` stays NULL if the option is not set. */
static bool shard_tls_read(struct script_files *files, struct bytes option, char **text, struct error *error)
{
    char path[LIMIT_NAME_BYTES + 1];
    struct bytes content;

    if (option.size == 0) {
        return true;
    }
    bytes_to_text(option, path, sizeof path);
    if (!script_files_read(files, path, &content, error)) {
        return error_wrap(error, "tls: ");
    }
    *text = memory_copy(content.size > 0 ? content.data : (const uint8_t *)"", content.size);
    return strlen(*text) == content.size || error_set(error, "tls: %s holds a zero byte", path);
}

bool shard_tls_load(struct shard_tls *tls, const struct campaign_options *options, struct script_files *files,
                    struct error *error)
{
    if (!shard_tls_read(files, options->ca, &tls->ca, error) ||
        !shard_tls_read(files, options->certificate, &tls->certificate, error) ||
        !shard_tls_read(files, options->certificate_key, &tls->key, error)) {
        return false;
    }
    if (tls->key != NULL && tls->certificate == NULL) {
        return error_set(error, "tls: a key is given without a certificate");
    }
    tls->is_given = options->is_unverified || tls->ca != NULL || tls->certificate != NULL;
    tls->tls = (struct http_tls){.is_unverified = options->is_unverified,
                                 .ca_pem = tls->ca,
                                 .certificate_pem = tls->certificate,
                                 .key_pem = tls->key != NULL ? tls->key : tls->certificate};
    const struct tls_options checked = {.is_unverified = options->is_unverified,
                                        .ca_pem = tls->ca,
                                        .certificate_pem = tls->certificate,
                                        .key_pem = tls->tls.key_pem};
    return !tls->is_given || tls_options_check(&checked, error);
}

void shard_tls_finish(struct shard_tls *tls)
{
    memory_free(tls->ca);
    memory_free(tls->certificate);
    memory_free(tls->key);
    *tls = (struct shard_tls){0};
}
