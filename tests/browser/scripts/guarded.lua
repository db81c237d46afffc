-- What a script may not do with a browser of the agent's own, where it may not use the system.
local tutti = require "tutti"
local browser = require "tutti.browser"
local common = require "common"
local refuses = common.refuses

tutti.scenario("guarded", function(worker)
  local own = common.options()
  for _, address in ipairs { "file:///etc/passwd", "FILE:///etc/passwd", "view-source:file:///etc/passwd", "chrome://version" } do
    refuses("is not an address that may be opened", function() common.page(worker):open(address) end)
  end
  local page = common.page(worker, "/main.html")
  refuses("no raw commands", page.request, page, "POST", "/url", { url = "file:///etc/passwd" })
  common.same(page:execute("try { location.href = 'file:///etc/passwd' } catch (e) {} return location.protocol"), "http:")
  refuses("send_file: ", function() page:find("#file"):send_file("/etc/passwd") end)
  refuses("send_file: ", function() page:find("#file"):send_file("../../../../etc/passwd") end)
  for _, argument in ipairs { "--renderer-cmd-prefix=/bin/sh", "--user-data-dir=/root", "--load-extension=/x", "--log-net-log=/x", "--no-sandbox",
    "--enable-logging=/x", "--disable-extensions-except=/x", "-allow-file-access-from-files", "--js-flags=x", "/etc/passwd" } do
    refuses("take no argument", browser.open, { args = { argument } })
  end
  refuses("take no capability goog:chromeOptions", browser.open, { capabilities = { ["goog:chromeOptions"] = { binary = "/bin/sh" } } })
  local other <close> = browser.open { args = own.args, capabilities = { pageLoadStrategy = "eager" } }
  common.same(other.capabilities.pageLoadStrategy, "eager")
end)
