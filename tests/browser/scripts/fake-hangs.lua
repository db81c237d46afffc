-- Waits for ever, as far as the driver is concerned; closes nothing.
local tutti = require "tutti"
local browser = require "tutti.browser"
local common = require "common"

tutti.scenario("hangs", function(worker)
  browser.of(worker, common.options()):execute_async("")
end)
