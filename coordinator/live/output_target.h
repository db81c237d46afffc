/* Where points go while a campaign runs: one --out. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

#define OUTPUT_TARGETS 8u
#define OUTPUT_HEADERS 16u

enum output_kind { OUTPUT_STATSD, OUTPUT_INFLUXDB, OUTPUT_OTLP, OUTPUT_PROMETHEUS, OUTPUT_KIND_COUNT };

/* The values of the option, borrowed. */
struct output_list {
    const char *texts[OUTPUT_TARGETS];
    size_t count;
};

/* False if it is malformed, or one too many. Opens nothing. */
MUST_CHECK bool output_list_add(struct output_list *list, const char *text, struct error *error);

struct output_target {
    enum output_kind kind;
    char *name;   /* "influxdb at http://127.0.0.1:8086": neither path nor query, which may be secret */
    char *url;    /* NULL for statsd */
    char *host;   /* of statsd, without brackets */
    char *port;   /* likewise */
    char *prefix; /* of the names of statsd */
    char *token_file;
    char *headers[OUTPUT_HEADERS]; /* "Authorization: Bearer …"; of output_target_open */
    size_t header_count;
};

MUST_CHECK bool output_target_parse(const char *text, struct output_target *target, struct error *error);
/* Reads the file of the token, and the environment. */
MUST_CHECK bool output_target_open(struct output_target *target, struct error *error);
/* Overwrites the headers. */
void output_target_finish(struct output_target *target);
