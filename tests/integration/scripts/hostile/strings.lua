-- The metatable that all strings share, the library's included.
local tutti = require "tutti"
local browser = require "tutti.browser"
local lib = require "lib"

tutti.scenario("x", function()
  for _, name in ipairs { "__index", "__tostring", "__name", "__call", "__concat", "__add", "__close", "__gc", "__metatable" } do
    lib.refused(function() getmetatable("")[name] = lib.escaped end)
    lib.refused(rawset, getmetatable(""), name, lib.escaped)
  end
  -- `string` itself is the script's.
  function string.shout(text) return text:upper() .. "!" end
  assert(("a"):shout() == "A!")
  setmetatable(string, { __index = lib.escaped, __newindex = lib.escaped })
  for name in pairs(string) do
    if name ~= "shout" and name ~= "upper" then string[name] = lib.escaped end
  end
  local page = browser.open { remote = lib.origin .. "/y//" }
  pcall(page.open, page, "/x")
  page:find("#x"):send_keys("a/b")
  page:execute("return 1")
  page:close()
end)
