-- fails: attempt to concatenate a nil value
-- Listeners that take the agent's own functions away, and change what they are handed.
local tutti = require "tutti"
local http = require "tutti.http"
local lib = require "lib"

tutti.events(function(_, info)
  for key in pairs(info) do info[key] = nil end
  pcall, ipairs, tostring, setmetatable, error = print, print, print, print, function() end
end)

tutti.scenario("x", function()
  http.get(lib.origin .. "/x")
  http.get(lib.origin .. "/x", { name = "two" })
  local _ = nil .. "on purpose"
end)
