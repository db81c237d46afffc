-- A user of a pad that speaks Etherpad's own protocol, as its page in a browser does (pad.js, collab_client.js): it has the pad's text,
-- changes it at once, sends what it has changed as one changeset at a time, and merges what the others have changed.
--
-- Messages are handled while the worker is in a function of this file that waits; their instants are those at which they came.
local crypto = require "tutti.crypto"
local http = require "tutti.http"
local socketio = require "tutti.socketio"
local tutti = require "tutti"
local document = require "document"
local units = require "units"

local pad_user = {}
pad_user.__index = pad_user

pad_user.TIMEOUT_S = 30
pad_user.CAUGHT_UP_WITHIN_S = 10
pad_user.COMMIT_DELAY_S = 0.5 -- from one changeset to the next, as Etherpad's page waits
pad_user.RECONNECTIONS = 5 -- as often, and after pauses as long, as Etherpad's page tries it
pad_user.LONGEST_PAUSE_S = 5

-- Etherpad 1.8 has Socket.IO 2, with version 3 of Engine.IO; later ones have Socket.IO 4. An older server takes the newer version in a
-- request for its own, but counts the characters of its answer, which the newer one does not.
local function engine_version()
  return tutti.get_var("engine.io", function()
    local greeting = http.get("/socket.io/?EIO=4&transport=polling", { name = "socket.io" }).body
    return greeting:sub(1, 2) == "0{" and 4 or 3
  end)
end

-- Messages are kept while the worker does something else, and none may be lost.
local function connect(self)
  return socketio.connect("/", {
    eio = engine_version(), query = { padId = self.pad }, name = "pad", timeout = pad_user.TIMEOUT_S,
    queue = 10000, on_full = "close", max_message = 16 << 20,
  })
end

local function enter(self, is_reconnection)
  self.io = connect(self)
  self.io:emit("message", {
    component = "pad",
    type = "CLIENT_READY",
    padId = self.pad,
    token = self.token,
    protocolVersion = 2,
    reconnect = is_reconnection or nil,
    client_rev = is_reconnection and self.document.revision or nil,
  })
end

-- Returns the next message and when it came; nil if none comes until `due`. Raises an error of the connection.
local function receive(self, due)
  repeat
    local ok, event = pcall(self.io.receive, self.io, { timeout = math.max(due - tutti.now(), 0) })
    if not ok then
      if event.kind == "timeout" then return nil end
      error(event, 0)
    end
    if event.name == "message" then return event[1], event.at end
  until false
end

-- What Etherpad sends when it ends a connection, or lets nobody in.
local function check_refusal(self, message)
  local why = message.disconnect or message.accessStatus
  if why then error(("Etherpad ends the connection to %s: %s"):format(self.pad, why), 0) end
end

--- Opens the pad, and returns its user.
function pad_user.join(pad)
  local page = http.get("/p/" .. pad, { name = "pad page", timeout = pad_user.TIMEOUT_S })
  assert(page.status == 200, "the pad's page: Etherpad answered " .. page.status)
  local self = setmetatable({
    pad = pad,
    token = http.cookies(page.url).token or "t." .. crypto.hex_encode(crypto.random_bytes(10)),
    users = {}, -- of the pad besides this one, by author
    counted = 0, -- of the changesets that were accepted
    watches = {}, -- texts that are waited for
    next_commit = 0,
    is_committing = false, -- a changeset is on its way
    is_catching_up = false, -- reconnected, and not yet told of all revisions since
  }, pad_user)
  enter(self, false)
  local due = tutti.now() + pad_user.TIMEOUT_S
  repeat
    local message = receive(self, due) or error("Etherpad does not send the pad " .. pad, 0)
    check_refusal(self, message)
    if message.type == "CLIENT_VARS" then
      self.author = message.data.userId
      self.document = document.new(message.data.collab_client_vars, self.author)
    end
  until self.document
  return self
end

local handlers = {
  ACCEPT_COMMIT = function(self, data) self.document:accept(data.newRev) end,
  NEW_CHANGES = function(self, data) self.document:change(data.newRev, data.changeset, data.apool) end,
  USER_NEWINFO = function(self, data) self.users[data.userInfo.userId] = data.userInfo end,
  USER_LEAVE = function(self, data) self.users[data.userInfo.userId] = nil end,
  CLIENT_RECONNECT = function(self, data) -- one for each revision since; or one that says that there is none
    if not data.noChanges then
      if data.author == self.author then
        self.document:accept(data.newRev)
      else
        self.document:change(data.newRev, data.changeset, data.apool)
      end
    end
    if self.is_catching_up and self.document.revision >= (data.headRev or data.newRev) then
      self.is_catching_up = false
      tutti.print(("came back to %s, at revision %d after %.1f s"):format(self.pad, self.document.revision, tutti.now() - self.lost_at))
    end
  end,
}

local function look(self, at)
  local text = self.document.shown
  for watch in pairs(self.watches) do
    if text:find(watch.text, 1, true) then
      watch.seen_at = at
      self.watches[watch] = nil
    end
  end
end

