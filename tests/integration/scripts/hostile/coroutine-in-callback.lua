-- A call that waits, from a coroutine within what cannot yield: its answer would come to nobody, or to another call.
-- (Not in the comparison of a sort, which can yield.)
local tutti = require "tutti"
local http = require "tutti.http"
local lib = require "lib"

local function within(f)
  local inner = coroutine.create(f)
  local seen
  tostring(setmetatable({}, { __tostring = function() seen = seen or { coroutine.resume(inner) } return "" end }))
  if seen[1] then lib.escaped("it waits") end
  coroutine.resume(inner)
  string.gsub("x", "x", function() seen = { coroutine.resume(coroutine.create(f)) } end)
  if seen[1] then lib.escaped("it waits") end
  pcall(require, "none")
end

tutti.scenario("x", function(worker)
  within(function() return tutti.get_var("x") end)
  within(function() tutti.sleep(0) end)
  within(function() return http.get(lib.origin .. "/x") end)
  within(function() return worker:barrier("b", { parties = 1 }) end)
  within(function() return tutti.get_var("made", function() return 1 end) end)
  within(function() coroutine.wrap(function() tutti.sleep(0) end)() end)
  assert(tutti.incr("n") >= 1)
end)
