/* The option `tls` of a request: texts in PEM, or names of files of the bundle that hold them. */
#include "agent/lua/lua_http_tls.h"

#include "agent/lua/lua_call.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_option.h"
#include "agent/script/script_state.h"

#include <lauxlib.h>
#include <string.h>

#define BEGIN "-----BEGIN "
/* The last words of the lines that begin what is wanted: there are several kinds of each. */
#define CERTIFICATE_LABEL "CERTIFICATE-----"
#define KEY_LABEL "PRIVATE KEY-----"

/* Whether a line of the text begins a block of this kind. */
static bool tls_has_block(const char *pem, const char *label)
{
    for (const char *at = strstr(pem, BEGIN); at != NULL; at = strstr(at + 1, BEGIN)) {
        size_t length = strcspn(at, "\r\n");
        if (length >= strlen(label) && strncmp(at + length - strlen(label), label, strlen(label)) == 0) {
            return true;
        }
    }
    return false;
}

/* The content of a file takes the place of its name, at `index`. */
static const char *tls_read_file(lua_State *lua, int index, const char *name)
{
    struct bytes content;
    struct error error;

    if (!script_files_read(script_of(lua)->files, lua_tostring(lua, index), &content, &error)) {
        lua_misuse(lua, "http: tls.%s is PEM text or the name of a file: %s", name, error.text);
    }
    lua_pushlstring(lua, content.size > 0 ? (const char *)content.data : "", content.size);
    lua_replace(lua, index);
    return lua_tostring(lua, index);
}

enum tls_option { TLS_VERIFY, TLS_CA, TLS_CERTIFICATE, TLS_KEY, TLS_OPTION_COUNT };

static const char *const tls_options[TLS_OPTION_COUNT + 1] = {"verify", "ca", "certificate", "key", NULL};

/* What the table at `table` holds: a bit for each option. */
struct tls_given {
    int table;
    uint32_t options;
};

/* Pushes the option and gives its type, if it is given. */
static int tls_get(lua_State *lua, const struct tls_given *given, enum tls_option option)
{
    bool is_given = (given->options & UINT32_C(1) << option) != 0;

    return is_given ? lua_option_get(lua, given->table, tls_options[option]) : LUA_TNIL;
}

/* NULL: the option is not there. The text stays on the stack. */
static const char *tls_text(lua_State *lua, const struct tls_given *given, enum tls_option option,
                            const char *label)
{
    const char *name = tls_options[option];
    size_t size;

    if (tls_get(lua, given, option) == LUA_TNIL) {
        return NULL;
    }
    if (lua_type(lua, -1) != LUA_TSTRING) {
        lua_misuse(lua, "http: tls.%s is PEM text or the name of a file, not a %s", name,
                   luaL_typename(lua, -1));
    }
    const char *text = lua_tolstring(lua, -1, &size);
    if (strlen(text) != size) {
        lua_misuse(lua, "http: tls.%s holds a zero byte", name);
    }
    if (strstr(text, BEGIN) == NULL) {
        text = tls_read_file(lua, lua_gettop(lua), name);
    }
    if (!tls_has_block(text, label)) {
        lua_misuse(lua, "http: tls.%s holds no line that ends with \"%s\"", name, label);
    }
    return text;
}

void lua_http_read_tls(lua_State *lua, int index, struct http_tls *tls)
{
    if (!lua_istable(lua, index)) {
        lua_misuse(lua, "http: tls is a table, not a %s", luaL_typename(lua, index));
    }
    const struct tls_given given = {.table = index,
                                    .options = lua_call_check_options(lua, index, "http: tls", tls_options)};
    int type = tls_get(lua, &given, TLS_VERIFY);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN) {
        lua_misuse(lua, "http: tls.verify is true or false, not a %s", luaL_typename(lua, -1));
    }
    if (type == LUA_TBOOLEAN) {
        tls->is_unverified = !lua_toboolean(lua, -1);
    }
    const char *ca = tls_text(lua, &given, TLS_CA, CERTIFICATE_LABEL);
    const char *certificate = tls_text(lua, &given, TLS_CERTIFICATE, CERTIFICATE_LABEL);
    const char *key = tls_text(lua, &given, TLS_KEY, KEY_LABEL);
    if (key != NULL && certificate == NULL) {
        lua_misuse(lua, "http: tls.key is given without tls.certificate");
    }
    if (certificate != NULL && key == NULL && !tls_has_block(certificate, KEY_LABEL)) {
        lua_misuse(lua, "http: tls.certificate is given without tls.key, and holds no key itself");
    }
    tls->ca_pem = ca != NULL ? ca : tls->ca_pem;
    if (certificate != NULL) {
        tls->certificate_pem = certificate;
        tls->key_pem = key != NULL ? key : certificate;
    }
}
