/* All of tutti that a script can call, for what runs scripts and what inspects them. */
#pragma once

struct vu_hooks;
struct script_library;

extern const struct script_library lua_api_library;
extern const struct vu_hooks lua_api_hooks;
