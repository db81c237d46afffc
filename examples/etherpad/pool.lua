-- Etherpad's attributes. An attribute is a key with a value, { "author", "a.x" } or { "bold", "true" }. A pool numbers them, and a
-- text names those of an operation: "*0*1f", in base 36 and sorted by key and value. Each pad and each message has a pool of its own.
local units = require "units"

local pool = {}
pool.__index = pool

function pool.new()
  return setmetatable({ pairs = {}, numbers = {}, count = 0 }, pool)
end

local function name_of(pair)
  return pair[1] .. "," .. pair[2]
end

--- Returns the number of an attribute, which the pool is given if it has it not.
function pool:put(pair)
  local name = name_of(pair)
  local number = self.numbers[name]
  if not number then
    number = self.count
    self.count = number + 1
    self.numbers[name], self.pairs[number] = number, { pair[1], pair[2] }
  end
  return number
end

--- Returns the pool that a message has: { numToAttrib = { ["0"] = { "author", "a.x" } }, nextNum = 1 }.
function pool.from_wire(wire)
  local made = pool.new()
  for number, pair in pairs(wire.numToAttrib) do
    number = math.tointeger(tonumber(number)) or error("an attribute has no number: " .. number, 0)
    pair = { tostring(pair[1] or ""), tostring(pair[2] or "") }
    made.pairs[number], made.numbers[name_of(pair)] = pair, number
    made.count = math.max(made.count, number + 1)
  end
  return made
end

--- Returns the pool as messages have it.
function pool:to_wire()
  local attributes = {}
  for number, pair in pairs(self.pairs) do attributes[tostring(number)] = pair end
  return { numToAttrib = attributes, nextNum = self.count }
end

local function text_of(pairs_of_attributes, numbered_by)
  local pieces = {}
  for index, pair in ipairs(pairs_of_attributes) do
    pieces[index] = "*" .. units.in_base_36(numbered_by:put(pair))
  end
  return table.concat(pieces)
end

local function list_of(attribs, numbered_by)
  local list = {}
  for digits in attribs:gmatch("%*([0-9a-z]+)") do
    local pair = numbered_by.pairs[units.from_base_36(digits)] or error("a changeset has an attribute without a meaning: *" .. digits, 0)
    list[#list + 1] = { pair[1], pair[2] }
  end
  return list
end

local function sort(list)
  table.sort(list, function(one, other) return name_of(one) < name_of(other) end)
  return list
end

local function find(list, key)
  for index, pair in ipairs(list) do
    if pair[1] == key then return index, pair end
  end
end

--- Returns the text of attributes. Those without a value mean "remove it", which only a change of kept text can say.
function pool.attribs_of(list, numbered_by, is_inserted)
  local named = {}
  for _, pair in ipairs(list) do
    if pair[2] ~= "" or not is_inserted then named[#named + 1] = pair end
  end
  return text_of(sort(named), numbered_by)
end

--- Returns what `first` and then `second` set. `is_change`: they are changes to attributes, not the attributes of a text; then an
--- empty value is kept, to remove the attribute later.
function pool.compose(first, second, is_change, numbered_by)
  if second == "" then return first end
  if first == "" and is_change then return second end
  local list = list_of(first, numbered_by)
  for _, pair in ipairs(list_of(second, numbered_by)) do
    local index, old = find(list, pair[1])
    if pair[2] == "" and not is_change then
      if index then table.remove(list, index) end
    elseif old then
      old[2] = pair[2]
    else
      list[#list + 1] = pair
    end
  end
  return text_of(sort(list), numbered_by)
end

--- Returns what is left of `second` after `first`, which changes the same text: of two values of a key the one that sorts first wins.
function pool.follow(first, second, numbered_by)
  if second == "" or not numbered_by then return "" end
  if first == "" then return second end
  local list = list_of(second, numbered_by)
  for _, pair in ipairs(list_of(first, numbered_by)) do
    local index, other = find(list, pair[1])
    if other and pair[2] <= other[2] then table.remove(list, index) end
  end
  return text_of(list, numbered_by)
end

--- Returns the change that undoes the change `new` to a text with the attributes `old`.
function pool.undo(old, new, numbered_by)
  local had, back = list_of(old, numbered_by), {}
  for _, pair in ipairs(list_of(new, numbered_by)) do
    local value = ""
    for _, other in ipairs(had) do
      if other[1] == pair[1] then value = other[2] end
    end
    if value ~= pair[2] then back[#back + 1] = { pair[1], value } end
  end
  return text_of(sort(back), numbered_by)
end

--- Returns attributes numbered by another pool, which is given those that it has not.
function pool.move(attribs, from, to)
  if attribs == "" then return attribs end
  return text_of(list_of(attribs, from), to)
end

--- Returns whether an inserted text has to come before all others at its place.
function pool.inserts_first(attribs, numbered_by)
  if attribs == "" or not numbered_by or not numbered_by.numbers["insertorder,first"] then return false end
  local _, pair = find(list_of(attribs, numbered_by), "insertorder")
  return pair ~= nil and pair[2] == "first"
end

return pool
