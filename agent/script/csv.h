/* Reads CSV record by record, as RFC 4180 has it: quoted fields, "" for a quote, CRLF or LF; pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

#define CSV_MOST_FIELDS 500u

struct csv_reader {
    struct bytes text; /* borrowed */
    size_t at;
    uint64_t line; /* of what comes next, from 1 */
};

struct csv_field {
    struct bytes raw; /* without the quotes around it */
    bool has_quotes;  /* each quote in it stands twice */
};

struct csv_record {
    size_t at;     /* where it begins */
    uint64_t line; /* likewise */
    size_t count;
    struct csv_field fields[CSV_MOST_FIELDS];
};

enum csv_result { CSV_RECORD, CSV_END, CSV_WRONG };

/* At the beginning of a file: a byte order mark is skipped. */
void csv_start(struct csv_reader *reader, struct bytes text);
/* Empty lines are skipped. CSV_WRONG: "12: …", the line and what is wrong there. */
MUST_CHECK enum csv_result csv_read(struct csv_reader *reader, struct csv_record *record,
                                    struct error *error);
