-- The part of Etherpad's HTTP API that the scene needs.
local http = require "tutti.http"
local tutti = require "tutti"

local etherpad = { key = "tuttitest" } -- the key that start.sh sets; for another server see its APIKEY.txt

local function escape(text)
  return (text:gsub("[^%w%-._~]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

local function form(fields)
  local parts = {}
  for name, value in pairs(fields) do
    parts[#parts + 1] = escape(name) .. "=" .. escape(value)
  end
  return table.concat(parts, "&")
end

--- Calls a function of the API and returns its data; raises an error if Etherpad refuses the call.
function etherpad.call(name, fields)
  fields.apikey = etherpad.key
  local answer = http.post(tutti.target .. "/api/1.2.15/" .. name, form(fields), {
    name = name,
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
  })
  assert(answer.status == 200, name .. ": Etherpad answered " .. answer.status)
  local result = answer:json()
  if result.code ~= 0 then error(name .. ": " .. result.message, 0) end
  return result.data
end

--- Returns the name of the pad of the worker's room in this campaign; the first worker that asks creates it.
function etherpad.pad_of(worker)
  local campaign = tutti.get_var("campaign", function() return ("%d-%x"):format(os.time(), math.random(0, 0xffffffff)) end)
  return worker:get_var("pad", function()
    local pad = ("tutti-%s-room-%d"):format(campaign, worker.room.id)
    etherpad.call("createPad", { padID = pad })
    return pad
  end)
end

return etherpad
