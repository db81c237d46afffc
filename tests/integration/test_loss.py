"""An agent dies in the middle of a run: the policy decides, and nothing hangs."""
import collections
import os
import re
import signal
import time
import unittest

from support import Run, children_of, is_alive, wait_until


def kill_an_agent(process):
    process.read_until("in step 3")
    victim = children_of(process.pid)[0]
    os.kill(victim, signal.SIGKILL)
    return victim


class Loss(unittest.TestCase):
    def run_with(self, policy):
        with Run("slow-steps", "-w", 8, "-r", 40, "--agents", 2, "--on-loss", policy) as process:
            victim = kill_an_agent(process)
            result = process.finish(40)
        self.assertIn("signal 9", result.err, result)
        states = {agent["pid"]: agent["state"] for agent in result.report["agents"]}
        self.assertEqual(states[victim], "lost", result)
        return result

    def test_shrink(self):
        result = self.run_with("shrink")
        self.assertEqual((result.code, result.verdict), (3, "degraded"), result)
        self.assertGreaterEqual(result.steps["ok"], 4 * 40, "those who stay do all their steps")
        self.assertLess(result.steps["ok"], 8 * 40)

    def test_replace(self):
        result = self.run_with("replace")
        self.assertEqual((result.code, result.verdict), (3, "degraded"), result)
        survivor = next(agent["name"] for agent in result.report["agents"] if agent["state"] != "lost")
        for worker in range(8):
            self.assertIn(f"worker {worker} on {survivor} in step 40", result.out, f"worker {worker} goes on")
        begun = self.begun(result)
        self.assertEqual({step: times for step, times in begun.items() if times > 1}, {}, "steps begun twice")
        self.assertGreater(result.steps["lost"], 0)
        self.assertEqual(sum(result.steps[how] for how in ("ok", "failed", "stopped", "lost")), 8 * 40, "each step is in the report")
        self.assertIn(f"{result.steps['lost']} lost", result.out)

    def begun(self, result):
        return collections.Counter(re.findall(r"worker (\d+) on \S+ in step (\d+)", result.out))

    def test_replace_again(self):
        result = self.run_with("replace=again")
        self.assertEqual((result.code, result.verdict), (3, "degraded"), result)
        begun = self.begun(result)
        self.assertEqual({step for _, step in begun}, {str(step) for step in range(1, 41)}, "no step is left out")
        self.assertLessEqual(max(begun.values()), 2)
        self.assertEqual(result.steps["ok"] + result.steps["lost"], 8 * 40, result)

    def test_fail(self):
        result = self.run_with("fail")
        self.assertEqual((result.code, result.verdict), (1, "failed"), result)
        self.assertLess(result.report["duration_s"], 15)

    def test_all_agents(self):
        with Run("slow-steps", "-w", 8, "-r", 40, "--agents", 2) as process:
            process.read_until("in step 2")
            for child in children_of(process.pid):
                os.kill(child, signal.SIGKILL)
            result = process.finish(40)
        self.assertIn(result.code, (1, 3), result)
        self.assertNotEqual(result.verdict, "passed")


class Writer(unittest.TestCase):
    """The steps of readers that nobody is left to write for fail; where the policy allows the loss, that is no failure."""

    def run_with(self, policy, *options):
        with Run("writer-lost", "-w", 4, "-r", 12, "--agents", 2, "--on-loss", policy, *options) as process:
            process.read_until("write in step 3")
            os.kill(children_of(process.pid)[0], signal.SIGKILL)
            result = process.finish(40)
        self.assertGreater(result.steps["failed_by_loss"], 0, result)
        self.assertIn(f"({result.steps['failed_by_loss']} by a loss)", result.out)
        return result

    def test_shrink(self):
        result = self.run_with("shrink")
        self.assertEqual((result.code, result.verdict), (3, "degraded"), result)
        self.assertEqual(result.steps["failed"], result.steps["failed_by_loss"], result)
        self.assertEqual(result.steps["failed"], 2 * 10, "two readers are left, from the third step on")

    def test_replace(self):
        result = self.run_with("replace")
        self.assertEqual((result.code, result.verdict), (3, "degraded"), result)
        self.assertEqual(result.steps["failed"], result.steps["failed_by_loss"], result)
        self.assertLessEqual(result.steps["failed"], 3, "one round")
        self.assertGreaterEqual(result.steps["ok"], 4 * 10)

    def test_the_first_failure(self):
        result = self.run_with("shrink", "-x")
        self.assertEqual((result.code, result.verdict), (1, "failed"), "--exception stops at the first failure, whatever it came from")


class Frozen(unittest.TestCase):
    def test_an_agent_that_freezes_is_lost_after_a_while(self):
        with Run("slow-steps", "-w", 8, "-r", 10, "--agents", 2) as process:
            process.read_until("in step 3")
            os.kill(children_of(process.pid)[0], signal.SIGSTOP)
            result = process.finish(50)
        self.assertEqual((result.code, result.verdict), (3, "degraded"), result)
        self.assertIn("agent-1 is lost", result.err)
        self.assertEqual(result.steps["failed"], 0, result)

    def test_one_that_thaws_in_time_goes_on(self):
        with Run("slow-steps", "-w", 8, "-r", 10, "--agents", 2) as process:
            process.read_until("in step 3")
            victim = children_of(process.pid)[0]
            os.kill(victim, signal.SIGSTOP)
            time.sleep(2)
            os.kill(victim, signal.SIGCONT)
            result = process.finish(50)
        self.assertEqual((result.code, result.steps["ok"]), (0, 80), result)


class Parent(unittest.TestCase):
    def test_agents_die_with_it(self):
        with Run("slow-steps", "-w", 8, "-r", 4000, "--agents", 3) as process:
            process.read_until("in step 2")
            agents = children_of(process.pid)
            self.assertEqual(len(agents), 3)
            os.kill(process.pid, signal.SIGKILL)
            wait_until(lambda: not any(map(is_alive, agents)), 10, "agents outlive their parent")


if __name__ == "__main__":
    unittest.main()
