-- Chunks with other environments, names and forms, and functions in their place.
local tutti = require "tutti"
local browser = require "tutti.browser"
local lib = require "lib"

tutti.scenario("x", function()
  local env = load("return _ENV", "=tutti.browser/session.lua", "t", { a = 1 })()
  assert(env.a == 1)
  for _, text in ipairs { "\27Lua", "return import", "return native", "return drivers", "local import, native = ... return native or import" } do
    local f = load(text, "=tutti.browser/browser.lua", "bt")
    if f and f() ~= nil then lib.escaped(text) end
  end
  for _, name in ipairs { "getupvalue", "setupvalue", "getinfo", "getregistry", "getlocal", "setmetatable", "upvalueid", "sethook", "getuservalue" } do
    if debug[name] then lib.escaped("debug." .. name) end
  end
  if package.loaded.debug ~= debug or string.dump or dofile or loadfile or package.loadlib then lib.escaped("a function") end
  if debug.traceback(coroutine.create(browser.open)):find(lib.prey, 1, true) then lib.escaped("a traceback") end
  local co = coroutine.create(browser.open)
  coroutine.resume(co, { remote = 1 })
  lib.look_at(debug.traceback(co))
  pcall(coroutine.close, co)
  local label = 0
  ::again::
  local function closure() return label end
  label = label + 1
  if label < 3 then goto again end
  assert(closure() == 3)
end)
