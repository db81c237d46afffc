/* The rows of a tutti.data: where they are stored, and how one becomes a table of the script. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <lua.h>
#include <stdint.h>

enum data_kind { DATA_CSV, DATA_LINES, DATA_TABLE };

/* The body of a Lua object. Its user values: the rows (a table of them, or their offsets in the text), and
 * what is needed to read one (the names of the fields). */
struct data_rows {
    enum data_kind kind;
    uint32_t count;
    struct bytes text; /* owned by the script's files */
    char separator;    /* of the fields of a CSV */
};
enum { DATA_ROWS_VALUE = 1, DATA_READER_VALUE, DATA_NAME_VALUE };

/* `index` is the object, whose user values are set. They raise with "users.csv:12: …". The text of a file has
 * no byte order mark. */
void data_open_csv(lua_State *lua, int index, const char *path, struct bytes text, char separator);
void data_open_lines(lua_State *lua, int index, const char *path, struct bytes text);
void data_open_json(lua_State *lua, int index, const char *path, struct bytes text);
/* From the list on top of the stack, which is popped. */
void data_open_table(lua_State *lua, int index, const char *name);
/* Pushes a new table with row `row`, from 1 to count. */
void data_push_row(lua_State *lua, int index, uint32_t row);
