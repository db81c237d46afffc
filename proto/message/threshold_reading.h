/* Reading a threshold from left to right: for the files that it is made of. */
#pragma once
#include "proto/message/threshold.h"

#define THRESHOLD_WORD_BYTES 32u
#define THRESHOLD_NUMBER_BYTES 32u
#define THRESHOLD_LIST_BYTES 300u

/* A word that a threshold may begin with, and what is known of its metric. */
struct threshold_metric_row {
    const char *word;
    enum threshold_metric metric;
    bool needs_name;
    bool may_have_name;
    bool may_have_tag;
    bool has_times;
    unsigned counts;      /* a bit for each of enum threshold_count */
    const char *fallback; /* the statistic if none is named */
};

/* The text, and how far it has been read. */
struct threshold_reading {
    struct bytes text;
    size_t at;
    struct error *error;
    const struct threshold_metric_row *row;
};

/* False, with "column N: …" for what stands at `at`. */
bool reading_refuse(const struct threshold_reading *reading, size_t at, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The next byte; 0 at the end. */
uint8_t reading_peek(const struct threshold_reading *reading);
void reading_skip_space(struct threshold_reading *reading);
struct bytes reading_take(struct threshold_reading *reading, bool (*belongs)(uint8_t byte));
/* What stands at `at` up to a space, for a message. */
struct bytes reading_word_at(const struct threshold_reading *reading, size_t at);

bool reading_is_letter(uint8_t byte);
bool reading_is_digit(uint8_t byte);
bool reading_is_space(uint8_t byte);
bool reading_is_of_number(uint8_t byte); /* a digit or a point */

/* METRIC[NAME]{TAG=VALUE,…}.STATISTIC */
MUST_CHECK bool threshold_read_subject(struct threshold_reading *reading, struct threshold *threshold);
