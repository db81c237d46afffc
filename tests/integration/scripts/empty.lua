-- Loads well and offers nothing to run.
local tutti = require "tutti"
tutti.setup(function() end)
