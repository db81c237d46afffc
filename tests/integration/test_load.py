"""Load shapes: steps that begin by a plan, how late they begin, and what a server that stalls does to their times."""
import os
import pathlib
import re
import signal
import tempfile
import threading
import time
import unittest

from daemon import Agent, Coordinator, WithAgents
from support import Run, children_of, environment, run, tutti
from threaded_server import OkServer

STALL_AT_S = 4.0
STALL_S = 1.0


class StallingServer(OkServer):
    """Answers at once, but not for one second of ten: who asks meanwhile is answered when that second is over."""

    def __init__(self):
        self.began = None
        self.lock = threading.Lock()
        super().__init__(self.wait_out_the_stall)

    def wait_out_the_stall(self):
        with self.lock:
            self.began = self.began or time.monotonic()
        into_s = (time.monotonic() - self.began) % 10
        if STALL_AT_S <= into_s < STALL_AT_S + STALL_S:
            time.sleep(STALL_AT_S + STALL_S - into_s)


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
        out = " ".join(run(self.script("tutti.sleep(0.2)"), "-w", "1", "--rate", "50/s", "-d", "1s").out.split())
        self.assertRegex(out, r"load \d+ arrivals, \d+ dropped; steps began late by p50 .* "
                              r"p99 of steps: response time .* \(since the intended start\), service time 20\d ms")

    def test_workers_grow_until_no_arrival_is_dropped(self):
        """100 steps of 200 ms a second need twenty workers, over two agents."""
        result = run(self.script("tutti.sleep(0.2)"), "-w", "2", "--max-workers", "60", "--agents", "2", "--rate", "100/s", "-d", "4s")
        load = result.report["load"]
        self.assertEqual(result.verdict, "passed", result)
        self.assertEqual(load["arrivals"] + load["dropped"], 400, load)
        self.assertEqual(load["dropped"], 0, load)
        self.assertTrue(17 <= load["workers_grown"] <= 58, load)
        self.assertEqual(result.report["workers"], 2 + load["workers_grown"])
        self.assertEqual(sum(agent["workers"] for agent in result.report["agents"]), result.report["workers"])
        self.assertIn(f"400 arrivals, 0 dropped; {load['workers_grown']} workers more than at the beginning;", " ".join(result.out.split()))
        few = run(self.script("tutti.sleep(0.2)"), "-w", "2", "--max-workers", "6", "--agents", "2", "--rate", "100/s", "-d", "2s", "-q")
        load = few.report["load"]
        self.assertEqual((load["workers_grown"], load["arrivals"] + load["dropped"]), (4, 200), load)
        self.assertTrue(40 <= load["arrivals"] <= 66, load)  # 6 workers, 5 steps a second each

    def test_rooms_grow_while_arrivals_find_theirs_busy(self):
        """Two steps of a second begin each second: one room falls behind, and others come. The seats of a room stay together."""
        result = run(self.script('worker:barrier("all") tutti.sleep(1)'), "-w", "3", "--room-size", "3", "--max-workers", "30", "--agents", "2",
                     "--rate", "2/s", "-d", "14s", "-q")
        load = result.report["load"]
        self.assertEqual((result.verdict, load["arrivals"] + load["dropped"]), ("passed", 28), result)
        self.assertEqual(result.steps["ok"], 3 * load["arrivals"])
        self.assertTrue(3 <= load["workers_grown"] <= 27 and load["workers_grown"] % 3 == 0, load)
        self.assertLessEqual(load["dropped"], 3, load)
        self.assertEqual(sum(agent["workers"] for agent in result.report["agents"]), 3 + load["workers_grown"])
        self.assertLess(result.report["waits"]["all.barrier"]["p50_ms"], 300)  # a room comes each half of a second or more

    def test_bad_words_of_a_shape_are_one_line(self):
        script = self.script("")
        rate = ("--rate", "5/s", "-d", "1s")
        for words, said in ((("--max-workers", "5"), "max_workers needs a rate"),
                            ((*rate, "-w", "9", "--max-workers", "5"), "max_workers is 5, less than the 9 workers"),
                            ((*rate, "-w", "4", "--room-size", "2", "--max-workers", "5"), "max_workers: workers are whole rooms of 2"),
                            (("--load", "step;workers=2;runs=1", "--max-workers", "5"), "with loads each has max_workers of its own"),
                            (("--load", "step;workers=2;runs=1;max_workers=4"), "load step: max_workers needs a rate"),
                            ((*rate, "--max-workers", "many"), "max-workers"),
                            (("--goal", "fast", "-d", "1s"), 'goal "fast": '), (("--goal", "p95=1s", "-d", "1s"), "say with max=N"),
                            (("--goal", "p95=1s;max=5"), "a goal needs a duration"), (("--goal", "p95=1s;max=x", "-d", "1s"), "min and max are numbers"),
                            ((*rate, "--goal", "p95=1s;max=5"), "rate, stages and loads do not go with it"),
                            (("--goal", "p95=1s;max=5", "-d", "1s", "-w", "6"), "max is 5, less than the 6 workers"),
                            (("--goal", "p95=1s;max=5", "-d", "1s", "-w", "2", "--room-size", "2"), "whole rooms of 2"),
                            (("--stages", "1s"), 'stage "1s"'), (("--stages", "1s:5,1s:5/s"), 'stage "1s:5/s"'),
                            (("--think", "often"), 'think time "often"'), (("--rate", "5"), 'rate "5"'),
                            (("--pacing", "soon"), "pacing"), (("--arrivals", "late"), "arrivals"),
                            (("--load", "step;workers=0"), "load step: "), (("--load", "step;start=x;runs=1"), "load step: "),
                            (("--load", "step;stages=1s:5;runs=1"), "load step: stages of a load are of a rate"),
                            (("--load", "step;runs=1;rate=x"), 'load step: rate "x"')):
            with self.subTest(words):
                result = tutti("run", script, *words)
                self.assertEqual((result.code, result.out, result.err.count("\n")), (2, "", 1), result)
                self.assertIn(said, result.err)

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

    def test_a_script_records_its_own_times(self):
        body = """tutti.record("own", 0.25) tutti.record("own", 0.5, { ok = false })
            local at = tutti.now() tutti.sleep(0.1) tutti.record("late", 0.02, { at = at })"""
        timings = run(self.script(body), "-w", "1", "-r", "2", "--fail", "0", "-q").report["timings"]
        self.assertEqual((timings["own"]["count"], timings["own"]["failed"]), (4, 2))
        self.assertAlmostEqual(timings["own"]["max_ms"], 500, delta=5)
        self.assertNotIn("response", timings["own"])
        self.assertAlmostEqual(timings["late"]["p50_ms"], 20, delta=1)
        self.assertAlmostEqual(timings["late"]["response"]["p50_ms"], 100, delta=60)
        for call, said in (('tutti.record("x", -1)', "expected seconds"), ('tutti.record("", 1)', "a name is printable text"),
                           ('tutti.record("x", 1, { at = "now" })', "at is an instant"), ('tutti.record("x", 1, { when = 1 })', "when")):
            self.assertIn(said, run(self.script(call), "-r", "1", "-q").report["errors"][0]["message"])

    def test_workers_think_by_a_law(self):
        result = run(self.script(""), "-w", "20", "--think", "uniform:50ms:150ms", "-r", "11", "-q")
        self.assertEqual(result.steps["ok"], 220)
        self.assertTrue(0.8 <= result.report["duration_s"] <= 2.2, result)  # ten pauses of 100 ms, and the slowest of twenty
        self.assertNotIn("load", result.report)


