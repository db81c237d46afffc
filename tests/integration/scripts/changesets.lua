-- Compares examples/etherpad/easysync.lua with what Etherpad's own Changeset.js has said (changesets.jsonl, which
-- changesets.js records), and with itself on random changesets. The story puts all of them into one folder.
local tutti = require "tutti"
local document = require "document"
local easysync = require "easysync"
local pool = require "pool"
local units = require "units"

tutti.options { workers = 1, runs = 3 }

local vectors = tutti.data("changesets.jsonl")
local ROUNDS = 1500

local function expect(what, got, wanted)
  if got ~= wanted then error(("%s is %q, not %q"):format(what, got, wanted), 0) end
end

local attributes -- the pool of all vectors

local judges = {
  pool = function(row) attributes = pool.from_wire(row.pool) end,
  apply = function(row)
    local text = easysync.apply(easysync.check(row.changeset), units.text(row.text))
    expect("the text", units.utf8(text), row.result)
    expect("its length", units.length(text), easysync.unpack(row.changeset).new)
  end,
  compose = function(row)
    local result = easysync.compose(easysync.check(row.first), easysync.check(row.second), attributes)
    expect("the composition", easysync.pack(result), row.result)
  end,
  follow = function(row)
    local result = easysync.follow(easysync.check(row.first), easysync.check(row.second), row.reverse, attributes)
    expect("what follows", easysync.pack(result), row.result)
  end,
  splice = function(row)
    local author = row.author and { { "author", row.author } }
    local result = easysync.splice(units.text(row.text), row.position, row.removed, units.text(row.inserted), author, attributes)
    expect("the splice", easysync.pack(result), row.result)
  end,
  attributes = function(row)
    local result = easysync.apply_to_attributes(easysync.unpack(row.changeset), easysync.unpack_ops(row.attributes), attributes)
    expect("the attributes", easysync.pack_ops(result), row.result)
  end,
  inverse = function(row)
    local changeset, text = easysync.check(row.changeset), units.text(row.text)
    local result = easysync.inverse(changeset, text, easysync.unpack_ops(row.attributes), attributes)
    expect("the inverse", easysync.pack(result), row.result)
    expect("what it undoes", easysync.apply(result, easysync.apply(changeset, text)), text)
  end,
  move = function(row)
    local to = pool.new()
    to:put { "bold", "true" }
    to:put { "new", "one" }
    local result = easysync.move(easysync.check(row.changeset), attributes, to)
    expect("the changeset with another pool", easysync.pack(result), row.result)
    for number, pair in pairs(row.pool.numToAttrib) do
      expect("attribute " .. number, table.concat(to:to_wire().numToAttrib[number], "="), table.concat(pair, "="))
    end
    expect("how many there are", to:to_wire().nextNum, row.pool.nextNum)
  end,
  check = function(row) expect("whether it is right", pcall(easysync.check, row.changeset), row.right) end,
}

