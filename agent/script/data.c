/* The rows of a tutti.data: CSV and JSON lines stay text until a row is requested. */
#include "agent/script/data.h"

#include "agent/script/csv.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_json.h"
#include "agent/script/script_state.h"

#include <string.h>

#define DEEPEST 200

static struct data_rows *rows_at(lua_State *lua, int index)
{
    return lua_touserdata(lua, index);
}

static void set_count(lua_State *lua, int index, const char *path, uint64_t count)
{
    if (count == 0) {
        lua_misuse(lua, "%s: no rows", path);
    }
    rows_at(lua, index)->count = (uint32_t)count;
}

/* The offsets of the rows: memory that counts against the script's limit. */
static uint32_t *new_offsets(lua_State *lua, int index)
{
    uint32_t *offsets = lua_newuserdatauv(lua, rows_at(lua, index)->count * sizeof *offsets, 0);

    lua_setiuservalue(lua, index, DATA_ROWS_VALUE);
    return offsets;
}

static uint32_t offset_of(lua_State *lua, int index, uint32_t row)
{
    lua_getiuservalue(lua, index, DATA_ROWS_VALUE);
    const uint32_t *offsets = lua_touserdata(lua, -1);
    lua_pop(lua, 1);
    return offsets[row - 1];
}

static void data_push_field(lua_State *lua, const struct csv_field *field)
{
    luaL_Buffer buffer;

    if (!field->has_quotes) {
        lua_pushlstring(lua, (const char *)field->raw.data, field->raw.size);
        return;
    }
    char *to = luaL_buffinitsize(lua, &buffer, field->raw.size);
    size_t size = 0;
    for (size_t i = 0; i < field->raw.size; i++) {
        to[size++] = (char)field->raw.data[i];
        i += field->raw.data[i] == '"'; /* the second of the two */
    }
    luaL_pushresultsize(&buffer, size);
}

static bool read_record(lua_State *lua, const char *path, struct csv_reader *reader,
                        struct csv_record *record)
{
    struct error error;

    switch (csv_read(reader, record, &error)) {
    case CSV_RECORD:
        return true;
    case CSV_WRONG:
        lua_misuse(lua, "%s:%s", path, error.text);
        return false;
    case CSV_END:
        break;
    }
    return false;
}

/* The names of the fields as a list; no duplicates. */
static void take_header(lua_State *lua, int index, const char *path, const struct csv_record *record)
{
    lua_createtable(lua, (int)record->count, 0);
    lua_newtable(lua);
    for (size_t i = 0; i < record->count; i++) {
        data_push_field(lua, &record->fields[i]);
        if (lua_rawlen(lua, -1) == 0) {
            lua_misuse(lua, "%s:%d: field %d of the header has no name", path, (int)record->line, (int)i + 1);
        }
        lua_pushvalue(lua, -1);
        if (lua_rawget(lua, -3) != LUA_TNIL) {
            lua_misuse(lua, "%s:%d: two fields have the name \"%.100s\"", path, (int)record->line,
                       lua_tostring(lua, -2));
        }
        lua_pop(lua, 1);
        lua_pushvalue(lua, -1);
        lua_rawseti(lua, -4, (lua_Integer)i + 1);
        lua_pushboolean(lua, 1);
        lua_rawset(lua, -3);
    }
    lua_pop(lua, 1);
    lua_setiuservalue(lua, index, DATA_READER_VALUE);
}

/* Parses the whole text, once to count the rows and once more to record their offsets. */
static uint64_t walk_csv(lua_State *lua, const char *path, struct csv_reader reader, uint32_t *offsets)
{
    struct csv_record record;
    uint64_t count = 0;

    if (!read_record(lua, path, &reader, &record)) {
        return 0;
    }
    size_t fields = record.count;
    while (read_record(lua, path, &reader, &record)) {
        if (record.count != fields) {
            lua_misuse(lua, "%s:%llu: %zu fields, the header has %zu", path, (unsigned long long)record.line,
                       record.count, fields);
        }
        if (offsets != NULL) {
            offsets[count] = (uint32_t)record.at;
        }
        count++;
    }
    return count;
}

/* A file of a spreadsheet in a language that writes 1,5: all of a line looks like one field. */
static void refuse_other_separator(lua_State *lua, const char *path, const struct csv_record *header)
{
    struct bytes only = header->fields[0].raw;

    for (const char *other = ";\t|"; header->count == 1 && *other != '\0'; other++) {
        if (memchr(only.data, *other, only.size) != NULL) {
            const char *spelled = *other == '\t' ? "\\t" : (const char[]){*other, '\0'};
            lua_misuse(lua,
                       "%s:%d: the header is one field with \"%s\" in it; if that separates the fields, say "
                       "separator = \"%s\"",
                       path, (int)header->line, spelled, spelled);
        }
    }
}

void data_open_csv(lua_State *lua, int index, const char *path, struct bytes text, char separator)
{
    struct csv_record header;
    struct csv_reader reader;
    struct data_rows *rows = rows_at(lua, index);

    limits_charge(lua, text.size);
    rows->kind = DATA_CSV;
    rows->text = text;
    rows->separator = separator;
    csv_start(&reader, text, separator);
    struct csv_reader again = reader;
    if (!read_record(lua, path, &again, &header)) {
        lua_misuse(lua, "%s: empty: expected a header line with the names of the fields", path);
    }
    refuse_other_separator(lua, path, &header);
    take_header(lua, index, path, &header);
    set_count(lua, index, path, walk_csv(lua, path, reader, NULL));
    (void)walk_csv(lua, path, reader, new_offsets(lua, index));
}

