/* Reads CSV record by record. */
#include "agent/script/csv.h"

static bool is_here(const struct csv_reader *reader, size_t ahead, char wanted)
{
    size_t at = reader->at + ahead;

    return at < reader->text.size && reader->text.data[at] == (uint8_t)wanted;
}

void csv_start(struct csv_reader *reader, struct bytes text, char separator)
{
    *reader = (struct csv_reader){.text = text, .line = 1, .separator = separator};
}

static bool is_at_end(const struct csv_reader *reader)
{
    return reader->at >= reader->text.size;
}

/* At the end of a line or of the text; consumes the line end. */
static bool take_line_end(struct csv_reader *reader)
{
    size_t size = is_here(reader, 0, '\n') ? 1 : is_here(reader, 0, '\r') && is_here(reader, 1, '\n') ? 2 : 0;

    reader->at += size;
    reader->line += size > 0;
    return size > 0 || is_at_end(reader);
}

static bool csv_complain(const struct csv_reader *reader, struct error *error, const char *what)
{
    return error_set(error, "%llu: %s", (unsigned long long)reader->line, what);
}

/* The opening quote has been consumed. */
static bool read_quoted(struct csv_reader *reader, struct csv_field *field, struct error *error)
{
    size_t begin = reader->at;
    uint64_t line = reader->line;

    for (; !is_at_end(reader); reader->at++) {
        uint8_t byte = reader->text.data[reader->at];
        if (byte == '\n') {
            reader->line++;
        }
        if (byte == 0) {
            return csv_complain(reader, error, "a zero byte: expected UTF-8 text");
        }
        if (byte != '"') {
            continue;
        }
        if (!is_here(reader, 1, '"')) {
            field->raw = bytes_of(reader->text.data + begin, reader->at - begin);
            reader->at++;
            return true;
        }
        field->has_quotes = true;
        reader->at++;
    }
    reader->line = line;
    return csv_complain(reader, error, "an unterminated quoted field");
}

static bool read_plain(struct csv_reader *reader, struct csv_field *field, struct error *error)
{
    size_t begin = reader->at;

    for (; !is_at_end(reader); reader->at++) {
        uint8_t byte = reader->text.data[reader->at];
        if (byte == (uint8_t)reader->separator || byte == '\n' ||
            (byte == '\r' && is_here(reader, 1, '\n'))) {
            break;
        }
        if (byte == '"') {
            return csv_complain(reader, error, "a quote inside an unquoted field");
        }
        if (byte == '\r') {
            return csv_complain(reader, error, "a carriage return without a line feed");
        }
        if (byte == 0) {
            return csv_complain(reader, error, "a zero byte: expected UTF-8 text");
        }
    }
    field->raw = bytes_of(reader->text.data + begin, reader->at - begin);
    return true;
}

static bool read_field(struct csv_reader *reader, struct csv_field *field, struct error *error)
{
    *field = (struct csv_field){0};
    if (!is_here(reader, 0, '"')) {
        return read_plain(reader, field, error);
    }
    reader->at++;
    return read_quoted(reader, field, error);
}

enum csv_result csv_read(struct csv_reader *reader, struct csv_record *record, struct error *error)
{
    do {
        if (is_at_end(reader)) {
            return CSV_END;
        }
        record->at = reader->at;
        record->line = reader->line;
    } while (take_line_end(reader));
    for (record->count = 0;;) {
        if (record->count == CSV_MOST_FIELDS) {
            (void)csv_complain(reader, error, "more than 500 fields");
            return CSV_WRONG;
        }
        if (!read_field(reader, &record->fields[record->count], error)) {
            return CSV_WRONG;
        }
        record->count++;
        if (is_here(reader, 0, reader->separator)) {
            reader->at++;
            continue;
        }
        if (take_line_end(reader)) {
            return CSV_RECORD;
        }
        (void)csv_complain(reader, error, "text after the closing quote of a field");
        return CSV_WRONG;
    }
}