class Loss(Scripts):
    def test_a_killed_agent_costs_what_the_policy_says(self):
        """One of four agents with 100 arrivals a second dies after some two seconds of six: a quarter of the rest is lost, or
        only what was on its way. None is missing in the count."""
        for policy, least, most in (("shrink", 50, 160), ("replace", 0, 60), ("replace=again", 0, 60)):
            with self.subTest(policy), Run(self.script('if worker.step == 6 then print("in step 6") end tutti.sleep(0.005)'),
                                           "-w", 40, "--rate", "100/s", "-d", "6s", "--agents", 4, "--on-loss", policy, "--fail", 0) as process:
                process.read_until("in step 6")
                os.kill(children_of(process.pid)[1], signal.SIGKILL)
                result = process.finish(40)
                load = result.report["load"]
                self.assertEqual((result.verdict, load["arrivals"] + load["dropped"]), ("degraded", 600), result)
                self.assertTrue(least <= load["dropped"] <= most, load)


class Closed(Scripts):
    def test_workers_go_through_their_stages(self):
        """From 1 to 10 in a second, 10 for a second, to 1 in a second: about 5.5 + 10 + 5.5 workers' seconds of 50 ms steps."""
        result = run(self.script("tutti.sleep(0.05)"), "--stages", "1s:10,1s:10,1s:0", "-q")
        self.assertEqual(result.verdict, "passed", result)
        self.assertEqual(result.steps["failed"], 0)
        self.assertTrue(290 <= result.steps["ok"] <= 450, result.report["steps"])
        self.assertAlmostEqual(result.report["duration_s"], 3, delta=0.8)
        self.assertEqual(sum(agent["workers"] for agent in result.report["agents"]), 10)

    def test_whole_rooms_come_and_go(self):
        result = run(self.script('worker:barrier("all") tutti.sleep(0.02)'), "-w", "4", "--room-size", "4", "--agents", "3",
                     "--stages", "1s:12,1s:12,1s:4", "-q")
        self.assertEqual((result.verdict, result.steps["failed"]), ("passed", 0), result)
        self.assertEqual(result.report["waits"]["all.barrier"]["count"] % 4, 0)

    def test_all_workers_share_the_runs(self):
        result = run(self.script("tutti.sleep(worker.id == 0 and 0.5 or 0.002)"), "-w", "6", "--shared-runs", "500", "--agents", "2", "-q")
        self.assertEqual((result.verdict, result.steps["ok"]), ("passed", 500), result)
        self.assertLess(result.report["duration_s"], 5)  # the slow one would take 40 s for its sixth


