-- A browser in a container: a page that changes, and is seen to.
local tutti = require "tutti"
local browser = require "tutti.browser"

tutti.scenario("a page", function(worker)
  local page = browser.of(worker)
  page:open("data:text/html,<p id=a></p>")
  page:execute("setTimeout(() => { a.textContent = 'ready' }, 100)")
  assert(page:wait_for_text("#a", "ready") == "ready")
end)
