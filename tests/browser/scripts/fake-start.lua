-- A session that cannot be started.
local tutti = require "tutti"
local browser = require "tutti.browser"
local common = require "common"

tutti.scenario("start", function()
  browser.open(common.options())
end)
