"""The coordinator freezes, and is killed and started anew."""
import os
import signal
import time

from cluster import LEASE_S, PATIENCE_S, Scene, main


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


if __name__ == "__main__":
    main()
