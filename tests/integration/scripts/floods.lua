-- Prints more than a pipe holds.
local tutti = require "tutti"
tutti.scenario("flood", function()
  for _ = 1, 20 do
    tutti.print(("x"):rep(500))
  end
  tutti.sleep(0.01)
end)
