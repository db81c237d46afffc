-- A finaliser on what the library makes, which would run with hooks off.
local tutti = require "tutti"
local lib = require "lib"

tutti.scenario("x", function(worker)
  local ok, err = pcall(tutti.incr, "")
  for _, object in ipairs { err, worker, tutti, worker:notifier("n"), io.open("prey.txt") or "" } do
    lib.refused(function() getmetatable(object).__gc = function() while true do end end end)
    lib.refused(function() rawset(getmetatable(object), "__gc", function() while true do end end) end)
  end
  local meta = setmetatable({}, { __index = { __gc = error } })
  for _ = 1, 10 do setmetatable({}, meta) end
  meta.__gc = function() while true do end end
  lib.refused(setmetatable, {}, meta)
  collectgarbage()
end)
