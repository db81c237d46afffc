-- Easysync: how Etherpad says what changed in a text. Pure: knows no pad and no connection.
--
-- A changeset `Z:5>2=2*0+2$ab` leads from a text of 5 units to one that has 2 more: it keeps 2, inserts "ab" with attribute 0, and
-- keeps the rest. `=` keeps, `-` removes, `+` inserts from the bank after `$`. Numbers are in base 36. `|2=8`: these 8 units end with
-- their second newline. A changeset is here a table { old =, new =, ops =, bank = }: both lengths, a list of operations
-- { code =, chars =, lines =, attribs = }, and the bank.
-- Texts are those of units.lua; `pack` and `unpack` convert from and to UTF-8.
local pools = require "pool"
local units = require "units"

local easysync = {}

local length, newlines, reader_of, take = units.length, units.newlines, units.reader_of, units.take
local in_base_36, from_base_36 = units.in_base_36, units.from_base_36

-- Collects operations into their canonical form: neighbours of one kind are one operation, what is removed comes before what is
-- inserted, and a last "keep" without attributes is left out. An operation with lines ends with a newline, so what comes after it
-- within a line is counted in `rest`, and joins it only if another newline follows.
local function run_of(ops)
  return { ops = ops, last = nil, rest = 0 }
end

local function run_end(run)
  local last = run.last
  if last then
    run.ops[#run.ops + 1] = last
    if run.rest > 0 then
      run.ops[#run.ops + 1] = { code = last.code, chars = run.rest, lines = 0, attribs = last.attribs }
    end
    run.last, run.rest = nil, 0
  end
end

local function run_add(run, op)
  local last = run.last
  if not last or last.attribs ~= op.attribs then
    run_end(run)
    run.last = { code = op.code, chars = op.chars, lines = op.lines, attribs = op.attribs }
  elseif op.lines > 0 then
    last.chars, last.lines, run.rest = last.chars + run.rest + op.chars, last.lines + op.lines, 0
  elseif last.lines == 0 then
    last.chars = last.chars + op.chars
  else
    run.rest = run.rest + op.chars
  end
end

local function assembler()
  local ops = {}
  return { ops = ops, keep = run_of(ops), remove = run_of {}, insert = run_of {}, delta = 0, code = nil }
end

local function flush_changes(assembled)
  local ops = assembled.ops
  for _, run in ipairs { assembled.remove, assembled.insert } do
    run_end(run)
    table.move(run.ops, 1, #run.ops, #ops + 1, ops)
    run.ops = {}
  end
end

local function assemble(assembled, op)
  if op.chars == 0 then return end
  if op.code == "=" then
    if assembled.code ~= "=" then flush_changes(assembled) end
    run_add(assembled.keep, op)
  else
    if assembled.code == "=" then run_end(assembled.keep) end
    local inserts = op.code == "+"
    run_add(inserts and assembled.insert or assembled.remove, op)
    assembled.delta = assembled.delta + (inserts and op.chars or -op.chars)
  end
  assembled.code = op.code
end

-- An operation with lines has to end with a newline, so a text may need two.
local function assemble_text(assembled, code, text, attribs)
  local lines = newlines(text)
  local chars = length(text)
  local after = lines == 0 and chars or length(text:match("[^\n]*$"))
  assemble(assembled, { code = code, chars = chars - after, lines = lines, attribs = attribs })
  assemble(assembled, { code = code, chars = after, lines = 0, attribs = attribs })
end

local function assembled_ops(assembled)
  local keep = assembled.keep
  if keep.last and keep.last.attribs == "" then keep.last, keep.rest = nil, 0 end
  flush_changes(assembled)
  run_end(keep)
  return assembled.ops
end

--- Returns operations as text, which is also how Etherpad writes the attributes of a text: `*0|2+c+5`.
function easysync.pack_ops(ops)
  local pieces = {}
  for _, op in ipairs(ops) do
    pieces[#pieces + 1] = op.attribs
    if op.lines > 0 then pieces[#pieces + 1] = "|" .. in_base_36(op.lines) end
    pieces[#pieces + 1] = op.code .. in_base_36(op.chars)
  end
  return table.concat(pieces)
end

--- Returns the operations that a text names; raises an error if it names something else.
function easysync.unpack_ops(text)
  local ops, at = {}, 1
  while at <= #text do
    local attribs, lines, code, chars, after = text:match("^([*0-9a-z]*)|([0-9a-z]+)([-+=])([0-9a-z]+)()", at)
    if not attribs then
      attribs, code, chars, after = text:match("^([*0-9a-z]*)([-+=])([0-9a-z]+)()", at)
    end
    if not attribs or attribs:gsub("%*[0-9a-z]+", "") ~= "" then
      error("not an operation of a changeset: " .. text:sub(at, at + 40), 0)
    end
    ops[#ops + 1] = { code = code, chars = from_base_36(chars), lines = lines and from_base_36(lines) or 0, attribs = attribs }
    at = after
  end
  return ops
end

--- Returns a changeset as text in UTF-8, for the wire.
function easysync.pack(changeset)
  local delta = changeset.new - changeset.old
  return ("Z:%s%s%s%s$%s"):format(in_base_36(changeset.old), delta >= 0 and ">" or "<", in_base_36(math.abs(delta)),
    easysync.pack_ops(changeset.ops), units.utf8(changeset.bank))
end

--- Returns the changeset that a text in UTF-8 says; raises an error if it is none.
function easysync.unpack(text)
  local old, sign, delta, ops, bank = text:match("^Z:([0-9a-z]+)([<>])([0-9a-z]+)([^$]*)%$?(.*)$")
  if not old then error("not a changeset: " .. text:sub(1, 60), 0) end
  old, delta = from_base_36(old), from_base_36(delta)
  return { old = old, new = sign == ">" and old + delta or old - delta, ops = easysync.unpack_ops(ops), bank = units.text(bank) }
end

--- Returns the changeset of a text like `unpack`, and raises an error also if it is not in canonical form, or its lengths are wrong.
function easysync.check(text)
  local changeset = easysync.unpack(text)
  local assembled = assembler()
  local read, inserted = 0, 0
  for _, op in ipairs(changeset.ops) do
    assemble(assembled, op)
    if op.code == "+" then inserted = inserted + op.chars else read = read + op.chars end
  end
  local delta = assembled.delta
  local canonical = easysync.pack_ops(assembled_ops(assembled))
  if read > changeset.old or changeset.old + delta ~= changeset.new or length(changeset.bank) ~= inserted
    or canonical ~= easysync.pack_ops(changeset.ops) then
    error("a changeset that is not canonical: " .. text:sub(1, 60), 0)
  end
  return changeset
end

--- Returns the changeset that leaves a text of this length as it is.
function easysync.identity(size)
  return { old = size, new = size, ops = {}, bank = "" }
end

--- Returns whether a changeset changes nothing.
function easysync.is_identity(changeset)
  return #changeset.ops == 0 and changeset.old == changeset.new
end

--- Returns the changeset that removes `removed` units at `position` (from 0) of a text, and inserts `inserted` there, with the
--- attributes { { "author", "a.x" }, … } of the pool.
function easysync.splice(text, position, removed, inserted, attributes, pool)
  local reader = reader_of(text)
  local assembled = assembler()
  assemble_text(assembled, "=", take(reader, position), "")
  assemble_text(assembled, "-", take(reader, removed), "")
  assemble_text(assembled, "+", inserted, attributes and pools.attribs_of(attributes, pool, true) or "")
  local old, delta = length(text), assembled.delta
  return { old = old, new = old + delta, ops = assembled_ops(assembled), bank = inserted }
end

local function check_lines(op, text)
  if newlines(text) ~= op.lines then
    error(("a changeset counts %d lines in a piece that has %d"):format(op.lines, newlines(text)), 0)
  end
  return text
end

--- Returns the text that a changeset makes of a text; raises an error if it was made for another one.
function easysync.apply(changeset, text)
  if length(text) ~= changeset.old then
    error(("a changeset for a text of %d units meets one of %d"):format(changeset.old, length(text)), 0)
  end
  local bank, reader, pieces = reader_of(changeset.bank), reader_of(text), {}
  for _, op in ipairs(changeset.ops) do
    local piece = check_lines(op, take(op.code == "+" and bank or reader, op.chars))
    if op.code ~= "-" then pieces[#pieces + 1] = piece end
  end
  pieces[#pieces + 1] = text:sub(reader.at)
  return table.concat(pieces)
end

-- Walks through two lists of operations at once. `step(first, second)` uses up (a part of) one or both, and returns the operation
-- that results: code, chars, lines, attribs; nothing if there is none. What is used up has no code.
local function zip(first_ops, second_ops, step)
  local assembled = assembler()
  local first, second, result = {}, {}, {}
  local first_next, second_next = 1, 1
  while true do
    if not first.code and first_ops[first_next] then
      local op = first_ops[first_next]
      first.code, first.chars, first.lines, first.attribs = op.code, op.chars, op.lines, op.attribs
      first_next = first_next + 1
    end
    if not second.code and second_ops[second_next] then
      local op = second_ops[second_next]
      second.code, second.chars, second.lines, second.attribs = op.code, op.chars, op.lines, op.attribs
      second_next = second_next + 1
    end
    if not first.code and not second.code then break end
    result.code, result.chars, result.lines, result.attribs = step(first, second)
    if result.code then assemble(assembled, result) end
  end
  local delta = assembled.delta
  return assembled_ops(assembled), delta
end

-- Uses up the whole operation.
local function use(op)
  local code = op.code
  op.code = nil
  return code, op.chars, op.lines, op.attribs
end

-- Uses up of both operations as much as the shorter one has, and returns how much that is.
local function use_both(first, second)
  local shorter = first.chars <= second.chars and first or second
  local longer = shorter == first and second or first
  local chars, lines = shorter.chars, shorter.lines
  shorter.code = nil
  longer.chars, longer.lines = longer.chars - chars, longer.lines - lines
  if longer.chars == 0 then longer.code = nil end
  return chars, lines
end

-- The operation that does what `first` and then `second` does.
local function compose_step(first, second, pool)
  if first.code == "-" then return use(first) end
  if not first.code or second.code == "+" then return use(second) end
  if not second.code then return use(first) end
  local first_code, second_code = first.code, second.code
  local attribs = second_code == "=" and pools.compose(first.attribs, second.attribs, first_code == "=", pool) or ""
  local chars, lines = use_both(first, second)
  if second_code == "=" then return first_code, chars, lines, attribs end
  if first_code == "=" then return "-", chars, lines, "" end -- what `first` has inserted and `second` removes was never there
end

--- Returns the changeset that does what `first` and then `second` does.
function easysync.compose(first, second, pool)
  if first.new ~= second.old then error("these changesets do not follow each other", 2) end
  local first_bank, second_bank, bank = reader_of(first.bank), reader_of(second.bank), {}
  local ops = zip(first.ops, second.ops, function(one, other)
    local one_code, other_code = one.code, other.code
    if one_code == "+" and other_code == "-" then take(first_bank, math.min(one.chars, other.chars)) end
    local code, chars, lines, attribs = compose_step(one, other, pool)
    if code == "+" then bank[#bank + 1] = take(other_code == "+" and second_bank or first_bank, chars) end
    return code, chars, lines, attribs
  end)
  return { old = first.old, new = second.new, ops = ops, bank = table.concat(bank) }
end

--- Returns the attributes of a text, as operations, after a changeset.
function easysync.apply_to_attributes(changeset, attributes, pool)
  return (zip(attributes, changeset.ops, function(first, second) return compose_step(first, second, pool) end))
end

-- Which of two texts that are inserted at one place comes first: one that its attribute says is first (the marker of a list); one
-- that does not begin with a newline, so as not to break a line; otherwise the first changeset's, or with `reverse` the second's.
local function is_first_before(one, other, banks, reverse, pool)
  local first_leads, second_leads = pools.inserts_first(one.attribs, pool), pools.inserts_first(other.attribs, pool)
  if first_leads ~= second_leads then return first_leads end
  local first_bank, second_bank = banks[1], banks[2]
  local first_breaks = first_bank.text:byte(first_bank.at) == 10
  local second_breaks = second_bank.text:byte(second_bank.at) == 10
  if first_breaks ~= second_breaks then return second_breaks end
  return not reverse
end

--- Both changesets are for the same text. Returns the one that does after `first` what `second` does without it:
--- compose(first, follow(first, second, false)) and compose(second, follow(second, first, true)) make the same text.
--- `reverse` says that of two texts inserted at one place the second's comes first.
function easysync.follow(first, second, reverse, pool)
  if first.old ~= second.old then error("these changesets are for different texts", 2) end
  local banks = { reader_of(first.bank), reader_of(second.bank) }
  local ops, delta = zip(first.ops, second.ops, function(one, other)
    if one.code == "+" or other.code == "+" then
      if other.code ~= "+" or one.code == "+" and is_first_before(one, other, banks, reverse, pool) then
        take(banks[1], one.chars)
        one.code = nil
        return "=", one.chars, one.lines, ""
      end
      take(banks[2], other.chars)
      return use(other)
    elseif not one.code then
      return use(other)
    elseif not other.code then
      one.code = nil
      return nil
    end
    local one_code, other_code = one.code, other.code
    local attribs = ""
    if one_code == "=" then
      attribs = other_code == "=" and pools.follow(one.attribs, other.attribs, pool) or other.attribs
    end
    local chars, lines = use_both(one, other)
    if one_code == "-" then return nil end -- it is gone already
    return other_code, chars, lines, attribs
  end)
  return { old = first.new, new = first.new + delta, ops = ops, bank = second.bank }
end

--- Returns the changeset that undoes `changeset` after it was applied to a text with these attributes.
function easysync.inverse(changeset, text, attributes, pool)
  local assembled, bank, reader = assembler(), {}, reader_of(text)
  zip(attributes, changeset.ops, function(piece, op)
    if op.code == "+" then
      assemble(assembled, { code = "-", chars = op.chars, lines = op.lines, attribs = "" })
      op.code = nil
    elseif not op.code then
      piece.code = nil
    elseif not piece.code then
      error("the attributes end before the changeset does", 0)
    else
      local code, old, new = op.code, piece.attribs, op.attribs
      local chars, lines = use_both(piece, op)
      local part = take(reader, chars)
      if code == "-" then
        assemble(assembled, { code = "+", chars = chars, lines = lines, attribs = old })
        bank[#bank + 1] = part
      else
        assemble(assembled, { code = "=", chars = chars, lines = lines, attribs = pools.undo(old, new, pool) })
      end
    end
  end)
  return { old = changeset.new, new = changeset.old, ops = assembled_ops(assembled), bank = table.concat(bank) }
end

--- Returns the changeset with its attributes numbered by another pool, which is given those that it has not.
function easysync.move(changeset, from, to)
  local ops = {}
  for index, op in ipairs(changeset.ops) do
    ops[index] = { code = op.code, chars = op.chars, lines = op.lines, attribs = pools.move(op.attribs, from, to) }
  end
  return { old = changeset.old, new = changeset.new, ops = ops, bank = changeset.bank }
end

return easysync
