-- fails: on its way out
-- Code that runs where errors are shown, handled and closed.
local tutti = require "tutti"
local http = require "tutti.http"
local lib = require "lib"

local function attack()
  for _, f in ipairs { function() tutti.get_var("x") end, function() tutti.sleep(1) end, function() http.get(lib.origin) end,
    function() tutti.set_var("x", 1) end } do
    pcall(f)
    pcall(coroutine.wrap(f))
  end
  return "on its way out"
end

tutti.scenario("x", function()
  local shown = setmetatable({}, { __tostring = attack, __concat = attack, __name = "x" })
  pcall(error, shown)
  xpcall(error, attack, shown)
  xpcall(tutti.incr, function(why) attack() return tostring(why) end, "")
  pcall(tutti.print, shown)
  pcall(tutti.wait_var, "x", { [shown] = 1 })
  pcall(tutti.set_var, "x", { [shown] = 1 })
  lib.refused(tutti.scenario, shown, attack)
  local last <close> = setmetatable({}, { __close = attack })
  error(shown)
end)
