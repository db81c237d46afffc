"""Tasks of workers on two agents: deadlocks, failures, many at once, a stop and the death of an agent in their midst."""
import os
import signal
import time
import unittest

from support import Run, run


def play(scenario, *options):
    return run("tasks", "--target", "builtin", "--agents", 2, "-s", scenario, *options)


class Tasks(unittest.TestCase):
    def test_a_worker_whose_task_moves_is_not_stuck(self):
        result = play("helps itself", "-w", 3, "-r", 2)
        self.assertEqual((result.code, result.verdict, result.steps["ok"]), (0, "passed", 6), result)

    def test_a_deadlock_is_found_when_the_last_task_waits(self):
        result = play("stuck", "-w", 3, "-r", 1)
        self.assertEqual((result.code, result.verdict), (1, "deadlocked"), result)
        self.assertLess(result.report["duration_s"], 3, result)

    def test_an_error_that_nobody_takes_fails_the_step_with_its_own_traceback(self):
        result = play("fails", "-w", 2, "-r", 2, "--fail", "100%", "-v")
        self.assertEqual((result.steps["ok"], result.steps["failed"]), (0, 4), result)
        self.assertIn("in a task: tasks.lua:26: what the task says", str(result.report["errors"]))
        self.assertIn("tasks.lua:26: in function <tasks.lua:26>", result.err)

    def test_many_at_once(self):
        result = play("busy", "-w", 10, "-r", 3)
        self.assertEqual((result.code, result.steps["ok"]), (0, 30), result)
        self.assertEqual(sum(request["count"] for request in result.report["requests"].values()), 30 * 40, result)

    def test_a_duration_ends_them_all(self):
        result = play("busy", "-w", 4, "-d", 1)
        self.assertEqual((result.code, result.steps["failed"]), (0, 0), result)
        self.assertGreater(result.steps["ok"], 4, result)
        self.assertLess(result.report["duration_s"], 10, result)

    def test_an_interrupt_ends_them_all(self):
        with Run("tasks", "--target", "builtin", "--agents", 2, "-s", "for ever", "-w", 4, "-r", 1) as process:
            time.sleep(1)
            os.kill(process.pid, signal.SIGINT)
            result = process.finish(20)
            self.assertEqual(result.verdict, "aborted", result)


if __name__ == "__main__":
    unittest.main()
