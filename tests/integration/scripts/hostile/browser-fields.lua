-- browser: chromium firefox
-- Rights that stood in fields of the page: its guard, its path, its driver.
local tutti = require "tutti"
local browser = require "tutti.browser"
local lib = require "lib"

tutti.scenario("x", function(worker)
  local page = browser.of(worker)
  local secret = "file://" .. lib.prey .. "/secret"
  lib.refused(page.open, page, secret)
  page.is_guarded, page.base, page.session = false, "file://", { is_guarded = false }
  lib.refused(page.open, page, secret)
  page:open(lib.prey .. "/secret")
  lib.look_at(page:source())
  lib.refused(page.request, page, "POST", "/url", { url = secret })
  page.path = "/../../"
  page:open("about:blank")
  lib.look_at(page:source())
  local other <close> = browser.open { base = "file://" }
  lib.refused(other.open, other, lib.prey .. "/secret")
  lib.refused(browser.open, setmetatable({}, { __index = { base = "file://" } }))
end)
