-- Names that would run in a page, or break it, if they became markup.
local tutti = require "tutti"
local http = require "tutti.http"

local NAMES = {
  "</script><script>tuttiFaults.push('ran')</script>",
  "<img src=x onerror=\"tuttiFaults.push('ran')\">",
  "<!-- <script>",
  "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{1f680} 'quoted' \"twice\" & entity &lt;",
  string.rep("n", 250),
}

tutti.scenario("<svg onload=tuttiFaults.push('ran')>", function(worker)
  for _, name in ipairs(NAMES) do
    http.get(tutti.target .. "/", { name = name, tags = { team = "<b>" } })
    tutti.check(worker.id, name, worker.id)
  end
  if worker.id == 0 then error(NAMES[1] .. NAMES[2] .. "\u{202e}\u{2028}") end
end)
