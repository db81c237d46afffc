-- GETs of a tiny page over HTTP/2 and TLS, as fast as the workers can.
local tutti = require "tutti"
local http = require "tutti.http"

local options = { version = 2, tls = { verify = false } }

tutti.scenario("get", function(worker)
  http.get(tutti.target, options)
end)
