-- browser: chromium firefox
-- Doors of the browser that its driver tells of, through which anything can be opened.
local tutti = require "tutti"
local browser = require "tutti.browser"
local http = require "tutti.http"
local lib = require "lib"

local function walk(value, path)
  if type(value) == "string" then
    if value:find("localhost:%d") or value:find("127.0.0.1") or value:find("^/") or value:find("^ws:") then lib.escaped(path .. " = " .. value) end
  elseif type(value) == "table" then
    for key, inner in next, value do walk(inner, path .. "." .. tostring(key)) end
  end
end

tutti.scenario("x", function(worker)
  local page = browser.of(worker)
  local chrome = page.capabilities["goog:chromeOptions"]
  local door = chrome and chrome.debuggerAddress or page.capabilities["moz:debuggerAddress"]
  if type(door) == "string" then
    pcall(http.put, "http://" .. door .. "/json/new?file://" .. lib.prey .. "/secret")
    for _, handle in ipairs(page:windows()) do
      page:switch_to_window(handle)
      lib.look_at(page:source())
    end
  end
  walk(page.capabilities, "capabilities")
  local ok, err = pcall(page.execute, page, "throw new Error('x')")
  assert(not ok)
  walk(err, "error")
end)
