-- For an agent whose sandbox is down: its browsers take every argument, and open every address. The target is a folder of
-- somebody else, after "file://".
local tutti = require "tutti"
local browser = require "tutti.browser"
local foreign = tutti.target and tutti.target:gsub("^file://", "") or ""

local function opens(path)
  local page <close> = browser.open()
  local ok, why = pcall(page.open, page, "file://" .. path)
  local shown = ok and page:source() or tostring(why)
  print(path, shown:sub(1, 200))
  return shown
end

tutti.scenario("files", function()
  assert(not opens("/etc/passwd"):find("root:", 1, true), "/etc/passwd was shown")
  assert(not opens(foreign .. "/secret"):find("do not tell", 1, true), "the secret was shown")
  assert(not opens(foreign .. "/"):find("secret.txt", 1, true), "the folder was shown")
  assert(opens("/usr/share/common-licenses/BSD"):find("Redistribution", 1, true), "what may be read was not shown")
end)

local function starts(what, options)
  options.start, options.command = 8, 5
  local ok, page = pcall(browser.open, options)
  -- A browser that has not come up is what we want, an option that is none of browser.open is a mistake of ours.
  if not ok and tostring(page):find("unknown option", 1, true) then error(page) end
  if ok then pcall(page.open, page, "data:text/html,x") end
  print(what, ok, page)
  if ok then page:close() end
end

tutti.scenario("programs", function()
  local out = foreign .. "/out"
  starts("renderer", { args = { "--no-zygote", "--renderer-cmd-prefix=sh -c id>" .. out } })
  starts("program", { capabilities = { ["goog:chromeOptions"] = { binary = foreign .. "/program" } } })
  starts("log", { args = { "--enable-logging", "--log-file=" .. out } })
  starts("profile", { args = { "--user-data-dir=" .. foreign .. "/profile" } })
  starts("dumps", { args = { "--crash-dumps-dir=" .. foreign .. "/dumps" } })
end)
