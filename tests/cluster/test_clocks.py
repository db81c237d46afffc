"""Agents whose clocks are off by three seconds: releases at one instant still happen at one instant."""
import collections
import os

from cluster import Scene, main

SHIFT_S = 3.0
# Spread of the true instants, on a machine that may be busy; a clock that was trusted would make it three seconds.
SPREAD_S = 0.5


def shifted(**variables):
    # Ours is loaded before a sanitizer's runtime, which would complain about that.
    options = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": os.environ["TUTTI_CLOCK_SHIFT"], "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0", **variables}


class Clocks(Scene):
    def test_three_seconds(self):
        """One agent's monotonic clock is ahead, another's is behind, the third has the wrong time of day."""
        cluster = self.cluster(environments={"a1": shifted(TUTTI_SHIFT_STEADY_S=str(SHIFT_S)),
                                             "a2": shifted(TUTTI_SHIFT_STEADY_S=str(-SHIFT_S)),
                                             "a3": shifted(TUTTI_SHIFT_WALL_S=str(SHIFT_S))},
                               shifts={"a1": SHIFT_S, "a2": -SHIFT_S})
        report = self.assertEnds(cluster, cluster.start(duration_ms=7000), ["passed"])
        self.assertEqual(report["steps"]["failed"], 0, report["errors"])
        self.assertLess(report["release_spread_ms"]["p50"], SPREAD_S * 1000)
        begun = self.instants(cluster, lambda event: event.what == "begin" and event.step == 1)
        self.assertLess(max(begun[0]) - min(begun[0]), SPREAD_S, "the start is one instant")
        gates = self.instants(cluster, lambda event: event.what == "woke" and event.detail == "barrier ok" and event.room == 0)
        self.assertGreater(len(gates), 2)
        for step, instants in gates.items():
            self.assertEqual(len(instants), 5)
            self.assertLess(max(instants) - min(instants), SPREAD_S, f"the gate of step {step}")

    def instants(self, cluster, wanted):
        """By step, in the time of this machine."""
        found = collections.defaultdict(list)
        for trace in cluster.traces():
            for event in filter(wanted, trace.events):
                found[event.step if event.what == "woke" else 0].append(event.at)
        return found


if __name__ == "__main__":
    main()
