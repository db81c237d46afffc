"""WebSockets of workers against a server that keeps the rules, and one that breaks each of them."""
import contextlib
import os
import signal
import socket
import ssl
import struct
import threading
import time
import unittest
import zlib

from daemon import Agent, Coordinator
from support import Run, run, wait_until
from test_http import make_certificates
from websocket_case import WebSocketCase
from websocket_server import BINARY, CLOSE, FIN, PING, PONG, RSV1, TEXT, WebSocketServer, close_frame, echo, frame, right_answer

TAIL = b"\x00\x00\xff\xff"


def deflated(data):
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def wait_for_close(peer):
    """What the client closes with; None if it goes without a close frame."""
    try:
        while True:
            first, payload = peer.read()
            if first == FIN | CLOSE:
                return struct.unpack(">H", payload[:2])[0] if payload else 1005
    except ConnectionError:
        return None


# What the server sends, and what becomes of it: the code of the client's close frame, and what the script gets.
RUDE = {
    "reserved": (frame(FIN | 0x20 | TEXT, b"x"), 1002, "closed"),
    "compressed": (frame(FIN | RSV1 | TEXT, deflated(b"x")), 1002, "closed"),
    "opcode": (frame(FIN | 3, b"x"), 1002, "closed"),
    "control": (frame(FIN | 0xB, b"x"), 1002, "closed"),
    "masked": (b"\x81\x82\x01\x02\x03\x04\x69\x6b", 1002, "closed"),
    "long-ping": (frame(FIN | PING, b"x" * 126), 1002, "closed"),
    "split-ping": (frame(PING, b"x"), 1002, "closed"),
    "long-form": (b"\x81\x7e\x00\x01x", 1002, "closed"),
    "continuation": (frame(FIN, b"x"), 1002, "closed"),
    "interleaved": (frame(TEXT, b"x") + frame(FIN | TEXT, b"y"), 1002, "closed"),
    "utf8": (frame(FIN | TEXT, b"\xff"), 1007, "closed"),
    "split-utf8": (frame(TEXT, b"\xc3") + frame(FIN, b"x"), 1007, "closed"),
    "too-big": (frame(FIN | BINARY, b"x" * 1001), 1009, "closed"),
    "too-big-in-parts": (frame(BINARY, b"x" * 600) + frame(FIN, b"x" * 401), 1009, "closed"),
    "promised-too-much": (b"\x82\x7f\x00\x00\x00\xff\x00\x00\x00\x00x", 1009, "closed"),
    "close-1000": (close_frame(1000, b"bye"), 1000, "closed"),
    "close-4321": (close_frame(4321), 4321, "closed"),
    "close-empty": (frame(FIN | CLOSE), 1005, "closed"),
    "close-short": (frame(FIN | CLOSE, b"\x03"), 1002, "closed"),
    "close-1005": (close_frame(1005), 1002, "closed"),
    "close-999": (close_frame(999), 1002, "closed"),
    "close-utf8": (close_frame(1000, b"\xff"), 1007, "closed"),
    "whole": (frame(FIN | TEXT, b"x"), 1000, "x"),
    "parts": (frame(TEXT, b"a") + frame(FIN | PING, b"p") + frame(0, b"") + frame(FIN, b"b"), 1000, "ab"),
}

BAD_ANSWERS = {
    "none": (lambda fields: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "upgrade", "answers 200, not 101"),
    "missing": (lambda fields: b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "upgrade", "answers 404"),
    "key": (lambda fields: b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n", "handshake",
            'Sec-WebSocket-Accept "AAAA" is not that of our key'),
    "upgrade": (lambda fields: right_answer(fields).replace(b"Upgrade: websocket\r\n", b""), "handshake", 'no "Upgrade: websocket"'),
    "protocol": (lambda fields: right_answer(fields, "Sec-WebSocket-Protocol: other\r\n"), "handshake", 'subprotocol "other", which was not offered'),
    "extension": (lambda fields: right_answer(fields, "Sec-WebSocket-Extensions: permessage-deflate\r\n"), "handshake", "permessage-deflate"),
    "nonsense": (lambda fields: b"hello\r\n\r\n", "protocol", "not an answer of HTTP"),
    "nothing": (lambda fields: b"", "reset", "without an answer"),
}


