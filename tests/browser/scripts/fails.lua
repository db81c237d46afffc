-- Fails with a page open, at a WebDriver that the test plays.
local tutti = require "tutti"
local browser = require "tutti.browser"
local common = require "common"

tutti.scenario("fails", function(worker)
  browser.of(worker, common.options())
  error("on purpose")
end)

tutti.scenario("does not", { weight = 0 }, function(worker)
  browser.of(worker, common.options())
end)
