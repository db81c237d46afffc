"""tutti.socketio against a server of our own, which keeps the rules of both versions or breaks them as it is told."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import tempfile
import threading
import time
import unittest

from socketio_server import SocketIOServer, decode_payload
from support import Process, Run, run, wait_until

HEAD = """local tutti, socketio, json = require "tutti", require "tutti.socketio", require "tutti.json"
local function failed(...)
  local ok, why = pcall(...)
  assert(not ok, "it has not failed")
  return why
end
local function same(a, b)
  a, b = json.encode(a), json.encode(b)
  if a ~= b then error(a .. " is not " .. b, 2) end
end
"""

TRANSPORTS = {"websocket": '{ "websocket" }', "polling": '{ "polling" }', "upgrade": '{ "polling", "websocket" }'}

# All that is right, over one connection `io`.
TALK = """
  assert(io.connected and io.namespace == "/" and io.disconnect_reason == nil)
  same({ io:emit("echo", { a = { 1, 2, json.null }, b = "x" }, nil, 7.5, { ack = true }) }, { { a = { 1, 2, json.null }, b = "x" }, json.null, 7.5 })
  same({ io:emit("echo", { ack = true }, { ack = true, timeout = 5 }) }, { { ack = true } })
  assert(select("#", io:emit("echo", { ack = true })) == 0)
  local before = tutti.now()
  local at = io:emit("echo", "grüße 🎉")
  assert(at >= before and at <= tutti.now())
  same({ io:once("echo") }, { "grüße 🎉" })
  io:emit("echo", "first")
  io:emit("echo", "second", 2)
  local event = io:receive { timeout = 5 }
  assert(event.name == "echo" and event.n == 1 and event[1] == "first" and event.ack == nil and event.at >= at and event.at <= tutti.now())
  same({ io:once("echo", 5) }, { "second", 2 })

  local a, b = io:emit("echo", { file = socketio.binary "\\0\\1\\255", list = { socketio.binary "ab", 3 } }, socketio.binary "", { ack = true })
  assert(a.file == "\\0\\1\\255" and a.list[1] == "ab" and a.list[2] == 3 and b == "")
  local large = ("0123456789"):rep(20000)
  io:emit("echo", socketio.binary(large), large)
  local x, y = io:once("echo")
  assert(x == large and y == large)

  io:on("question", function(text, ack)
    assert(text == "how much?" and io.event.name == "question" and io.event.at <= tutti.now())
    tutti.sleep(0.01)
    ack(42, { x = socketio.binary "\\1" })
    assert(tostring(failed(ack)):find "acknowledged already")
  end)
  io:emit("ask", "how much?")
  same({ io:once("answered", 5) }, { 42, { x = "\\1" } })
  io:off("question")
  io:emit("ask", "again")
  local text, ack = io:once("question")
  ack(text)
  same({ io:once "answered" }, { "again" })

  io:emit("flood", 1000, "number")
  for i = 0, 999 do assert(io:once "number" == i) end

  local why = failed(io.of, io, "/admin", { auth = { token = "wrong" }, query = { token = "wrong" } })
  assert(why.kind == "connect_error" and tostring(why):find("refuses: not authorized", 1, true), tostring(why))
  assert(EIO == 3 or why.data.code == 7)
  assert(failed(io.of, io, "nothing").message:find "Invalid namespace")
  local admin <close> = io:of("/admin", { auth = { token = "right" }, query = { token = "right" } })
  assert(admin.id ~= io.id and admin.namespace == "/admin" and rawequal(admin, io:of "/admin"))
  local both = table.pack(tutti.all {
    tutti.task(function() return admin:emit("echo", socketio.binary "one", { ack = true }) end),
    tutti.task(function() return io:emit("echo", socketio.binary "two", { ack = true }) end),
    tutti.task(function() return admin:emit("echo", socketio.binary "three", { ack = true }) end),
  })
  same(both, { n = 3, "one", "two", "three" })
