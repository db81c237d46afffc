"""Load shapes: steps that begin by a plan, how late they begin, and what a server that stalls does to their times."""
import pathlib
import re
import tempfile
import threading
import time
import unittest

from support import run, tutti
from threaded_server import ThreadedServer

STALL_AT_S = 4.0
STALL_S = 1.0


class StallingServer(ThreadedServer):
    """Answers at once, but not for one second of ten: who asks meanwhile is answered when that second is over."""

    def __init__(self):
        self.began = None
        self.lock = threading.Lock()
        super().__init__(self.talk)

    def wait_out_the_stall(self):
        with self.lock:
            self.began = self.began or time.monotonic()
        into_s = (time.monotonic() - self.began) % 10
        if STALL_AT_S <= into_s < STALL_AT_S + STALL_S:
            time.sleep(STALL_AT_S + STALL_S - into_s)

    def talk(self, connection):
        with connection:
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(4096)
                    if not piece:
                        return
                    data += piece
                data = data.partition(b"\r\n\r\n")[2]
                self.wait_out_the_stall()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def script(self, body, before=""):
        path = self.folder / "load.lua"
        path.write_text('local tutti = require "tutti"\nlocal http = require "tutti.http"\n' + before +
                        f'tutti.scenario("step", function(worker)\n{body}\nend)\n')
        return path


class Plans(Scripts):
    def test_a_rate_over_four_agents_is_exact(self):
        result = run(self.script("tutti.sleep(0.02)"), "-w", "60", "--agents", "4", "--rate", "500/s", "-d", "6s", "-q")
        load = result.report["load"]
        self.assertEqual(result.verdict, "passed", result)
        self.assertEqual(load["arrivals"] + load["dropped"], 3000, result)
        self.assertGreaterEqual(load["arrivals"], 2970, result)
        self.assertEqual(result.steps["ok"], load["arrivals"])
        self.assertGreater(load["late_ms"]["max"], 0)

    def test_arrivals_that_find_no_free_worker_are_dropped(self):
        result = run(self.script("tutti.sleep(0.2)"), "-w", "4", "--agents", "2", "--rate", "100/s", "-d", "2s", "-q")
        load = result.report["load"]
        self.assertEqual(load["arrivals"] + load["dropped"], 200, result)
        self.assertTrue(28 <= load["arrivals"] <= 44, result.report["load"])  # 4 workers, 5 steps a second each
        self.assertRegex(run(self.script("tutti.sleep(0.2)"), "-w", "1", "--rate", "50/s", "-d", "1s").out,
                         r"load    \d+ arrivals, \d+ dropped; steps began late by p50 .*\n"
                         r"  p99     of steps: response time .* \(since the intended start\), service time 20\d ms\n")

    def test_with_rooms_all_seats_begin_together(self):
        result = run(self.script('worker:barrier("begin")'), "-w", "15", "--room-size", "5", "--agents", "3", "--rate", "15/s", "-d", "2s", "-q")
        self.assertEqual(result.verdict, "passed", result)
        self.assertEqual(result.report["load"]["arrivals"], 30, result)
        self.assertEqual(result.report["load"]["dropped"], 0)
        self.assertEqual(result.steps["ok"], 150)
        self.assertEqual(result.report["waits"]["begin.barrier"]["ok"], 150)
        self.assertLess(result.report["waits"]["begin.barrier"]["p50_ms"], 50)  # a room comes each 200 ms

    def test_a_rate_goes_through_its_stages(self):
        result = run(self.script(""), "-w", "20", "--stages", "2s:100/s,1s:100/s,1s:0/s", "-q")
        self.assertEqual(result.verdict, "passed", result)
        self.assertEqual(result.report["load"]["arrivals"] + result.report["load"]["dropped"], 250, result)
        self.assertAlmostEqual(result.report["duration_s"], 4, delta=0.8)

    def test_poisson_arrivals_are_the_same_for_the_same_seed(self):
        counts = set()
        for agents in ("1", "3"):
            load = run(self.script(""), "-w", "30", "--agents", agents, "--rate", "100/s", "-d", "2s", "--arrivals", "poisson",
                       "--seed", "7", "-q").report["load"]
            counts.add(load["arrivals"] + load["dropped"])
        self.assertEqual(len(counts), 1)
        self.assertTrue(150 <= counts.pop() <= 250)

    def test_a_pace_counts_from_the_first_step(self):
        result = run(self.script("tutti.sleep(0.03)"), "-w", "4", "--pacing", "100ms", "-d", "2s", "-q")
        self.assertIn(result.steps["ok"], range(76, 85), result)
        self.assertNotIn("arrivals", result.report["load"])
        late = run(self.script("if worker.step == 1 then tutti.sleep(0.5) end"), "-w", "1", "--pacing", "100ms", "-r", "8", "-q")
        self.assertAlmostEqual(late.report["load"]["late_ms"]["max"], 400, delta=90)  # the second step, which was due at 100 ms
        self.assertLess(late.report["duration_s"], 1.0)  # the next ones catch up: 700 ms for eight

    def test_workers_think_by_a_law(self):
        result = run(self.script(""), "-w", "20", "--think", "uniform:50ms:150ms", "-r", "11", "-q")
        self.assertEqual(result.steps["ok"], 220)
        self.assertTrue(0.8 <= result.report["duration_s"] <= 2.2, result)  # ten pauses of 100 ms, and the slowest of twenty
        self.assertNotIn("load", result.report)


