-- The scene with browsers: five users, each with its own browser, on one Etherpad page. In each step one of them types a line.
-- The other four watch the page until it shows that line. The next one types only after all four have seen it, and look for the next.
--
--   examples/etherpad/start.sh                  (prints its address, here http://127.0.0.1:9001)
--   tutti run examples/etherpad/browsers.lua --target http://127.0.0.1:9001
--   tutti run examples/etherpad/browsers.lua -w 10 --room-size 5 --agents 2 --target http://127.0.0.1:9001     (two pads)
local tutti = require "tutti"
local browser = require "tutti.browser"
local etherpad = require "etherpad"

tutti.options { workers = 5, runs = 10 }

-- The editor is in a frame within a frame, and ignores keys until it is editable: earlier key presses are lost silently.
local frames = { 'iframe[name="ace_outer"]', 'iframe[name="ace_inner"]' }
local editable = '#innerdocbody[contenteditable="true"]'

-- Returns the worker's page with the pad of its room, switched to the frame of the editor. A browser that has gone is replaced by a
-- new one.
local function open_pad(worker)
  local page = browser.of(worker)
  if not page.editor then
    page:open("/p/" .. etherpad.pad_of(worker))
    page:wait_for { frames[1], frames[2], editable }
    page:frame(frames[1])
    page:frame(frames[2])
    page.editor = page:find(editable)
  end
  return page
end

tutti.setup_session(open_pad)

tutti.scenario("etherpad", function(worker)
  local page = open_pad(worker)
  local round = worker:notifier("etherpad")
  local writer = worker.room.size - 1
  local line = "step " .. worker.step

  if worker.seat ~= writer then
    local watch = page:watch_text(editable, line) -- the page looks for it from now on, and records when it sees it
    worker:barrier("looking") -- nobody types before all pages look: what is already there says nothing about how long it took
    assert(round:wait_for_writer() == line)
    local _, _, sighting = watch:wait()
    round:one_read(line, sighting)
  else
    if worker.step > 1 then
      worker:notifier("etherpad", { step = worker.step - 1 }):wait_for_readers()
    end
    local watch = page:watch_text(editable, line)
    worker:barrier("looking")
    page.editor:send_keys(line .. browser.keys.ENTER)
    local _, there_at = watch:wait() -- when the writer's own page had it: the time counts from then
    round:written(line, { at = there_at })
  end
end)
