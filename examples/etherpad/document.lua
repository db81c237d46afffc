-- What one user has of a pad. Pure: knows no connection.
--
-- The user's text is the server's text at a revision, then the changeset that was sent and is not yet accepted, then the edits since:
--
--   base (at `revision`)  → submitted →  → pending →  shown
--
-- One changeset is on its way at a time. What others change meanwhile goes under both, as in Etherpad's changesettracker.js.
local easysync = require "easysync"
local pools = require "pool"
local units = require "units"

local document = {}
document.__index = document

--- Makes the document of a user from what Etherpad sends as collab_client_vars. `author` is who the user's edits are by.
function document.new(vars, author)
  local base = units.text(vars.initialAttributedText.text)
  return setmetatable({
    author = author,
    revision = vars.rev,
    accepted = 0, -- how many changesets the server has accepted
    base = base,
    shown = base,
    submitted = nil,
    pending = easysync.identity(units.length(base)),
    pool = pools.new(),
  }, document)
end

--- Returns the text as the user sees it.
function document:text()
  return units.utf8(self.shown)
end

-- Places in the text are counted in UTF-16 units from 0, as everything of Easysync.
local function units_before(self, byte)
  return units.length(self.shown:sub(1, byte - 1))
end

--- Returns where a text begins, and how long it is; nil if it is not there.
function document:find(text)
  text = units.text(text)
  local from = self.shown:find(text, 1, true)
  if from then return units_before(self, from), units.length(text) end
end

--- Returns where the line `number`, from 0, or the last one begins.
function document:line_start(number)
  local at = 1
  for _ = 1, number do
    local newline = self.shown:find("\n", at, true)
    if not newline or newline == #self.shown then break end
    at = newline + 1
  end
  return units_before(self, at)
end

--- Removes `removed` units at `position`, and inserts a text there. The newline at the very end of a pad has to stay.
function document:edit(position, removed, inserted)
  local edit = easysync.splice(self.shown, position, removed, units.text(inserted), { { "author", self.author } }, self.pool)
  self.shown = easysync.apply(edit, self.shown)
  self.pending = easysync.compose(self.pending, edit, self.pool)
end

--- Returns whether there are edits that were not sent.
function document:has_pending()
  return not easysync.is_identity(self.pending)
end

--- Returns whether the server has all of the user's edits.
function document:is_settled()
  return not self.submitted and not self:has_pending()
end

--- Returns the edits since the last call as a message for the server, nil if there are none. After a broken connection these are also
--- those of which the server has not said that it accepted them.
function document:submit()
  local changes = self.submitted and easysync.compose(self.submitted, self.pending, self.pool) or self.pending
  if easysync.is_identity(changes) then return nil end
  self.submitted, self.pending = changes, easysync.identity(changes.new)
  local wire_pool = pools.new()
  local moved = easysync.move(changes, self.pool, wire_pool)
  return { type = "USER_CHANGES", baseRev = self.revision, changeset = easysync.pack(moved), apool = wire_pool:to_wire() }
end

-- Whether a revision is the next one. After a reconnection the server sends some twice.
local function is_next(self, revision)
  if revision > self.revision + 1 then
    error(("revision %d came after %d: a revision was lost"):format(revision, self.revision), 0)
  end
  return revision == self.revision + 1
end

--- The server has accepted what was submitted, as this revision. Etherpad 2 makes none of a changeset without an effect.
function document:accept(revision)
  local submitted = self.submitted
  if not is_next(self, revision) then
    if submitted and revision == self.revision and easysync.apply(submitted, self.base) == self.base then self.submitted = nil end
    return
  end
  if not submitted then error(("revision %d is said to be ours, but nothing was sent"):format(revision), 0) end
  self.base = easysync.apply(submitted, self.base)
  self.submitted, self.revision, self.accepted = nil, revision, self.accepted + 1
end

--- Another user has made this revision.
function document:change(revision, changeset, wire_pool)
  if not is_next(self, revision) then return end
  local pool = self.pool
  local change = easysync.move(easysync.check(changeset), pools.from_wire(wire_pool), pool)
  self.base, self.revision = easysync.apply(change, self.base), revision
  if self.submitted then
    local submitted = self.submitted
    self.submitted = easysync.follow(change, submitted, false, pool)
    change = easysync.follow(submitted, change, true, pool)
  end
  local pending = self.pending
  self.pending = easysync.follow(change, pending, true, pool)
  self.shown = easysync.apply(easysync.follow(pending, change, false, pool), self.shown)
end

return document
