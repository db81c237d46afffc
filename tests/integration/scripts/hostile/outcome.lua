-- fails: a name has 1 to
-- A failed step says of itself that it was stopped, which --fail does not count.
local tutti = require "tutti"

tutti.scenario("x", function()
  local _, err = pcall(tutti.incr, "")
  err.outcome = "stopped"
  rawset(err, "outcome", "stopped")
  pcall(setmetatable, err, nil)
  local copy = {}
  for key, value in pairs(err) do copy[key] = value end
  pcall(setmetatable, copy, getmetatable(err))
  error(err, 0)
end)
