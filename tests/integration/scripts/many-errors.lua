-- Each step fails in words of its own: in letters, for the report counts together what differs by its numbers only.
local tutti = require "tutti"
tutti.scenario("fails", function(worker)
  local words = (worker.id .. " " .. worker.step):gsub("%d", function(digit) return string.char(string.byte("g") + digit) end)
  error(words .. " " .. ("x"):rep(1900))
end)
