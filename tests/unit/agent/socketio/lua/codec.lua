local tutti, json, probe = require "tutti", require "tutti.json", require "probe"
local packets, engine, events = probe.packets, probe.engine, probe.events
local stories = {}

local function text(x)
  if x == json.null then return "null" end
  if type(x) ~= "table" then return type(x) == "string" and string.format("%q", x) or tostring(x) end
  local names, out = {}, {}
  for name in pairs(x) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for i, name in ipairs(names) do out[i] = tostring(name) .. "=" .. text(x[name]) end
  return "{" .. table.concat(out, " ") .. "}"
end

local function same(got, want)
  if text(got) ~= text(want) then error(text(got) .. " is not " .. text(want), 2) end
end

local function refused(says, f, ...)
  local ok, why = pcall(f, ...)
  if ok or not tostring(why):find(says, 1, true) then error(says .. ": " .. text(why), 2) end
end

local function written(fields)
  fields.namespace = fields.namespace or "/"
  if fields.values then fields.count = fields.count or #fields.values end
  return (packets.encode(fields))
end

function stories.packets_are_written_as_the_specification_has_them()
  same(written { type = packets.CONNECT }, '0')
  same(written { type = packets.CONNECT, data = { token = "123" } }, '0{"token":"123"}')
  same(written { type = packets.CONNECT, namespace = "/admin", data = { token = "123" } }, '0/admin,{"token":"123"}')
  same(written { type = packets.CONNECT, namespace = "/admin?token=1234" }, '0/admin?token=1234,')
  same(written { type = packets.DISCONNECT, namespace = "/admin" }, '1/admin,')
  same(written { type = packets.EVENT, values = { "hello", 1 } }, '2["hello",1]')
  same(written { type = packets.EVENT, namespace = "/admin", id = 456, values = { "project:delete", 123 } },
    '2/admin,456["project:delete",123]')
  same(written { type = packets.ACK, namespace = "/admin", id = 456, values = {} }, '3/admin,456[]')
  same(written { type = packets.ACK, id = 0, values = { [2] = "x" }, count = 3 }, '30[null,"x",null]')
  same(written { type = packets.EVENT, values = { "grüße", json.array {}, {} } }, '2["grüße",[],{}]')
end

local function read(line)
  local packet, why = packets.decode(line)
  return packet or why
end

function stories.packets_are_read_as_the_specification_has_them()
  same(read '0', { type = 0, namespace = "/", attachments = 0 })
  same(read '0{"sid":"oSO0OpakMV_3jnilAAAA"}', { type = 0, namespace = "/", attachments = 0, data = { sid = "oSO0OpakMV_3jnilAAAA" } })
  same(read '0/admin', { type = 0, namespace = "/admin", attachments = 0 })
  same(read '0/admin?token=1234,', { type = 0, namespace = "/admin", attachments = 0 })
  same(read '1/admin,', { type = 1, namespace = "/admin", attachments = 0 })
  same(read '2["hello",1]', { type = 2, namespace = "/", attachments = 0, data = { "hello", 1 } })
  same(read '2/admin,456["project:delete",123]', { type = 2, namespace = "/admin", id = 456, attachments = 0, data = { "project:delete", 123 } })
  same(read '3/admin,456[]', { type = 3, namespace = "/admin", id = 456, attachments = 0, data = {} })
  same(read '4"Not authorized"', { type = 4, namespace = "/", attachments = 0, data = "Not authorized" })
  same(read '4/admin,{"message":"Not authorized"}', { type = 4, namespace = "/admin", attachments = 0, data = { message = "Not authorized" } })
  same(read '51-/admin,456["project:delete",{"_placeholder":true,"num":0}]',
    { type = 5, namespace = "/admin", id = 456, attachments = 1, data = { "project:delete", { _placeholder = true, num = 0 } } })
  same(read '212["a"]', { type = 2, namespace = "/", id = 12, attachments = 0, data = { "a" } })
  same(read '2["a",null]', { type = 2, namespace = "/", attachments = 0, data = { "a", json.null } })
end

