-- What a session is asked for; the test looks at what went over the wire.
local tutti = require "tutti"
local browser = require "tutti.browser"
local common = require "common"

tutti.scenario("start", function()
  local remote = common.options().remote
  browser.open { remote = remote:gsub("//", "//ada:secret@") .. "/wd/hub/", headless = false }
  browser.open { remote = remote, auth = { "eve", "x:y" }, browser = "firefox", args = { "-devtools" }, timeouts = { script = 5 } }
  browser.open { remote = remote, browser = "webkit" }
  browser.open { remote = remote, mobile = "Pixel 7", args = { "--lang=de" },
    capabilities = { acceptInsecureCerts = true, ["goog:chromeOptions"] = { args = { "--x" }, binary = "/b" } } }
end)
