/* --out of tutti run and tutti coordinator: where points go while campaigns run. */
#pragma once
#include "common/option.h"
#include "coordinator/live/output_target.h"

/* Adds to the struct output_list at `value`. */
bool out_option_parse(const char *text, void *value, struct error *error);

/* clang-format off */
#define OUT_OPTION(at) \
    {.name = "out", .type = OPTION_CUSTOM, .offset = (at), .is_set_offset = SIZE_MAX, .parse = out_option_parse, \
        .argument = "OUTPUT", .expected = "an output", \
        .help = "send points each second: statsd:HOST:PORT, influxdb:URL, otlp:URL, prometheus:URL; several: repeat it"}
/* clang-format on */
