-- Events that nobody has taken yet, bounded; in the order in which they came.
local events = {}

local Queue = {}
Queue.__index = Queue

-- Takes the oldest one, or the oldest of that name; nil if there is none.
function Queue:take(name)
  for i = self.first, self.last do
    local event = self.items[i]
    if event and (name == nil or event.name == name) then
      self.items[i] = false
      self.count = self.count - 1
      while self.first <= self.last and not self.items[self.first] do
        self.items[self.first] = nil
        self.first = self.first + 1
      end
      return event
    end
  end
end

-- False if the queue is full, and it is its policy to end the connection.
function Queue:add(event)
  if self.count >= self.limit then
    if self.policy == "close" then return false end
    self.dropped = self.dropped + 1
    if self.policy == "drop_newest" then return true end
    self:take()
  end
  self.last = self.last + 1
  self.items[self.last] = event
  self.count = self.count + 1
  return true
end

function events.queue(limit, policy)
  return setmetatable({ items = {}, first = 1, last = 0, count = 0, limit = limit, policy = policy, dropped = 0 }, Queue)
end

return events
