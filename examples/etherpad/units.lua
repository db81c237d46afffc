-- Texts and numbers as Etherpad writes them. It counts texts in UTF-16 units, as JavaScript does. So "🌍" has the length 2, and an edit may begin in its middle.
--
-- Such a text is kept here as CESU-8: a character beyond U+FFFF is its two surrogates, three bytes each, so that all that Lua's utf8
-- takes for one character is one unit. All other texts are the same bytes as in UTF-8.
local units = {}

local DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
local MOST_DIGITS = 8 -- 36^8 is more than anything that fits into memory

--- Returns a text in UTF-8 as such a text.
function units.text(text)
  if not text:find("[\xF0-\xF4]") then return text end
  return (text:gsub("[\xF0-\xF4][\x80-\xBF][\x80-\xBF][\x80-\xBF]", function(character)
    local code = utf8.codepoint(character) - 0x10000
    return utf8.char(0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))
  end))
end

--- Returns such a text in UTF-8. Half of a surrogate pair, which UTF-8 cannot say, becomes U+FFFD, which is one unit too.
function units.utf8(text)
  if not text:find("\xED[\xA0-\xBF]") then return text end
  text = text:gsub("(\xED[\xA0-\xAF][\x80-\xBF])(\xED[\xB0-\xBF][\x80-\xBF])", function(high, low)
    local high_bits, low_bits = utf8.codepoint(high, 1, 1, true) - 0xD800, utf8.codepoint(low, 1, 1, true) - 0xDC00
    return utf8.char(0x10000 + (high_bits << 10) + low_bits)
  end)
  return (text:gsub("\xED[\xA0-\xBF][\x80-\xBF]", "\u{FFFD}"))
end

--- Returns how many units a text has.
function units.length(text)
  return utf8.len(text, 1, -1, true) or error("not a text in UTF-8", 2)
end

--- Returns how many newlines a text has.
function units.newlines(text)
  return select(2, text:gsub("\n", ""))
end

--- Returns a text that is read piece by piece, with `take`.
function units.reader_of(text)
  return { text = text, at = 1 } -- a place in bytes
end

--- Returns the next `count` units of a reader; raises an error if it has no more so many.
function units.take(reader, count)
  local from = reader.at
  local to = utf8.offset(reader.text, count + 1, from) or error("a changeset goes beyond the end of its text", 0)
  reader.at = to
  return reader.text:sub(from, to - 1)
end

--- Returns a number, 0 or more, in base 36.
function units.in_base_36(number)
  local digits = ""
  repeat
    local digit = number % 36
    digits = DIGITS:sub(digit + 1, digit + 1) .. digits
    number = number // 36
  until number == 0
  return digits
end

--- Returns the number that digits in base 36 say.
function units.from_base_36(digits)
  if #digits > MOST_DIGITS then error("a number of a changeset is too large: " .. digits, 0) end
  return tonumber(digits, 36)
end

return units
