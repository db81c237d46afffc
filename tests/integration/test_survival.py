"""Campaigns outlive the coordinator: kill -9 at any instant, another one goes on where it was."""
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from daemon import Agent, Coordinator, Events
from support import TUTTI, Process, environment, script, tutti, wait_until

BACK_MS = 15000  # under the sanitizers, on a busy machine


class Restarted(unittest.TestCase):
    """A coordinator with a folder that outlives it, and agents that find the next one at the same address."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.state = pathlib.Path(self.folder) / "state"
        self.options = ["--state", self.state]
        self.more = {}
        self.coordinator = None
        self.addCleanup(self.end)

    def end(self):
        if self.coordinator is not None:
            self.coordinator.__exit__()
            self.coordinator = None

    def start(self, *options, **more):
        where = {}
        if self.coordinator is not None:
            where = {"listen": self.coordinator.endpoint, "http": f"127.0.0.1:{self.coordinator.port}"}
            self.end()
        self.coordinator = Coordinator(*self.options, *options, **where, **self.more, **more)
        self.env = environment(TUTTI_API=f"http://127.0.0.1:{self.coordinator.port}")
        return self.coordinator

    def start_agents(self, *options):
        names = ("a1", "a2", "a3")
        self.agents = [self.enterContext(Agent(self.coordinator.endpoint, name, *self.key_of(name), *options)) for name in names]
        self.coordinator.wait_agents(3)

    def key_of(self, _):
        return []

    def kill(self):
        self.coordinator.process.send_signal(signal.SIGKILL)
        self.coordinator.process.wait()

    def target(self):
        return self.enterContext(Process("target", "--port", 0)).read_until("http://").strip()

    def tutti(self, *arguments, **more):
        return tutti(*arguments, env=self.env, **more)

    def campaign(self, name, *options):
        return Process("start", script(name), "--wait", "--json", f"{self.folder}/report.json", *options, env=self.env)

    def report(self):
        with open(f"{self.folder}/report.json") as file:
            return json.load(file)


class Pad(Restarted):
    WORKERS, RUNS = 25, 150

    def check(self, result):
        self.assertEqual(result.code, 0, f"{result}\n{self.coordinator.log}")
        report = self.report()
        steps = self.WORKERS * self.RUNS
        self.assertEqual([report["steps"][how] for how in ("ok", "failed", "stopped")], [steps, 0, 0])
        self.assertEqual(report["requests"]["read the pad"]["count"], steps * 4 // 5)
        self.assertEqual(report["requests"]["write the pad"]["count"], steps // 5)
        waits = report["waits"]
        self.assertEqual((waits["pad.wait_for_writer"]["count"], waits["pad.wait_for_writer"]["ok"]), (steps * 4 // 5,) * 2)
        rounds = self.WORKERS // 5 * (self.RUNS - 1)
        self.assertEqual((waits["pad.wait_for_readers"]["count"], waits["pad.wait_for_readers"]["ok"]), (rounds,) * 2)
        self.assertEqual((report["verdict"], report["errors"]), ("passed", []))

    def play(self, seed, kills):
        dice = random.Random(seed)
        with self.campaign("pad", "-w", self.WORKERS, "-r", self.RUNS, "--room-size", 5, "--expect-agents", 3,
                           "--target", self.target()) as start:
            start.read_until("campaign 1")
            died = 0
            while start.process.poll() is None and died < kills:
                try:
                    start.process.wait(dice.choice((0.0, 0.05, 0.15, 0.3, 0.6)) * dice.random())
                    break
                except subprocess.TimeoutExpired:
                    pass
                self.kill()
                died += 1
                if dice.random() < 0.2:
                    time.sleep(dice.random() * 2)
                self.start()
            result = start.finish()
        print('died', died, result.seconds, self.report()['steps'])
        self.assertGreater(died, 2)
        self.check(result)

    def test_killed_at_many_instants(self):
        self.start()
        self.start_agents()
        self.play(1, 25)


if __name__ == "__main__":
    unittest.main()
