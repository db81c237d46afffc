-- A finaliser within the reading of an answer drops that very answer: what is read then is somebody else's memory.
local tutti = require "tutti"

tutti.scenario("x", function()
  local big = {}
  for i = 1, 900 do big[i] = { i, "s" .. i } end
  tutti.set_var("big", big)
  local _, err = pcall(tutti.incr, "")
  local meta = getmetatable(err)
  pcall(function() meta.__gc = function() pcall(tutti.incr, "zz") end end)
  for _ = 1, 20 do
    for _ = 1, 50 do pcall(tutti.incr, "") end
    local v = tutti.get_var("big")
    for i = 1, 900 do assert(v[i][1] == i and v[i][2] == "s" .. i, "wrong value") end
  end
end)