class BusyServer(OkServer):
    """Serves four at a time, each for 20 ms: so many users wait 5 ms for each of them."""

    def __init__(self):
        self.places = threading.Semaphore(4)
        super().__init__(self.be_busy)

    def be_busy(self):
        with self.places:
            time.sleep(0.02)


class Goals(Scripts):
    def test_the_workers_for_a_time_are_found(self):
        with BusyServer() as server:
            result = run(self.script('http.get(tutti.target .. "/")', 'tutti.options { goal = { [1] = "http.p50 < 61ms over 2s", max = 40 } }\n'),
                         "--target", f"http://127.0.0.1:{server.port}", "-d", "36s", "--agents", "2", timeout=90)
        goal = result.report["goal"]
        self.assertEqual((result.verdict, goal["goal"], goal["unit"]), ("passed", "http.p50 < 61ms over 2s", "ms"), result)
        self.assertEqual(goal["state"], "held", goal)
        self.assertTrue(6 <= goal["workers"] <= 13, goal)  # twelve on a machine that has nothing else to do
        self.assertEqual(result.report["workers"], goal["workers"])
        self.assertRegex(result.out, rf"goal    http.p50 < 61ms over 2s: held with {goal['workers']} workers \([\d.]+ ms\)")

    def test_the_workers_for_a_rate_are_found(self):
        result = run(self.script("tutti.sleep(0.05)"), "--goal", "steps.rate >= 100/s over 2s;max=40", "-d", "40s", "-q", timeout=90)
        goal = result.report["goal"]
        self.assertEqual(goal["state"], "held", goal)
        self.assertTrue(5 <= goal["workers"] <= 9, goal)


