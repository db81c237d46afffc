-- browser: chromium
-- Arguments and capabilities that name a program or a file, open a door, or take down the browser's own walls.
local tutti = require "tutti"
local browser = require "tutti.browser"
local lib = require "lib"

tutti.scenario("x", function()
  for _, argument in ipairs { "--renderer-cmd-prefix=sh", "--gpu-launcher=sh", "--utility-cmd-prefix=sh", "--user-data-dir=" .. lib.prey,
    "--load-extension=" .. lib.prey, "--log-net-log=" .. lib.prey .. "/x", "--no-sandbox", "--disable-web-security", "--disable-setuid-sandbox",
    "--disable-seccomp-filter-sandbox", "--disable-namespace-sandbox", "--enable-logging=" .. lib.prey, "--enable-local-file-accesses",
    "--allow-file-access-from-files", "--blink-settings=webSecurityEnabled=false", "--blink-settings=imagesEnabled=false,webSecurityEnabled=false",
    "--remote-debugging-port=1", "--remote-debugging-pipe", "--remote-allow-origins=*", "--crash-dumps-dir=" .. lib.prey, "--headless\n--no-sandbox",
    "--lang;no-sandbox", "--window-size --no-sandbox", "--disable-extensions-except=" .. lib.prey, "--enable-features\0=x", lib.prey .. "/secret",
    "file://" .. lib.prey .. "/secret", "-", "--", "", "---no-sandbox", "--screenshot=" .. lib.prey .. "/new", "--print-to-pdf=" .. lib.prey .. "/new",
    "--dump-dom", "--disk-cache-dir=" .. lib.prey, "--profile", "-profile", "-marionette", "--mute-audio=x" } do
    lib.refused(browser.open, { args = { argument } })
  end
  for _, more in ipairs { { ["goog:chromeOptions"] = { binary = "/bin/sh" } }, { ["ms:edgeOptions"] = {} }, { ["moz:firefoxOptions"] = {} },
    { webSocketUrl = true }, { ["goog:loggingPrefs"] = {} }, { browserName = "x" }, { ["goog:chromeOptions\0"] = {} }, { [1] = "x" } } do
    lib.refused(browser.open, { capabilities = more })
  end
  lib.refused(browser.open, { args = setmetatable({ "--no-sandbox" }, { __len = function() return 0 end }) })
  lib.refused(browser.open, { mobile = { "x" }, browser = "chromium; sh" })
end)