function stories.bytes_become_attachments_and_come_back()
  local line, found = packets.encode {
    type = packets.EVENT, namespace = "/", count = 4,
    values = { "file", packets.binary "\0\1", { deep = { packets.binary "second", "kept" }, other = json.array {} }, 4 },
  }
  local packet = packets.decode(line)
  same({ packet.type, packet.attachments, #found, found[1], found[2] }, { 5, 2, 2, "\0\1", "second" })
  assert(packets.attach(packet, found))
  same(packet.data, { "file", "\0\1", { deep = { "second", "kept" }, other = {} }, 4 })
  line, found = packets.encode { type = packets.ACK, namespace = "/admin", id = 456, values = { packets.binary "\3" }, count = 1 }
  same({ line:match("^61%-/admin,456%["), found }, { "61-/admin,456[", { "\3" } })
  same(read(line), read '61-/admin,456[{"_placeholder":true,"num":0}]')
  same(read '61-/admin,456[{"_placeholder":true,"num":0}]',
    { type = 6, namespace = "/admin", id = 456, attachments = 1, data = { { _placeholder = true, num = 0 } } })
  local binary = packets.binary "abc"
  assert(#binary == 3 and tostring(binary) == "abc" and getmetatable(binary) == "binary")
end

function stories.what_a_script_emits_is_bounded_and_left_as_it_is()
  local data = { list = { 1, packets.binary "x" } }
  local list = data.list
  local shared = { packets.binary "y" }
  local line = packets.encode { type = packets.EVENT, namespace = "/", values = { "a", data, { shared, shared } }, count = 3 }
  assert(data.list == list and getmetatable(list[2]) == "binary")
  local function place(num) return { _placeholder = true, num = num } end
  same(packets.decode(line).data, { "a", { list = { 1, place(0) } }, { { place(1) }, { place(1) } } })
  local ring = {}
  ring.ring = { ring }
  refused("contains itself", written, { type = packets.EVENT, values = { "a", ring } })
  local deep = {}
  for _ = 1, 300 do deep = { deep } end
  refused("levels", written, { type = packets.EVENT, values = { "a", deep } })
  local wide = {}
  for i = 1, 101 do wide[i] = packets.binary "x" end
  refused("more than 100 attachments", written, { type = packets.EVENT, values = { "a", wide } })
  refused("is a string, not a number", packets.binary, 7)
  refused("function", written, { type = packets.EVENT, values = { "a", print } })
end

function stories.packets_that_break_a_rule_are_named()
  for line, why in pairs {
    [""] = "unknown type", ["7"] = "unknown type", ["x"] = "unknown type", ["2"] = "without a name", ["2{}"] = "without a name",
    ["2[]"] = "without a name", ["2[1]"] = "without a name", ['2"a"'] = "without a name", ['2["a"'] = "not JSON",
    ['2["a"]x'] = "not JSON", ["3[]"] = "without an id", ["31{}"] = "not a list", ["31"] = "not a list",
    ["0[1"] = "not JSON", ['0"x"'] = "no object", ["1[]"] = "disconnect packet with data", ['5["a"]'] = "number of its attachments",
    ['5-["a"]'] = "number of its attachments", ['5101-["a"]'] = "too many attachments", ['51234567890-["a"]'] = "number of its attachments",
    ["2/" .. ("n"):rep(300) .. ',["a"]'] = "too long", ['21234567890123456["a"]'] = "id that is too long",
    ["2" .. ("["):rep(300) .. ("]"):rep(300)] = "not JSON",
  } do
    local packet, said = packets.decode(line)
    assert(packet == nil and said:find(why, 1, true), line:sub(1, 50) .. ": " .. text(said))
  end
  for _, num in ipairs { "1", "-1", "0.5", '"0"', "null" } do
    local packet = packets.decode('51-["a",[{"_placeholder":true,"num":' .. num .. '}]]')
    local ok, why = packets.attach(packet, { "x" })
    assert(ok == nil and why:find("without its attachment"), num)
  end
end

-- Whatever comes, there is a packet or a reason; what is taken for a packet can be put together.
function stories.damaged_packets_are_no_surprise()
  local seeds = {
    '2/admin,456["project:delete",123]', '51-["a",{"_placeholder":true,"num":0}]', '61-/b,1[{"x":[{"_placeholder":true,"num":0}]}]',
    '0{"sid":"oSO0OpakMV_3jnilAAAA"}', '4/admin,{"message":"no","data":{}}', '30[]', '1/admin,',
  }
  local alphabet = '0123456789-/,?["]{}:tn_\0\255é '
  math.randomseed(7)
  for i = 1, 3000 do
    local line = seeds[i % #seeds + 1]
    for _ = 1, math.random(3) do
      local at, pick = math.random(#line), math.random(#alphabet)
      line = line:sub(1, at - math.random(0, 1)) .. alphabet:sub(pick, pick) .. line:sub(at + math.random(0, 2))
    end
    local packet, why = packets.decode(line)
    if packet then
      packets.attach(packet, { "x" })
      assert(packet.namespace:sub(1, 1) == "/" and packet.attachments <= 100, line)
    else
      assert(type(why) == "string", line)
    end
    for _, version in ipairs { 3, 4 } do
      local list, reason = engine.decode_payload(version, line)
      assert(list or type(reason) == "string", line)
    end
    assert(engine.decode_open(line) == nil)
    if i % 100 == 0 then tutti.sleep(0) end
  end
end

function stories.payloads_of_version_4_are_separated()
  local list = { { text = "4hello" }, { text = "2" }, { bytes = "\1\2\3\4" } }
  same(engine.encode_payload(4, list), "4hello\0302\030bAQIDBA==")
  same(engine.decode_payload(4, "4hello\0302\030bAQIDBA=="), list)
  same(engine.decode_payload(4, "4€"), { { text = "4€" } })
  same(engine.decode_payload(4, "b"), { { bytes = "" } })
end

function stories.payloads_of_version_3_have_lengths_in_units_of_utf_16()
  local list = { { text = "4hello" }, { text = "4€" }, { bytes = "\1\2\3\4" }, { text = "4🎉é" } }
  same(engine.encode_payload(3, list), "6:4hello2:4€10:b4AQIDBA==4:4🎉é")
  same(engine.decode_payload(3, "6:4hello2:4€10:b4AQIDBA==4:4🎉é"), list)
  local long = ("ä€🎉x"):rep(5000)
  same(engine.decode_payload(3, engine.encode_payload(3, { { text = "4" .. long }, { text = "6" } })), { { text = "4" .. long }, { text = "6" } })
  same({ engine.units "", engine.units "abc", engine.units "ä€", engine.units "🎉", engine.units "\255" == nil }, { 0, 3, 2, 2, true })
end

function stories.payloads_that_break_a_rule_are_named()
  local function why(version, body)
    local list, said = engine.decode_payload(version, body)
    return list or said
  end
  same(why(4, ""), "an empty packet")
  same(why(4, "4a\030"), "an empty packet")
  same(why(4, "b*"), "a binary packet that is not base64")
  same(why(3, "x"), "a packet without its length")
  same(why(3, ":4"), "a packet without its length")
  same(why(3, "0:"), "an empty packet")
  same(why(3, "9:4hello"), "a packet that is shorter than its length, or not UTF-8")
  same(why(3, "2:4\255"), "a packet that is shorter than its length, or not UTF-8")
  same(why(3, "2:4🎉"), "a packet that is shorter than its length, or not UTF-8")
  same(why(3, "99999999999:4"), "a packet without its length")
  same(why(3, "3:b3x"), "a binary packet that is no message")
  tutti.sleep(0)
  same(why(3, ("1:6"):rep(10001)), "too many packets")
  tutti.sleep(0)
  same(why(4, ("6\030"):rep(10001)), "too many packets")
end

function stories.a_session_begins_with_an_open_packet()
  same(engine.decode_open '0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}',
    { sid = "lv_VI97HAXpY6yYWAAAC", interval = 25.0, timeout = 20.0, upgrades = { websocket = true }, max_payload = 1000000 })
  same(engine.decode_open '0{"sid":"a","upgrades":null,"pingInterval":1,"pingTimeout":1}', { sid = "a", interval = 0.001, timeout = 0.001, upgrades = {} })
  for line, says in pairs {
    ["4"] = "open packet", ["0"] = "not JSON", ["0[]"] = "no sid", ['0{"sid":7}'] = "no sid", ['0{"sid":""}'] = "no sid",
    ['0{"sid":"' .. ("x"):rep(201) .. '"}'] = "no sid", ['0{"sid":"a","pingInterval":1}'] = "no pingInterval",
    ['0{"sid":"a","pingInterval":-1,"pingTimeout":1}'] = "no pingInterval", ['0{"sid":"a","pingInterval":1e99,"pingTimeout":1}'] = "no pingInterval",
  } do
    local open, why = engine.decode_open(line)
    assert(open == nil and why:find(says, 1, true), line .. ": " .. text(why))
  end
end

function stories.the_queue_keeps_order_and_its_policy()
  local function filled(policy)
    local queue = events.queue(3, policy)
    local is_open
    for i, name in ipairs { "a", "b", "a", "c" } do is_open = queue:add { name = name, i = i } end
    return queue, is_open
  end
  local queue = filled "drop_oldest"
  same({ queue.dropped, queue.count, queue:take("a").i, queue:take().i, queue:take().i, queue:take() == nil }, { 1, 3, 3, 2, 4, true })
  queue = filled "drop_newest"
  same({ queue.dropped, queue:take("c") == nil, queue:take("b").i, queue:take().i, queue:take().i, queue.count }, { 1, true, 2, 1, 3, 0 })
  local _, is_open = filled "close"
  assert(is_open == false)
  for i = 1, 1000 do
    assert(queue:add { name = "x", i = i })
    same(queue:take("x").i, i)
  end
  assert(next(queue.items) == nil)
end

tutti.scenario("story", stories[STORY])
