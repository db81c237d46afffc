/* Prints a table of options as help. */
#include "common/buffer.h"
#include "common/option.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#define WIDTH 100u
#define LEFT_MAX_COLUMNS 34u
#define LINE_MAX_BYTES 1024u

void option_variable(const struct option *option, char variable[OPTION_VARIABLE_BYTES])
{
    int length = snprintf(variable, OPTION_VARIABLE_BYTES, "TUTTI_%s", option->name);
    assert(length > 0 && length < (int)OPTION_VARIABLE_BYTES);
    for (char *at = variable; *at != '\0'; at++) {
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    }
}

/* "  -w, --workers N" */
static void write_left(struct buffer *left, const struct option *option)
{
    if (option->letter != 0) {
        buffer_append_format(left, "  -%c, --%s", option->letter, option->name);
    } else {
        buffer_append_format(left, "      --%s", option->name);
    }
    if (option->argument != NULL) {
        buffer_append_format(left, "%s%s", option->bare != NULL ? "" : " ", option->argument);
    } else if (option->type == OPTION_CHOICE) {
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            buffer_append_format(left, "%s%s", i == 0 ? " " : "|", option->choices[i]);
        }
    }
}

static void write_right(struct buffer *right, const struct option *option)
{
    buffer_append_string(right, option->help);
    if (option->fallback != NULL) {
        buffer_append_format(right, "  [%s]", option->fallback);
    }
}

/* Columns on a terminal, approximately: characters, not bytes. */
static size_t columns_of(struct bytes text)
{
    size_t columns = 0;
    for (size_t i = 0; i < text.size; i++) {
        columns += (text.data[i] & 0xc0U) != 0x80;
    }
    return columns;
}

static size_t left_columns(const struct option *options, size_t count)
{
    size_t widest = 0;
    for (size_t i = 0; i < count; i++) {
        SCOPED(buffer_finish) struct buffer left;
        buffer_init(&left, LINE_MAX_BYTES);
        write_left(&left, &options[i]);
        size_t columns = columns_of(buffer_bytes(&left));
        if (columns > widest && columns <= LEFT_MAX_COLUMNS) {
            widest = columns;
        }
    }
    return widest;
}

/* Wraps the words into lines that start at `indent`; the first line continues at the current column. */
static void print_wrapped(const char *text, size_t indent, FILE *out)
{
    size_t column = indent;
    while (*text != '\0') {
        size_t spaces = strspn(text, " ");
        size_t length = strcspn(text + spaces, " ");
        struct bytes word = bytes_of(text + spaces, length);
        if (column > indent && column + spaces + columns_of(word) > WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            spaces = 0;
        }
        fprintf(out, "%*s%.*s", (int)spaces, "", BYTES_FORMAT(word));
        column += spaces + columns_of(word);
        text = (const char *)word.data + length;
    }
    fputc('\n', out);
}

void option_print_help(const struct option *options, size_t count, FILE *out)
{
    size_t indent = left_columns(options, count) + 2;
    for (size_t i = 0; i < count; i++) {
        SCOPED(buffer_finish) struct buffer left;
        SCOPED(buffer_finish) struct buffer right;
        buffer_init(&left, LINE_MAX_BYTES);
        buffer_init(&right, LINE_MAX_BYTES);
        write_left(&left, &options[i]);
        write_right(&right, &options[i]);
        size_t columns = columns_of(buffer_bytes(&left));
        fputs(buffer_string(&left), out);
        if (columns + 2 > indent) {
            fprintf(out, "\n%*s", (int)indent, "");
        } else {
            fprintf(out, "%*s", (int)(indent - columns), "");
        }
        print_wrapped(buffer_string(&right), indent, out);
    }
}
