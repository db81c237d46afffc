"""Server-sent events with known delays, and connections that scripts speak over themselves, to servers that are in the way."""
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from support import Run, run, wait_until
from threaded_server import accept_all

LATE_MS = 400  # tolerance for a busy machine
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
SCRIPT = """
local tutti = require "tutti"
local http = require "tutti.http"
local net = require "tutti.net"
local HOST, PORT = tutti.target:match("//([^:]+):(%%d+)")
local ADDRESS = "tcp://" .. HOST .. ":" .. PORT
local function fails(kind, f, ...)
  local ok, err = pcall(f, ...)
  assert(not ok and err.kind == kind, tostring(err) .. ", not " .. kind)
  return tostring(err)
end
local function misuse(text, f, ...)
  local ok, err = pcall(f, ...)
  assert(not ok and tostring(err):find(text, 1, true), tostring(err))
end
%s
"""


class Server:
    """Listens on a port for TCP and UDP; `serve(connection)` runs in a thread for each connection."""

    def __init__(self, serve, context=None):
        self.serve, self.context = serve, context
        self.heads, self.errors, self.ended = [], [], 0
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=accept_all, args=(self.listener, self.handle), daemon=True).start()

    def handle(self, connection):
        try:
            with self.context.wrap_socket(connection, server_side=True) if self.context else connection as connection:
                connection.settimeout(30)
                self.serve(self, connection)
        except OSError as error:
            self.errors.append(error)
        finally:
            self.ended += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def read_head(server, connection):
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(4096) or b"\r\n\r\n"
    server.heads.append(data.decode().lower())
    return data.split(b" ", 2)[1].decode()


def serve_events(server, connection):
    path = read_head(server, connection)
    connection.sendall(HEAD)
    if path == "/tokens":  # 300 ms to the first, then 100 ms each
        time.sleep(0.3)
        for i in range(6):
            connection.sendall(b"data: token %d\n\n" % i)
            time.sleep(0.1)
    elif path == "/resume":
        last = [line for line in server.heads[-1].split("\r\n") if line.startswith("last-event-id:")]
        number = int(last[0].split(":")[1]) if last else 0
        connection.sendall(b"retry: 20\nid: %d\ndata: part %d\n\ndata: cut in the mid" % (number + 1, number + 1))
    elif path == "/large":
        connection.sendall(b"data: " + b"x" * (2 << 20) + b"\n\n")
        connection.recv(1)
    elif path == "/silent":
        connection.sendall(b":\n")
        connection.recv(1)
    elif path == "/broken":
        time.sleep(0.2)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def serve_echo(_, connection):
    while data := connection.recv(65536):
        connection.sendall(data)


