-- What each user does in a step of the scenes with protocol users. All of a room write a line at once, wait until they see everybody's
-- line, and compare their texts with the server's. Of one of them in turn the report says how long it took until the others saw it.
--
-- A user is what pad_user.lua or browser_user.lua makes.
local tutti = require "tutti"
local etherpad = require "etherpad"

local scene = {}

local WORDS = { "grüße", "🌍", "a longer piece of text", "5 €", "👩‍💻 writes", "x" }
local ANSWERED_WITHIN_S = 30
local PLACES = 4 -- so that several users write at the same place

-- Seat 0 may be a browser, and chromedriver types no character beyond U+FFFF.
local function line_of(seat, step)
  return ("user %d writes step %d: %s"):format(seat, step, seat == 0 and "grüße" or WORDS[(seat + step) % #WORDS + 1])
end

local function write(worker, user)
  if worker.step > 2 then user:remove_line(line_of(worker.seat, worker.step - 2)) end
  local sent_at = user:write_line(math.random(0, PLACES - 1), line_of(worker.seat, worker.step))
  if worker.seat == worker.step % worker.room.size then
    worker:notifier("line"):written(line_of(worker.seat, worker.step), { at = sent_at })
  end
end

local function see(worker, user, watches)
  for seat, watch in pairs(watches) do
    local seen_at, at_once = user:see(watch)
    if seat == worker.step % worker.room.size then
      local round = worker:notifier("line")
      round:one_read(round:wait_for_writer(), { seen_at = seen_at, at_once = at_once })
    end
  end
end

-- Asks Etherpad, and again while it is away: so long the users try to come back.
local function ask(name, fields)
  local due = tutti.now() + ANSWERED_WITHIN_S
  while true do
    local ok, result = pcall(etherpad.call, name, fields)
    if ok then return result end
    if type(result) ~= "table" or not result.kind or tutti.now() > due then error(result, 0) end
    tutti.sleep(0.5)
  end
end

-- The last of the room asks the server; the report says whether all have its text. Each revision has to be a changeset that one of
-- them was told to be accepted, unless one does not count them.
local function compare(worker, user)
  local pad = etherpad.pad_of(worker)
  local round = worker:notifier("pad")
  user:settle()
  local count = user:count_accepted()
  if count then worker:incr("accepted", count) else worker:set_var("some do not count", true) end
  local _, arrived = worker:barrier("all is accepted")
  if worker.seat ~= worker.room.size - 1 then
    local text = round:wait_for_writer()
    user:reach(worker:get_var("revision"), text)
    round:one_read(user:text())
    return
  end
  local revision = ask("getRevisionsCount", { padID = pad }).revisions
  local text = ask("getText", { padID = pad }).text
  worker:set_var("revision", revision)
  round:written(text)
  user:reach(revision, text)
  assert(user:text() == text, "the pad has another text: " .. text)
  local accepted = worker:get_var("accepted")
  if arrived == worker.room.size and not worker:get_var("some do not count") and revision ~= accepted then
    error(("%s is at revision %d, but %d changesets were accepted"):format(pad, revision, accepted), 0)
  end
end

--- Plays a step of a worker.
function scene.play(worker, user)
  local lines = {}
  for seat = 0, worker.room.size - 1 do
    if seat ~= worker.seat then lines[seat] = line_of(seat, worker.step) end
  end
  local watches = user:watch(lines)
  worker:barrier("all are here")
  if worker.step == 1 then user:meet(worker.room.size - 1) end
  write(worker, user)
  see(worker, user, watches)
  compare(worker, user)
end

return scene
