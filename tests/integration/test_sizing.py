"""--sizing: how many workers a target takes."""
import re
import unittest

from daemon import Agent, Coordinator
from support import environment, run, tutti
from test_params import HEAD, Params

# From the 41st worker on, steps fail; how many of them is arithmetic.
SMALL = HEAD + """
tutti.scenario("s", function(worker)
  tutti.sleep(0.01)
  assert(worker.id < 40)
end)
"""
# With more than 20 workers each request takes long.
SLOW = HEAD + """
local http = require "tutti.http"
tutti.scenario("s", function(worker) http.get(tutti.target .. "/delay/" .. (worker.count > 20 and 300 or 1)) end)
"""


class Sizing(Params):
    def found(self, text, *options):
        result = run(self.script(text), "--sizing", "--sizing-window", "1s", *options, timeout=150)
        self.assertEqual(result.code, 0, result)
        return result, result.report["sizing"]

    def test_it_finds_where_steps_begin_to_fail(self):
        result, sizing = self.found(SMALL, "-w", 200)
        # 5 % of the steps fail with 42 workers: 2 of 42 are 4.8 %, 3 of 43 are 7 %.
        self.assertEqual(sizing["state"], "found")
        self.assertIn(sizing["workers"], range(40, 43), result)
        self.assertIn(sizing["too_many"], range(43, 46), result)
        self.assertGreater(sizing["failed_percent"], 5)
        self.assertRegex(result.out, rf"\n  sizing  {sizing['workers']} workers; with {sizing['too_many']}, [0-9.]+ % of the steps failed\n")

    def test_a_tolerance_and_a_time_are_kept(self):
        _, sizing = self.found(SMALL, "-w", 200, "--sizing-tolerance", 50)
        self.assertIn(sizing["workers"], range(72, 85))  # 40 of 80 fail
        result, sizing = self.found(SLOW, "-w", 40, "--target", "builtin", "--sizing-latency", "200ms")
        self.assertIn(sizing["workers"], range(19, 21), result)
        self.assertGreater(sizing["p95_ms"], 200)
        self.assertRegex(result.out, r", and p95 was \d+ ms\n")

    def test_a_target_that_takes_all_and_one_that_takes_none(self):
        result, sizing = self.found(SMALL, "-w", 6)
        self.assertEqual((sizing["state"], sizing["workers"], sizing["too_many"]), ("all", 6, 0))
        self.assertIn("sizing  at least 6 workers\n", result.out)
        result = run(self.script(HEAD + "tutti.scenario('s', function() tutti.sleep(0.005) error('no') end)\n"), "--sizing", "--sizing-window", "1s")
        self.assertEqual((result.code, result.report["sizing"]["state"], result.report["sizing"]["workers"]), (1, "none", 0), result)
        self.assertIn("sizing: 1 worker is too many", result.report["reason"])

    def test_a_duration_bounds_it(self):
        result = run(self.script(SMALL), "--sizing", "-d", "3s", "--fail", 0)
        self.assertEqual((result.code, result.report["sizing"]["state"]), (0, "searching"), result)
        self.assertIn("sizing  not finished: ", result.out)

    def test_it_is_over_all_agents_of_a_coordinator(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"), Agent(coordinator.endpoint, "a2"):
            env = environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}")
            result = tutti("start", self.script(SMALL), "--sizing", "--sizing-window", "1s", "-w", 200, "--expect-agents", 2, "--wait", env=env, timeout=150)
            self.assertEqual(result.code, 0, result)
            self.assertIn(int(re.search(r"sizing  (\d+) workers; with", result.out).group(1)), range(40, 43), result)
            report = coordinator.report(1)
            self.assertEqual(sorted(agent["workers"] > 10 for agent in report["agents"]), [True, True])

    def test_what_does_not_go_with_it_is_refused(self):
        path = self.script(SMALL)
        for options, words in ((("-r", 5), "runs"), (("--stages", "1s:5"), "stages"), (("--rate", "5/s", "-d", "5s"), "rate"), (("--single-run",), "single_run"),
                               (("--sizing-tolerance", "101"), "--sizing-tolerance"), (("--sizing-latency", "soon"), "--sizing-latency"),
                               (("--sizing-window", "10ms"), "too short"), (("-w", 7, "--room-size", 2), "whole rooms of 2")):
            with self.subTest(words):
                self.refused("run", path, "--sizing", *options, says=words)


if __name__ == "__main__":
    unittest.main()
