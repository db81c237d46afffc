/* What `tutti init` writes: a script to start from, and what an editor needs to know of the Lua API. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>

/* The names of the templates; the first one is for whom has named none. Terminated by NULL. */
extern const char *const skeleton_templates[];

/* Writes loadtest.lua, README.md and .luarc.json into the folder, which is created if it does not exist: all
 * of them or none. One that is there already is an error. Says what it wrote on standard output. */
MUST_CHECK bool skeleton_write_project(const char *folder, const char *name, struct error *error);
/* Writes the annotations of all modules (for lua-language-server) into the folder's .tutti, over those of
 * another version; and .luarc.json, if there is none. */
MUST_CHECK bool skeleton_write_annotations(const char *folder, struct error *error);
