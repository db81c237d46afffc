/* All that a script can call of tutti, for those who run scripts or look at them. */
#pragma once

struct vu_hooks;
struct script_library;

extern const struct script_library lua_api_library;
extern const struct vu_hooks lua_api_hooks;
