-- Fails with a page open; the target is a WebDriver that the test plays.
local tutti = require "tutti"
local browser = require "tutti.browser"

tutti.scenario("fails", function(worker)
  local page = browser.of(worker, { remote = tutti.target })
  tutti.print(page:title())
  error("on purpose")
end)
