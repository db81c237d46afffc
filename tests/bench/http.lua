-- Keep-alive GETs of a tiny page, as fast as the workers can.
local tutti = require "tutti"
local http = require "tutti.http"

tutti.scenario("get", function(worker)
  http.get(tutti.target)
end)