tutti.scenario("as Etherpad does", function()
  assert(#vectors > 300)
  for index = 1, #vectors do
    local row = vectors[index]
    local ok, why = pcall(judges[row.kind], row)
    if not ok then error(("vector %d (%s): %s"):format(index, row.kind, tostring(why)), 0) end
  end
end)

local PIECES = { "a", "bc", "def ", "\n", "ü", "🌍", "€", "x\ny", "\n\n", "👩‍💻" }
local ATTRIBUTES = { false, { { "author", "a.one" } }, { { "author", "a.two" }, { "bold", "true" } }, { { "bold", "true" }, { "size", "9" } } }

local function words(most)
  local made = {}
  for _ = 1, math.random(0, most) do made[#made + 1] = PIECES[math.random(#PIECES)] end
  return units.text(table.concat(made))
end

-- A changeset of up to three edits, each anywhere, also between the halves of a surrogate pair; the last newline stays.
local function random_changeset(text, numbered_by)
  local changeset = easysync.identity(units.length(text))
  for _ = 1, math.random(0, 3) do
    local at = math.random(0, changeset.new - 1)
    local removed = math.random(0, math.min(4, changeset.new - 1 - at))
    local author = ATTRIBUTES[math.random(#ATTRIBUTES)]
    local edit = easysync.splice(text, at, removed, words(2), author, numbered_by)
    changeset, text = easysync.compose(changeset, edit, numbered_by), easysync.apply(edit, text)
  end
  return changeset, text
end

local function attributes_of(text, numbered_by)
  local whole = easysync.splice("\n", 0, 0, text:sub(1, -2), { { "author", "a.old" } }, numbered_by)
  return easysync.apply_to_attributes(whole, easysync.unpack_ops("|1+1"), numbered_by)
end

local function check_algebra()
  local numbered_by = pool.new()
  local text = words(8) .. "\n"
  local old = attributes_of(text, numbered_by)
  local a, after_a = random_changeset(text, numbered_by)
  local b, after_b = random_changeset(text, numbered_by)
  local c, after_a_c = random_changeset(after_a, numbered_by)
  local d = random_changeset(after_a_c, numbered_by)
  for _, changeset in ipairs { a, b, c, d } do
    if not changeset.bank:find("\xED[\xA0-\xBF]") then easysync.check(easysync.pack(changeset)) end
  end
  expect("a made of edits", easysync.apply(a, text), after_a)

  local a_c = easysync.compose(a, c, numbered_by)
  expect("a and c composed", easysync.apply(a_c, text), after_a_c)
  expect("(a c) d", easysync.pack(easysync.compose(a_c, d, numbered_by)),
    easysync.pack(easysync.compose(a, easysync.compose(c, d, numbered_by), numbered_by)))
  local one, other = easysync.apply_to_attributes(a_c, old, numbered_by),
    easysync.apply_to_attributes(c, easysync.apply_to_attributes(a, old, numbered_by), numbered_by)
  expect("the attributes after a and c", easysync.pack_ops(one), easysync.pack_ops(other))

  local b_after_a = easysync.follow(a, b, false, numbered_by)
  local a_after_b = easysync.follow(b, a, true, numbered_by)
  local converged = easysync.apply(b_after_a, after_a)
  expect("b after a, and a after b", easysync.apply(a_after_b, after_b), converged)
  expect("composed", easysync.pack(easysync.compose(a, b_after_a, numbered_by)), easysync.pack(easysync.compose(b, a_after_b, numbered_by)))

  local back = easysync.inverse(a, text, old, numbered_by)
  expect("a undone", easysync.apply(back, after_a), text)
  local restored = easysync.apply_to_attributes(back, easysync.apply_to_attributes(a, old, numbered_by), numbered_by)
  expect("its attributes", easysync.pack_ops(restored), easysync.pack_ops(old))
end

tutti.scenario("by its own laws", function()
  for round = 1, ROUNDS do
    check_algebra()
    if round % 50 == 0 then tutti.sleep(0) end -- a turn has a limit
  end
end)

-- A server and its users, each with a queue of messages in each direction, which are delivered in any order of the users.
local function server_of(text)
  return { text = text, pool = pool.new(), revisions = {} }
end

local function take_changes(server, message, author)
  local changeset = easysync.move(easysync.check(message.changeset), pool.from_wire(message.apool), server.pool)
  for revision = message.baseRev + 1, #server.revisions do
    changeset = easysync.follow(server.revisions[revision].changeset, changeset, false, server.pool)
  end
  server.text = easysync.apply(changeset, server.text)
  server.revisions[#server.revisions + 1] = { changeset = changeset, author = author }
end

-- The next revision for a user whose document may be behind.
local function deliver(server, user)
  local number = user.revision + 1
  local revision = server.revisions[number]
  if not revision then return end
  if revision.author == user.author then
    user:accept(number)
  else
    local wire_pool = pool.new()
    local moved = easysync.move(revision.changeset, server.pool, wire_pool)
    user:change(number, easysync.pack(moved), wire_pool:to_wire())
  end
end

local function act(server, user)
  local what = math.random(5)
  if what <= 2 then
    local text = user:text()
    local from = math.random(utf8.len(text)) -- whole characters: a message cannot say half of one
    local to = math.min(from + math.random(0, 3), utf8.len(text))
    local before, removed = text:sub(1, utf8.offset(text, from) - 1), text:sub(utf8.offset(text, from), utf8.offset(text, to) - 1)
    user:edit(units.length(units.text(before)), units.length(units.text(removed)), units.utf8(words(2)))
  elseif what == 3 then
    if not user.submitted and not user.message then user.message = user:submit() end
  elseif what == 4 and user.message then
    take_changes(server, user.message, user.author)
    user.message = nil
  else
    deliver(server, user)
  end
end

local function check_users()
  local server = server_of(words(6) .. "\n")
  local users = {}
  for index = 1, 3 do
    users[index] = document.new({ rev = 0, initialAttributedText = { text = units.utf8(server.text) } }, "a." .. index)
  end
  for _ = 1, 60 do act(server, users[math.random(3)]) end
  repeat
    local is_settled = true
    for _, user in ipairs(users) do
      if not user.submitted then user.message = user:submit() end
      if user.message then take_changes(server, user.message, user.author) end
      user.message = nil
    end
    for _, user in ipairs(users) do
      while user.revision < #server.revisions do deliver(server, user) end
      is_settled = is_settled and user:is_settled()
    end
  until is_settled
  for _, user in ipairs(users) do
    expect("the text of " .. user.author, user:text(), units.utf8(server.text))
    expect("its base", user.base, user.shown)
  end
end

local function check_acceptances()
  local user = document.new({ rev = 3, initialAttributedText = { text = "ab\n" } }, "a.me")
  user:edit(0, 0, "new ")
  user:submit()
  user:accept(3) -- said again, of an earlier changeset
  assert(user.submitted and user.revision == 3)
  user:accept(4)
  assert(user:is_settled() and user:text() == "new ab\n" and user.revision == 4)
  user:edit(0, 1, "n")
  assert(user:submit())
  user:accept(4) -- without an effect
  assert(user:is_settled() and user.revision == 4 and user.accepted == 1)
  assert(not pcall(user.accept, user, 5) and not pcall(user.change, user, 6, "Z:7>1+1$x", { numToAttrib = {}, nextNum = 0 }))
end

tutti.scenario("users", function()
  check_acceptances()
  for round = 1, ROUNDS // 5 do
    check_users()
    if round % 10 == 0 then tutti.sleep(0) end
  end
end)

tutti.scenario_picker(function(_, step) return ({ "as Etherpad does", "by its own laws", "users" })[step] end)
