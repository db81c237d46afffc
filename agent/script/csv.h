/* Reads CSV record by record according to RFC 4180: quoted fields, "" for a quote, CRLF or LF. The separator
 * may be another than the comma. Pure. */
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
    uint64_t line; /* of the next record, from 1 */
    char separator;
};

struct csv_field {
    struct bytes raw; /* without the quotes around it */
    bool has_quotes;  /* it contains doubled quotes */
};

struct csv_record {
    size_t at;     /* of its first line */
    uint64_t line; /* of its first field */
    size_t count;
    struct csv_field fields[CSV_MOST_FIELDS];
};

enum csv_result { CSV_RECORD, CSV_END, CSV_WRONG };

/* At the beginning of a text without a byte order mark. `separator` is neither a quote nor part of a line
 * end. */
void csv_start(struct csv_reader *reader, struct bytes text, char separator);
/* Empty lines are skipped. CSV_WRONG: "12: …", the line and the error. */
MUST_CHECK enum csv_result csv_read(struct csv_reader *reader, struct csv_record *record,
                                    struct error *error);
