"""From one user's send to another's sight, over WebSockets: what the report says beside what the server knows."""
import pathlib
import re
import statistics
import tempfile
import threading
import time
import unittest

from support import run
from websocket_server import CLOSE, FIN, TEXT, WebSocketServer, frame

DELAY_S = 0.05
HEAD = """local tutti, websocket = require "tutti", require "tutti.websocket"
tutti.setup_session(function(worker)
  worker.ws = websocket.connect("/room/" .. worker.room.id, { name = "room" })
end)
local function failed(...)
  local ok, why = pcall(...)
  assert(not ok, "it has not failed")
  return tostring(why)
end
"""


def now_s():
    """The clock of tutti.now()."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Rooms(WebSocketServer):
    """Passes each message to all in the room, the sender too, after a known delay, and keeps a ledger of it."""

    def __init__(self, delay_s=DELAY_S, before=()):
        self.rooms, self.lock, self.ledger, self.delay_s, self.before = {}, threading.Lock(), {}, delay_s, before
        super().__init__(self.serve_member)

    def serve_member(self, peer):
        with self.lock:
            self.rooms.setdefault(peer.path, []).append(peer)
        while True:
            first, payload = peer.read()
            received = now_s()
            if first & 0xF == CLOSE:
                with self.lock:
                    self.rooms[peer.path].remove(peer)
                return peer.send(frame(first, payload))
            time.sleep(self.delay_s)
            with self.lock:
                self.ledger[payload.decode()] = (received, now_s())
                for member in self.rooms[peer.path]:
                    member.send(b"".join(frame(FIN | TEXT, text) for text in self.before) + frame(first, payload))


class Messages(unittest.TestCase):
    def play(self, server, body, *options):
        with tempfile.TemporaryDirectory(prefix="tutti-seen-") as folder:
            path = pathlib.Path(folder, "script.lua")
            path.write_text(HEAD + "tutti.scenario('edit', function(worker)\n" + body + "\nend)\n")
            result = run(path, "--target", server.url, *options)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(server.failures, [])
        return result

    def test_the_report_and_the_servers_ledger_agree(self):
        with Rooms(before=(b"something else",)) as server:
            result = self.play(server, """
                local round = worker:notifier("edit")
                worker:barrier("all are in")
                if worker.seat == 0 then
                  local text = ("room %d step %d"):format(worker.room.id, worker.step)
                  local at = worker.ws:send(text)
                  round:written(text, { at = at })
                  tutti.print(("wrote [%s] %.9f"):format(text, at))
                else
                  local text, kind, at = worker.ws:expect { from = round, timeout = 10 }
                  assert(kind == "text")
                  tutti.print(("saw [%s] %.9f"):format(text, at))
                end
                worker:barrier("all have seen")""", "-w", 6, "--room-size", 3, "-r", 10, "--agents", 2)
        seen = result.report["seen"]["edit"]
        self.assertEqual((seen["count"], seen["before_edit"]), (40, 0), seen)
        self.assertEqual(result.report["convergence"]["edit"]["diverged"], 0)
        wrote = {text: float(at) for text, at in re.findall(r"wrote \[(.*?)\] ([\d.]+)", result.out)}
        saw = [(text, float(at)) for text, at in re.findall(r"saw \[(.*?)\] ([\d.]+)", result.out)]
        self.assertEqual((len(wrote), len(saw), len(server.ledger)), (20, 40, 20))
        # One host, one clock: each sighting is between what the server knows of it.
        for text, at in saw:
            received, sent = server.ledger[text]
            self.assertTrue(wrote[text] <= received <= sent, (wrote[text], server.ledger[text]))
            self.assertGreaterEqual(at, sent - 0.001, text)
            self.assertGreaterEqual(at - wrote[text], DELAY_S)
        # The agents are two processes that know nothing of each other: the report has it by their measured clocks.
        took_ms = sorted(1000 * (at - wrote[text]) for text, at in saw)
        within_ms = seen["clock_uncertainty_ms"]
        self.assertTrue(0 < within_ms < 20, seen)
        for key, mine in (("p50_ms", statistics.median_low(took_ms)), ("max_ms", took_ms[-1])):
            self.assertAlmostEqual(seen[key], mine, delta=within_ms + 0.02 * mine, msg=f"{key}: {seen} {took_ms}")
        held_ms = statistics.median(1000 * (sent - received) for received, sent in server.ledger.values())
        self.assertGreaterEqual(seen["p50_ms"], held_ms - within_ms - 1)
        self.assertLess(seen["p50_ms"], held_ms + within_ms + 100)

    def test_the_long_form_is_the_same(self):
        with Rooms() as server:
            result = self.play(server, """
                local round = worker:notifier("edit")
                worker:barrier("all are in")
                if worker.seat == 0 then
                  round:written("x", { at = worker.ws:send("x") })
                else
                  local text, _, at = worker.ws:receive()
                  tutti.sleep(0.3)          -- a reader that is slow to report it has not seen it later
                  round:one_read(text, { seen_at = at })
                end
                worker:barrier("all have seen")
                if worker.seat == 0 then worker.ws:receive() end""", "-w", 3, "-r", 3, "--agents", 2)
        seen = result.report["seen"]["edit"]
        self.assertEqual((seen["count"], seen["before_edit"]), (6, 0))
        within_ms = seen["clock_uncertainty_ms"]
        self.assertGreaterEqual(seen["p50_ms"], 1000 * DELAY_S - within_ms)
        self.assertLess(seen["p50_ms"], 1000 * DELAY_S + within_ms + 200)

    def test_a_busy_worker_sees_no_later(self):
        """The kernel dates what comes: a thread that computes meanwhile does not make the system slower."""
        with Rooms() as server:
            result = self.play(server, """
                local round = worker:notifier("edit")
                worker:barrier("all are in")
                if worker.seat == 0 then
                  round:written("x", { at = worker.ws:send("x") })
                  worker.ws:receive()
                else
                  local till = os.clock() + 0.3
                  while os.clock() < till do end
                  worker.ws:expect { from = round, timeout = 10 }
                end
                worker:barrier("all have seen")""", "-w", 2, "-r", 3, "--agents", 2, "--shards", 1)
        seen = result.report["seen"]["edit"]
        self.assertEqual((seen["count"], seen["before_edit"]), (3, 0))
        self.assertLess(seen["p50_ms"], 1000 * DELAY_S + seen["clock_uncertainty_ms"] + 100)

    def test_what_expect_cannot_do_is_named(self):
        with Rooms(0) as server:
            result = self.play(server, """
                local round = worker:notifier("edit")
                if worker.seat == 0 then
                  worker:barrier("in")
                  round:written("never sent")
                  worker:notifier("table"):written { 1 }
                  worker:barrier("done")
                  return
                end
                local ws = worker.ws
                local function says(text, ...) local why = failed(...) assert(why:find(text, 1, true), why) end
                says("unknown option form", ws.expect, ws, { form = round })
                says("from is a round", ws.expect, ws, { from = "edit" })
                says("from is a round", ws.expect, ws, { timeout = 1 })
                says("a timeout is a number", ws.expect, ws, { from = round, timeout = "1" })
                local ok, why = pcall(ws.expect, ws, { from = round, timeout = 0.1 })
                assert(not ok and why.outcome == "timeout", tostring(why))
                worker:barrier("in")
                ok, why = pcall(ws.expect, ws, { from = round, timeout = 0.3 })
                assert(not ok and why.kind == "timeout" and why.waited >= 0.3 and why.waited < 3, tostring(why))
                says("what was written is a table, not a text", ws.expect, ws, { from = worker:notifier("table") })
                says("not to come", round.one_read, round, "x", { seen_at = tutti.now() + 5 })
                ws:close()
                says("is closed", ws.expect, ws, { from = round })
                worker:barrier("done")""", "-w", 2, "-r", 1, "--agents", 1)
        self.assertEqual(result.report["convergence"].get("edit", {}).get("diverged", 0), 0)


if __name__ == "__main__":
    unittest.main()
