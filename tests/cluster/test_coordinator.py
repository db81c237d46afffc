"""The coordinator freezes, and is killed and restarted."""
import os
import signal
import tempfile
import time

from cluster import LEASE_S, LOSS_S, PATIENCE_S, Scene, main


class Frozen(Scene):
    def test_short_and_longer_than_the_lease(self):
        cluster = self.cluster()
        campaign = cluster.start(duration_ms=26000)
        cluster.wait_step(3)
        for seconds in (3, LEASE_S + 1.5):
            os.kill(cluster.coordinator.pid, signal.SIGSTOP)
            time.sleep(seconds - 1)
            before = sum(len(agent.trace().events) for agent in cluster.agents.values())
            time.sleep(1)
            after = sum(len(agent.trace().events) for agent in cluster.agents.values())
            os.kill(cluster.coordinator.pid, signal.SIGCONT)
            if seconds > LEASE_S + 1:
                self.assertEqual(before, after, "workers act without a lease")
            cluster.wait_step(max(cluster.furthest(name) for name in cluster.names) + 2)
        report = self.assertEnds(cluster, campaign, ["passed"])
        self.assertEqual(report["steps"]["failed"], 0, report["errors"])
        self.assertNotIn("is lost", cluster.coordinator.log)
        self.assertLeavesNothing(cluster)


class Killed(Scene):
    def test_for_a_moment_and_for_longer_than_agents_are_given(self):
        """Its campaign continues, with everything that was read, counted and waited for."""
        with tempfile.TemporaryDirectory(prefix="tutti-state-") as state:
            cluster = self.cluster(coordinator_options=("--state", state))
            campaign = cluster.start(duration_ms=34000)
            cluster.wait_step(3)
            for seconds in (1, LOSS_S + 3):
                cluster.kill_coordinator()
                self.assertEqual(cluster.faults(is_over=False), [])
                time.sleep(seconds)
                cluster.start_coordinator()
                cluster.coordinator.wait_agents(3, PATIENCE_S)
                cluster.wait_step(max(cluster.furthest(name) for name in cluster.names) + 2)
            report = self.assertEnds(cluster, campaign, ["passed"])
            self.assertEqual(report["steps"]["failed"], 0, report["errors"])
            told = sum(event.what == "end" for trace in cluster.traces() for event in trace.events)
            self.assertEqual(report["steps"]["ok"], told, "each step is in the report, once")
            self.assertLeavesNothing(cluster)

    def test_and_an_agent_with_it(self):
        """The restarted coordinator finds out by itself that an agent does not come back."""
        with tempfile.TemporaryDirectory(prefix="tutti-state-") as state:
            cluster = self.cluster(coordinator_options=("--state", state))
            campaign = cluster.start(duration_ms=14000)
            cluster.wait_step(3)
            cluster.kill_coordinator()
            cluster.agents["a2"].murder()
            time.sleep(1)
            cluster.start_coordinator()
            cluster.coordinator.wait_for("agent a2 is lost", LOSS_S + PATIENCE_S)
            report = self.assertEnds(cluster, campaign, ["degraded"])
            self.assertEqual({agent["name"]: agent["state"] for agent in report["agents"]}, {"a1": "finished", "a2": "lost", "a3": "finished"})
            self.assertLeavesNothing(cluster)


if __name__ == "__main__":
    main()