class Story(unittest.TestCase):
    def play(self, server, body, *options, code=0):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "story.lua")
            path.write_text(SCRIPT % body)
            result = run(path, "--target", f"http://127.0.0.1:{server.port}", *(options or ("-w", 1, "-r", 1)))
        self.assertEqual(result.code, code, result)
        return result


    def interrupt(self, server, body, workers):
        """Stops the campaign while each worker waits for what does not come: the step ends at once, and so does its connection."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "story.lua")
            path.write_text(SCRIPT % body)
            with Run(path, "--target", f"http://127.0.0.1:{server.port}", "-w", workers, "-r", 1) as process:
                wait_until(lambda: len(server.heads) == workers, 20, "not all workers wait")
                time.sleep(0.3)
                asked = time.monotonic()
                os.kill(process.pid, signal.SIGINT)
                result = process.finish()
                self.assertLess(time.monotonic() - asked, 10)
        self.assertEqual((result.code, result.steps["stopped"], result.steps["failed"]), (130, workers, 0), result)
        wait_until(lambda: server.ended == workers, 10, "connections are left")


class Events(Story):
    def test_the_report_has_the_time_to_the_first_event_and_between_events(self):
        with Server(serve_events) as server:
            result = self.play(server, """tutti.scenario("tokens", function()
                local stream <close> = http.stream("/tokens", { name = "llm" })
                local count = 0
                for event in stream:events { timeout = 5 } do
                  assert(event.data == "token " .. count and event.event == "message")
                  if count == 1 then tutti.sleep(0.35) end -- they are dated by when they come, not by when they are looked at
                  count = count + 1
                end
                assert(count == 6)
            end)""", "-w", 3, "-r", 1)
        timings = result.report["timings"]
        first, between = timings["llm first event"], timings["llm next event"]
        self.assertEqual((first["count"], between["count"]), (3, 15), timings)
        self.assertTrue(295 <= first["p50_ms"] <= 300 + LATE_MS, first)
        self.assertTrue(95 <= between["p50_ms"] <= 150, between)
        self.assertLessEqual(between["max_ms"], 100 + LATE_MS, between)
        self.assertEqual(result.report["requests"]["llm"]["count"], 3)

    def test_a_reconnection_names_the_last_event(self):
        with Server(serve_events) as server:
            self.play(server, """tutti.scenario("parts", function()
                local stream = http.stream("/resume", { headers = { ["X-Mine"] = "yes" } })
                local seen = {}
                for event in stream:events { reconnect = true, timeout = 5 } do
                  seen[#seen + 1] = event.data .. "/" .. event.id .. "/" .. event.retry
                  if #seen == 3 then break end
                end
                assert(table.concat(seen, " ") == "part 1/1/0.02 part 2/2/0.02 part 3/3/0.02", table.concat(seen, " "))
                stream:close()
                misuse("the stream is closed", stream.event, stream)
            end)""")
            asked = [[line for line in head.split("\r\n") if line.startswith(("last-event-id", "x-mine"))] for head in server.heads]
        self.assertEqual(sorted(map(sorted, asked[:3])), [["last-event-id: 1", "x-mine: yes"], ["last-event-id: 2", "x-mine: yes"], ["x-mine: yes"]])

    def test_streams_that_go_wrong_say_how(self):
        with Server(serve_events) as server:
            self.play(server, """tutti.scenario("wrong", function()
                local stream = http.stream("/silent")
                assert(fails("timeout", stream.event, stream, { timeout = 0.1 }):find("no event within 0.1 s", 1, true))
                fails("timeout", stream.event, stream, { timeout = 0.1 }) -- it is still open
                stream:close()
                stream = http.stream("/large")
                fails("too_large", stream.event, stream, { timeout = 5 })
                stream = http.stream("/broken")
                fails("reset", stream.event, stream, { timeout = 5 })
                stream = http.stream("/resume")
                assert(stream:event().data == "part 1" and stream:event() == nil) -- what was cut is no event
                misuse("reconnect is true or false", stream.events, stream, { reconnect = 3 })
                misuse("retry", stream.event, stream, { retry = 3 })
            end)""")

    def test_a_stop_ends_the_wait_for_an_event(self):
        with Server(serve_events) as server:
            self.interrupt(server, """tutti.scenario("silent", function()
                http.stream("/silent", { timeout = 60 }):event()
            end)""", 2)


class Connections(Story):
    def test_what_is_asked_for_is_what_is_received(self):
        with Server(serve_echo) as server:
            result = self.play(server, r"""tutti.scenario("echo", function(worker)
                local c = worker.connection or net.connect(ADDRESS, { timeout = 5 })
                worker.connection = c
                assert(c.state == "open" and c.address == HOST .. ":" .. PORT)
                c:send("one\r\ntwo\n\nthree|four||rest")
                assert(c:receive { line = true } == "one" and c:receive { line = true } == "two" and c:receive { line = true } == "")
                assert(c:receive { delimiter = "|" } == "three" and c:receive { delimiter = "||" } == "four")
                assert(c:receive { bytes = 2 } == "re" and c:receive() == "st")
                fails("timeout", c.receive, c, { timeout = 0.05 })
                c:send("half a line")
                fails("timeout", c.receive, c, { line = true, timeout = 0.1 })
                c:send("\n")
                assert(c:receive { line = true } == "half a line") -- a timeout loses nothing
                local large = ("0123456789abcdef"):rep(1 << 16)
                for i = 1, 4 do c:send(large:sub(1, 1 << 18)) assert(c:receive { bytes = 1 << 18 } == large:sub(1, 1 << 18)) end
                c:send(("x"):rep(200) .. "\n")
                fails("too_large", c.receive, c, { line = true, max = 100 })
                assert(c:receive { line = true, max = 200 } == ("x"):rep(200))
                c:send("\n")
                assert(c:receive { line = true, max = 1 } == "")
                misuse("exclude each other", c.receive, c, { line = true, bytes = 1 })
                misuse("bytes is a number of bytes", c.receive, c, { bytes = 0 })
                misuse("until", c.receive, c, { ["until"] = "x" })
                assert(c.bytes_sent == c.bytes_received and c.bytes_sent > 1 << 20)
            end)""", "-w", 3, "-r", 2, "--phases")
            wait_until(lambda: server.ended == 3, 10, "a connection is left after the worker's end")
        opened = result.report["requests"][f"tcp 127.0.0.1:{server.port}"]
        self.assertEqual((opened["count"], opened["failed"]), (3, 0), "connections live from step to step")
        self.assertIn("connect", opened["phases"])

    def test_who_does_not_read_holds_the_sender_back(self):
        held = threading.Event()
        with Server(lambda server, connection: held.wait(30)) as server:
            self.play(server, """tutti.scenario("flood", function()
                local c <close> = net.connect(ADDRESS)
                local large = ("x"):rep(1 << 20)
                local sent = 0
                local ok, err
                repeat ok, err = pcall(c.send, c, large, { timeout = 0.3 }) sent = sent + 1 until not ok
                assert(err.kind == "timeout" and sent < 64, tostring(err) .. sent)
                for _ = 1, 10000 do ok, err = pcall(c.send, c, large, { timeout = 0.001 }) if err.kind ~= "timeout" then break end end
                assert(err.kind == "memory", tostring(err))
            end)""", "-w", 1, "-r", 1)
            held.set()

    def test_what_nobody_reads_stays_in_the_kernel(self):
        sent = []

        def flood(_, connection):
            connection.settimeout(1)
            try:
                for _ in range(1000):
                    sent.append(connection.send(b"y" * 65536))
            except TimeoutError:
                pass

        with Server(flood) as server:
            self.play(server, """tutti.scenario("lazy", function()
                local c <close> = net.connect(ADDRESS)
                tutti.sleep(1.5)
                assert(c.bytes_received <= 512 * 1024, c.bytes_received)
                assert(#c:receive { bytes = 3 << 20, timeout = 10 } == 3 << 20)
            end)""")
        self.assertLess(sum(sent), 60 << 20)

    def test_ends_and_errors_have_kinds(self):
        def serve(_, connection):
            if connection.recv(100) == b"reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            else:
                connection.sendall(b"partial")

        with Server(serve) as server:
            result = self.play(server, r"""tutti.scenario("ends", function(worker)
                local c = net.connect(ADDRESS)
                c:send("hello")
                fails("reset", c.receive, c, { line = true })
                assert(c.state == "ended" and c:receive() == "partial" and c:receive() == nil)
                fails("reset", c.send, c, "more")
                c:close()
                assert(c.state == "closed")
                misuse("it is closed", c.receive, c)
                c = net.connect(ADDRESS)
                c:send("reset")
                fails("reset", c.receive, c)
                assert(c.state == "failed")
                fails("refused", net.connect, { host = "127.0.0.1", port = 1, name = "nobody" })
                fails("resolve", net.connect, "tcp://no-such-host.invalid:80", { timeout = 5 })
                fails("tls", net.connect, "tls://127.0.0.1:" .. PORT)
                misuse("--allow-system", net.connect, "unix:/var/run/docker.sock")
                misuse("--allow-system", net.connect, { unix = "/var/run/docker.sock" })
                for _, wrong in ipairs { "127.0.0.1:80", "http://x:1", "tcp://x", "tcp://x:0", "tcp://x:70000", "tcp://:1", "tcp://::1:80", "unix:", "tcp://a b:1", "tcp://x:1\0" } do
                  misuse("net: ", net.connect, wrong)
                end
                misuse("port", net.connect, { host = "x" })
                misuse("hosts", net.connect, { hosts = "x", port = 1 })
            end)""")
        self.assertEqual((result.report["requests"]["nobody"]["count"], result.report["requests"]["nobody"]["failed"]), (1, 1))

    def test_a_worker_does_not_use_up_the_descriptors(self):
        with Server(serve_echo) as server:
            self.play(server, """tutti.scenario("greedy", function(worker)
                local all = {}
                for i = 1, 256 do all[i] = net.connect(ADDRESS) end
                misuse("at most 256", net.connect, ADDRESS)
                misuse("at most 256", net.udp, HOST, 9)
                all[7]:close()
                all[7] = net.connect(ADDRESS)
            end)""")
            wait_until(lambda: server.ended == 257, 20, "connections are left")

    def test_another_worker_has_no_access(self):
        with Server(serve_echo) as server:
            self.play(server, """local shared
              tutti.scenario("theft", function(worker)
                if worker.id == 0 then shared = net.connect(ADDRESS) end
                worker:barrier("made")
                if worker.id == 1 then misuse("another worker's", shared.send, shared, "x") end
                worker:barrier("tried")
            end)""", "-w", 2, "-r", 1, "--agents", 1, "--shards", 1)

    def test_a_stop_ends_every_wait_and_closes(self):
        def serve(server, connection):
            server.heads.append(connection.recv(100))
            connection.recv(1)

        with Server(serve) as server:
            self.interrupt(server, """tutti.scenario("waits", function(worker)
                local c = net.connect(ADDRESS)
                c:send("x")
                c:receive { timeout = 60 }
            end)""", 4)

    def test_tls_verifies_whom_it_speaks_to(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                            "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"), cwd=folder, check=True, capture_output=True, timeout=60)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
            pem = pathlib.Path(folder, "cert.pem").read_text()
            with Server(serve_echo, context) as server:
                result = self.play(server, f"""local CA = [[{pem}]]
                  tutti.scenario("tls", function()
                    fails("tls", net.connect, "tls://127.0.0.1:" .. PORT)
                    for _, tls in ipairs {{ {{ ca = CA }}, {{ verify = false }} }} do
                      local c <close> = net.connect {{ host = HOST, port = tonumber(PORT), tls = tls }}
                      c:send(("secret\\n"):rep(10000))
                      for _ = 1, 10000 do assert(c:receive {{ line = true }} == "secret") end
                    end
                end)""")
                self.play(server, """tutti.scenario("by option", function()
                    local c <close> = net.connect("tls://127.0.0.1:" .. PORT)
                    c:send("x\\n")
                    assert(c:receive { line = true } == "x")
                end)""", "-w", 1, "-r", 1, "--ca", f"{folder}/cert.pem")
        self.assertEqual(result.report["requests"][f"tls 127.0.0.1:{server.port}"]["failed"], 1)

    def test_local_sockets_are_for_agents_that_allow_the_system(self):
        with tempfile.TemporaryDirectory() as folder, Server(serve_echo) as server:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(f"{folder}/s")
            listener.listen(8)
            threading.Thread(target=lambda: serve_echo(None, listener.accept()[0]), daemon=True).start()
            self.play(server, f"""tutti.scenario("local", function()
                local c <close> = net.connect("unix:{folder}/s")
                c:send("hello\\n")
                assert(c:receive {{ line = true }} == "hello" and c.address == "{folder}/s")
                local ok, err = pcall(net.connect, {{ unix = "{folder}/none" }})
                assert(not ok and tostring(err):find("No such file", 1, true), tostring(err))
            end)""", "-w", 1, "-r", 1, "--allow-system")
            listener.close()

    def test_the_address_of_a_host_may_be_given(self):
        with Server(serve_echo) as server:
            self.play(server, """tutti.scenario("named", function()
                local c <close> = net.connect("tcp://echo.example:" .. PORT)
                c:send("x\\n")
                assert(c:receive { line = true } == "x")
            end)""", "-w", 1, "-r", 1, "--resolve", f"echo.example:{server.port}:127.0.0.1")


class Datagrams(Story):
    def test_datagrams_are_whole_and_nobody_is_said(self):
        answers = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        answers.bind(("127.0.0.1", 0))
        port = answers.getsockname()[1]

        def echo():
            while True:
                data, source = answers.recvfrom(65536)
                if data == b"end":
                    return
                if data != b"nothing":
                    answers.sendto(data, source)

        thread = threading.Thread(target=echo, daemon=True)
        thread.start()
        with Server(serve_echo) as server:
            result = self.play(server, f"""tutti.scenario("udp", function(worker)
                local u = worker.udp or net.udp("127.0.0.1", {port}, {{ name = "dns" }})
                worker.udp = u
                for _, size in ipairs {{ 0, 1, 1400, 65507 }} do
                  u:send(("d"):rep(size))
                  assert(#u:receive {{ timeout = 5 }} == size)
                end
                misuse("at most 65507 bytes", u.send, u, ("d"):rep(65508))
                for i = 1, 20 do u:send("n" .. i) end
                for i = 1, 20 do assert(u:receive {{ timeout = 5 }} == "n" .. i) end
                u:send("nothing")
                assert(fails("timeout", u.receive, u, {{ timeout = 0.1 }}):find("no datagram has come within 0.1 s", 1, true))
                local nobody = net.udp("127.0.0.1", 1)
                nobody:send("x")
                fails("refused", nobody.receive, nobody, {{ timeout = 5 }})
                fails("resolve", net.udp, "no-such-host.invalid", 1, {{ timeout = 5 }})
            end)""", "-w", 2, "-r", 2)
        answers.sendto(b"end", ("127.0.0.1", port))
        thread.join(10)
        answers.close()
        self.assertEqual(result.report["requests"]["dns"]["count"], 2)


if __name__ == "__main__":
    unittest.main()