"""


# Against the practice target.
TARGET_TALK = """
local all = { websocket = { "websocket" }, polling = { "polling" }, upgrade = { "polling", "websocket" } }
local function talk(eio, name)
  local io <close> = socketio.connect("/", { eio = eio, transports = all[name], query = { interval = 200, timeout = 400 } })
  local other <close> = socketio.connect("/", { eio = eio == 3 and 4 or 3 })
  assert(io.transport == (name == "polling" and name or "websocket"), name)
  assert(io:emit("join", "red", { ack = true }) == 1 and other:emit("join", "red", { ack = true }) == 2)
  assert(io:emit("say", "grüße 🎉", 7, { ack = true }) == 2)
  same({ io:once "said" }, { "grüße 🎉", 7 })
  same({ other:once "said" }, { "grüße 🎉", 7 })
  assert(other:emit("join", { "blue" }, { ack = true }) == 1 and io:emit("say", 1, { ack = true }) == 1 and io:once "said" == 1)
  assert(select("#", io:emit("nothing", { ack = true })) == 0)
  io:emit("echo", { a = 1 })
  assert(io:once("echo").a == 1 and io:emit("echo", 5, { ack = true }) == 5)
  assert(tostring(failed(io.of, io, "/nowhere")):find "Invalid namespace")
  local why = failed(io.of, io, "/admin", { auth = { token = "x" }, query = { token = "x" } })
  assert(why.kind == "connect_error" and tostring(why):find "the token is wrong")
  local admin = io:of("/admin", { auth = { token = "secret" }, query = { token = "secret" } })
  assert(admin:emit("join", "red", { ack = true }) == 1)
  tutti.sleep(1.5)
  assert(io.connected and io.reconnects == 0 and io:emit("echo", 5, { ack = true }) == 5)
  admin:disconnect()
  assert(io.connected and io:emit("echo", "still", { ack = true }) == "still")
