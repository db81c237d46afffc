-- Steps that take 2 ms and nothing else: whether they begin when the plan says.
local tutti = require "tutti"

tutti.scenario("step", function() tutti.sleep(0.002) end)
