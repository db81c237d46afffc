-- The seats of a room take the browsers of the campaign in turn.
local tutti = require "tutti"
local browser = require "tutti.browser"
local common = require "common"

tutti.scenario("mixed", function(worker)
  local options = common.options()
  options.browser = nil
  local page = browser.of(worker, options)
  page:title()
  tutti.print(("%d has %s"):format(worker.id, page.browser))
end)
