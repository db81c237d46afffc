-- One of the workers never gets ready, whatever it is told.
local tutti = require "tutti"
tutti.setup(function(worker)
  while worker.id == 1 do
    pcall(tutti.sleep, 600)
  end
end)
tutti.scenario("nothing", function() end)
