-- A browser of its own for each worker, which nobody closes.
local tutti = require "tutti"
local browser = require "tutti.browser"

tutti.scenario("look", function(worker)
  local page = browser.of(worker)
  page:open("/page")
  print("saw " .. page:title())
end)