class WebSocket(WebSocketCase):
    def passes(self, server, body, *options, before=""):
        result = run(self.script(body, before), "-w", 1, "-r", 1, "--agents", 1, "--target", server.url if hasattr(server, "url") else server, *options)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(getattr(server, "failures", []), [])
        return result

    def test_messages_come_back_whole_of_every_size(self):
        with WebSocketServer(echo) as server:
            result = self.passes(server, """
                local ws = websocket.connect("/echo", { max_message = 16 << 20 })
                for _, size in ipairs { 0, 1, 125, 126, 65535, 65536, 16 << 20 } do
                  local data = ("0123456789abcdef"):rep(size // 16 + 1):sub(1, size)
                  ws:send(data)
                  local message, kind = ws:receive()
                  assert(message == data and kind == "text", size)
                end
                ws:send_binary("\\0\\xff")
                local message, kind = ws:receive()
                assert(message == "\\0\\xff" and kind == "binary")
                ws:close(4000, "enough")
                assert(ws.state == "closed" and ws.close_code == 4000 and ws.close_reason == "enough")""")
            counts = result.report["websockets"]["WS /echo"]
            size = 0 + 1 + 125 + 126 + 65535 + 65536 + (16 << 20) + 2
            self.assertEqual([counts[key] for key in ("opened", "failed", "closed_by_us", "closed_by_peer", "lost")], [1, 0, 1, 0, 0])
            self.assertEqual([counts[key] for key in ("messages_in", "messages_out", "bytes_in", "bytes_out", "dropped")], [8, 8, size, size, 0])
            self.assertEqual(counts["close_codes"], {"4000": 1})

    def test_what_comes_with_the_101_is_not_lost(self):
        def answer(_, fields):
            return right_answer(fields) + frame(FIN | TEXT, b"early") + frame(TEXT, b"bi") + frame(FIN, b"rd")[:2]

        def behave(peer):
            time.sleep(0.1)
            peer.send(b"rd")
            echo(peer)

        with WebSocketServer(behave, answer) as server:
            self.passes(server, """
                local ws = websocket.connect("/")
                assert(ws:receive() == "early")
                assert(ws:receive() == "bird")""")

    def test_bad_handshakes_are_named(self):
        with WebSocketServer(echo, lambda path, fields: BAD_ANSWERS[path[1:]][0](fields)) as server:
            body = "local why\n"
            for name, (_, kind, text) in BAD_ANSWERS.items():
                body += f"""why = failed(websocket.connect, "/{name}", {{ protocols = {{ "chat" }}, name = "bad" }})
                    assert(why.kind == "{kind}" and (why.kind ~= "upgrade" or why.status == 200 or why.status == 404) and tostring(why):find([[{text}]], 1, true), "{name}: " .. why.kind .. " " .. tostring(why))\n"""
            result = self.passes(server, body)
            self.assertEqual(result.report["websockets"]["bad"]["failed"], len(BAD_ANSWERS))
            self.assertEqual(result.report["websockets"]["bad"]["opened"], 0)

    def test_each_broken_rule_closes_with_its_code(self):
        codes = {}

        def behave(peer):
            peer.send(RUDE[peer.path[1:]][0])
            codes[peer.path[1:]] = wait_for_close(peer)
            peer.send(close_frame(1000))

        with WebSocketServer(behave) as server:
            body = "local ws, ok, why\n"
            for name, (_, code, outcome) in RUDE.items():
                body += f"""ws = websocket.connect("/{name}", {{ max_message = 1000 }})
                    ok, why = pcall(ws.receive, ws)
                    assert((ok and why or why.kind) == "{outcome}", "{name}: " .. tostring(why))
                    if ok then ws:close() end
                    assert(ws.close_code == {code}, "{name}: " .. ws.close_code)\n"""
            self.passes(server, body)
            self.assertEqual(codes, {name: code for name, (_, code, _) in RUDE.items()})

    def test_pings_are_answered_while_the_script_sleeps(self):
        waited = []

        def behave(peer):
            began = time.monotonic()
            peer.send(frame(FIN | PING, b"are you there"))
            first, payload = peer.read()
            waited.append((first, payload, time.monotonic() - began))
            echo(peer)

        with WebSocketServer(behave) as server:
            self.passes(server, 'local ws = websocket.connect("/")\ntutti.sleep(1.5)\nws:close()')
        self.assertEqual(waited[0][:2], (FIN | PONG, b"are you there"))
        self.assertLess(waited[0][2], 1)

    def test_the_round_trip_of_a_ping_is_measured(self):
        def behave(peer):
            while True:
                first, payload = peer.read()
                if first == FIN | CLOSE:
                    return peer.send(frame(first, payload))
                time.sleep(0.2)
                peer.send(frame(FIN | PONG, b"not it") + frame(FIN | PONG, payload))

        with WebSocketServer(behave) as server:
            result = self.passes(server, """
                local ws = websocket.connect("/", { name = "slow" })
                for _ = 1, 3 do local took = ws:ping() assert(took >= 0.2 and took < 0.6, took) end
                local why = failed(ws.ping, ws, { timeout = 0.05 })
                assert(why.outcome == "timeout" and why.waited >= 0.05)
                ws:close()""")
        ping = result.report["websockets"]["slow"]["ping_ms"]
        self.assertTrue(200 <= ping["p50"] <= ping["max"] < 600, ping)
        self.assertIn("slow", result.out)
        self.assertRegex(result.out, r"ping p50")

    def test_a_full_queue_drops_or_closes_and_says_so(self):
        codes = []

        def behave(peer):
            for number in range(10):
                peer.send(frame(FIN | TEXT, str(number).encode()))
            peer.send(frame(FIN | PING, b"all"))
            codes.append(wait_for_close(peer))
            peer.send(close_frame(1000))

        with WebSocketServer(behave) as server:
            result = self.passes(server, """
                for policy, wanted in pairs { drop_oldest = "789", drop_newest = "012" } do
                  local ws = websocket.connect("/", { queue = 3, on_full = policy, name = policy })
                  tutti.sleep(0.3)
                  assert(ws:receive() .. ws:receive() .. ws:receive() == wanted)
                  assert(failed(ws.receive, ws, { timeout = 0.1 }).kind == "timeout")
                  assert(ws.dropped == 7)
                  ws:close()
                end
                local ws = websocket.connect("/", { queue = 3, on_full = "close", name = "close" })
                tutti.sleep(0.3)
                assert(ws.state == "closed" and ws.close_code == 1008)
                assert(ws:receive() .. ws:receive() .. ws:receive() == "012")
                assert(tostring(failed(ws.receive, ws)):find("queue", 1, true))""")
        self.assertEqual(sorted(codes), [1000, 1000, 1008])
        self.assertEqual({name: counts["dropped"] for name, counts in result.report["websockets"].items()},
                         {"drop_oldest": 7, "drop_newest": 7, "close": 1})

    def test_who_sends_more_than_is_read_waits(self):
        is_read = threading.Event()

        def behave(peer):
            if peer.path == "/never":
                return is_read.wait(20)
            time.sleep(1)
            while True:
                first, payload = peer.read()
                if first == FIN | CLOSE:
                    return peer.send(frame(first, payload))

        with WebSocketServer(behave) as server:
            self.passes(server, """
                local piece = ("x"):rep(1 << 20)
                local ws = websocket.connect("/late")
                local began = tutti.now()
                for _ = 1, 40 do ws:send(piece) end
                assert(tutti.now() - began > 0.5, "nothing has waited")
                ws:close()
                assert(ws.close_code == 1000)
                ws = websocket.connect("/never", { timeout = 0.5 })
                local why = failed(function() for _ = 1, 100 do ws:send(piece) end end)
                assert(why.kind == "timeout", tostring(why))""")
            is_read.set()

    def test_ends_of_every_kind_are_counted_apart(self):
        def behave(peer):
            if peer.path == "/lost":
                return
            if peer.path == "/theirs":
                peer.send(close_frame(1012, b"restarting"))
                wait_for_close(peer)
                return
            if peer.path == "/silent":
                wait_for_close(peer)
                time.sleep(8)
            echo(peer)

        with WebSocketServer(behave) as server:
            result = self.passes(server, """
                local function open(path, name) return websocket.connect(path, { name = name or "all" }) end
                local lost, theirs, ours = open("/lost"), open("/theirs"), open("/ours")
                for message in lost:messages() do error("none has come") end
                assert(lost.close_code == 1006 and lost.close_reason:find("without a close frame"))
                assert(failed(theirs.receive, theirs).kind == "closed")
                assert(theirs.close_code == 1012 and theirs.close_reason == "restarting")
                ours:close()
                assert(failed(ours.send, ours, "x").kind == "closed")
                ours:close()
                local silent = open("/silent", "silent")
                silent:close()
                assert(silent.close_code == 1006, silent.close_code)
                worker.kept = open("/kept")""")
            wait_until(lambda: not server.failures, 1, server.failures)
        counts = result.report["websockets"]["all"]
        self.assertEqual([counts[key] for key in ("opened", "closed_by_us", "closed_by_peer", "lost")], [4, 2, 1, 1])
        self.assertEqual(counts["close_codes"], {"1000": 1, "1001": 1, "1006": 1, "1012": 1})
        self.assertEqual(result.report["websockets"]["silent"]["closed_by_us"], 1)
        self.assertRegex(result.out, r"all +4 +0 +2 +1 +1 ")
        self.assertRegex(result.out, r"all .*1000 × 1, 1001 × 1, 1006 × 1, 1012 × 1")

    def test_a_connection_lives_from_step_to_step_and_ends_with_a_close_frame(self):
        codes, greeted = [], []

        def behave(peer):
            try:
                while True:
                    first, payload = peer.read()
                    greeted.append(payload)
                    if first == FIN | CLOSE:
                        codes.append(struct.unpack(">H", payload[:2])[0])
                        return peer.send(frame(first, payload))
                    peer.send(frame(first, payload))
            except ConnectionError:
                codes.append(None)

        with WebSocketServer(behave) as server:
            body = """worker.ws = worker.ws or websocket.connect("/")
                worker.ws:send("x")
                assert(worker.ws:receive() == "x")"""
            result = run(self.script(body), "-w", 20, "-r", 5, "--agents", 2, "--target", server.url)
            self.assertEqual(result.code, 0, result)
            wait_until(lambda: len(codes) == 20, 5, codes)
            self.assertEqual(set(codes), {1001})
            del codes[:]
            body = 'worker.ws = websocket.connect("/")\nworker.ws:send("x") worker.ws:receive() worker.ws:receive()'
            with Run(self.script(body), "-w", 10, "--agents", 2, "--target", server.url) as process:
                wait_until(lambda: greeted.count(b"x") == 110, 20, greeted)
                os.kill(process.pid, signal.SIGINT)
                result = process.finish(10)
            self.assertEqual((result.code, result.steps["stopped"]), (130, 10), result)
            wait_until(lambda: len(codes) == 10, 5, codes)
            self.assertEqual(set(codes), {1001})

    def test_cookies_headers_and_subprotocols(self):
        def answer(path, fields):
            if path == "/login":
                return b"HTTP/1.1 200 OK\r\nSet-Cookie: user=ada\r\nContent-Length: 0\r\n\r\n"
            assert fields.get("cookie") == ("user=ada" if path == "/first?a=b" else "user=ada; room=7"), fields
            assert fields.get("sec-websocket-protocol") == "superchat, chat" and fields.get("x-test") == "yes", fields
            assert fields["sec-websocket-version"] == "13" and fields["connection"] == "Upgrade", fields
            return right_answer(fields, "Sec-WebSocket-Protocol: chat\r\nSet-Cookie: room=7\r\n")

        with WebSocketServer(echo, answer) as server:
            self.passes(server, """
                http.get("/login")
                local options = { protocols = { "superchat", "chat" }, headers = { ["X-Test"] = "yes" }, query = { a = "b" } }
                assert(websocket.connect("/first", options).protocol == "chat")
                options.query = nil
                assert(websocket.connect(tutti.target:gsub("^http", "ws") .. "/second", options).protocol == "chat")""")

    def test_over_tls(self):
        make_certificates(self.folder.name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.folder.name}/s.pem", f"{self.folder.name}/s.key")
        with WebSocketServer(echo, tls=context) as server:
            self.passes(server, """
                local url = tutti.target:gsub("^http", "ws") .. "/"
                local ws = websocket.connect(url, { tls = { ca = "ca.pem" } })
                ws:send("secret")
                assert(ws:receive() == "secret")
                ws:close()
                assert(failed(websocket.connect, url).kind == "tls")""", before="tutti.options { files = { 'ca.pem' } }")

    def test_through_a_proxy(self):
        asked = []

        def relay(source, sink):
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    sink.sendall(data)

        def serve(client):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            asked.append(head.decode().split("\r\n"))
            if "Proxy-Authorization: Basic YTpi" not in asked[-1]:
                client.sendall(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
                return client.close()
            host, port = asked[-1][0].split(" ")[1].rsplit(":", 1)
            with socket.create_connection((host, int(port))) as onward:
                client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                threading.Thread(target=relay, args=(onward, client), daemon=True).start()
                relay(client, onward)
                client.close()

        def accept(listener):
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        with WebSocketServer(echo) as server, socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=accept, args=(listener,), daemon=True).start()
            port = listener.getsockname()[1]
            self.passes(server, f"""
                local ws = websocket.connect("/", {{ proxy = "http://a:b@127.0.0.1:{port}" }})
                ws:send("around the corner")
                assert(ws:receive() == "around the corner")
                ws:close()
                local why = failed(websocket.connect, "/", {{ proxy = "http://127.0.0.1:{port}" }})
                assert(why.kind == "proxy" and why.status == 407, tostring(why))""")
            self.assertEqual([lines[0] for lines in asked], [f"CONNECT {server.url[7:]} HTTP/1.1"] * 2)
            listener.shutdown(socket.SHUT_RDWR)

    def test_compression_is_agreed_and_bombs_are_stopped(self):
        def answer(path, fields):
            offered = fields.get("sec-websocket-extensions")
            assert offered == (None if path == "/plain" else "permessage-deflate; client_no_context_takeover"), fields
            return right_answer(fields, "" if offered is None else f"Sec-WebSocket-Extensions: {offered}\r\n")

        def behave(peer):
            if peer.path == "/bomb":
                peer.send(frame(FIN | RSV1 | BINARY, deflated(bytes(50 << 20))))
                assert wait_for_close(peer) == 1009
                return
            first, payload = peer.read()
            if peer.path == "/plain":
                assert (first, payload) == (FIN | TEXT, b"x" * 1000)
                return peer.send(frame(FIN | TEXT, payload))
            assert first == FIN | RSV1 | TEXT and len(payload) < 100
            plain = zlib.decompressobj(wbits=-15).decompress(payload + TAIL)
            packer = zlib.compressobj(wbits=-15)  # a context for all messages
            for _ in range(3):
                packed = (packer.compress(plain) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
                peer.send(frame(RSV1 | TEXT, packed[:3]) + frame(FIN, packed[3:]))
            echo(peer)

        with WebSocketServer(behave, answer) as server:
            self.passes(server, """
                local text = ("x"):rep(1000)
                local ws = websocket.connect("/plain")
                ws:send(text)
                assert(ws:receive() == text)
                ws = websocket.connect("/packed", { compress = true })
                ws:send(text)
                for _ = 1, 3 do assert(ws:receive() == text) end
                ws = websocket.connect("/bomb", { compress = true })
                assert(failed(ws.receive, ws).kind == "closed" and ws.close_code == 1009)""")

    def test_misuse_is_named(self):
        with WebSocketServer(echo) as server:
            self.passes(server, """
                local function says(text, ...)
                  local why = tostring(failed(...))
                  assert(why:find(text, 1, true), why)
                end
                local connect = websocket.connect
                says("begin with ws:// or wss://", connect, "http://127.0.0.1/")
                says("begin with ws:// or wss://", connect, "ftp://127.0.0.1/")
                says("the URL is a string", connect, {})
                says("unknown option colour", connect, "/", { colour = "red" })
                says("header Upgrade is the connection's own", connect, "/", { headers = { Upgrade = "x" } })
                says("queue is a whole number", connect, "/", { queue = 0 })
                says("max_message is a whole number", connect, "/", { max_message = 1e12 })
                says('on_full is "drop_oldest"', connect, "/", { on_full = "wait" })
                says("compress is true or false", connect, "/", { compress = 1 })
                says("protocols is a list of names", connect, "/", { protocols = { "a b" } })
                local ws = connect("/")
                says("not UTF-8", ws.send, ws, "\\xff")
                says("expected a string", ws.send, ws, 7)
                says("1005 is no code", ws.close, ws, 1005)
                says("at most 123 bytes", ws.close, ws, 1000, ("x"):rep(124))
                says("expected a function", ws.receive_until, ws, 7)
                says("unknown option timeot", ws.receive, ws, { timeot = 1 })
                for _, text in ipairs { "a", "b", "c", "d" } do ws:send(text) end
                assert(ws:receive_until(function(message) tutti.sleep(0.01) return message == "b" end) == "b")
                local heard = ""
                for message, kind, at in ws:messages() do
                  assert(kind == "text" and math.abs(tutti.now() - at) < 2)
                  heard = heard .. message
                  if message == "d" then ws:close() end
                end
                assert(heard == "cd")
                says("the connection WS / is closed: 1000", ws.receive, ws)
                local kept
                says("mine", function() local block <close> = connect("/") kept = block error("mine") end)
                assert(kept.state == "closed" and kept.close_code == 1000)
                assert(tostring(ws) == "websocket WS /" and ws.nothing == nil)""")
            result = run(self.script('websocket.connect("/")'), "-w", 1, "-r", 1, "--target", server.url, "--http-engine", "curl")
            self.assertIn("this HTTP engine has no WebSocket (--http-engine native)", result.out)

    def test_metrics_while_it_runs(self):
        with WebSocketServer(echo) as server, Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"):
            body = f"""worker.ws = worker.ws or websocket.connect("ws{server.url[4:]}/", {{ name = 'a "b"' }})
                worker.ws:send("1234") worker.ws:receive() worker.ws:ping() tutti.sleep(0.1)"""
            number = coordinator.create(self.script(body), workers=3, runs=100000)
            labels = f'{{campaign="{number}",name="a \\"b\\""'

            def metric(name, more=""):
                return coordinator.metrics().get(f"tutti_campaign_websocket{name}{labels}{more}}}", 0)

            wait_until(lambda: metric("_messages_total", ',direction="in"') > 10, 20, "no messages")
            now = {name.replace(labels, ""): value for name, value in coordinator.metrics().items() if labels in name}
            coordinator.post(f"/v1/campaigns/{number}/stop")
            self.assertEqual(now["tutti_campaign_websockets_open}"], 3, now)
            self.assertEqual(now['tutti_campaign_websockets_total,event="opened"}'], 3)
            self.assertEqual(now['tutti_campaign_websockets_total,event="lost"}'], 0)
            self.assertEqual(now["tutti_campaign_websocket_dropped_total}"], 0)
            messages = now['tutti_campaign_websocket_messages_total,direction="out"}']
            self.assertEqual(now['tutti_campaign_websocket_bytes_total,direction="out"}'], 4 * messages)
            self.assertTrue(0 < now['tutti_campaign_websocket_ping_seconds,quantile="0.5"}'] < 1)
            self.assertTrue(0 < now['tutti_campaign_websocket_handshake_seconds,quantile="1"}'] < 2)
            report = coordinator.report(number)
            self.assertEqual(report["websockets"]['a "b"']["close_codes"], {"1001": 3})

    def test_without_a_lease_nothing_leaves(self):
        heard = []

        def ask(peer):
            try:
                while True:
                    peer.send(frame(FIN | PING, b"p"))
                    time.sleep(0.1)
            except OSError:
                pass

        def behave(peer):
            threading.Thread(target=ask, args=(peer,), daemon=True).start()
            while True:
                first, payload = peer.read()
                heard.append(time.monotonic())
                peer.send(frame(first, payload) if first & 0xF != PONG else b"")

        with WebSocketServer(behave) as server, Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"):
            body = f"""worker.ws = worker.ws or websocket.connect("ws{server.url[4:]}/")
                worker.ws:send("x") worker.ws:receive() tutti.sleep(0.05)"""
            coordinator.create(self.script(body), workers=2, runs=100000)
            wait_until(lambda: len(heard) > 20, 20, "nothing was sent")
            coordinator.kill()
            killed = time.monotonic()
            time.sleep(13)
            after = [at - killed for at in heard if at > killed]
            self.assertGreater(len([at for at in after if at < 5]), 20)
            self.assertEqual([at for at in after if at > 10.5], [])


if __name__ == "__main__":
    unittest.main()
