"""Agents that are killed, and agents that freeze for a short or a long time."""
import time

from cluster import LEASE_S, LOSS_S, PATIENCE_S, Scene, main


class Killed(Scene):
    def test_two_policies_at_once(self):
        """The same kill in two campaigns: in one the others continue without its workers, in the other its workers continue elsewhere."""
        cluster = self.cluster()
        shrunk = cluster.start("shrunk", workers=10, duration_ms=22000, on_loss="shrink")
        replaced = cluster.start("replaced", workers=10, duration_ms=22000, on_loss="replace")
        cluster.wait_step(3, "shrunk")
        cluster.wait_step(3, "replaced")
        cluster.agents["a2"].murder()
        ended = cluster.furthest("a2", "shrunk")
        cluster.start_agent("a2")
        for campaign, tag in ((shrunk, "shrunk"), (replaced, "replaced")):
            report = self.assertEnds(cluster, campaign, ["degraded"], is_over=False)
            self.assertEqual({agent["name"]: agent["state"] for agent in report["agents"]}["a2"], "lost")
            self.assertGreater(cluster.furthest("a1", tag), ended + 3, "the others went on")
        self.assertClean(cluster)
        lost = {event.worker for event in cluster.lives[1].trace().events}
        elsewhere = {event.worker for name in ("a1", "a3") for event in cluster.agents[name].trace().events if event.campaign == "replaced"}
        self.assertEqual(lost - elsewhere, set(), "all of the lost agent's workers went on elsewhere")
        cluster.coordinator.wait_agents(3, PATIENCE_S)
        again = cluster.start("again", runs=3)
        self.assertEnds(cluster, again, ["passed"])
        self.assertIn("again", {event.campaign for event in cluster.agents["a2"].trace().events}, "a new process of this name works")
        self.assertLeavesNothing(cluster)


class Frozen(Scene):
    def test_short_of_its_lease(self):
        cluster = self.cluster()
        campaign = cluster.start(duration_ms=10000)
        cluster.wait_step(3)
        cluster.agents["a1"].freeze(is_doubtful=False)
        time.sleep(LEASE_S / 2 - 0.5)  # and less than the 5 s that its requests may take
        cluster.agents["a1"].thaw()
        report = self.assertEnds(cluster, campaign, ["passed"])
        self.assertEqual(report["steps"]["failed"], 0, report["errors"])

    def test_past_its_loss(self):
        """One is frozen past its lease and continues its campaign; one until it was declared lost: that one does no more harm."""
        cluster = self.cluster()
        campaign = cluster.start(duration_ms=26000)
        cluster.wait_step(3)
        long, middle = cluster.agents["a1"], cluster.agents["a3"]
        begun = time.monotonic()
        long.freeze()
        time.sleep(1)
        middle.freeze(is_doubtful=False)
        time.sleep(LEASE_S + 1.5)
        middle.thaw()
        cluster.coordinator.wait_for("agent a1 is lost", LOSS_S + PATIENCE_S)
        self.assertGreater(time.monotonic() - begun, LOSS_S - 2)
        time.sleep(1)
        before = long.trace()
        last = cluster.furthest("a2")
        long.thaw()
        long.wait_for("joining again")
        cluster.coordinator.wait_agents(3, PATIENCE_S)
        report = self.assertEnds(cluster, campaign, ["degraded"])
        # A turn that was interrupted goes on until its next call: the script may still say that it is going to wait.
        after = long.trace().events[len(before.events):]
        self.assertEqual([str(event) for event in after if event.what != "wait"], [], "it did something after its loss")
        self.assertLessEqual(len(after), 1, "only the turn in which it was frozen goes on")
        self.assertGreater(cluster.furthest("a2"), last, "the others went on")
        self.assertEqual({agent["name"]: agent["state"] for agent in report["agents"]}, {"a1": "lost", "a2": "finished", "a3": "finished"})
        self.assertEnds(cluster, cluster.start("fresh", runs=3), ["passed"])
        self.assertIn("fresh", {event.campaign for event in long.trace().events}, "it takes part again")
        self.assertLeavesNothing(cluster)


if __name__ == "__main__":
    main()
