/* Batches of lines as datagrams of UDP. */
#pragma once
#include "common/bytes.h"
#include "coordinator/live/output_result.h"
#include "coordinator/live/output_target.h"

/* Fits a frame of Ethernet. */
#define OUTPUT_DATAGRAM_BYTES 1432u

struct output_datagrams;

/* Looks the host up. NULL with an error if there is none. */
MUST_CHECK struct output_datagrams *output_datagrams_new(const struct output_target *target,
                                                         struct error *error);
/* Each datagram has whole lines, without the end of the last one. A batch that the kernel does not take whole
 * is lost: a second copy of its counters would be wrong. */
enum output_result output_datagrams_send(struct output_datagrams *datagrams, struct bytes lines,
                                         struct error *error);
/* NULLs the pointer; NULL is tolerated. */
void output_datagrams_free(struct output_datagrams **datagrams);
