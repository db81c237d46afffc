-- Each step fails in words of its own.
local tutti = require "tutti"
tutti.scenario("fails", function(worker)
  error(("x"):rep(1900) .. " " .. worker.id .. " " .. worker.step)
end)
