"""Campaigns over three hosts: the pad at its full size, two at once, and what is sent of their scripts."""
import collections
import json

from cluster import TRACED, Scene, main
from support import EXAMPLES

DURATION = "5s"
BUNDLE_BYTES = 1_500_000


class Whole(Scene):
    """`tutti start` as an operator types it."""

    def test_300_on_the_pad(self):
        cluster = self.cluster()
        path = cluster.folder / "report.json"
        size = ("-w", 300, "--room-size", 5, "-d", DURATION, "--expect-agents", 3, "--wait", "--json", path)
        result = cluster.tutti("start", EXAMPLES / "pad.lua", *size)
        self.assertEqual(result.code, 0, result)
        report = json.loads(path.read_text())
        self.assertEqual((report["verdict"], report["steps"]["failed"], report["errors"]), ("passed", 0, []))
        self.assertGreaterEqual(report["steps"]["ok"], 300)
        self.assertEqual([agent["workers"] for agent in report["agents"]], [100, 100, 100])
        # The same with a script that reports where each worker ran.
        result = cluster.tutti("start", TRACED, *size, "--target", f"{cluster.target}#traced")
        self.assertEqual(result.code, 0, result)
        self.assertClean(cluster)
        here = [event for trace in cluster.traces() for event in trace.events if event.what == "here"]
        self.assertEqual(sorted(event.worker for event in here), list(range(300)), "every id once")
        rooms = collections.defaultdict(set)
        for event in here:
            rooms[event.room].add(event.detail.split()[0])
        self.assertEqual({len(agents) for agents in rooms.values()}, {3}, "every room is on all three")
        self.assertLeavesNothing(cluster)


class Two(Scene):
    def test_at_once_and_apart(self):
        """The checker verifies that no text, sum or value comes from the other campaign; each has its own numbers."""
        cluster = self.cluster()
        first = cluster.start("first", duration_ms=6000)
        second = cluster.start("second", workers=12, room_size=3, runs=8, duration_ms=0)
        cluster.wait_step(2, "first")
        cluster.wait_step(2, "second")
        for agent in cluster.coordinator.get("/v1/agents").json["agents"]:
            self.assertEqual(agent["campaigns"], [first, second])
        reports = {tag: self.assertEnds(cluster, campaign, ["passed"], is_over=False) for tag, campaign in (("first", first), ("second", second))}
        self.assertClean(cluster)
        for tag, report in reports.items():
            told = collections.Counter(event.what + (" " + event.detail if event.what == "wait" else "")
                                       for trace in cluster.traces() for event in trace.events if event.campaign == tag)
            self.assertEqual([report["steps"][what] for what in ("ok", "failed", "stopped")], [told["end"], 0, 0])
            self.assertEqual(report["requests"]["read the pad"]["count"], told["page"])
            self.assertEqual(report["requests"]["write the pad"]["count"], told["written"])
            self.assertEqual(report["waits"]["gate.barrier"]["count"], told["wait barrier"])
        self.assertEqual(reports["second"]["steps"]["ok"], 12 * 8)


class Bundles(Scene):
    def test_sent_once_until_a_file_changes(self):
        cluster = self.cluster()
        script = cluster.folder / "reads.lua"
        script.write_text('local tutti = require "tutti"\n'
                          'local file = io.open("data.txt")\nlocal text = file:read("a")\nfile:close()\n'
                          'tutti.scenario("read", function() tutti.print("begins with " .. text:sub(1, 5)) end)\n')
        data = cluster.folder / "data.txt"
        sent = []
        for word in ("first", "first", "other"):
            data.write_text(word + "x" * BUNDLE_BYTES)
            before = self.sent_bytes(cluster)
            result = cluster.tutti("start", script, "-w", 3, "--expect-agents", 3, "--wait")
            self.assertEqual(result.code, 0, result)
            sent.append(self.sent_bytes(cluster) - before)
        said = [line for agent in cluster.agents.values() for line in agent.path.read_text().splitlines()]
        self.assertEqual(collections.Counter(line.split()[-1] for line in said), {"first": 6, "other": 3})
        self.assertGreater(sent[0], 3 * BUNDLE_BYTES, "all three get it")
        self.assertLess(sent[1], BUNDLE_BYTES / 5, "they have it")
        self.assertGreater(sent[2], 3 * BUNDLE_BYTES, "it is another one")

    def sent_bytes(self, cluster):
        return int(cluster.host.run("cat", "/sys/class/net/eth0/statistics/tx_bytes").stdout)


if __name__ == "__main__":
    main()