class SideBySide(unittest.TestCase):
    LOADS = """
        local tutti = require "tutti"
        tutti.scenario("browse", function() tutti.time("browse", tutti.sleep, 0.01) end)
        tutti.scenario("buy", function() tutti.time("buy", tutti.sleep, 0.02) end)
        tutti.scenario("admin", function(worker) tutti.time("admin", tutti.sleep, 0.02) assert(worker.id == 25) end)
        tutti.load("browse", { workers = 20, rate = "50/s", duration = "2s" })
        tutti.load("buy", { workers = 5, stages = { {"1s", "20/s"}, {"1s", "20/s"} }, start = "500ms" })
        tutti.load("admin", { workers = 1, pacing = "250ms", runs = 4, start = 1 })
    """

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.path = pathlib.Path(folder) / "loads.lua"

    def test_each_scenario_has_a_load_of_its_own(self):
        self.path.write_text(self.LOADS)
        result = run(self.path, "--agents", "3", "-q")
        timings = result.report["timings"]
        self.assertEqual(result.verdict, "passed", result)
        self.assertEqual((result.report["workers"], timings["admin"]["count"]), (26, 4))
        self.assertEqual(result.report["load"]["arrivals"] + result.report["load"]["dropped"], 130)
        self.assertGreaterEqual(timings["browse"]["count"], 95)
        self.assertAlmostEqual(result.report["duration_s"], 2.5, delta=0.8)

    GROWING = """
        local tutti = require "tutti"
        tutti.scenario("browse", function(worker) tutti.record("browse", 0) tutti.sleep(0.5) end)
        tutti.scenario("buy", function(worker) tutti.record("buy", 0) tutti.sleep(0.5) end)
        tutti.load("browse", { workers = 1, max_workers = 30, rate = "20/s", duration = "3s" })
        tutti.load("buy", { workers = 1, max_workers = 3, rate = "10/s", duration = "3s", start = "200ms" })
    """

    def test_each_grows_by_itself(self):
        """Twenty steps of half a second a second need ten workers. The other load may have three, which take six a second."""
        self.path.write_text(self.GROWING)
        result = run(self.path, "--agents", "2", "-q")
        load, timings = result.report["load"], result.report["timings"]
        self.assertEqual((result.verdict, load["arrivals"] + load["dropped"]), ("passed", 90), result)
        self.assertEqual(timings["browse"]["count"], 60, timings)
        self.assertTrue(13 <= timings["buy"]["count"] <= 22, timings)
        self.assertTrue(10 <= load["workers_grown"] <= 31, load)
        self.assertEqual(result.report["workers"], 2 + load["workers_grown"])

    ROOMS = """
        local tutti = require "tutti"
        tutti.options { room_size = 2 }
        tutti.scenario("meet", function(worker) tutti.record("meet", 0) worker:barrier("all") tutti.sleep(0.6) end)
        tutti.scenario("talk", function(worker) tutti.record("talk", 0) worker:barrier("all") end)
        tutti.load("meet", { workers = 2, max_workers = 20, rate = "3/s", duration = "9s" })
        tutti.load("talk", { workers = 4, rate = "4/s", duration = "9s", start = "300ms" })
    """

    def test_rooms_of_one_of_them_grow(self):
        self.path.write_text(self.ROOMS)
        result = run(self.path, "--agents", "2", "-q")
        load, timings = result.report["load"], result.report["timings"]
        self.assertEqual((result.verdict, load["arrivals"] + load["dropped"]), ("passed", 63), result)
        self.assertEqual(timings["talk"]["count"], 72, timings)
        self.assertEqual(timings["meet"]["count"], 2 * (load["arrivals"] - 36), timings)
        self.assertLessEqual(load["dropped"], 3, load)
        self.assertTrue(2 <= load["workers_grown"] <= 18 and load["workers_grown"] % 2 == 0, load)

    def test_what_cannot_be(self):
        for line, said in (('tutti.load("browse", { rate = "5/s" })', "load browse: a rate needs a duration, or stages"),
                           ('tutti.load("brows", { runs = 1 })', 'has no scenario "brows", which a load is to run'),
                           ('tutti.load("browse", { users = 1 })', "tutti.load: unknown option users"),
                           ('tutti.load("browse", { rate = 5 })', "option rate: expected a string"),
                           ('tutti.load("", {})', "expected the name of a scenario"),
                           ('tutti.load("browse", { workers = 2 }) tutti.options { rate = "5/s" }', "loads have shapes and scenarios of their own")):
            with self.subTest(line):
                self.path.write_text('local tutti = require "tutti"\ntutti.scenario("browse", function() end)\n' + line + "\n")
                result = tutti("run", self.path)
                self.assertEqual((result.code, result.out, result.err.count("\n")), (2, "", 1), result)
                self.assertIn(said, result.err)


