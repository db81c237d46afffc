"""Cables that are pulled and plugged in again, and packets that are lost."""
import time

from cluster import LEASE_S, LOSS_S, PATIENCE_S, Scene, main

COORDINATOR_PORT = ("-p", "tcp", "--dport", "7440")
FROM_COORDINATOR = ("-p", "tcp", "--sport", "7440")


class InTime(Scene):
    def test_put_back_in_time(self):
        """For a moment, and longer than the lease: workers pause, no agent is lost, no step fails because of it."""
        cluster = self.cluster()
        campaign = cluster.start(duration_ms=26000)
        cluster.wait_step(3)
        host = cluster.network["a1"]
        host.pull_cable()
        time.sleep(1)
        host.plug_cable()
        cluster.wait_step(cluster.furthest("a1") + 3)
        host.filter("-A", "OUTPUT", *COORDINATOR_PORT, "-j", "DROP")
        host.filter("-A", "INPUT", *FROM_COORDINATOR, "-j", "DROP")
        time.sleep(LEASE_S + 1.5)
        paused = cluster.furthest("a1")
        time.sleep(1)
        self.assertEqual(cluster.furthest("a1"), paused, "it works without a lease")
        host.unfilter()
        cluster.wait_step(paused + 2, agents=["a1"])
        report = self.assertEnds(cluster, campaign, ["passed"])
        self.assertEqual(report["steps"]["failed"], 0, report["errors"])
        self.assertNotIn("is lost", cluster.coordinator.log)

    def test_three_packets_in_ten_are_lost(self):
        cluster = self.cluster()
        campaign = cluster.start(duration_ms=12000)
        cluster.wait_step(3)
        for name in cluster.names:
            for chain, port in (("OUTPUT", COORDINATOR_PORT), ("INPUT", FROM_COORDINATOR)):
                cluster.network[name].filter("-A", chain, *port, "-m", "statistic", "--mode", "random", "--probability", "0.3", "-j", "DROP")
        time.sleep(4)
        for name in cluster.names:
            cluster.network[name].unfilter()
            cluster.network[name].filter("-A", "OUTPUT", *COORDINATOR_PORT, "-j", "REJECT", "--reject-with", "tcp-reset")
        time.sleep(1)
        for name in cluster.names:
            cluster.network[name].unfilter()
        cluster.wait_step(max(cluster.furthest(name) for name in cluster.names) + 2)
        report = self.assertEnds(cluster, campaign, ["passed"])
        self.assertEqual(report["steps"]["failed"], 0, report["errors"])


class TooLate(Scene):
    def test_put_back_too_late(self):
        """One has no cable, one cannot send, one cannot receive: each is lost, pauses before that, and comes back as a new one."""
        cluster = self.cluster(agents=4)
        campaign = cluster.start(workers=20, duration_ms=28000)
        cluster.wait_step(3)
        cluster.network["a1"].pull_cable()
        cluster.network["a2"].filter("-A", "OUTPUT", *COORDINATOR_PORT, "-j", "DROP")
        cluster.network["a3"].filter("-A", "INPUT", *FROM_COORDINATOR, "-j", "DROP")
        for name in ("a1", "a2", "a3"):
            cluster.agents[name].is_doubtful = True
        time.sleep(LEASE_S + 1)
        paused = {name: len(cluster.agents[name].trace().events) for name in ("a1", "a2", "a3")}
        for name in ("a1", "a2", "a3"):
            cluster.coordinator.wait_for(f"agent {name} is lost", LOSS_S + PATIENCE_S)
        last = cluster.furthest("a4")
        time.sleep(1)
        for name in ("a1", "a2", "a3"):
            self.assertEqual(len(cluster.agents[name].trace().events), paused[name], f"{name} works without a lease")
        cluster.network["a1"].plug_cable()
        cluster.network["a2"].unfilter()
        cluster.network["a3"].unfilter()
        cluster.coordinator.wait_agents(4, PATIENCE_S)
        self.assertEnds(cluster, campaign, ["degraded"])
        self.assertGreater(cluster.furthest("a4"), last, "who was left went on")
        self.assertEnds(cluster, cluster.start("fresh", runs=3), ["passed"])
        self.assertLeavesNothing(cluster)


if __name__ == "__main__":
    main()
