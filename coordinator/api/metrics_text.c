/* The text format of Prometheus. */
#include "coordinator/api/metrics_text.h"

void metrics_text_head(struct buffer *text, const char *name, const char *type, const char *help)
{
    buffer_append_format(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_text_label(struct buffer *text, const char *name, struct bytes value)
{
    buffer_append_format(text, "%s=\"", name);
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        if (byte == '\n') {
            buffer_append_string(text, "\\n");
            continue;
        }
        if (byte == '\\' || byte == '"') {
            buffer_append_string(text, "\\");
        }
        (void)buffer_append(text, &byte, 1);
    }
    buffer_append_string(text, "\"");
}
