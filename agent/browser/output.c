/* Keeps the output of a driver. */
#include "agent/browser/output.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES (4u << 20)

void output_open(struct output *output, const char *path)
{
    *output = (struct output){.file = -1};
    if (path != NULL) {
        output->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
}

void output_close(struct output *output)
{
    if (output->file >= 0) {
        (void)close(output->file);
    }
    output->file = -1;
}

static void write_file(struct output *output, struct bytes bytes)
{
    if (output->file < 0 || output->written_bytes + bytes.size > FILE_MAX_BYTES) {
        return;
    }
    /* A full disk costs the log, not the browser. */
    if (write(output->file, bytes.data, bytes.size) == (ssize_t)bytes.size) {
        output->written_bytes += bytes.size;
    }
}

void output_take(struct output *output, struct bytes bytes)
{
    write_file(output, bytes);
    if (bytes.size > OUTPUT_TAIL_BYTES) {
        bytes = bytes_of(bytes.data + bytes.size - OUTPUT_TAIL_BYTES, OUTPUT_TAIL_BYTES);
    }
    size_t total = output->tail_size + bytes.size;
    size_t dropped = total > OUTPUT_TAIL_BYTES ? total - OUTPUT_TAIL_BYTES : 0;
    memmove(output->tail, output->tail + dropped, output->tail_size - dropped);
    output->tail_size -= dropped;
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t byte = bytes.data[i];
        output->tail[output->tail_size++] =
            (char)((byte >= ' ' && byte < 0x7f) || byte == '\n' || byte == '\t' ? byte : '?');
    }
    output->tail[output->tail_size] = 0;
}

void output_forget_tail(struct output *output)
{
    output->tail_size = 0;
    output->tail[0] = 0;
}

unsigned output_number_after(const struct output *output, const char *mark)
{
    const char *found = strstr(output->tail, mark);

    if (found == NULL || strchr(found, '\n') == NULL) {
        return 0;
    }
    unsigned long number = strtoul(found + strlen(mark), NULL, 10);
    return number > 0 && number <= 65535 ? (unsigned)number : 0;
}

void output_last_line(const struct output *output, char *line, size_t size)
{
    size_t end = output->tail_size;

    while (end > 0 && strchr(" \t\n", output->tail[end - 1]) != NULL) {
        end--;
    }
    size_t begin = end;
    while (begin > 0 && output->tail[begin - 1] != '\n') {
        begin--;
    }
    bytes_to_text(bytes_of(output->tail + begin, end - begin), line, size);
}
