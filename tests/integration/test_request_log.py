"""The log of requests: a line of JSON for each, as many as the report counts; shares of them; full disks."""
import collections
import json
import pathlib
import tempfile
import unittest

from daemon import Agent, Coordinator
from support import environment, run, tutti, wait_until

FIELDS = {"time", "agent", "campaign", "worker", "scenario", "step", "method", "name", "url", "status", "ok", "kind", "ms", "phases_ms",
          "bytes_in", "bytes_out"}


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class RequestLog(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.log = self.folder / "requests.jsonl"

    def run_logged(self, *options, runs=3, **more):
        result = run("logs", "-w", 2, "-r", runs, "--target", "builtin", "--fail", 0, "--log", self.log, *options, **more)
        self.assertEqual(result.code, 0, result)
        return result

    def test_each_request_has_its_line(self):
        self.log.write_text("of an earlier run\n")
        result = self.run_logged("--http-engine", "native")
        lines = read(self.log)
        counted = {name: (request["count"], request["failed"]) for name, request in result.report["requests"].items()}
        logged = collections.Counter(line["name"] for line in lines)
        failed = collections.Counter(line["name"] for line in lines if not line["ok"])
        self.assertEqual({name: (count, failed[name]) for name, count in logged.items()}, counted)
        self.assertEqual(len({line["agent"] for line in lines}), 2)
        for line in lines:
            self.assertEqual(FIELDS - set(line), set())
            self.assertRegex(line["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
            self.assertEqual(line["campaign"], 1)
            self.assertNotIn("body", line)
            if line["ok"]:
                self.assertEqual((line["status"], line["kind"]), (200, None))
                self.assertAlmostEqual(sum(line["phases_ms"].values()), line["ms"], delta=0.01)
        by_name = {line["name"]: line for line in lines}
        self.assertIsNone(by_name["global"]["worker"])
        self.assertIsNone(by_name["setup"]["scenario"])
        page = by_name['front "page"']
        self.assertEqual((page["scenario"], page["method"], page["step"]), ("visit", "GET", 3))
        self.assertTrue(page["url"].endswith('/?q=ä"') or page["url"].endswith("/?q=%C3%A4%22"), page["url"])
        post = by_name["POST /nowhere"]
        self.assertEqual((post["method"], post["status"], post["kind"], post["bytes_out"]), ("POST", 404, "status", 4))
        refused = by_name["refused"]
        self.assertEqual((refused["status"], refused["kind"]), (None, "refused"))
        self.assertIn("Connection refused", refused["error"])
        steps = collections.Counter((line["worker"], line["step"]) for line in lines if line["scenario"])
        self.assertEqual(steps, {(worker, step): 5 for worker in (0, 1) for step in (1, 2, 3)})

    def test_the_other_engine_logs_the_same(self):
        self.run_logged("--http-engine", "curl")
        logged = collections.Counter((line["name"], line["ok"], line["status"]) for line in read(self.log))
        self.assertEqual(logged[("POST /nowhere", False, 404)], 6)
        self.assertEqual(logged[("refused", False, None)], 6)
        self.assertEqual(logged[('front "page"', True, 200)], 6)

    def test_bodies_of_failures_on_demand(self):
        self.run_logged("--log-bodies", 5)
        for line in read(self.log):
            self.assertEqual(line.get("body"), "not f" if line["status"] == 404 else None, line)

    def test_a_share_of_what_succeeds_and_all_that_fails(self):
        chosen = []
        for seed in (7, 7, 8):
            self.run_logged("--sample", "10%", "--seed", seed, runs=150)
            lines = read(self.log)
            self.assertEqual(sum(not line["ok"] for line in lines), 2 * 150 * 2)
            chosen.append([(line["worker"], line["step"], line["name"]) for line in sorted(lines, key=lambda line: (line["worker"] or 0, line["time"]))
                           if line["ok"] and line["worker"] is not None])
            # 902 succeed: 90 ± 9 are expected.
            self.assertGreater(len(chosen[-1]), 55)
            self.assertLess(len(chosen[-1]), 130)
        self.assertEqual(sorted(chosen[0]), sorted(chosen[1]), "the same seed chooses the same")
        self.assertNotEqual(sorted(chosen[0]), sorted(chosen[2]))
        self.run_logged("--sample", "0%")
        self.assertTrue(all(not line["ok"] for line in read(self.log)))

    def test_a_full_disk_is_said_and_the_load_goes_on(self):
        self.log = pathlib.Path("/dev/full")
        result = self.run_logged(runs=20)
        self.assertEqual(result.report["verdict"], "passed")
        self.assertEqual(result.steps["ok"], 40)
        self.assertRegex(result.err, r"agent-1: /dev/full: \d+ lines were not written: No space left on device")

    def test_what_cannot_be_opened_starts_nothing(self):
        for path, words in ((self.folder / "none" / "log", "No such file"), (self.folder, "s a directory"), ("-", "give it a file")):
            result = tutti("run", self.script(), "--log", path)
            self.assertEqual((result.code, result.out), (2, ""), result)
            self.assertEqual(len(result.err.splitlines()), 1, result)
            self.assertIn("--log: ", result.err)
            self.assertIn(words, result.err)
        for option, value in (("--sample", "x"), ("--sample", "101%"), ("--sample", "-1%"), ("--log-bodies", "-1"), ("--log-bodies", "1g")):
            result = tutti("run", self.script(), "--log", self.log, option, value)
            self.assertEqual(result.code, 2, result)
            self.assertIn(option, result.err)
        self.assertFalse(self.log.exists())

    def script(self):
        path = self.folder / "nothing.lua"
        path.write_text("local tutti = require 'tutti'\ntutti.scenario('nothing', function() end)\n")
        return path

    def test_an_agent_of_a_coordinator_logs_what_it_does_itself(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1", "--log-requests", self.log, "--sample", "100%"), \
                Agent(coordinator.endpoint, "a2"):
            coordinator.wait_agents(2)
            target = f"http://127.0.0.1:{coordinator.port}"
            for _ in range(2):
                campaign = coordinator.create("get", 2, workers=2, runs=3, target=target + "/healthz")
                self.assertEqual(coordinator.report(campaign)["verdict"], "passed")
            wait_until(lambda: len(read(self.log)) >= 6, 20, "all are written")
        lines = read(self.log)
        self.assertEqual(collections.Counter((line["campaign"], line["agent"]) for line in lines), {(1, "a1"): 3, (2, "a1"): 3})

    def test_an_agent_without_its_log_does_not_start(self):
        result = tutti("agent", "--coordinator", "tcp://127.0.0.1:1", "--log-requests", self.folder / "none" / "log", env=environment())
        self.assertEqual(result.code, 2, result)
        self.assertIn("--log-requests: ", result.err)


if __name__ == "__main__":
    unittest.main()
