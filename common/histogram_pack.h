/* Histograms as bytes and back. */
#pragma once
#include "common/histogram.h"
#include "common/pack.h"

/* NULL is kept apart from an empty one. */
void histogram_pack(const struct histogram *histogram, struct buffer *into);
/* NULL for NULL, and where `from` is broken. */
MUST_CHECK struct histogram *histogram_unpack(struct unpack *from);
