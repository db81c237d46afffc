/* Histograms as bytes and back. */
#pragma once
#include "common/histogram.h"
#include "common/pack.h"

/* NULL is distinguished from an empty histogram. */
void histogram_pack(const struct histogram *histogram, struct buffer *into);
/* NULL if NULL was packed, and if `from` is broken. */
MUST_CHECK struct histogram *histogram_unpack(struct unpack *from);