class HonestLatency(Scripts):
    BODY = 'http.get(tutti.target .. "/", { name = "page" })'

    def measure(self, *options):
        with StallingServer() as server:
            return run(self.script(self.BODY), "--target", f"http://127.0.0.1:{server.port}", "-d", "10s", "--agents", "1",
                       "-q", *options).report

    def test_an_open_load_sees_the_second_in_which_the_server_stalls(self):
        """1,000 requests, 100 of which come within the stall: of these the first waits a second, the last nothing, so 10 of
        1,000 wait for longer than 0.9 s."""
        report = self.measure("-w", "150", "--rate", "100/s")
        self.assertEqual(report["load"]["dropped"], 0)
        self.assertEqual(report["requests"]["page"]["count"], 1000)
        self.assertAlmostEqual(report["requests"]["page"]["response"]["p99_ms"], 900, delta=45)
        self.assertAlmostEqual(report["load"]["request_response_ms"]["p95"], 500, delta=50)

    def test_a_closed_load_does_not(self):
        report = self.measure("-w", "1", "--delay", "9ms")
        self.assertGreater(report["requests"]["page"]["count"], 300)
        self.assertLess(report["requests"]["page"]["p99_ms"], 100)
        self.assertNotIn("response", report["requests"]["page"])

    def test_a_pace_shows_both(self):
        """One user who is to ask each 10 ms: the requests that it could not make in time are late, and the server was slow once."""
        report = self.measure("-w", "1", "--pacing", "10ms")
        page = report["requests"]["page"]
        self.assertAlmostEqual(page["response"]["p99_ms"], 900, delta=60)
        self.assertLess(page["p99_ms"], 100)


class BadInput(Scripts):
    def test_each_is_refused_in_one_line(self):
        path = self.script("")
        for options, said in (
                (("--rate", "50"), 'rate "50": expected a number with its unit'),
                (("--rate", "-5/s"), 'rate "-5/s"'),
                (("--rate", "5/s"), "a rate needs a duration, or stages"),
                (("--rate", "5/s", "-d", "1s", "--pacing", "1s"), "rate and pacing contradict each other"),
                (("--rate", "5/s", "--stages", "5s:10"), "rate and stages of workers contradict each other"),
                (("--stages", "5s"), 'stage "5s"'),
                (("--stages", "5s:1,5s:1/s"), 'stage "5s:1/s"'),
                (("--think", "gamma:1s"), 'think time "gamma:1s"'),
                (("--pacing", "often"), "--pacing"),
                (("--arrivals", "late"), "--arrivals")):
            with self.subTest(options=options):
                result = tutti("run", path, *options)
                self.assertEqual(result.code, 2, result)
                self.assertEqual(len(re.findall("\n", result.err)), 1, result)
                self.assertIn(said, result.err)
                self.assertEqual(result.out, "")

    def test_a_script_says_stages_as_pairs(self):
        path = self.script("", 'tutti.options { workers = 5, stages = { {"1s", "20/s"}, {0.5, "0/s"} } }\n')
        self.assertEqual(run(path, "-q").report["load"]["arrivals"], 15)
        path = self.script("", 'tutti.options { stages = { {"1s"} } }\n')
        result = tutti("run", path)
        self.assertEqual(result.code, 2, result)
        self.assertIn('option stages: expected pairs like {"30s", 100}', result.err)


if __name__ == "__main__":
    unittest.main()