static void push_csv_row(lua_State *lua, int index, uint32_t row)
{
    struct csv_record record;
    const struct data_rows *rows = rows_at(lua, index);
    struct csv_reader reader = {
        .text = rows->text, .at = offset_of(lua, index, row), .separator = rows->separator};

    (void)read_record(lua, "", &reader, &record); /* was already read when it was opened */
    lua_getiuservalue(lua, index, DATA_READER_VALUE);
    lua_createtable(lua, 0, (int)record.count);
    for (size_t i = 0; i < record.count; i++) {
        lua_rawgeti(lua, -2, (lua_Integer)i + 1);
        data_push_field(lua, &record.fields[i]);
        lua_rawset(lua, -3);
    }
    lua_remove(lua, -2);
}

/* Pushes the value; raises with the file and the line, counted from `line`. */
static void data_decode(lua_State *lua, const char *path, size_t line, struct bytes text)
{
    struct json_problem problem;

    if (!lua_json_read(lua, text, &problem)) {
        lua_misuse(lua, "%s:%zu: %s (column %zu)", path, line + problem.line - 1, problem.text,
                   problem.column);
    }
}

static bool is_row(lua_State *lua)
{
    return lua_istable(lua, -1) && lua_rawlen(lua, -1) == 0;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The line that begins at *at, which is moved past it. */
static struct bytes take_line(struct bytes text, size_t *at)
{
    const uint8_t *begin = text.data + *at;
    const uint8_t *end = memchr(begin, '\n', text.size - *at);
    size_t size = end != NULL ? (size_t)(end - begin) : text.size - *at;

    *at += size + (end != NULL);
    return bytes_of(begin, size);
}

static bool is_blank(struct bytes line)
{
    for (size_t i = 0; i < line.size; i++) {
        if (!is_space(line.data[i])) {
            return false;
        }
    }
    return true;
}

static void check_line(lua_State *lua, const char *path, uint64_t number, struct bytes line)
{
    data_decode(lua, path, number, line);
    if (!is_row(lua)) {
        lua_misuse(lua, "%s:%llu: expected an object", path, (unsigned long long)number);
    }
    lua_pop(lua, 1);
}

static uint64_t walk_lines(lua_State *lua, int index, const char *path, uint32_t *offsets)
{
    struct bytes text = rows_at(lua, index)->text;
    uint64_t count = 0;
    uint64_t number = 0;

    for (size_t at = 0; at < text.size;) {
        size_t begin = at;
        struct bytes line = take_line(text, &at);
        number++;
        if (is_blank(line)) {
            continue;
        }
        if (offsets != NULL) {
            check_line(lua, path, number, line);
            offsets[count] = (uint32_t)begin;
        }
        count++;
    }
    return count;
}

void data_open_lines(lua_State *lua, int index, const char *path, struct bytes text)
{
    struct data_rows *rows = rows_at(lua, index);

    limits_charge(lua, text.size);
    rows->kind = DATA_LINES;
    rows->text = text;
    set_count(lua, index, path, walk_lines(lua, index, path, NULL));
    (void)walk_lines(lua, index, path, new_offsets(lua, index));
}

void data_open_json(lua_State *lua, int index, const char *path, struct bytes text)
{
    limits_charge(lua, text.size);
    data_decode(lua, path, 1, text);
    if (!lua_istable(lua, -1)) {
        lua_misuse(lua, "%s: expected an array of objects", path);
    }
    data_open_table(lua, index, path);
}

void data_open_table(lua_State *lua, int index, const char *name)
{
    rows_at(lua, index)->kind = DATA_TABLE;
    lua_Unsigned count = lua_rawlen(lua, -1);
    if (count > UINT32_MAX) {
        lua_misuse(lua, "%s: too many rows", name);
    }
    for (lua_Unsigned i = 1; i <= count; i++) {
        lua_rawgeti(lua, -1, (lua_Integer)i);
        if (!is_row(lua)) {
            lua_misuse(lua, "%s: row %d: expected an object, a table of named fields", name, (int)i);
        }
        lua_pop(lua, 1);
    }
    set_count(lua, index, name, count);
    lua_setiuservalue(lua, index, DATA_ROWS_VALUE);
}

/* A copy, so that a worker cannot change the row of another. The value is on top. */
static void copy_value(lua_State *lua, int depth)
{
    if (!lua_istable(lua, -1)) {
        return;
    }
    if (depth == DEEPEST) {
        lua_misuse(lua, "tutti.data: a row is nested more than %d levels deep", DEEPEST);
    }
    luaL_checkstack(lua, 8, NULL);
    lua_newtable(lua);
    if (lua_json_is_list(lua, -2)) {
        lua_json_push_list_type(lua);
        lua_setmetatable(lua, -2);
    }
    for (lua_pushnil(lua); lua_next(lua, -3);) {
        limits_charge(lua, 1);
        copy_value(lua, depth + 1);
        lua_pushvalue(lua, -2);
        lua_insert(lua, -2);
        lua_rawset(lua, -4);
    }
    lua_remove(lua, -2);
}

void data_push_row(lua_State *lua, int index, uint32_t row)
{
    struct data_rows *rows = rows_at(lua, index);

    luaL_checkstack(lua, 8, NULL);
    if (rows->kind == DATA_CSV) {
        push_csv_row(lua, index, row);
    } else if (rows->kind == DATA_LINES) {
        size_t at = offset_of(lua, index, row);
        data_decode(lua, "tutti.data", row,
                    take_line(rows->text, &at)); /* was already read when it was opened */
    } else {
        lua_getiuservalue(lua, index, DATA_ROWS_VALUE);
        lua_rawgeti(lua, -1, row);
        lua_remove(lua, -2);
        copy_value(lua, 0);
    }
}
