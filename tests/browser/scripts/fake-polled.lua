-- A driver without asynchronous scripts: looked at again and again, and marked.
local tutti = require "tutti"
local browser = require "tutti.browser"
local common = require "common"

tutti.scenario("polled", function(worker)
  local page = browser.of(worker, common.options())
  local text, seen_at, sighting = page:wait_for_text("#box", "here")
  common.same({ text, seen_at, sighting.polled }, { "here", 1700000000.5, true })
end)
