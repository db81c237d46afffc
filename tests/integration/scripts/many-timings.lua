-- Four hundred long names, twice a second: a row of them is some hundred kilobytes.
local tutti = require "tutti"
local long = ("long-"):rep(36)
tutti.scenario("names", function()
  for i = 1, 400 do
    tutti.time(long .. i, function() end)
  end
  tutti.sleep(0.5)
end)
