"""Everything is stopped at once, as `compose down` and Ctrl-C do: teardown runs, all is counted, whatever the order."""
import json
import pathlib
import signal
import tempfile
import time
import unittest

from daemon import Agent, Coordinator, Logged
from support import Process

WORKERS = 6


class Loud(Logged):
    """An agent that shows what its scripts print."""

    def __init__(self, endpoint, name):
        super().__init__("agent", "--coordinator", endpoint, "--name", name, "--shards", "1")


class Ending(unittest.TestCase):
    def setUp(self):
        self.state = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.coordinator = self.enterContext(Coordinator("--state", self.state))
        self.target = self.enterContext(Process("target", "--port", 0))
        url = self.target.read_until("http://").strip()
        self.agents = [self.enterContext(Loud(self.coordinator.endpoint, name)) for name in ("a1", "a2", "a3")]
        self.coordinator.wait_agents(3)
        self.campaign = self.coordinator.create("torn-down", 3, workers=WORKERS, runs=1000000, target=url[url.index("http://"):])
        self.coordinator.wait_until(lambda: self.coordinator.show(self.campaign)["steps"]["ok"] > 60, 20, "no steps")

    def stop(self, *processes):
        for process in processes:
            process.process.send_signal(signal.SIGTERM)

    def ended(self, process, seconds=10):
        self.assertEqual(process.process.wait(seconds), 0, getattr(process, "log", ""))

    def report(self):
        """What the coordinator has left: it was stopped too."""
        return json.loads((self.state / "reports" / f"{self.campaign}.json").read_text())["report"]

    def torn_down(self):
        for agent in self.agents:
            agent.reader.join(5)
        texts = [line for agent in self.agents for line in (agent.process.stdout.read() + agent.log).splitlines() if "torn down: " in line]
        return sorted(line.rpartition("torn down: ")[2] for line in texts)

    def assert_orderly(self, report):
        self.assertEqual(self.torn_down(), ["the campaign"] + [f"worker {i}" for i in range(WORKERS)])
        self.assertEqual(report["verdict"], "aborted")
        self.assertEqual([agent["state"] for agent in report["agents"]], ["finished"] * 3, report)
        self.assertEqual(report["steps"]["lost"], 0)
        self.assertEqual(report["steps"]["failed"], 0)
        self.assertIn(report["steps"]["stopped"], range(1, WORKERS + 1))

    def test_all_at_once(self):
        self.stop(*self.agents, self.coordinator)
        began = time.monotonic()
        for process in (*self.agents, self.coordinator):
            self.ended(process)
        self.assertLess(time.monotonic() - began, 5)
        self.assert_orderly(self.report())

    def test_coordinator_first(self):
        self.stop(self.coordinator)
        time.sleep(0.2)
        self.stop(*self.agents)
        for process in (*self.agents, self.coordinator):
            self.ended(process)
        report = self.report()
        self.assert_orderly(report)
        self.assertEqual(report["reason"], "the coordinator was shut down")

    def test_agents_first(self):
        """As compose does: the coordinator only when they have gone."""
        self.stop(*self.agents)
        for agent in self.agents:
            self.ended(agent)
        report = self.coordinator.report(self.campaign)
        self.assertEqual(report["reason"], "all of its agents were stopped")
        self.assertEqual([agent["state"] for agent in self.coordinator.get("/v1/agents").json["agents"]], ["left"] * 3)
        self.assert_orderly(report)
        self.assertEqual(self.coordinator.end(), 0)

    def test_one_after_the_other(self):
        """Within the moment that a single one is not let go."""
        for agent in self.agents:
            self.stop(agent)
            time.sleep(0.2)
        for agent in self.agents:
            self.ended(agent)
        self.assert_orderly(self.coordinator.report(self.campaign))

    def test_the_target_first(self):
        self.stop(self.target)
        self.target.process.wait(10)
        self.stop(*self.agents, self.coordinator)
        for process in (*self.agents, self.coordinator):
            self.ended(process)
        report = self.report()
        self.assertEqual(report["verdict"], "aborted")
        self.assertEqual([agent["state"] for agent in report["agents"]], ["finished"] * 3, report)
        self.assertEqual(report["steps"]["lost"], 0)
        self.assertIn("Connection refused", json.dumps(report["errors"]))

    def test_a_single_one_is_let_go(self):
        began = time.monotonic()
        self.stop(self.agents[1])
        self.ended(self.agents[1])
        self.assertLess(time.monotonic() - began, 4)
        self.coordinator.wait_for("agent a2 has left")
        self.assertEqual(self.coordinator.show(self.campaign)["state"], "running")

    def test_the_coordinator_is_killed_while_they_wait(self):
        for agent in self.agents:
            agent.process.send_signal(signal.SIGTERM)
        self.coordinator.process.kill()
        began = time.monotonic()
        for agent in self.agents:
            self.ended(agent)
        self.assertLess(time.monotonic() - began, 5)

    def test_a_second_signal_ends_one_at_once(self):
        self.stop(self.agents[0])
        time.sleep(0.1)
        began = time.monotonic()
        self.stop(self.agents[0])
        self.agents[0].process.wait(5)
        self.assertLess(time.monotonic() - began, 1)


class Leaving(unittest.TestCase):
    """A single agent leaves, and others go on with its workers: what it has counted since the last second is not lost."""

    def left(self, shards):
        coordinator = self.enterContext(Coordinator())
        agents = [self.enterContext(Agent(coordinator.endpoint, name, "--shards", shards)) for name in ("a1", "a2")]
        coordinator.wait_agents(2)
        campaign = coordinator.create("quick", 2, workers=4, duration_ms=6000, on_loss="replace")
        coordinator.wait_until(lambda: coordinator.show(campaign)["steps"]["ok"] > 0, 20, "no steps")
        time.sleep(0.7)
        self.assertEqual(agents[1].end(), 0)
        report = coordinator.report(campaign)
        self.assertEqual(report["verdict"], "degraded", report)
        self.assertGreater(report["steps"]["ok"], 500)
        self.assertLess(report["steps"]["lost"], 10, "its two workers may be in a step each")

    def test_with_one_shard(self):
        self.left(1)

    def test_with_shards_in_threads(self):
        self.left(2)


if __name__ == "__main__":
    unittest.main()
