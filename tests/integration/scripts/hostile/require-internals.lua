-- The library's own modules by every spelling, and by the tables of `package`.
local tutti = require "tutti"
local browser = require "tutti.browser"
local lib = require "lib"

local names = { "tutti.browser.drivers", "tutti.browser.session", "tutti.browser.pages", "tutti.browser.native", "tutti.browser.import",
  "tutti.browser/session", "tutti/browser/session.lua", "drivers", "session", "=tutti.browser/session.lua", "tutti.library", "tutti.library.json",
  "tutti.driver", "tutti.error", "_PRELOAD", "_LOADED" }

tutti.scenario("x", function()
  for _, name in ipairs(names) do
    lib.refused(require, name)
    if package.loaded[name] or package.preload[name] then lib.escaped(name) end
  end
  for _, loader in pairs(package.preload) do
    local ok, module = pcall(loader, "x")
    if ok and (module.start or module.write_file or module.request and module.fail) then lib.escaped("an internal module") end
  end
  for _, searcher in ipairs(package.searchers) do
    for _, name in ipairs(names) do
      local ok, loader = pcall(searcher, name)
      if ok and type(loader) == "function" then lib.escaped(name) end
    end
  end
  package.searchers[1] = function() return function() return { sleep = lib.escaped, now = lib.escaped } end end
  package.loaded["tutti"], package.loaded["tutti.json"], package.loaded["tutti.browser"] = nil, nil, nil
  local again = package.preload["tutti.browser"]("tutti.browser")
  assert(again == browser)
  pcall(browser.open, { remote = lib.origin })
end)
