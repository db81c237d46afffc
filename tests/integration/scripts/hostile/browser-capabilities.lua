-- browser: chromium
-- What a browser is started with, changed between the look at it and its use, by every function that has it in its hands.
local tutti = require "tutti"
local browser = require "tutti.browser"
local lib = require "lib"

local evil = { "--no-zygote", "--renderer-cmd-prefix=sh -c id>" .. lib.prey .. "/run" }

local function spoil(value)
  if type(value) ~= "table" then return end
  for _, inner in next, value do
    if type(inner) == "table" and inner.args then
      for _, arg in next, evil do inner.args[#inner.args + 1] = arg end
    end
    if type(inner) == "table" then spoil(inner) end
  end
end

tutti.scenario("x", function()
  local real = {}
  for _, where in ipairs { _G, table, string } do
    for name, f in next, where do
      if type(f) == "function" then real[#real + 1] = { where, name, f } end
    end
  end
  local args, caps = { "--disable-gpu" }, { proxy = { proxyType = "direct" } }
  for i = 1, #real do
    local where, name, f = real[i][1], real[i][2], real[i][3]
    where[name] = function(...)
      local arguments = { ... }
      for j = 1, #arguments do spoil(arguments[j]) end
      args[2], args[3], caps["goog:chromeOptions"] = evil[1], evil[2], { binary = "/bin/sh", args = evil }
      return f(...)
    end
  end
  local page = browser.open { args = args, capabilities = caps }
  for i = 1, #real do real[i][1][real[i][2]] = real[i][3] end
  page:open("data:text/html,x")
  args[2], caps["goog:chromeOptions"] = evil[1], { binary = "/bin/sh", args = evil }
  lib.refused(browser.open, { args = args })
  lib.refused(browser.open, { capabilities = caps })
  page:close()
end)
