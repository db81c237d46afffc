/* What a script takes out of XML and HTML: by XPath 1.0, within bounds that libxml2 keeps. */
#include "agent/lua/lua_extract.h"

#include "agent/lua/lua_response.h"
#include "agent/script/limits.h"
#include "agent/script/lua_error.h"

#include <lauxlib.h>
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define METATABLE "tutti.xpath"
/* A tree takes a multiple of its text, and is outside of the script's memory. */
#define XPATH_MAX_BYTES (8u * 1024u * 1024u)
/* Steps of an evaluation, in which no hook runs. */
#define XPATH_OPERATIONS 2000000u
#define XPATH_ERROR_BYTES 200
/* What an entity stands for is not put in its place, and nothing is loaded: no network, no DTD. */
#define XML_OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)
#define HTML_OPTIONS (HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_RECOVER)

/* Owned by a userdata, so that an error of the script frees it too. */
struct xpath_work {
    xmlDocPtr document;
    xmlXPathContextPtr context;
    xmlXPathObjectPtr found;
    xmlChar *text;                 /* of one node, while it is copied */
    char error[XPATH_ERROR_BYTES]; /* the first one */
};

static int xpath_close(lua_State *lua)
{
    struct xpath_work *work = lua_touserdata(lua, 1);

    xmlFree(work->text);
    xmlXPathFreeObject(work->found);
    xmlXPathFreeContext(work->context);
    xmlFreeDoc(work->document);
    work->text = NULL;
    work->found = NULL;
    work->context = NULL;
    work->document = NULL;
    return 0;
}

static struct xpath_work *xpath_push_work(lua_State *lua)
{
    struct xpath_work *work = lua_newuserdatauv(lua, sizeof *work, 0);

    *work = (struct xpath_work){0};
    if (luaL_newmetatable(lua, METATABLE)) {
        lua_pushcfunction(lua, xpath_close);
        lua_setfield(lua, -2, "__gc");
    }
    lua_setmetatable(lua, -2);
    return work;
}

static void xpath_on_error(void *context, xmlErrorPtr error)
{
    struct xpath_work *work = context;

    if (work->error[0] == '\0' && error != NULL && error->message != NULL) {
        snprintf(work->error, sizeof work->error, "%s", error->message);
        work->error[strcspn(work->error, "\n")] = '\0';
    }
}

/* Of the response at index 1. */
static bool is_html(lua_State *lua)
{
    lua_response_push_headers(lua);
    lua_pushliteral(lua, "content-type");
    bool is_text = lua_gettable(lua, -2) == LUA_TSTRING;
    bool is_found = is_text && strstr(lua_tostring(lua, -1), "html") != NULL &&
                    strstr(lua_tostring(lua, -1), "xhtml") == NULL;
    lua_pop(lua, 2);
    return is_found;
}

/* Pushes the text of a node. */
static void push_node(lua_State *lua, struct xpath_work *work, const xmlNode *node)
{
    work->text = xmlNodeGetContent(node);
    lua_pushstring(lua, work->text != NULL ? (const char *)work->text : "");
    xmlFree(work->text);
    work->text = NULL;
}

static int xpath_push_found(lua_State *lua, struct xpath_work *work)
{
    const xmlXPathObject *found = work->found;

    switch (found->type) {
    case XPATH_BOOLEAN:
        lua_pushboolean(lua, found->boolval);
        return 1;
    case XPATH_NUMBER:
        lua_pushnumber(lua, found->floatval);
        return 1;
    case XPATH_STRING:
        lua_pushstring(lua, (const char *)found->stringval);
        return 1;
    default:
        break;
    }
    lua_newtable(lua);
    int count = found->nodesetval != NULL ? found->nodesetval->nodeNr : 0;
    for (int i = 0; i < count; i++) {
        limits_charge(lua, 10);
        push_node(lua, work, found->nodesetval->nodeTab[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    return 1;
}

static void xpath_parse(lua_State *lua, struct xpath_work *work, bool is_markup)
{
    size_t size;
    const char *body = lua_tolstring(lua, -1, &size);

    if (size > XPATH_MAX_BYTES) {
        lua_misuse(lua, "xpath: the body has more than %u MiB", XPATH_MAX_BYTES / 1024 / 1024);
    }
    limits_charge(lua, size / 4);
    xmlInitParser();
    xmlSetStructuredErrorFunc(work, xpath_on_error);
    work->document = is_markup ? htmlReadMemory(body, (int)size, NULL, NULL, HTML_OPTIONS)
                               : xmlReadMemory(body, (int)size, NULL, NULL, XML_OPTIONS);
    xmlSetStructuredErrorFunc(NULL, NULL); /* of the thread: it must not outlive the work */
    if (work->document == NULL) {
        lua_misuse(lua, "xpath: the answer is not %s: %s", is_markup ? "HTML" : "XML",
                   work->error[0] != '\0' ? work->error : "it is empty");
    }
    work->error[0] = '\0'; /* an HTML page that can be read may have errors */
}

/* (response, expression) → a list of texts for nodes; else a string, a number or a boolean */
int lua_extract_xpath(lua_State *lua)
{
    lua_settop(lua, 2);
    bool is_markup = is_html(lua);
    size_t size;
    const char *expression = luaL_checklstring(lua, 2, &size);
    lua_response_push_body(lua);
    struct xpath_work *work = xpath_push_work(lua);
    lua_insert(lua, 3);
    xpath_parse(lua, work, is_markup);
    work->context = xmlXPathNewContext(work->document);
    if (work->context != NULL && strlen(expression) == size) {
        work->context->opLimit = XPATH_OPERATIONS;
        work->context->error = xpath_on_error;
        work->context->userData = work;
        work->found = xmlXPathEvalExpression((const xmlChar *)expression, work->context);
        limits_charge(lua, work->context->opCount);
    }
    if (work->found == NULL) {
        return lua_misuse(lua, "xpath: \"%.80s\": %s", expression,
                          work->error[0] != '\0' ? work->error : "it is no XPath expression");
    }
    lua_settop(lua, 3);
    xpath_push_found(lua, work);
    lua_pushcfunction(lua, xpath_close); /* now, not when memory is collected */
    lua_pushvalue(lua, 3);
    lua_call(lua, 1, 0);
    return 1;
}
