-- What the scripts of the browser tests share.
local tutti = require "tutti"
local http = require "tutti.http"
local browser = require "tutti.browser"
local common = {}

-- Nothing of tutti.browser may touch a global that is not there.
setmetatable(_G, {
  __index = function(_, name) error("reads the global " .. tostring(name), 2) end,
  __newindex = function(_, name) error("sets the global " .. tostring(name), 2) end,
})

local closed_network = { "--disable-gpu", "--disable-quic",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost" }

-- The test says which browser, and the address of its driver; without that it is the agent's own.
local function asked_for()
  return http.get(tutti.target .. "/driver").body:match("^(%w+) (.*)$")
end

function common.is_own()
  return select(2, asked_for()) == ""
end

-- Whether it may not use the system, where the browser is the agent's own.
function common.is_guarded()
  return common.is_own() and not pcall(os.getenv, "HOME")
end

function common.options(more)
  local name, remote = asked_for()
  local options = { browser = name, remote = remote ~= "" and remote or nil }
  if name == "chromium" then options.args = closed_network end
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

function common.page(worker, address)
  local page = browser.of(worker, common.options())
  if address then page:open(address) end
  return page
end

local function show(value)
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for key, inner in pairs(value) do parts[#parts + 1] = tostring(key) .. "=" .. show(inner) end
  table.sort(parts)
  return "{" .. table.concat(parts, ", ") .. "}"
end

function common.same(is, should)
  if show(is) ~= show(should) then error(("is %s, should be %s"):format(show(is), show(should)), 2) end
end

-- The error that f(…) raises, which has to be called `name`.
function common.fails(name, f, ...)
  local ok, failure = pcall(f, ...)
  if ok then error("should have failed: " .. name, 2) end
  if type(failure) ~= "table" or failure.error ~= name then
    error(("failed with %s, should be %s"):format(tostring(failure), name), 2)
  end
  return failure
end

-- The text of a plain error about how something was called.
function common.refuses(words, f, ...)
  local ok, failure = pcall(f, ...)
  if ok or not tostring(failure):find(words, 1, true) then
    error(("%s, should say %s"):format(ok and "was accepted" or tostring(failure), words), 2)
  end
end

return common
