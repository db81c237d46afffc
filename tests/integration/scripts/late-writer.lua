-- Worker 0 prints and never writes while the others wait for it: there is always somebody who waits.
local tutti = require "tutti"
tutti.scenario("wait", function(worker)
  if worker.id == 0 then
    for line = 1, 600 do
      tutti.print("line " .. line)
      tutti.sleep(0.25)
    end
  else
    worker:notifier("text"):wait_for_writer(600)
  end
end)
