-- A chat with a language model: answers are streamed token by token, as server-sent events. The report has the time to
-- the first token ("answer first event") and between tokens ("answer next event").
--
--   tutti run examples/llm.lua                                 the practice target, which sends numbered events
--   tutti run examples/llm.lua --target https://llm.example    a server with the API of OpenAI
local tutti = require "tutti"
local http = require "tutti.http"
local json = require "tutti.json"

tutti.options { workers = 10, runs = 2, target = "builtin" }

local function is_practice()
  return tutti.target:find("127.0.0.1", 1, true) ~= nil
end

local function ask(question)
  -- A model may think for a while before its first token: that is what `timeout` allows.
  local options = { name = "answer", timeout = 120 }
  if is_practice() then
    return http.stream("/events/40?first=150&interval=10", options)
  end
  options.json = { model = "any", stream = true, messages = { { role = "user", content = question } } }
  return http.stream("POST", "/v1/chat/completions", options)
end

local function token_of(event)
  if is_practice() then
    return event.data
  end
  return json.decode(event.data).choices[1].delta.content or ""
end

tutti.scenario("ask", function(worker)
  local stream <close> = ask("What is worker " .. worker.id .. " waiting for?")
  assert(stream.status == 200, "status " .. stream.status)
  local tokens = {}
  for event in stream:events() do
    if event.data == "[DONE]" then
      break
    end
    tokens[#tokens + 1] = token_of(event)
  end
  assert(#tokens > 0, "an answer without a token")
  if is_practice() then
    assert(#tokens == 40 and tokens[40] == "event 40 of 40", table.concat(tokens, " "))
  end
end)
