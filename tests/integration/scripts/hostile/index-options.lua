-- Options that change between the look at them and their use.
local tutti = require "tutti"
local http = require "tutti.http"
local browser = require "tutti.browser"
local lib = require "lib"

tutti.scenario("x", function(worker)
  local asked = 0
  local function changing(first, then_)
    return function() asked = asked + 1 return asked == 1 and first or then_ end
  end
  lib.refused(http.get, lib.origin .. "/x", setmetatable({}, { __index = changing("innocent", "\27[31mforged\nline") }))
  lib.refused(browser.open, setmetatable({ remote = lib.origin }, { __index = changing(nil, { "--no-sandbox" }) }))
  lib.refused(worker.barrier, worker, "b", setmetatable({}, { __index = changing(1, -5) }))
  assert(asked == 0)
  local text = "innocent"
  local options = { name = text }
  local inner = coroutine.wrap(function() return http.get(lib.origin .. "/x", options) end)
  inner()
  options.name = "\27[31mforged"
  pcall(http.get, lib.origin .. "/\27[31m%0aforged")
end)
