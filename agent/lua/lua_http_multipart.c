/* A body of several parts (RFC 7578), each with a name: fields of a form, and files of the bundle. */
#include "agent/http/message/fields.h"
#include "agent/lua/lua_call.h"
#include "agent/lua/lua_http_form.h"
#include "agent/lua/lua_http_parts.h"
#include "agent/script/limits.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "common/bytes.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define MULTIPART_MAX_PARTS 1000
#define BOUNDARY_BYTES 48u
#define MULTIPART_TYPE "multipart/form-data; boundary="
/* Bytes that cost about as much as an instruction. */
#define BYTES_PER_CHARGE 64u

/* All of it is borrowed from the table, or from the files of the script. */
struct multipart_part {
    struct bytes name;
    struct bytes content;
    struct bytes filename;
    struct bytes type;
    bool has_filename;
    bool has_type;
};

struct multipart_body {
    struct multipart_part *parts;
    size_t count;
    char boundary[BOUNDARY_BYTES];
};

/* A field of the part on top of the stack; false where there is none. Its text stays on the stack. */
static bool multipart_text(lua_State *lua, int part, const char *name, struct bytes *text)
{
    size_t size;
    int type = lua_option_get(lua, part, name);

    if (type == LUA_TNIL) {
        return false;
    }
    if (type == LUA_TBOOLEAN) {
        lua_pushstring(lua, lua_toboolean(lua, -1) ? "true" : "false");
    } else if (type != LUA_TSTRING && type != LUA_TNUMBER) {
        lua_misuse(lua, "http: %s of a part is a string, not a %s", name, luaL_typename(lua, -1));
    }
    const char *start = lua_tolstring(lua, -1, &size);
    *text = bytes_of(start, size);
    return true;
}

static void multipart_read_file(lua_State *lua, struct multipart_part *part, struct bytes file)
{
    const char *path = file.size > 0 ? (const char *)file.data : "";
    struct error error;

    if (!script_files_read(script_of(lua)->files, path, &part->content, &error)) {
        lua_misuse(lua, "http: the file of a part: %s", error.text);
    }
    if (!part->has_filename) {
        const char *slash = strrchr(path, '/');
        part->filename = bytes_of_string(slash != NULL ? slash + 1 : path);
        part->has_filename = true;
    }
    if (!part->has_type) {
        part->type = bytes_of_string("application/octet-stream");
        part->has_type = true;
    }
}

/* The part is on top of the stack. Its texts are kept in the table at `kept`. */
static void multipart_read_part(lua_State *lua, struct multipart_part *part, int kept)
{
    static const char *const names[] = {"name", "value", "file", "filename", "type", NULL};
    struct bytes file = {0};
    int top = lua_gettop(lua);

    if (!lua_istable(lua, top)) {
        lua_misuse(lua, "http: a part of multipart is a table, not a %s", luaL_typename(lua, top));
    }
    lua_call_check_options(lua, top, "http: multipart", names);
    if (!multipart_text(lua, top, "name", &part->name)) {
        lua_misuse(lua, "http: a part of multipart has no name");
    }
    part->has_filename = multipart_text(lua, top, "filename", &part->filename);
    part->has_type = multipart_text(lua, top, "type", &part->type);
    if (part->has_type && !field_is_value(part->type)) {
        lua_misuse(lua, "http: the type of a part must not hold a line break");
    }
    bool has_value = multipart_text(lua, top, "value", &part->content);
    bool has_file = multipart_text(lua, top, "file", &file);
    if (has_value == has_file) {
        lua_misuse(lua, "http: a part of multipart has a value or a file: %s has %s", (char *)part->name.data,
                   has_value ? "both" : "neither");
    }
    if (has_file) {
        multipart_read_file(lua, part, file);
    }
    for (int at = lua_gettop(lua); at > top; at--) {
        lua_rawseti(lua, kept, (lua_Integer)lua_rawlen(lua, kept) + 1);
    }
}

/* Quotes and line breaks as browsers write them. */
static void multipart_put_name(struct http_parts_text *out, struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        const char *byte = (const char *)&name.data[i];
        switch (*byte) {
        case '"':
            http_parts_put(out, "%22", 3);
            break;
        case '\r':
            http_parts_put(out, "%0D", 3);
            break;
        case '\n':
            http_parts_put(out, "%0A", 3);
            break;
        default:
            http_parts_put(out, byte, 1);
        }
    }
}