class Live(WithAgents, Scripts):
    def start(self, body, *options):
        result = self.tutti("start", self.script(body), "--expect-agents", 3, *options)
        self.assertEqual(result.code, 0, result)
        return int(result.out)

    def steps(self, campaign):
        return self.coordinator.show(campaign)["steps"]["ok"]

    def ask(self, *words):
        result = self.tutti(*words)
        self.assertEqual(result.code, 0, result)
        return result.out

    def test_a_pause_begins_no_step_and_takes_no_time_of_the_plan(self):
        campaign = self.start("tutti.sleep(0.01)", "-w", 30, "--rate", "100/s", "-d", "4s")
        self.coordinator.wait_until(lambda: self.steps(campaign) > 50, 20, "no steps")
        self.assertEqual(self.ask("pause", campaign), f"campaign {campaign} pauses\n")
        time.sleep(2.5)
        paused = self.steps(campaign)
        time.sleep(2.5)
        self.assertEqual(self.steps(campaign), paused)
        self.assertEqual(self.ask("resume", campaign), f"campaign {campaign} goes on\n")
        report = self.coordinator.report(campaign)
        self.assertEqual(report["verdict"], "passed", report)
        self.assertEqual(report["load"]["arrivals"] + report["load"]["dropped"], 400)
        self.assertLess(report["load"]["late_ms"]["max"], 1000)
        self.assertGreater(report["duration_s"], 8.5)

    def test_rooms_that_meet_pause_together(self):
        campaign = self.start('worker:barrier("all") tutti.sleep(0.01)', "-w", 12, "--room-size", 4, "-d", "3s",
                              "--sync-timeout", "2s")
        self.coordinator.wait_until(lambda: self.steps(campaign) > 50, 20, "no steps")
        self.ask("pause", campaign)
        time.sleep(4)  # longer than any wait may take
        paused = self.steps(campaign)
        self.ask("resume", campaign)
        report = self.coordinator.report(campaign)
        self.assertEqual((report["verdict"], report["steps"]["failed"]), ("passed", 0), report)
        self.assertGreater(report["steps"]["ok"], paused)

    def test_the_rate_changes_while_it_runs(self):
        campaign = self.start("tutti.sleep(0.002)", "-w", 40, "--rate", "20/s", "-d", "6s")
        self.coordinator.wait_until(lambda: self.steps(campaign) > 20, 20, "no steps")
        self.assertEqual(self.ask("rate", campaign, "200/s"), f"campaign {campaign} goes to a rate of 200/s\n")
        time.sleep(1.5)
        metrics = self.coordinator.metrics()
        of_it = lambda name: metrics[f'tutti_campaign_{name}{{campaign="{campaign}"}}']
        self.assertTrue(20 <= of_it("arrivals_total") <= 900 and of_it("dropped_total") <= 200, metrics)
        self.assertTrue(0.002 <= of_it("service_p99_seconds") <= of_it("response_p99_seconds") + 0.001, metrics)
        self.assertTrue(0 < of_it("late_p99_seconds") < 5, metrics)
        report = self.coordinator.report(campaign)
        total = report["load"]["arrivals"] + report["load"]["dropped"]
        self.assertEqual(report["verdict"], "passed", report)
        self.assertTrue(400 <= total <= 1100, report["load"])  # 20 a second for one or two seconds of six, then 200

    def test_rooms_that_are_added_take_their_part_of_the_arrivals(self):
        """And those that leave do so with no arrival of theirs left."""
        campaign = self.start('worker:barrier("all") tutti.record("room " .. worker.id // 3, 0)', "-w", 6, "--room-size", 3, "--rate", "10/s", "-d", "14s")
        self.coordinator.wait_until(lambda: self.steps(campaign) > 15, 20, "no steps")
        refused = self.tutti("scale", campaign, "-w", 8)
        self.assertEqual((refused.code, refused.out), (2, ""), refused)
        self.assertIn("only whole rooms of 3 come and go", refused.err)
        self.ask("scale", campaign, "-w", 15)
        before = self.steps(campaign)  # thirty a second, and the fifth room has some after two seconds
        self.coordinator.wait_until(lambda: self.steps(campaign) > before + 120, 20, "no steps")
        self.ask("pause", campaign)
        time.sleep(0.5)
        self.ask("resume", campaign)
        self.ask("scale", campaign, "-w", 9)
        report = self.coordinator.report(campaign)
        load, rooms = report["load"], {name: timing["count"] for name, timing in report["timings"].items()}
        self.assertEqual((report["verdict"], load["arrivals"], load["dropped"], report["steps"]["failed"]), ("passed", 140, 0, 0), report)
        self.assertEqual((sum(rooms.values()), len(rooms)), (420, 5), rooms)
        self.assertTrue(0 < rooms["room 4"] < rooms["room 2"] < rooms["room 0"], rooms)
        self.assertLess(report["waits"]["all.barrier"]["p50_ms"], 60, report)

    def test_what_cannot_be(self):
        campaign = self.start("tutti.sleep(0.01)", "-w", 3, "-d", "30s")
        self.coordinator.wait_until(lambda: self.steps(campaign) > 5, 20, "no steps")
        for words, said in ((("rate", campaign, "5"), 'rate "5"'), (("rate", campaign, "5/s"), f"campaign {campaign} has no rate"),
                            (("rate", campaign), "rate"), (("resume", campaign), f"campaign {campaign} is not paused"),
                            (("pause", 999999), "there is no campaign 999999"), (("pause",), "pause")):
            result = self.tutti(*words)
            self.assertEqual((result.code, result.out), (2, ""), result)
            self.assertIn(said, result.err)
        self.ask("pause", campaign)
        self.assertIn(f"campaign {campaign} is paused already", self.tutti("pause", campaign).err)
        self.coordinator.post(f"/v1/campaigns/{campaign}/stop")
        self.assertEqual(self.coordinator.report(campaign)["verdict"], "aborted")

    def test_an_agent_that_joins_takes_its_part(self):
        """New workers go to it, and with them its part of the arrivals: a quarter of those of the last four seconds or so."""
        campaign = self.start('tutti.record("on " .. worker.agent, 0) tutti.sleep(0.01)', "-w", 12, "--rate", "100/s", "-d", "9s", "--join")
        alone = self.start("tutti.sleep(0.01)", "-w", 3, "-d", "6s")
        self.coordinator.wait_until(lambda: self.steps(campaign) > 50, 20, "no steps")
        with Agent(self.coordinator.endpoint, "a4") as fourth:
            self.coordinator.wait_agents(4)
            self.coordinator.wait_until(lambda: len(self.coordinator.show(campaign)["agents"]) == 4, 20, "a4 takes no part")
            time.sleep(0.5)
            self.assertEqual(self.tutti("scale", campaign, "-w", 16).code, 0)
            report = self.coordinator.report(campaign)
            load, parts = report["load"], report["timings"]
            self.assertEqual((report["verdict"], load["arrivals"] + load["dropped"]), ("passed", 900), report)
            self.assertLess(load["dropped"], 30, load)
            self.assertEqual({agent["name"]: agent["workers"] for agent in report["agents"]}, {"a1": 4, "a2": 4, "a3": 4, "a4": 4})
            self.assertEqual(sum(part["count"] for part in parts.values()), load["arrivals"])
            self.assertTrue(30 <= parts["on a4"]["count"] <= 180, parts)
            self.assertEqual(len(self.coordinator.report(alone)["agents"]), 3)  # it did not say --join
            self.assertEqual(fourth.end(), 0)  # it says goodbye: no later campaign counts on it

    def test_the_part_of_a_lost_agent_is_dropped_or_taken_over(self):
        for policy in ("shrink", "replace"):
            with self.subTest(policy), Agent(self.coordinator.endpoint, "a4") as fourth:
                self.coordinator.wait_agents(4)
                campaign = self.start("tutti.sleep(0.005)", "-w", 40, "--rate", "100/s", "-d", "6s", "--on-loss", policy, "--fail", 0)
                self.coordinator.wait_until(lambda: self.steps(campaign) > 100, 20, "no steps")
                self.assertEqual(fourth.end(), 0)
                load = self.coordinator.report(campaign)["load"]
                self.assertEqual(load["arrivals"] + load["dropped"], 600, load)
                if policy == "shrink":
                    self.assertTrue(30 <= load["dropped"] <= 160, load)  # a quarter of up to four seconds: it asks before it leaves
                else:
                    self.assertLess(load["dropped"], 60, load)


