/* The files of --ca, --cert and --key. */
#include "cli/options/campaign_tls.h"

#include "agent/net/tls.h"
#include "agent/script/script.h"
#include "cli/base/text_file.h"
#include "common/memory.h"

#include <string.h>

/* All authorities of a machine together are a quarter of it. */
#define TLS_FILE_MAX_BYTES ((size_t)1024 * 1024)
/* In the bundle. */
#define FOLDER "tutti-tls/"

/* Takes the text. */
static bool campaign_tls_bundle(struct script_facts *facts, const char *path, char *text,
                                struct bytes *option, struct error *error)
{
    *option = bytes_of_string(path);
    return script_facts_add_file(facts, path, text_take(text, strlen(text)), error);
}

static bool campaign_tls_add_authorities(struct run_options *options, struct script_facts *facts,
                                         struct error *error)
{
    const char *path = options->tls_files.ca;
    char *ca = path != NULL ? text_file_read_up_to(path, TLS_FILE_MAX_BYTES, error) : NULL;
    const struct tls_options checked = {.ca_pem = ca};

    if (path == NULL) {
        return true;
    }
    if (ca == NULL || !tls_options_check(&checked, error)) {
        memory_free(ca);
        return error_wrap(error, "--ca: ");
    }
    return campaign_tls_bundle(facts, FOLDER "ca.pem", ca, &options->campaign.ca, error);
}

/* In the file of the certificate, or in one of its own. */
static bool campaign_tls_add_certificate(struct run_options *options, struct script_facts *facts,
                                         struct error *error)
{
    const char *path = options->tls_files.certificate;
    const char *key_path = options->tls_files.key;
    char *certificate = path != NULL ? text_file_read_up_to(path, TLS_FILE_MAX_BYTES, error) : NULL;
    char *key = NULL;

    if (path == NULL) {
        return true;
    }
    if (certificate == NULL) {
        return error_wrap(error, "--cert: ");
    }
    if (key_path != NULL && (key = text_file_read_up_to(key_path, TLS_FILE_MAX_BYTES, error)) == NULL) {
        memory_free(certificate);
        return error_wrap(error, "--key: ");
    }
    const struct tls_options checked = {
        .is_unverified = true, .certificate_pem = certificate, .key_pem = key};
    if (!tls_options_check(&checked, error)) {
        memory_free(certificate);
        memory_free(key);
        return error_wrap(error, key_path != NULL ? "--cert and --key: " : "--cert without --key: ");
    }
    bool is_added =
        campaign_tls_bundle(facts, FOLDER "cert.pem", certificate, &options->campaign.certificate, error);
    if (key == NULL || !is_added) {
        memory_free(key);
        return is_added;
    }
    return campaign_tls_bundle(facts, FOLDER "key.pem", key, &options->campaign.certificate_key, error);
}

bool campaign_tls_add(struct run_options *options, struct script_facts *facts, struct error *error)
{
    return campaign_tls_add_authorities(options, facts, error) &&
           campaign_tls_add_certificate(options, facts, error);
}
