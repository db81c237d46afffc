"""What is counted of WebSockets: each number with a cause that is known, and bounds on both sides."""
import pathlib
import tempfile
import threading
import time
import unittest

from daemon import Agent, Coordinator
from support import run, wait_until
from websocket_server import CLOSE, FIN, PING, PONG, TEXT, WebSocketServer, echo, frame

HEAD = """local tutti, websocket = require "tutti", require "tutti.websocket"
tutti.scenario("s", function(worker)
"""


class Numbers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tutti-websocket-")
        self.addCleanup(self.folder.cleanup)

    def script(self, body):
        path = pathlib.Path(self.folder.name, "script.lua")
        path.write_text(HEAD + body + "\nend)\n")
        return path

    def passes(self, server, body, *options):
        result = run(self.script(body), "-w", 1, "-r", 1, "--agents", 1, "--target", server.url, *options)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(server.failures, [])
        return result

    def test_pings_at_an_interval_are_measured_without_the_script(self):
        heard = []

        def behave(peer):
            while True:
                first, payload = peer.read()
                heard.append((time.monotonic(), first & 0xF))
                if first & 0xF == CLOSE:
                    return peer.send(frame(first, payload))
                time.sleep(0.1)
                peer.send(frame(FIN | PONG, payload))

        with WebSocketServer(behave) as server:
            result = self.passes(server, """
                local ws = websocket.connect("/", { name = "beat", ping_interval = 0.25 })
                tutti.sleep(2)
                ws:close()
                tutti.sleep(0.6)""")
        pings = [at for at, opcode in heard if opcode == PING]
        self.assertTrue(3 <= len(pings) <= 8, heard)
        self.assertTrue(all(0.2 < later - at < 2 for at, later in zip(pings, pings[1:])), pings)
        self.assertEqual([opcode for _, opcode in heard if opcode != PING], [CLOSE])
        ping = result.report["websockets"]["beat"]["ping_ms"]
        self.assertTrue(99 <= ping["p50"] < 400 and ping["max"] < 2000, ping)

    def test_connections_are_counted_by_tag(self):
        with WebSocketServer(echo) as server:
            result = self.passes(server, """
                worker:tag("tier", "gold")
                for i = 1, 3 do
                  local ws = websocket.connect("/", { name = "chat", tags = { room = i == 3 and "b" or "a" } })
                  ws:send("hello")
                  ws:receive()
                  ws:close()
                end
                pcall(websocket.connect, "ws://127.0.0.1:1/", { name = "chat", tags = { room = "c", tier = "iron" } })""")
        rows = {(row["tag"], row["value"], row["name"]): (row["count"], row["failed"]) for row in result.report["tags"] if row["kind"] == "websocket"}
        self.assertEqual(rows, {("room", "a", "chat"): (2, 0), ("room", "b", "chat"): (1, 0), ("room", "c", "chat"): (1, 1),
                                ("tier", "gold", "chat"): (3, 0), ("tier", "iron", "chat"): (1, 1)})
        took = [row["max_ms"] for row in result.report["tags"] if row["kind"] == "websocket" and not row["failed"]]
        self.assertTrue(all(0 < ms < 2000 for ms in took), took)

    def test_a_ping_that_is_not_answered_is_not_followed_by_others(self):
        heard = []

        def behave(peer):
            while True:
                first, payload = peer.read()
                heard.append(first & 0xF)
                if first & 0xF == CLOSE:
                    return peer.send(frame(first, payload))

        with WebSocketServer(behave) as server:
            result = self.passes(server, """
                local ws = websocket.connect("/", { name = "deaf", ping_interval = 0.05 })
                tutti.sleep(0.6)
                ws:close()
                for _, bad in ipairs { 0, -1, "1", 1e9, 0.001 } do
                  local ok, why = pcall(websocket.connect, "/", { ping_interval = bad })
                  assert(not ok and tostring(why):find("ping_interval is a number of seconds", 1, true), tostring(why))
                end""")
        self.assertEqual(heard, [PING, CLOSE])
        self.assertEqual(result.report["websockets"]["deaf"]["ping_ms"]["max"], 0)

    def test_the_time_in_the_send_queue_is_that_of_a_server_that_does_not_read(self):
        def behave(peer):
            time.sleep(0.5 if peer.path == "/slow" else 0)
            echo(peer)

        with WebSocketServer(behave) as server:
            result = self.passes(server, """
                local began = tutti.now()
                local slow = websocket.connect("/slow", { name = "slow", max_message = 16 << 20 })
                local sent = slow:send(("x"):rep(16 << 20))
                assert(sent >= began + 0.4 and sent <= tutti.now(), sent - began)
                slow:receive()
                local quick = websocket.connect("/quick", { name = "quick" })
                for _ = 1, 100 do
                  local before = tutti.now()
                  local sent = quick:send("x")
                  assert(sent >= before and sent <= tutti.now())
                  quick:receive()
                end
                slow:close() quick:close()""")
        slow, quick = (result.report["websockets"][name] for name in ("slow", "quick"))
        self.assertTrue(400 <= slow["queued_ms"]["p50"] <= slow["queued_ms"]["max"] < 1000 * result.report["duration_s"], slow)
        self.assertTrue(0 <= quick["queued_ms"]["p50"] < 20, quick)
        self.assertRegex(result.out, r"messages .* queued p95 +in rate +out rate")

    def test_rates_are_those_of_the_whole_campaign(self):
        with WebSocketServer(echo) as server:
            result = self.passes(server, """
                local ws = websocket.connect("/", { name = "steady" })
                for _ = 1, 20 do
                  ws:send("12345")
                  ws:receive()
                  tutti.sleep(0.1)
                end
                ws:close()""")
        counts, duration_s = result.report["websockets"]["steady"], result.report["duration_s"]
        for key in ("messages_in", "messages_out", "bytes_in", "bytes_out"):
            self.assertAlmostEqual(counts[key + "_per_s"], counts[key] / duration_s, delta=0.02 * counts[key] / duration_s)
        self.assertTrue(1 <= counts["messages_in_per_s"] <= 10, counts)
        self.assertEqual((counts["open"], counts["bytes_out"]), (0, 100))

    def test_what_is_open_now_is_told_while_it_runs(self):
        lost = threading.Event()

        def behave(peer):
            if peer.path == "/lost":
                lost.wait(30)
                return
            echo(peer)

        with WebSocketServer(behave) as server, Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"):
            number = coordinator.create(self.script(f"""
                worker.ws = worker.ws or websocket.connect("ws{server.url[4:]}" .. (worker.id < 2 and "/lost" or "/kept"), {{ name = "all" }})
                if worker.id >= 2 then
                  worker.ws:send(("x"):rep(100))
                  worker.ws:receive()
                end
                tutti.sleep(0.05)"""), workers=5, runs=100000)

            def shown():
                return coordinator.show(number)["websockets"].get("all", {})

            def metric(name):
                return coordinator.metrics().get(f'tutti_campaign_websocket{name}{{campaign="{number}",name="all"}}')

            wait_until(lambda: shown().get("open") == 5, 20, shown())
            wait_until(lambda: shown()["messages_in"] > 100, 20, shown())
            self.assertGreater(shown()["bytes_out_per_s"], 100)
            lost.set()
            wait_until(lambda: shown().get("open") == 3, 20, shown())
            self.assertEqual(metric("s_open"), 3)
            self.assertEqual((shown()["lost"], shown()["close_codes"]), (2, {"1006": 2}))
            queued = coordinator.metrics()[f'tutti_campaign_websocket_queued_seconds{{campaign="{number}",name="all",quantile="1"}}']
            self.assertTrue(0 < queued < 1, queued)
            coordinator.post(f"/v1/campaigns/{number}/stop")
            self.assertEqual(coordinator.report(number)["websockets"]["all"]["open"], 0)


if __name__ == "__main__":
    unittest.main()