class Restart(Scripts):
    def test_a_paused_plan_survives_the_coordinator(self):
        """It is killed while the campaign is paused, and again after the resume: the plan stays exact."""
        state = self.enterContext(tempfile.TemporaryDirectory())
        first = self.enterContext(Coordinator("--state", state))
        with Agent(first.endpoint, "a1"), Agent(first.endpoint, "a2"):
            first.wait_agents(2)
            env = environment(TUTTI_API=f"http://127.0.0.1:{first.port}")
            started = tutti("start", self.script("tutti.sleep(0.005)"), "--expect-agents", 2, "-w", 30, "--rate", "50/s", "-d", "4s", env=env)
            campaign = int(started.out)
            first.wait_until(lambda: first.show(campaign)["steps"]["ok"] > 30, 20, "no steps")
            self.assertEqual(tutti("pause", campaign, env=env).code, 0)
            first.end(signal.SIGKILL)
            again = ("--state", state)
            listen = {"listen": first.endpoint, "http": f"127.0.0.1:{first.port}"}
            second = self.enterContext(Coordinator(*again, **listen))
            second.wait_agents(2, 30)
            self.assertEqual(tutti("resume", campaign, env=env).code, 0)
            second.end(signal.SIGKILL)
            third = self.enterContext(Coordinator(*again, **listen))
            report = third.report(campaign)
            self.assertEqual(report["verdict"], "passed", report)
            self.assertEqual(report["load"]["arrivals"] + report["load"]["dropped"], 200, report["load"])


