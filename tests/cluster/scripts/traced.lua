-- The scene of the pad, with a barrier, a counter and a factory, told line by line: trace_checker.py reads what is printed.
-- The target is ADDRESS#NAME: where the pads are, and a word that tells this campaign's lines from those of others.
local tutti = require "tutti"
local http = require "tutti.http"

local REST = 0.05 -- seconds of each step
local BARRIER_EVERY = 4

local address, campaign

local function place()
  if not address then
    address, campaign = tutti.target:match("^(.*)#(%w+)$")
  end
end

local function trace(worker, what, detail)
  place()
  local room = worker.room.id
  tutti.print(("trace %.6f %s %d %d %d %s %s"):format(tutti.now(), campaign, room, worker.id, worker.step, what, detail or "-"))
end

-- A wait, with its beginning and its end.
local function awaited(worker, name, call, ...)
  trace(worker, "wait", name)
  local result = table.pack(pcall(call, ...))
  if not result[1] then
    local outcome = type(result[2]) == "table" and result[2].outcome or "error"
    trace(worker, "woke", name .. " " .. outcome)
    error(result[2], 0)
  end
  trace(worker, "woke", name .. " ok")
  return table.unpack(result, 2, result.n)
end

local function read(worker, round, pad)
  local text = awaited(worker, "writer", round.wait_for_writer, round)
  trace(worker, "got", text)
  local page = http.get(pad, { name = "read the pad", timeout = 5 })
  assert(page.status == 200, "the pad answered " .. page.status)
  trace(worker, "page", page.body)
  assert(page.body == text, "the pad shows another text: " .. page.body)
  trace(worker, "read")
  round:one_read()
  if worker.id % 3 == 0 then
    round:one_read() -- counts once all the same
  end
  trace(worker, "told")
end

local function write(worker, round, pad)
  if worker.step > 1 then
    local last = worker:notifier("pad", { step = worker.step - 1 })
    local reads, readers = awaited(worker, "readers", last.wait_for_readers, last)
    trace(worker, "passed", ("%d %d %d"):format(worker.step - 1, reads, readers))
  end
  local text = ("%s-%d-%d-%d"):format(campaign, worker.room.id, worker.step, worker.id)
  trace(worker, "write", text)
  local answer = http.put(pad, text, { name = "write the pad", timeout = 5 })
  assert(answer.status < 300, "the pad answered " .. answer.status)
  trace(worker, "written", text)
  round:written(text)
end

local function play(worker)
  local made = awaited(worker, "factory", tutti.get_var, "made", function()
    trace(worker, "making")
    return campaign
  end)
  trace(worker, "made", made)
  local round = worker:notifier("pad")
  local pad = address .. "/pad/" .. campaign .. "-" .. worker.room.id
  if worker.seat == (worker.step - 1) % worker.room.size then
    write(worker, round, pad) -- another one each time
  else
    read(worker, round, pad)
  end
  trace(worker, "counting")
  local sum = awaited(worker, "incr", tutti.incr, "sum")
  trace(worker, "counted", sum)
  if worker.step % BARRIER_EVERY == 0 then
    trace(worker, "arrive")
    local rank, arrived = awaited(worker, "barrier", worker.barrier, worker, "gate", { at_once = worker.room.id == 0 })
    trace(worker, "through", rank .. " " .. arrived)
  end
  tutti.sleep(REST)
end

tutti.setup(function(worker) trace(worker, "here", ("%s %d %d"):format(worker.agent, worker.seat, worker.room.size)) end)

tutti.scenario("traced", function(worker)
  trace(worker, "begin")
  local ok, problem = pcall(play, worker)
  if not ok then
    trace(worker, "fail", (tostring(problem):gsub("%s+", " ")))
    error(problem, 0)
  end
  trace(worker, "end")
end)

tutti.teardown(function(worker) trace(worker, "gone") end)
