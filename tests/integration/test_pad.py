"""The scene that tutti exists for: correct, large, as published, and its report."""
import os
import unittest

from support import run

# ThreadSanitizer takes a worker that waits in the middle of a C function for a call that never returns, and uses more and more memory.
STEPS = 4 if os.environ.get("SANITIZER") == "thread" else 20


class Pad(unittest.TestCase):
    def test_five_workers_a_hundred_rounds(self):
        result = run("pad", "-w", 5, "-r", 100, "--agents", 2)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.verdict, "passed")
        self.assertEqual((result.steps["ok"], result.steps["failed"], result.steps["stopped"]), (500, 0, 0), result)

    def test_a_hundred_rooms_on_four_agents(self):
        result = run("pad", "-w", 500, "-r", STEPS, "--room-size", 5, "--agents", 4, timeout=150)
        self.assertEqual(result.code, 0, result)
        self.assertEqual((result.steps["ok"], result.steps["failed"]), (500 * STEPS, 0), result)
        self.assertEqual([agent["workers"] for agent in result.report["agents"]], [125] * 4)

    def test_several_threads_in_each_agent(self):
        result = run("pad", "-w", 50, "-r", 20, "--room-size", 5, "--agents", 2, "--shards", 3)
        self.assertEqual((result.code, result.steps["ok"], result.steps["failed"]), (0, 1000, 0), result)

    def test_report(self):
        report = run("pad", "-w", 5, "-r", 10, "--agents", 2).report
        for key in ("campaign", "verdict", "reason", "workers", "agents", "started_at", "duration_s", "steps", "errors",
                    "requests", "waits", "release_spread_ms"):
            self.assertIn(key, report)
        self.assertEqual(report["workers"], 5)
        self.assertEqual({"name", "pid", "host", "labels", "workers", "state", "clock", "cpu", "memory_bytes", "loop_lag_ms"}, set(report["agents"][0]))
        self.assertEqual([agent["name"] for agent in report["agents"]], ["agent-1", "agent-2"])
        self.assertEqual(sum(agent["workers"] for agent in report["agents"]), 5)
        waits = report["waits"]["pad.wait_for_writer"]
        self.assertEqual((waits["kind"], waits["count"], waits["ok"]), ("wait_for_writer", 40, 40))
        self.assertEqual(report["waits"]["pad.wait_for_readers"]["ok"], 9)
        requests = report["requests"]
        self.assertEqual(sum(request["count"] for request in requests.values()), 50)
        for request in requests.values():
            self.assertEqual(request["failed"], 0)
            self.assertLessEqual(request["p50_ms"], request["p99_ms"])
            self.assertLessEqual(request["p99_ms"], request["max_ms"])
        self.assertEqual(report["errors"], [])


class AsPublished(unittest.TestCase):
    def test_the_deadlock_is_found_and_told(self):
        result = run("pad-as-published", "-w", 5, "-r", 3)
        self.assertEqual(result.code, 1, result)
        self.assertEqual(result.verdict, "deadlocked")
        self.assertLess(result.report["duration_s"], 2, "found within a second, ended within two")
        told = result.err
        self.assertRegex(told, r"worker 4 waits for the\s+readers of notifier@2")
        self.assertRegex(told, r"workers 0.3 wait for the\s+writer of notifier@2")
        self.assertEqual((result.steps["ok"], result.steps["failed"]), (5, 5), result)

    def test_on_deadlock_fail_runs_all_its_steps(self):
        result = run("pad-as-published", "-w", 5, "-r", 10, "--on-deadlock", "fail")
        self.assertEqual(result.code, 1, result)
        self.assertEqual(result.verdict, "deadlocked")
        self.assertEqual(result.steps["ok"] + result.steps["failed"], 50, result)
        self.assertEqual(result.steps["stopped"], 0)


if __name__ == "__main__":
    unittest.main()
