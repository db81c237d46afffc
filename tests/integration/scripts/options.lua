-- Says itself how it wants to be run.
local tutti = require "tutti"
tutti.options { workers = 3, runs = 2, ramp_up = "10ms" }
tutti.scenario("nothing", function() end)
