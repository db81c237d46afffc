-- What the hostile scripts share. The test gives the folder that they try to get at, as the path of --target: a file
-- `secret` is in it, and nothing may come to be there.
local tutti = require "tutti"
local lib = {}

lib.origin, lib.prey = tutti.target:match("^(http://[^/]+)(.*)$")

-- The test looks for these words in what a script prints.
function lib.escaped(how)
  print("ESCAPED: " .. tostring(how))
  error("escaped: " .. tostring(how), 2)
end

function lib.refused(f, ...)
  local ok, why = pcall(f, ...)
  if ok then lib.escaped("it was let through") end
  return tostring(why)
end

-- Any part of the file `secret` in a text is the end of the test.
function lib.look_at(text)
  if type(text) == "string" and text:find("the agent's secret", 1, true) then lib.escaped("the secret was read") end
end

return lib
