-- Runs the callbacks of a connection, one after the other, in a task of the worker that is there while there is
-- something to run. The first one that fails in a step ends its task, and so the step has its error and its traceback;
-- of later ones in the same step only that they failed is known.
local import, native = ...
local events = import "events"
local tutti = import "tutti"
local callbacks = {}

local Callbacks = {}
Callbacks.__index = Callbacks

-- Held by the task. One whose turn has used up its time is ended without this: the next event finds that out.
local Running = {
  __close = function(running)
    local self = running.callbacks
    self.event, self.task = nil, nil
    if not running.is_done then
      self.failed_step = native.worker().step
      self:start()
    end
  end,
}

local function call(self, f, event)
  if event.ack then f(table.unpack(event, 1, event.n + 1)) else f(table.unpack(event, 1, event.n)) end
end

local function run(self)
  local running <close> = setmetatable({ callbacks = self }, Running)
  while true do
    local item = self.queue:take()
    if not item then break end
    self.event = item.event
    if self.failed_step == native.worker().step then
      pcall(call, self, item.f, item.event)
    else
      call(self, item.f, item.event)
    end
  end
  running.is_done = true
end

function Callbacks:start()
  if self.queue.count == 0 or (self.task and native.is_running(self.task)) then return end
  self.task = tutti.task({ keep = true }, function() run(self) end)
end

-- False as of the queue of events.
function Callbacks:add(f, event)
  if not self.queue:add { f = f, event = event } then return false end
  self:start()
  return true
end

function callbacks.new(limit, policy)
  return setmetatable({ queue = events.queue(limit, policy) }, Callbacks)
end

return callbacks