static void multipart_put_string(struct http_parts_text *out, const char *text)
{
    http_parts_put(out, text, strlen(text));
}

static void multipart_put_bytes(struct http_parts_text *out, struct bytes bytes)
{
    if (bytes.size > 0) {
        http_parts_put(out, (const char *)bytes.data, bytes.size);
    }
}

static void multipart_put(const struct multipart_body *body, struct http_parts_text *out)
{
    for (size_t i = 0; i < body->count; i++) {
        const struct multipart_part *part = &body->parts[i];
        multipart_put_string(out, "--");
        multipart_put_string(out, body->boundary);
        multipart_put_string(out, "\r\nContent-Disposition: form-data; name=\"");
        multipart_put_name(out, part->name);
        if (part->has_filename) {
            multipart_put_string(out, "\"; filename=\"");
            multipart_put_name(out, part->filename);
        }
        multipart_put_string(out, "\"\r\n");
        if (part->has_type) {
            multipart_put_string(out, "Content-Type: ");
            multipart_put_bytes(out, part->type);
            multipart_put_string(out, "\r\n");
        }
        multipart_put_string(out, "\r\n");
        multipart_put_bytes(out, part->content);
        multipart_put_string(out, "\r\n");
    }
    multipart_put_string(out, "--");
    multipart_put_string(out, body->boundary);
    multipart_put_string(out, "--\r\n");
}

/* The same parts have the same boundary, so that a run can be repeated byte by byte; no part holds it. */
static void multipart_choose_boundary(lua_State *lua, struct multipart_body *body)
{
    uint64_t number = 0;
    uint64_t size = 0;
    bool is_held = true;

    for (size_t i = 0; i < body->count; i++) {
        number = number * 31 + bytes_hash(body->parts[i].content);
        size += body->parts[i].content.size;
    }
    for (; is_held; number++) {
        snprintf(body->boundary, sizeof body->boundary, "----tutti-%016llx", (unsigned long long)number);
        limits_charge(lua, size / BYTES_PER_CHARGE);
        is_held = false;
        for (size_t i = 0; i < body->count && !is_held; i++) {
            struct bytes content = body->parts[i].content;
            is_held = content.size > 0 &&
                      memmem(content.data, content.size, body->boundary, strlen(body->boundary)) != NULL;
        }
    }
}

void lua_http_push_multipart(lua_State *lua, int index)
{
    struct multipart_body body = {0};
    struct http_parts_text counted = {0};
    struct http_parts_text written = {0};
    luaL_Buffer buffer;

    index = lua_absindex(lua, index);
    luaL_checkstack(lua, 20, NULL);
    if (!lua_istable(lua, index)) {
        lua_misuse(lua, "http: multipart is a list of parts, not a %s", luaL_typename(lua, index));
    }
    body.count = lua_rawlen(lua, index);
    if (body.count == 0 || body.count > MULTIPART_MAX_PARTS) {
        lua_misuse(lua, "http: multipart is a list of 1 to %d parts", MULTIPART_MAX_PARTS);
    }
    lua_newtable(lua);
    int kept = lua_gettop(lua);
    body.parts = lua_newuserdatauv(lua, body.count * sizeof *body.parts, 0);
    for (size_t i = 0; i < body.count; i++) {
        body.parts[i] = (struct multipart_part){0};
        lua_rawgeti(lua, index, (lua_Integer)i + 1);
        multipart_read_part(lua, &body.parts[i], kept);
        lua_pop(lua, 1);
    }
    multipart_choose_boundary(lua, &body);
    multipart_put(&body, &counted);
    written.at = luaL_buffinitsize(lua, &buffer, counted.size);
    multipart_put(&body, &written);
    luaL_pushresultsize(&buffer, written.size);
    lua_pushfstring(lua, MULTIPART_TYPE "%s", body.boundary);
    lua_replace(lua, kept);
    lua_replace(lua, kept + 1);
    lua_insert(lua, kept);
}