class HonestLatency(Scripts):
    BODY = 'http.get(tutti.target .. "/", { name = "page" })'

    def measure(self, *options):
        with StallingServer() as server:
            result = run(self.script(self.BODY), "--target", f"http://127.0.0.1:{server.port}", "-d", "10s", "--agents", "1", *options)
        self.lines = " ".join(result.out.split())
        return result.report

    def test_an_open_load_sees_the_second_in_which_the_server_stalls(self):
        """1,000 requests, 100 of which come within the stall: of these the first waits a second, the last nothing, so 10 of
        1,000 wait for longer than 0.9 s."""
        report = self.measure("-w", "150", "--rate", "100/s")
        self.assertEqual(report["load"]["dropped"], 0)
        self.assertEqual(report["requests"]["page"]["count"], 1000)
        self.assertAlmostEqual(report["requests"]["page"]["response"]["p99_ms"], 900, delta=45)
        self.assertAlmostEqual(report["load"]["request_response_ms"]["p95"], 500, delta=50)
        self.assertRegex(self.lines, r"p99 of requests: response time [89]\d\d ms \(since the intended start\), service time [89]\d\d ms")

    def test_a_closed_load_does_not(self):
        report = self.measure("-w", "1", "--delay", "9ms")
        self.assertGreater(report["requests"]["page"]["count"], 300)
        self.assertLess(report["requests"]["page"]["p99_ms"], 100)
        self.assertNotIn("response", report["requests"]["page"])
        self.assertNotIn("response time", self.lines)

    def test_a_pace_shows_both(self):
        """One user who is to ask each 10 ms: the requests that it could not make in time are late, and the server was slow once."""
        report = self.measure("-w", "1", "--pacing", "10ms")
        page = report["requests"]["page"]
        self.assertAlmostEqual(page["response"]["p99_ms"], 900, delta=60)
        self.assertLess(page["p99_ms"], 100)
        self.assertRegex(self.lines, r"p99 of requests: response time [89]\d\d ms \(since the intended start\), service time [\d.]+ ms")


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
