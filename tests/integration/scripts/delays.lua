-- Steps of 100 ms with 200 ms between them; those that fail are followed by the next at once.
local tutti = require "tutti"

tutti.scenario("kept", { delay = 0.2 }, function(worker)
  tutti.sleep(0.1)
end)

tutti.scenario("failing", { delay = 5, weight = 0 }, function(worker)
  error("no delay after this")
end)

tutti.scenario("resting", { delay = 30, weight = 0 }, function(worker)
end)

tutti.scenario("undeterred", { delay = 30, weight = 0 }, function(worker)
  pcall(tutti.sleep, 60)
end)
