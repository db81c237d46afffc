"""Bad connections between agents and coordinator: slow, with low bandwidth, breaking, and silent."""
import time

from cluster import Scene, main
from fault_proxy import DOWN, UP, FaultProxy


class Lines(Scene):
    def test_every_kind_of_bad_line(self):
        cluster = self.cluster(proxy=FaultProxy)
        proxy = cluster.proxy
        campaign = cluster.start(duration_ms=20000)
        cluster.wait_step(2)

        def go_on(steps):
            cluster.wait_step(max(cluster.furthest(name) for name in cluster.names) + steps)

        proxy.delay_s, proxy.jitter_s = 0.05, 0.05
        go_on(2)
        proxy.delay_s = proxy.jitter_s = 0.0
        proxy.bytes_per_s = 20000
        go_on(2)
        proxy.bytes_per_s = None
        for _ in range(3):
            proxy.reset()
            go_on(1)
        proxy.is_closed = True
        proxy.reset()
        time.sleep(1)
        proxy.is_closed = False
        go_on(1)
        for way in (UP, DOWN):
            proxy.held = {way}
            time.sleep(2)
            proxy.held = frozenset()
            go_on(1)
        for way in (UP, DOWN):
            proxy.swallowed = {way}
            time.sleep(1)
            proxy.swallowed = frozenset()
            go_on(1)
        report = self.assertEnds(cluster, campaign, ["passed"])
        self.assertEqual(report["steps"]["failed"], 0, report["errors"])
        self.assertNotIn("is lost", cluster.coordinator.log)
        self.assertGreater(proxy.accepted, 3 + 3 * 3, "agents dialled again")


if __name__ == "__main__":
    main()