end
tutti.scenario("s", function()
  for _, eio in ipairs { 3, 4 } do
    for name in pairs(all) do talk(eio, name) end
  end
end)
"""


class Client:
    """A client of the practice target that sends what it likes."""

    def __init__(self, port):
        self.port = port

    def ask(self, method, query, body=b"", timeout=10):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, "/socket.io/?" + query, body=body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def begin(self, version, more=""):
        status, body = self.ask("GET", f"EIO={version}&transport=polling{more}")
        assert status == 200, body
        packets = decode_payload(version, body)
        return json.loads(packets[0][1:]), packets[1:]


class Target(unittest.TestCase):
    """/socket.io/ of the practice target."""

    def setUp(self):
        self.process = Process("target", "--port", 0)
        self.addCleanup(self.process.__exit__)
        line = self.process.read_until("http://")
        self.port = int(re.search(r":(\d+)", line.split("http:", 1)[1])[1])
        self.client = Client(self.port)

    def test_scripts_talk_by_it(self):
        with tempfile.TemporaryDirectory(prefix="tutti-socketio-") as folder:
            path = pathlib.Path(folder, "script.lua")
            path.write_text(HEAD + TARGET_TALK)
            result = run(path, "-w", 1, "-r", 1, "--agents", 1, "--target", f"http://127.0.0.1:{self.port}")
            self.assertEqual(result.code, 0, result)

    def test_sessions_begin_as_the_versions_have_it(self):
        opened, more = self.client.begin(4)
        self.assertEqual({key: opened[key] for key in opened if key != "sid"},
                         {"upgrades": ["websocket"], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 1000000})
        self.assertEqual(more, [])
        _, more = self.client.begin(3, "&b64=1")
        self.assertEqual(more, ["40"])

    def test_what_is_wrong_is_refused(self):
        sid = self.client.begin(4)[0]["sid"]
        for method, query, code in (("GET", "", 5), ("GET", "EIO=2&transport=polling", 5), ("GET", "EIO=4", 0), ("GET", "EIO=4&transport=flash", 0),
                                    ("GET", "EIO=4&transport=polling&sid=x", 1), ("GET", f"EIO=3&transport=polling&sid={sid}", 1),
                                    ("POST", "EIO=4&transport=polling", 1), ("POST", "EIO=4&transport=polling&sid=x", 1),
                                    ("GET", "EIO=4&transport=polling&interval=x", 3), ("GET", "EIO=4&transport=polling&timeout=0", 3)):
            status, body = self.client.ask(method, query, b"4" if method == "POST" else b"")
            self.assertEqual((status, json.loads(body)["code"]), (400, code), query)
        self.assertEqual(self.client.ask("GET", "EIO=4&transport=websocket")[0], 400)

    def test_payloads_that_break_a_rule_end_the_session(self):
        for version, payloads in ((4, ("", "4", "x", "9", "49", "42", "42{}", "42[1]", '42/x,["say"]', '42["say"]', "b4", "451-[]", "2\x1e",
                                       '4212345678901234567["say"]')),
                                  (3, ("x", ":4", "9:4", "2:4", "1:", "99999999999:4", "2:49", "1:4", "3:b4A"))):
            for payload in payloads:
                sid = self.client.begin(version, "&b64=1")[0]["sid"]
                query = f"EIO={version}&transport=polling&sid={sid}"
                self.assertEqual(self.client.ask("POST", query, payload.encode())[0], 400, payload)
                self.assertEqual(self.client.ask("GET", query)[0], 400, payload)

    def test_a_second_poll_ends_both(self):
        sid = self.client.begin(4)[0]["sid"]
        query = f"EIO=4&transport=polling&sid={sid}"
        answers = []
        first = threading.Thread(target=lambda: answers.append(self.client.ask("GET", query)))
        first.start()
        time.sleep(0.3)
        self.assertEqual(self.client.ask("GET", query)[0], 400)
        first.join(10)
        self.assertEqual(answers, [(200, "1")])

    def test_who_is_silent_is_ended(self):
        for version in (3, 4):
            sid = self.client.begin(version, "&b64=1&interval=100&timeout=100")[0]["sid"]
            query = f"EIO={version}&transport=polling&sid={sid}"
            began = time.monotonic()
            status, body = self.client.ask("GET", query)
            self.assertEqual((status, body), (200, "2" if version == 4 else "1:1"))
            status, body = self.client.ask("GET", query)
            self.assertIn((status, body), [(200, "1"), (400, '{"code":1,"message":"Session ID unknown"}')])
            self.assertLess(time.monotonic() - began, 5)

    def test_it_ends_while_clients_wait(self):
        sids = [self.client.begin(4)[0]["sid"] for _ in range(20)]
        answers = []

        def poll(sid):
            try:
                answers.append(self.client.ask("GET", f"EIO=4&transport=polling&sid={sid}"))
            except (OSError, http.client.HTTPException):  # its connection was closed before the answer
                pass

        threads = [threading.Thread(target=poll, args=(sid,)) for sid in sids]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        os.kill(self.process.pid, signal.SIGTERM)
        result = self.process.finish(20)
        self.assertEqual((result.code, result.err), (0, ""), result)
        for thread in threads:
            thread.join(10)
            self.assertFalse(thread.is_alive())
        self.assertLessEqual(set(answers), {(200, "1")})


class SocketIO(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tutti-socketio-")
        self.addCleanup(self.folder.cleanup)

    def script(self, server, body, before="", transports="websocket"):
        path = pathlib.Path(self.folder.name, "script.lua")
        path.write_text(f"local EIO, TRANSPORTS = {server.version}, {TRANSPORTS[transports]}\n{HEAD}"
                        f"local function connect(options)\n options = options or {{}}\n options.eio, options.transports = EIO, TRANSPORTS\n"
                        f"return socketio.connect('/', options)\nend\n{before}\n"
                        f"tutti.scenario('s', function(worker)\n{body}\nend)\n")
        return path

    def plays(self, server, body, *options, code=0, runs=1, workers=1, **more):
        result = run(self.script(server, body, **more), "-w", workers, "-r", runs, "--agents", 1, "--target", server.url, *options)
        self.assertEqual(result.code, code, f"Engine.IO {server.version} {more}: {result}")
        self.assertEqual(server.failures, [])
        return result

    def each(self, transports=TRANSPORTS, versions=(3, 4), **options):
        for version in versions:
            for name in transports:
                with SocketIOServer(version, **options) as server:
                    yield server, name

    def test_both_versions_are_spoken_over_each_transport(self):
        for server, transports in self.each():
            result = self.plays(server, "local io = connect { query = { who = 'ann' } }\n"
                                f"assert(io.transport == '{'polling' if transports == 'polling' else 'websocket'}')\n{TALK}\nio:disconnect()\nassert(not io.connected)\n"
                                "local why = failed(io.emit, io, 'x')\nassert(why.kind == 'closed' and tostring(why):find 'io client disconnect')", transports=transports)
            self.assertEqual(server.requests[0][2]["who"], "ann")
            timings = result.report["timings"]
            self.assertEqual({name: counts["count"] for name, counts in timings.items()}, {"IO echo": 5, "IO /admin echo": 2})
            self.assertIn(("left", "/"), server.seen)
            if transports == "polling":
                self.assertEqual(set(result.report["requests"]), {"IO /socket.io/ (poll)", "IO /socket.io/ (post)"})
                self.assertEqual(server.ended, [("sid1", "client left")])
            else:
                counts = result.report["websockets"]["IO /socket.io/"]
                self.assertEqual([counts[key] for key in ("opened", "failed", "closed_by_us", "closed_by_peer", "lost")], [1, 0, 1, 0, 0])
                self.assertIn(("close", 1000), server.seen)
            self.assertEqual("upgraded" in server.seen, transports == "upgrade")

    def test_hearts_beat_while_the_script_sleeps(self):
        for server, transports in self.each(interval=0.3, timeout=0.5):
            self.plays(server, "local io = connect()\nlocal session = io.id\ntutti.sleep(2)\n"
                       "assert(io.connected and io.id == session and io.reconnects == 0)\nassert(io:emit('echo', 1, { ack = true }) == 1)\nio:disconnect()", transports=transports)
            self.assertEqual([why for _, why in server.ended if why in ("cut", "ping timeout")], [])
            self.assertTrue(4 <= server.pings <= 8 if server.version == 3 else server.pings == 0, server.pings)

    def test_a_server_without_a_pulse_is_left(self):
        for server, transports in self.each(("websocket", "polling"), interval=0.3, timeout=0.4):
            server.is_mute = True
            self.plays(server, """
                local io = connect()
                local began, reason = tutti.now(), nil
                io:on("disconnect", function(why) reason = why end)
                local why = failed(io.once, io, "nothing", 20)
                local took = tutti.now() - began
                assert(why.kind == "closed" and io.disconnect_reason == "ping timeout" and not io.connected, tostring(why))
                assert(took > 0.6 and took < 8, took)
                tutti.sleep(0.05)
                assert(reason == "ping timeout")
                for event in io:events() do error "none is left" end""", transports=transports)

    def test_it_lives_from_step_to_step(self):
        for server, transports in self.each():
            result = self.plays(server, """
                worker.io:emit("ask", worker.step)
                assert(worker.io:once("answered", 10) == worker.step * 2)
                assert(worker.io.id == worker.first and worker.step == worker.asked)""", runs=5, transports=transports, before="""
                tutti.setup_session(function(worker)
                  worker.io = connect()
                  worker.first = worker.io.id
                  worker.io:on("question", function(number, ack)
                    worker.asked = number
                    ack(number * 2)
                  end)
                end)
                tutti.teardown_session(function(worker)
                  assert(worker.io:emit("echo", "bye", { ack = true }) == "bye")
                  worker.io:disconnect()
                end)""")
            self.assertEqual((result.steps["ok"], result.steps["failed"]), (5, 0))
            self.assertIn(("left", "/"), server.seen)

    def test_an_error_of_a_callback_fails_the_step(self):
        with SocketIOServer(4) as server:
            result = self.plays(server, """
                local io = worker.io or connect()
                worker.io, worker.heard = io, worker.heard or 0
                if worker.step == 1 then io:on("echo", function(text)
                  worker.heard = worker.heard + 1
                  if text == "bad" then local nothing; nothing.field = 1 end
                end) end
                io:emit("echo", worker.step == 2 and "bad" or "good")
                if worker.step == 2 then for _ = 1, 150 do io:emit("echo", "bad") end end
                io:emit("echo", "last", { ack = true })
                tutti.sleep(0.05)
                assert(worker.heard == ({ 1, 152, 153 })[worker.step], worker.heard)""", "-vv", runs=3, code=1)
            self.assertEqual((result.steps["ok"], result.steps["failed"]), (2, 1), result)
            self.assertEqual([error["count"] for error in result.report["errors"]], [1])
            self.assertIn("in a task: ", result.report["errors"][0]["message"])
            self.assertIn("local 'nothing'", result.report["errors"][0]["message"])

    def test_a_step_that_fails_closes_what_it_holds(self):
        with SocketIOServer(4) as server:
            result = self.plays(server, "local io <close> = connect()\nerror 'on purpose'", code=1)
            self.assertEqual([error["message"] for error in result.report["errors"]], ["script.lua:20: on purpose"])
            self.assertEqual(server.seen, [("left", "/"), ("close", 1000)])

    def test_it_comes_back_with_a_new_session(self):
        for server, transports in self.each():
            result = self.plays(server, """
                local io = connect { reconnect = true, auth = { name = "ann" } }
                local admin = io:of("/admin", { auth = { token = "right" }, query = { token = "right" } })
                local before, said = io.id, {}
                io:on("connect", function() said[#said + 1] = "connect" end)
                io:on("disconnect", function(why) said[#said + 1] = why end)
                local pending = tutti.task(function() return failed(io.emit, io, "silence", { ack = true }) end)
                tutti.sleep(0.05)
                io:emit("cut")
                assert(pending:wait().kind == "closed")
                assert(io:emit("echo", "back", { ack = true }) == "back")
                assert(admin:emit("echo", "too", { ack = true }) == "too")
                assert(io.id ~= before and io.reconnects == 1 and io.connected and admin.connected)
                tutti.sleep(0.05)
                same(said, { "transport error", "connect" })
                io:disconnect()
                assert(admin.connected)
                admin:disconnect()""", transports=transports)
            self.assertEqual([sid for sid, _ in server.ended], ["sid1", "sid2"])
            if transports != "polling":
                counts = result.report["websockets"]["IO /socket.io/"]
                self.assertEqual([counts[key] for key in ("opened", "failed", "closed_by_us", "lost")], [2, 0, 1, 1])

    def test_it_gives_up_in_the_end(self):
        with SocketIOServer(4) as server:
            path = self.script(server, """
                local io = connect { reconnect = 2 }
                local errors = 0
                io:on("connect_error", function(text)
                  errors = errors + 1
                  assert(text:find "503", text)
                end)
                tutti.print "ready"
                local why = failed(io.once, io, "nothing", 20)
                assert(why.kind == "closed" and tostring(why):find "transport error", tostring(why))
                tutti.sleep(0.05)
                assert(errors == 2 and io.reconnects == 0 and not io.connected)""")
            with Run(path, "-w", 1, "-r", 1, "--agents", 1, "--target", server.url) as process:
                process.read_until("ready")
                server.refuses = True
                list(server.sessions.values())[0].cut()
                result = process.finish()
            self.assertEqual(result.code, 0, result)
            counts = result.report["websockets"]["IO /socket.io/"]
            self.assertEqual([counts[key] for key in ("opened", "failed", "lost")], [1, 2, 1])

    def test_each_end_has_its_reason(self):
        for server, transports in self.each(("websocket", "polling")):
            self.plays(server, f"""
                for how, reason in pairs {{ kick = "io server disconnect", close = "transport close", cut = "transport error" }} do
                  local io, said = connect {{ reconnect = how == "kick" }}, nil
                  io:on("disconnect", function(why) said = why end)
                  io:emit("flood", 3, "left")
                  pcall(io.emit, io, how)
                  local why = failed(io.once, io, "nothing", 10)
                  assert(why.kind == "closed" and io.disconnect_reason == reason, how .. ": " .. tostring(why))
                  tutti.sleep(0.02)
                  assert(said == reason and io:once "left" == 0 and io:receive()[1] == 1)
                  local count = 0
                  for event in io:events() do count = count + event[1] end
                  assert(count == 2 and failed(io.emit, io, "echo").kind == "closed")
                  io:disconnect()
                end""", transports=transports)

    def test_packets_that_break_a_rule_end_the_session(self):
        rude = {"4": "unknown type", "49": "unknown type", "42[]": "without a name", "42[1]": "without a name", "42nonsense": "not JSON",
                "43[]": "without an id", "45[]": "number of its attachments", "4599-[]": "without a name", "45999-[]": "too many",
                "451-[\"a\",1]+42[\"b\"]": "in place of an attachment", "x6162": "nobody asked for", "7": "unknown type",
                "451-[\"a\",{\"_placeholder\":true,\"num\":1}]+x00": "without its attachment", "42/" + "n" * 300: "too long",
                "42" + "[" * 300: "not JSON"}
        for server, transports in self.each(("websocket", "polling")):
            calls = "\n".join(
                "rude({%s}, [[%s]])" % (", ".join(f'{{ "hex", "{part[1:]}" }}' if part[0] == "x" else f"[==[{part}]==]" for part in packet.split("+")), why)
                for packet, why in rude.items())
            self.plays(server, f"""
                local function rude(packets, says)
                  local io = connect()
                  pcall(io.emit, io, "raw", table.unpack(packets))
                  local why = failed(io.once, io, "nothing", 10)
                  assert(why.kind == "closed" and io.disconnect_reason == "parse error" and tostring(why):find(says, 1, true), says .. ": " .. tostring(why))
                end
                {calls}
                local io = connect()
                -- What is nobody's is passed over.
                io:emit("raw", '42/nobody,["a"]', '43999["late"]', '42["disconnect","x"]', '42["b"]', "6")
                assert(io:once "b" == nil and io:receive().name == "disconnect" and io.connected)""", transports=transports)

    def test_a_server_that_is_none_is_named(self):
        openings = {'["4nothing"]': "open packet", '["0{}"]': "no sid", '["0nonsense"]': "not JSON",
                    '["0{\\"sid\\":\\"a\\",\\"pingInterval\\":0,\\"pingTimeout\\":1}"]': "no pingInterval"}
        for server, transports in self.each(("websocket", "polling"), (4,)):
            for packets, why in openings.items():
                server.first = eval(packets)
                self.plays(server, f"local why = failed(connect)\nassert(why.kind == 'protocol' and tostring(why):find('{why}', 1, true), tostring(why))", transports=transports)
            server.first = ['0{"sid":"a","pingInterval":1000,"pingTimeout":1000}', "40"]
            self.plays(server, "local why = failed(connect)\nassert(why.kind == 'connect_error' and tostring(why):find('eio = 3', 1, true), tostring(why))", transports="websocket")
            # A campaign of which no request succeeds has failed, whatever its steps say.
            result = self.plays(server, "local why = failed(socketio.connect, '/', { eio = 3, transports = TRANSPORTS })\n"
                                "assert(why.kind == 'upgrade' and why.status == 400 and tostring(why):find '400', tostring(why))",
                                transports=transports, code=1 if transports == "polling" else 0)
            self.assertEqual(result.steps["failed"], 0, result)
        with SocketIOServer(4, upgrades=()) as server:
            self.plays(server, "local io = connect()\nassert(io.transport == 'polling' and io:emit('echo', 1, { ack = true }) == 1)", transports="upgrade")
        self.assertEqual(server.failures, [])

    def test_the_queue_has_a_limit_and_a_policy(self):
        with SocketIOServer(4) as server:
            self.plays(server, """
                local function flooded(policy)
                  local io = connect { queue = 10, on_full = policy }
                  io:emit("flood", 25, "number")
                  io:emit("flood", 1, "end")
                  tutti.sleep(0.1)
                  return io
                end
                local io = flooded "drop_oldest"
                assert(io.dropped == 16 and io:once "number" == 16 and io.connected)
                io = flooded "drop_newest"
                assert(io.dropped == 16 and io:once "number" == 0 and io.connected)
                io = flooded "close"
                assert(io.disconnect_reason == "queue full" and not io.connected)
                for number = 0, 9 do assert(io:receive()[1] == number) end
                assert(failed(io.receive, io).kind == "closed")""")
            self.assertIn(("close", 1000), server.seen)

    def test_what_is_waited_for_ends_in_time(self):
        for server, transports in self.each(("websocket", "polling")):
            result = self.plays(server, """
                local io = connect { timeout = 5, name = "pad" }
                local why = failed(io.emit, io, "silence", 1, { ack = true, timeout = 0.1 })
                assert(why.kind == "timeout" and why.outcome == "timeout" and why.waited >= 0.1 and tostring(why):find "io:emit silence", tostring(why))
                why = failed(io.once, io, "nothing", 0.1)
                assert(why.kind == "timeout" and tostring(why):find "io:once nothing", tostring(why))
                assert(failed(io.receive, io, { timeout = 0 }).kind == "timeout")
                assert(failed(io.events(io, { timeout = 0.05 })).outcome == "timeout")
                assert(failed(tutti.timeout, 0.05, function() io:emit("silence", { ack = true }) end).outcome == "timeout")
                io:emit("raw", '430["late"]')
                assert(io:emit("echo", 1, { ack = true }) == 1)
                local listener = tutti.task(function() return io:once "later" end)
                tutti.sleep(0.02)
                listener:cancel()
                io:emit("flood", 1, "later")
                assert(io:once "later" == 0)""", transports=transports)
            self.assertEqual({name: (counts["count"], counts["failed"]) for name, counts in result.report["timings"].items()},
                             {"pad silence": (1, 1), "pad echo": (1, 0)})

    def test_mistakes_of_a_script_are_named(self):
        with SocketIOServer(4) as server:
            self.plays(server, """
                local io = connect()
                local function wrong(says, f, ...)
                  local why = tostring(failed(f, ...))
                  assert(why:find(says, 1, true) and why:find("script.lua:", 1, true), why)
                end
                wrong("unknown option tiemout", socketio.connect, "/", { tiemout = 1 })
                wrong("begins with none of http", socketio.connect, "ftp://a/")
                wrong("eio is 3 or 4", socketio.connect, "/", { eio = 5 })
                wrong("a transport is", socketio.connect, "/", { transports = { "flash" } })
                wrong("transports is empty", socketio.connect, "/", { transports = {} })
                wrong("on_full is", socketio.connect, "/", { on_full = "explode" })
                wrong("queue is a whole number", socketio.connect, "/", { queue = 0 })
                wrong("max_message is a whole number", socketio.connect, "/", { max_message = 1 << 30 })
                wrong("reconnect is", socketio.connect, "/", { reconnect = "yes" })
                wrong("timeout is a number of seconds", socketio.connect, "/", { timeout = -1 })
                wrong("the URL is a string", socketio.connect, 7)
                wrong("plain fields", socketio.connect, "/", setmetatable({}, { __index = {} }))
                wrong("cannot be the name of a namespace", io.of, io, "/a,b")
                wrong("a text of 1 to", io.emit, io, "")
                wrong("a text of 1 to", io.emit, io, 7)
                wrong("an event of the connection itself", io.emit, io, "disconnect")
                wrong("more than 100 attachments", io.emit, io, "x", (function() local l = {} for i = 1, 101 do l[i] = socketio.binary "" end return l end)())
                wrong("what io:on runs is a function", io.on, io, "x", 7)
                wrong("unknown option", io.receive, io, { tiemout = 1 })
                wrong("made with a colon", io.emit, "x")
                io:on("x", print)
                wrong("goes to callbacks", io.once, io, "x")
                assert(tostring(io) == "socketio /socket.io/" and getmetatable(io) == "socketio" and io.nothing == nil)
                socketio.connect("/", { transports = { "polling" } }):disconnect()
                assert(failed(socketio.connect, "ws://127.0.0.1:1/").kind == "refused")
                assert(failed(socketio.connect, "http://127.0.0.1:1/", { transports = { "polling" } }).kind == "refused")""")
            self.plays(server, "error 'unreached'", code=2, before="socketio.connect '/'")

    def test_what_a_script_has_forgotten_is_closed(self):
        with SocketIOServer(4, interval=0.1, timeout=0.3) as server:
            self.plays(server, """
                connect()
                local kept = connect()
                connect():on("echo", function() end)
                for _ = 1, 3 do collectgarbage() tutti.sleep(0.2) end
                assert(kept.connected)""")
            self.assertIn(("sid1", "transport closed"), server.ended[:1])
            self.assertEqual(server.seen[:1], [("close", 1000)])
            self.assertEqual([close for close in server.seen if close == ("close", 1001)], [("close", 1001)] * 2)

    def test_a_stop_ends_waits_and_closes(self):
        for server, transports in self.each(("websocket", "polling"), (4,)):
            path = self.script(server, """
                worker.io = connect()
                worker.io:on("echo", function() tutti.print "ready" tutti.sleep(60) end)
                worker.io:emit("echo", 1)
                worker.io:emit("echo", 2)
                worker.io:once("nothing", 60)""", transports=transports,
                               before="""
                tutti.teardown_session(function(worker)
                  if TRANSPORTS[1] == "polling" then  -- the stop has broken off the poll, and so the session
                    assert(failed(worker.io.emit, worker.io, "echo", 1, { ack = true }).kind == "closed")
                  else
                    assert(worker.io:emit("echo", 1, { ack = true }) == 1)
                  end
                  worker.io:disconnect()
                end)""")
            began = time.monotonic()
            with Run(path, "-w", 1, "--agents", 1, "--target", server.url) as process:
                process.read_until("ready")
                os.kill(process.pid, signal.SIGINT)
                result = process.finish()
            self.assertLess(time.monotonic() - began, 15)
            self.assertEqual((result.code, result.steps["failed"], result.steps["stopped"]), (130, 0, 1), result)
            if transports == "websocket":
                wait_until(lambda: ("left", "/") in server.seen, 5, "the namespace is left")
            self.assertEqual(server.failures, [])

    def test_a_room_that_is_stuck_is_found(self):
        for callback, is_found in (("", "true"), ("worker.io:on('nothing', print)", "false")):
            with SocketIOServer(4) as server:
                result = self.plays(server, f"""
                    worker.io = connect()
                    {callback}
                    tutti.sleep(0.1)
                    local news = worker:notifier "never"
                    local why = failed(news.wait_for_writer, news)
                    assert((why.outcome == "deadlock") == {is_found}, why.outcome)""", "--room-size", 2, "--on-deadlock", "fail", "--sync-timeout", "3s", workers=2, code=1 if is_found == "true" else 0)
                self.assertEqual(result.steps["failed"], 0, result)

    def test_rooms_hear_what_is_said(self):
        for server, transports in self.each(("websocket", "upgrade")):
            self.plays(server, """
                local io = worker.io or connect { name = "chat" }
                worker.io = io
                if worker.step == 1 then io:emit("join", worker.room.id, { ack = true }) end
                worker:barrier "in"
                assert(io:emit("say", worker.room.id, worker.id .. " in " .. worker.step, { ack = true }) == "ok")
                local heard = {}
                for _ = 1, worker.room.size do heard[io:once("said", 20)] = true end
                for seat = 0, worker.room.size - 1 do assert(heard[worker.room.id * 5 + seat .. " in " .. worker.step]) end
                worker:barrier "out" """, "--room-size", 5, workers=10, runs=3, transports=transports)


if __name__ == "__main__":
    unittest.main()
