-- Three scenarios, one of which is never picked by weight; a timing counts each.
local tutti = require "tutti"
for name, weight in pairs { often = 9, seldom = 1, never = 0 } do
  tutti.scenario(name, { weight = weight }, function()
    tutti.time(name, function() end)
  end)
end
