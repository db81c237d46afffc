/* The text format of Prometheus. */
#pragma once
#include "common/buffer.h"

/* The two lines above the values of a metric. */
void metrics_text_head(struct buffer *text, const char *name, const char *type, const char *help);
/* name="value", escaped. */
void metrics_text_label(struct buffer *text, const char *name, struct bytes value);
