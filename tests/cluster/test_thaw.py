"""Agents that are frozen in the middle of requests until they are lost, and thaw: their target sees nothing more of them.

TUTTI_CLUSTER_FREEZES: how many, TUTTI_CLUSTER_SEED: when; seven at once."""
import collections
import os
import pathlib
import random
import re
import shutil
import time

from arrivals import Arrivals
from cluster import LOSS_S, PATIENCE_S, SCRIPTS, Scene, main

FREEZES = int(os.environ.get("TUTTI_CLUSTER_FREEZES", "7"))
SEED = int(os.environ.get("TUTTI_CLUSTER_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
AGENTS = 8
ROOM = 10
# Allows for what the kernel already had, and for a busy machine.
GRACE_S = 1.0
SYN_S = 9.0


class Thaw(Scene):
    def test_nothing_comes_of_a_thawed_agent(self):
        print(f"seed {SEED}, {FREEZES} freezes", flush=True)
        self.draw = random.Random(SEED)
        self.seen = collections.Counter()
        cluster = self.cluster(agents=AGENTS)
        self.arrivals = self.enterContext(Arrivals(cluster.network.address, cluster.folder))
        self.serve_names(cluster)
        frozen = number = 0
        while frozen < FREEZES:
            number += 1
            count = min(AGENTS - 1, FREEZES - frozen)
            self.freeze(cluster, number, self.draw.sample(cluster.names, count))
            frozen += count
        print(f"{frozen} freezes; in the middle of: {dict(self.seen)}", flush=True)

    def serve_names(self, cluster):
        """Agents use our name server."""
        for host in cluster.network.hosts.values():
            folder = pathlib.Path("/etc/netns") / host.namespace
            folder.mkdir(parents=True)
            self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
            (folder / "resolv.conf").write_text(f"nameserver {cluster.network.address}\noptions timeout:30 attempts:1\n")
        for name in cluster.names:
            cluster.agents[name].end(seconds=PATIENCE_S)  # they still use the old name servers
            cluster.start_agent(name)
        cluster.coordinator.wait_agents(AGENTS, PATIENCE_S)

    def freeze(self, cluster, number, names):
        arrivals, tag = self.arrivals, f"round{number}"
        cluster.coordinator.wait_agents(AGENTS, PATIENCE_S)
        arrivals.is_quick = False
        for name in cluster.names:
            cluster.network[name].filter("-A", "INPUT", "-p", "tcp", "--sport", arrivals.door, "-j", "DROP")
        said = len(cluster.coordinator.lines)
        heard = {name: len(cluster.agents[name].lines) for name in names}
        target = f"{cluster.network.address} {arrivals.http} {arrivals.tls} {arrivals.door} {tag}"
        campaign = cluster.start(tag, script=SCRIPTS / "thawed.lua", workers=AGENTS * ROOM, room_size=ROOM, on_loss="replace", duration_ms=600000,
                                 target=target)
        cluster.wait_until(lambda: len({record.source for record in list(arrivals.records) if f"/{tag}/" in record.detail}) == AGENTS, PATIENCE_S,
                           "an agent does nothing")
        time.sleep(self.draw.uniform(0.5, 3.0))
        begun = {}
        for name in names:
            time.sleep(self.draw.uniform(0.0, 0.1))
            cluster.agents[name].freeze()
            begun[name] = time.monotonic()
        self.note_unfinished(cluster, names, tag)
        time.sleep(SYN_S)
        for name in names:
            cluster.network[name].unfilter()
        for name in names:
            cluster.coordinator.wait_for(f"agent {name} is lost", LOSS_S + PATIENCE_S, said)
        time.sleep(self.draw.uniform(0.0, 2.0))
        thawed = time.monotonic()
        for name in names:
            cluster.agents[name].thaw()
        time.sleep(GRACE_S)
        arrivals.is_quick = True  # what is still in transit arrives now
        for name in names:
            cluster.agents[name].wait_for("joining again", PATIENCE_S, heard[name])
        time.sleep(self.draw.uniform(GRACE_S, 3.0))
        cluster.coordinator.post(f"/v1/campaigns/{campaign}/stop", {"at_once": True})
        report = cluster.report(campaign, PATIENCE_S)
        self.judge(cluster, begun, thawed)
        self.judge_steps(tag)
        self.assertEqual([agent["state"] for agent in report["agents"]].count("lost"), len(names), report)
        self.assertGreater(report["steps"]["lost"], 0, "what they were doing")
        lost = {name for name in cluster.names if any(f"agent {name} is lost" in line for line in cluster.coordinator.lines[said:])}
        self.assertEqual(lost, set(names), "the stop of requests that wait for a name has cost another agent")

    def note_unfinished(self, cluster, names, tag):
        sources = {cluster.network[name].address for name in names}
        last = {}
        for record in list(self.arrivals.records):
            if record.source in sources and f"/{tag}/" in record.detail and record.what == "request":
                kind, worker = re.match(r"/(\w+)/\w+/(\d+)/", record.detail).groups()
                last[worker] = kind
        self.seen.update(last.values())

    def judge(self, cluster, begun, thawed):
        """Anything begun, received or connected after the freeze was caused by the thaw."""
        for name, at in begun.items():
            address = cluster.network[name].address
            late = self.arrivals.since(address, at + GRACE_S, "request", "whole")
            self.assertEqual([str(record) for record in late], [], f"{name}, frozen at {at:.3f}, thawed at {thawed:.3f}")
            late = [record for record in self.arrivals.since(address, thawed, "open", "bytes")
                    if record.detail == "tls" or record.what == "open"]
            self.assertEqual([str(record) for record in late], [], f"{name}, frozen at {at:.3f}, thawed at {thawed:.3f}")

    def judge_steps(self, tag):
        """Each step makes one request, which shows if it is begun in two places."""
        begun = collections.defaultdict(set)
        for record in self.arrivals.records:
            if record.what == "request" and f"/{tag}/" in record.detail:
                begun[record.detail].add(record.source)
        twice = {path: sources for path, sources in begun.items() if len(sources) > 1}
        self.assertEqual(twice, {}, "steps begun twice")


if __name__ == "__main__":
    main()
