"""`tutti stop` while 10,000 workers run on four hosts: all of them are torn down, and the report is complete."""
import os
import time

from cluster import PATIENCE_S, Scene, main
from support import Process, script

WORKERS = int(os.environ.get("TUTTI_CLUSTER_WORKERS", "10000"))


class Stop(Scene):
    def test_ten_thousand(self):
        cluster = self.cluster(agents=4)
        result = cluster.tutti("start", script("sleeps"), "-w", WORKERS, "--expect-agents", 4)
        self.assertEqual(result.code, 0, result)
        campaign = int(result.out)
        cluster.wait_until(lambda: self.said(cluster, "sleeping") == WORKERS, 2 * PATIENCE_S, "they do not all sleep")
        with Process("watch", campaign, env=cluster.env) as watch:
            begun = time.monotonic()
            self.assertEqual(cluster.tutti("stop", campaign).code, 0)
            ended = watch.finish(PATIENCE_S)
        print(f"{WORKERS} workers stopped in {time.monotonic() - begun:.2f} s")
        self.assertEqual(ended.code, 3, ended)
        self.assertIn("aborted: stopped by tutti stop", ended.out)
        self.assertEqual(self.said(cluster, "torn down"), WORKERS)
        report = cluster.report(campaign, PATIENCE_S)
        self.assertEqual([report["steps"][what] for what in ("ok", "failed", "stopped")], [0, 0, WORKERS])
        self.assertEqual(sum(agent["workers"] for agent in report["agents"]), WORKERS)
        self.assertEqual(report["waits"]["all are there.barrier"]["ok"], WORKERS)
        self.assertLeavesNothing(cluster)

    def said(self, cluster, words):
        return sum(agent.path.read_bytes().count(words.encode()) for agent in cluster.agents.values())


if __name__ == "__main__":
    main()
