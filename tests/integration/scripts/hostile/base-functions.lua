-- Every function that the library might use is replaced by one that looks at its arguments for what is the agent's.
local tutti = require "tutti"
local browser = require "tutti.browser"
local lib = require "lib"

local traps = {}
local pcall, type, find, traceback = pcall, type, string.find, debug.traceback

local function is_ours(trace)
  return find(trace, "^[^\n]*\nstack traceback:\n%s*tutti[./:]") ~= nil
end

local function set_traps()
  for _, where in ipairs { _G, string, table, math, utf8, coroutine, os, io } do
    for name, f in next, where do
      if type(f) == "function" then traps[#traps + 1] = { where = where, name = name, f = f } end
    end
  end
  for i = 1, #traps do
    local trap = traps[i]
    trap.where[trap.name] = function(...)
      if is_ours(traceback("", 2)) then trap.is_sprung = true end
      return trap.f(...)
    end
  end
end

tutti.scenario("x", function()
  set_traps()
  local page = browser.open { remote = lib.origin .. "/x/", args = { "--a" }, capabilities = { pageLoadStrategy = "eager" } }
  local element = page:find("#x")
  local calls = {
    function() page:open("http://a/") end, function() page:open("/b") end, function() page:execute("return 1", element, { 1, 2.5, "x" }) end,
    function() page:cookies() end, function() page:set_cookie { name = "a", value = "b" } end, function() page:cookie("a b") end,
    function() element:send_keys("a/b") end, function() element:send_file("prey.txt") end, function() element:attribute("a") end,
    function() element:select("x") end, function() page:find_all("x") end, function() page:frame(1) end, function() page:in_frame("#x", print) end,
    function() page:wait_for("#x", { timeout = 0 }) end, function() page:wait_for_text({ "#f", "#x" }, "x", { timeout = 0, pattern = true }) end,
    function() page:watch_text("#x", "x") end, function() page:wait_until(error, { timeout = 0 }) end, function() page:print { pages = { "1" } } end,
    function() page:screenshot() end, function() page:perform(browser.mouse():down() & browser.keyboard():down("x")) end,
    function() page:set_timeouts { script = 1 } end, function() page:timeouts() end, function() page:window_rect() end,
    function() page:set_window_rect { x = 1 } end, function() page:request("GET", "/title") end, function() return tostring(page) .. tostring(element) end,
    function() for _ in io.lines("prey.txt") do end end,
  }
  for i = 1, #calls do pcall(calls[i]) end
  page:close()
  for i = 1, #traps do
    local trap = traps[i]
    trap.where[trap.name] = trap.f
  end
  for i = 1, #traps do
    if traps[i].is_sprung then lib.escaped("the library called our " .. traps[i].name) end
  end
end)

tutti.options { files = { "prey.txt" } }
