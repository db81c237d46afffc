-- Each worker is, most of the time, in the middle of a request of its own kind. The path says worker and step.
-- The target is ADDRESS HTTP TLS CLOSED TAG: one port each, the last one behind a door that nobody comes through.
local tutti = require "tutti"
local http = require "tutti.http"

local BODY = string.rep("x", 32 * 1024 * 1024)
local SMALL = string.rep("y", 4096)
local address, ports, tag

local function place()
  if not address then
    local plain, tls, closed
    address, plain, tls, closed, tag = tutti.target:match("^(%S+) (%d+) (%d+) (%d+) (%S+)$")
    ports = { plain = plain, tls = tls, closed = closed }
  end
end

local function url(worker, kind, port, host)
  place()
  return ("%s://%s:%s/%s/%s/%d/%d"):format(kind == "tls" and "https" or "http", host or address, ports[port], kind, tag, worker.id, worker.step)
end

local kinds = {
  [4] = function(worker) http.get(url(worker, "late", "plain"), { timeout = 60 }) end,
  [5] = function(worker) http.put(url(worker, "upload", "plain"), BODY, { timeout = 120 }) end,
  [6] = function(worker) http.put(url(worker, "expect", "plain"), SMALL, { timeout = 60, headers = { Expect = "100-continue" } }) end,
  [7] = function(worker) pcall(http.get, url(worker, "tls", "tls"), { timeout = 60 }) end,
  [8] = function(worker) pcall(http.get, url(worker, "door", "closed"), { timeout = 60 }) end,
  [9] = function(worker) http.get(url(worker, "name", "plain", ("w%ds%d.test"):format(worker.id, worker.step)), { timeout = 60 }) end,
}

tutti.scenario("thawed", function(worker)
  local kind = kinds[worker.seat]
  if kind then
    kind(worker)
    tutti.sleep(0.1)
  else
    http.get(url(worker, "now", "plain"), { timeout = 60 })
    tutti.sleep(0.005)
  end
end)
