-- The scene with browsers: five users, each with a browser of its own, on one Etherpad page. In each step one of them types a line;
-- the other four watch the page until it shows that line, and nobody types again before all four have seen it.
--
--   examples/etherpad/start.sh                  (prints its address, here http://127.0.0.1:9001)
--   tutti run examples/etherpad/browsers.lua --target http://127.0.0.1:9001
--   tutti run examples/etherpad/browsers.lua -w 10 --room-size 5 --agents 2 --target http://127.0.0.1:9001     (two pads)
local tutti = require "tutti"
local browser = require "tutti.browser"
local etherpad = require "etherpad"

tutti.options { workers = 5, runs = 10 }

-- The editor is in a frame of a frame, and takes no keys before it can be edited: what is typed earlier is lost without a word.
local frames = { 'iframe[name="ace_outer"]', 'iframe[name="ace_inner"]' }
local editable = '#innerdocbody[contenteditable="true"]'

-- The worker's page with the pad of its room; from then on it is in the frame of the editor. A browser that has gone is replaced by a
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
    local watch = page:watch_text(editable, line) -- the page looks out for it from now on, and dates what it sees
    assert(round:wait_for_writer() == line)
    local _, seen_at = watch:wait()
    round:one_read(line, { seen_at = seen_at })
  else
    if worker.step > 1 then
      worker:notifier("etherpad", { step = worker.step - 1 }):wait_for_readers()
    end
    local watch = page:watch_text(editable, line)
    page.editor:send_keys(line .. browser.keys.ENTER)
    local _, there_at = watch:wait() -- when the writer's own page had it: the time counts from there
    round:written(line, { at = there_at })
  end
end)
