"""What agents report about themselves, clocks that differ, and agents that could not keep up."""
import collections
import re
import subprocess
import time
import unittest

from daemon import Agent, Coordinator
from support import TUTTI, environment, run
from threaded_server import HttpServer

OFF_S = 3


def off(seconds):
    """A process in its own time namespace, with its clocks ahead or behind."""
    return ("unshare", "--time", "--monotonic", str(seconds), "--boottime", str(seconds), "--fork", "--kill-child=KILL")


def has_time_namespaces():
    return subprocess.run([*off(-OFF_S), "true"], stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


class Gauges(unittest.TestCase):
    def test_agents_tell_how_they_are(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"), Agent(coordinator.endpoint, "a2", "--shards", "3"):
            coordinator.wait_agents(2)

            def told():
                agents = coordinator.get("/v1/agents").json["agents"]
                return agents if all(agent["gauges"] and agent["gauges"]["clock"] for agent in agents) else None
            coordinator.wait_until(told, 20, "no gauges")
            agents = {agent["name"]: agent["gauges"] for agent in told()}
            self.assertEqual((len(agents["a1"]["loops"]), len(agents["a2"]["loops"])), (1, 3))
            for gauges in agents.values():
                self.assertGreater(gauges["memory_bytes"], 1 << 20)
                self.assertLess(abs(gauges["clock"]["offset_ms"]), 5 + gauges["clock"]["uncertainty_ms"])
                self.assertGreater(gauges["clock"]["uncertainty_ms"], 0)
            shown = subprocess.run([TUTTI, "agents", "--wide", "--api", f"http://{coordinator.host}:{coordinator.port}"],
                                   capture_output=True, text=True, check=True, env=environment()).stdout
            self.assertRegex(shown.splitlines()[0], r"host +version +pid +state")
            self.assertRegex(shown.splitlines()[0], r"cpu +host cpu +resident +lag +clock")
            self.assertRegex(shown, r"a1 .* \d+ % +\d+ % +\d+ MiB .* ± ")
            metrics = coordinator.metrics()
            self.assertGreater(metrics['tutti_agent_resident_memory_bytes{agent="a2"}'], 1 << 20)
            self.assertIn('tutti_agent_link_backlog{agent="a1"}', metrics)

    def test_a_report_says_how_they_were_however_short_it_was(self):
        result = run("quick", "-w", "4", "-r", "2")
        self.assertEqual(result.code, 0, result)
        for agent in result.report["agents"]:
            self.assertGreater(agent["memory_bytes"], 1 << 20)
            self.assertGreaterEqual(agent["loop_lag_ms"]["max"], agent["loop_lag_ms"]["p99"])
            self.assertGreater(agent["cpu"], 0)
            self.assertGreater(agent["clock"]["uncertainty_ms"], 0)
        self.assertEqual(result.report["bottlenecks"], [])
        self.assertLess(result.report["start_spread_ms"], 1000)
        self.assertGreater(result.report["clock_uncertainty_ms"], 0)
        self.assertRegex(result.out, r"cpu [\d.]+ %, \d+ MiB, loop lag p99 \S+ \S+, max \S+ \S+,\s+clock [+−]\S+ \S+ ± ")

    def test_an_agent_that_cannot_keep_up_is_named(self):
        result = run("blocks", "-w", "2", "-d", "12s", "--agents", "2", timeout=60)
        self.assertEqual([bottleneck["agent"] for bottleneck in result.report["bottlenecks"]], ["agent-1"], result)
        bottleneck = result.report["bottlenecks"][0]
        self.assertGreater(bottleneck["duration_s"], 4.9)
        self.assertGreater(bottleneck["loop_lag_ms"]["max"], 50)
        self.assertEqual(len(re.findall(r"agent agent-1 was the bottleneck for \S+ s: its loop was busy \d+ % of the time and came round up to "
                                        r"\S+ m?s late; use ", " ".join(result.out.split()))), 1, result.out)


class Metrics(unittest.TestCase):
    """The requirements of promtool's linter, and of a scraper."""

    def families(self, text):
        families, current = {}, None
        for line in text.splitlines():
            if line.startswith("# HELP "):
                name, _, words = line[7:].partition(" ")
                self.assertNotIn(name, families, "a family stands together")
                families[name] = {"help": words, "samples": []}
                current = name
            elif line.startswith("# TYPE "):
                name, _, kind = line[7:].partition(" ")
                self.assertEqual(name, current, "TYPE follows HELP")
                self.assertEqual(families[name]["samples"], [], "TYPE stands before the samples")
                families[name]["type"] = kind
            else:
                found = re.fullmatch(r'([a-z][a-z0-9_]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)', line)
                self.assertIsNotNone(found, line)
                ends = ("_bucket", "_sum", "_count") if families[current]["type"] == "histogram" else ("",)
                self.assertIn(found.group(1), [current + end for end in ends], "a sample stands with its family")
                float(found.group(3))
                families[current]["samples"].append(found.group(1)[len(current):] + (found.group(2) or ""))
        return families

    def test_they_are_as_prometheus_wants_them(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, 'a "1" \\ä'), Agent(coordinator.endpoint, "a2"):
            coordinator.wait_agents(2)
            number = coordinator.create("slow-steps", 2, workers=4, runs=100000)
            coordinator.wait_state(number, "running")
            coordinator.wait_until(lambda: "tutti_agent_cpu_cores{" in str(coordinator.metrics()), 20, "no gauges")
            answer = coordinator.get("/metrics")
            coordinator.post(f"/v1/campaigns/{number}/stop", {"at_once": True})
        self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        families = self.families(answer.body.decode())
        for name, family in families.items():
            with self.subTest(name):
                self.assertTrue(family["help"].endswith("."), family)
                self.assertIn(family["type"], ("gauge", "counter", "histogram"))
                self.assertEqual(name.endswith("_total"), family["type"] == "counter", "counters, and only those, end with _total")
                self.assertNotRegex(name, r"_(count|sum|bucket|ms|us|ns|milliseconds|kb|mb|percent|gauge|counter)(_|$)", "base units, and no reserved ends")
                self.assertEqual(len(family["samples"]), len(set(family["samples"])), "each series once")
        self.assertEqual(len(families["tutti_agent_link_backlog"]["samples"]), 2)
        self.assertIn('{agent="a \\"1\\" \\\\ä"}', families["tutti_agent_link_backlog"]["samples"])
        self.assertEqual({sample[7:-2] for sample in families["tutti_refusals_total"]["samples"]},
                         {"stranger", "handshake", "full", "cut", "revoked", "foreign", "second", "frame", "large"})


class Witness(HttpServer):
    """Records when each path was requested."""

    def __init__(self):
        self.arrivals = collections.defaultdict(list)
        super().__init__(self.answer)

    def answer(self, path):
        self.arrivals[path].append(time.monotonic())
        return b""


@unittest.skipUnless(has_time_namespaces(), "no time namespaces here: an agent's clock cannot be put wrong")
class Clocks(unittest.TestCase):
    def test_a_clock_that_is_off_by_3_s_does_not_matter(self):
        with Witness() as witness, Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"), \
                Agent(coordinator.endpoint, "a2", prefix=off(OFF_S)), Agent(coordinator.endpoint, "a3", prefix=off(-OFF_S)):
            coordinator.wait_agents(3)
            report = coordinator.report(coordinator.create("at-once", 3, workers=10, runs=5, target=witness.address))
        self.assertEqual((report["verdict"], report["steps"]["ok"]), ("passed", 50), report)
        offsets = {agent["name"]: agent["clock"]["offset_ms"] for agent in report["agents"]}
        self.assertLess(abs(offsets["a1"]), 50)
        self.assertLess(abs(offsets["a2"] - OFF_S * 1000), 50)
        self.assertLess(abs(offsets["a3"] + OFF_S * 1000), 50)
        self.assertLess(report["start_spread_ms"], 500)
        self.assertEqual(set(witness.arrivals), {"/start", *(f"/released/{step}" for step in range(1, 6))})
        for path, arrivals in witness.arrivals.items():
            self.assertEqual(len(arrivals), 10, path)
            self.assertLess(max(arrivals) - min(arrivals), 1, path)
        self.assertLess(report["release_spread_ms"]["max"], 500)


if __name__ == "__main__":
    unittest.main()