local function handle(self, message, at)
  check_refusal(self, message)
  local handler = message.type == "COLLABROOM" and handlers[message.data.type]
  if handler then
    local shown = self.document.shown
    handler(self, message.data)
    if not self.document.submitted then self.is_committing = false end
    if self.document.shown ~= shown then look(self, at) end
  end
end

-- Whether an error is one of the connection, and not of the script or the end of the campaign.
local function is_broken(why)
  return type(why) == "table" and why.kind ~= nil and why.outcome ~= "stopped"
end

-- Comes back after a broken connection, or raises an error that says how often it was tried.
local function come_back(self, why)
  local reason = why.message
  self.lost_at = tutti.now()
  for attempt = 1, pad_user.RECONNECTIONS do
    tutti.sleep(math.min(2 ^ (attempt - 1), pad_user.LONGEST_PAUSE_S))
    self.is_committing, self.is_catching_up, self.users = false, true, {}
    self.catch_up_due = tutti.now() + pad_user.CAUGHT_UP_WITHIN_S
    local ok, reply = pcall(enter, self, true)
    if ok then return end
    if not is_broken(reply) then error(reply, 0) end
    reason = reply.message
  end
  error(("the connection to %s broke, and could not be opened again %d times: %s"):format(self.pad, pad_user.RECONNECTIONS, reason), 0)
end

-- Calls a function of the connection, and comes back if that is broken.
local function try(self, f, ...)
  local ok, result, at = pcall(f, ...)
  if ok then return result, at end
  if not is_broken(result) then error(result, 0) end
  tutti.time("come back", come_back, self, result)
end

-- Sends what was edited, if it may be sent now. Returns when to look again, nil if only a message can change something.
local function commit(self)
  local edited = self.document
  if self.is_catching_up then
    if tutti.now() < self.catch_up_due then return self.catch_up_due end
    error(("Etherpad has come back, but says nothing about revision %d of %s: it has lost revisions"):format(edited.revision, self.pad), 0)
  end
  if self.is_committing or edited:is_settled() then return nil end
  if tutti.now() < self.next_commit then return self.next_commit end
  local changes = edited:submit()
  if changes then
    self.next_commit, self.is_committing = tutti.now() + pad_user.COMMIT_DELAY_S, true
    self.sent_at = try(self, self.io.emit, self.io, "message", { type = "COLLABROOM", component = "pad", data = changes })
  end
end

-- Does what there is to do until `is_so()`; raises an error that names `what` if that takes too long.
local function pump(self, what, is_so)
  local due = tutti.now() + pad_user.TIMEOUT_S
  while true do
    local wake = math.min(commit(self) or due, due)
    if is_so() then return end
    if due <= tutti.now() then
      error(("%s did not get %s (at revision %d)"):format(self.pad, what, self.document.revision), 0)
    end
    local message, at = try(self, receive, self, wake)
    if message then handle(self, message, at) end
  end
end

--- Writes a line in front of the line `number`, from 0, or of the last one: a half of it, and the other one while the first is on its
--- way. Returns when the second half left, on the clock of `tutti.now()`.
function pad_user:write_line(number, line)
  local edited = self.document
  local half = line:sub(1, utf8.offset(line, utf8.len(line) // 2 + 1) - 1)
  edited:edit(edited:line_start(number), 0, half .. "\n")
  self:send()
  local position, size = edited:find(half .. "\n") -- others may have written above it meanwhile
  edited:edit(position + size - 1, 0, line:sub(#half + 1))
  return self:send()
end

--- Removes a line, if it is there; that is sent with the next edit.
function pad_user:remove_line(line)
  local position, size = self.document:find(line .. "\n")
  if position then self.document:edit(position, size, "") end
end

--- Waits until all edits have left, and returns when the last one did.
function pad_user:send()
  pump(self, "the instant to send its edits", function()
    return not self.document:has_pending() and (self.is_committing or not self.document.submitted)
  end)
  return self.sent_at
end

--- Looks for lines from now on, instead of those of the call before: a table of any keys. Returns a table of watches for `see`.
function pad_user:watch(lines)
  local watches = {}
  self.watches = {}
  for key, line in pairs(lines) do
    watches[key] = { text = units.text(line .. "\n") }
    self.watches[watches[key]] = true
  end
  return watches
end

--- Waits until the user has seen the line of a watch, and returns when the message came that brought it.
function pad_user:see(watch)
  pump(self, "the line " .. watch.text, function() return watch.seen_at end)
  return watch.seen_at
end

--- Waits until the user knows of so many others on the pad.
function pad_user:meet(count)
  pump(self, count .. " others", function()
    local known = 0
    for _ in pairs(self.users) do known = known + 1 end
    return known >= count
  end)
end

--- Waits until the server has accepted all edits.
function pad_user:settle()
  pump(self, "its edits to be accepted", function() return self.document:is_settled() end)
end

--- Returns how many changesets the server has accepted since the last call.
function pad_user:count_accepted()
  local count = self.document.accepted - self.counted
  self.counted = self.document.accepted
  return count
end

--- Waits until the user has all revisions up to this one.
function pad_user:reach(revision)
  pump(self, "revision " .. revision, function() return self.document.revision >= revision end)
end

--- Returns the text as the user sees it.
function pad_user:text()
  return self.document:text()
end

function pad_user:leave()
  self.io:disconnect()
end

return pad_user
