"""A storm of faults on both sides of the network: kills, freezes shorter and longer than the lease and the loss, cables that are cut, packets
that get lost one way. After each campaign the traces are clean, no step was begun twice, and the target has had no request of an agent
after its loss.

TUTTI_CLUSTER_FAULTS: how many, TUTTI_CLUSTER_SEED: which; a seed draws the same faults again."""
import os
import random
import signal
import tempfile
import threading
import time

from cluster import LEASE_S, LOSS_S, PATIENCE_S, Scene, main
from request_log import RequestLog

FAULTS = int(os.environ.get("TUTTI_CLUSTER_FAULTS", "4"))
SEED = int(os.environ.get("TUTTI_CLUSTER_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
AGENTS = 4
OUTCOMES = ("ok", "short", "stopped")
PERMITTED = {"shrink": ["passed", "degraded"], "replace": ["passed", "degraded"], "replace=again": ["passed", "degraded"],
             "fail": ["passed", "failed"]}
KINDS = ("kill", "freeze", "freeze", "freeze", "cut", "cut", "deaf", "mute", "lossy", "kill coordinator", "freeze coordinator")
PORT = "7440"


class Storm(Scene):
    def test_a_storm(self):
        print(f"seed {SEED}, {FAULTS} faults", flush=True)
        draw = random.Random(SEED)
        state = self.enterContext(tempfile.TemporaryDirectory(prefix="tutti-state-"))
        cluster = self.cluster(agents=AGENTS, coordinator_options=("--state", state))
        self.log = self.enterContext(RequestLog(cluster.network.address, (cluster.network["target"].address, 8080)))
        cluster.target = f"http://{cluster.network.address}:{self.log.port}"
        self.begun = time.monotonic()
        self.lock = threading.Lock()
        self.again = []
        done = number = 0
        while done < FAULTS:
            number += 1
            count = min(FAULTS - done, draw.randint(2, 4))
            self.campaign(cluster, draw, f"c{number}", count)
            done += count
        self.assertLeavesNothing(cluster)
        print(f"{len(self.log.requests)} requests", flush=True)

    def say(self, text):
        print(f"{time.monotonic() - self.begun:7.1f} s  {text}", flush=True)

    def campaign(self, cluster, draw, tag, count):
        cluster.coordinator.wait_agents(AGENTS, PATIENCE_S)
        policy = draw.choice(["shrink", "replace", "replace", "replace", "replace=again", "fail"])
        if policy == "replace=again":
            self.again.append(tag)
        room_size = draw.choice([2, 3, 5])
        # Long enough that something is left to do after a loss.
        duration_ms = 32000 if policy.startswith("replace") else draw.choice([8000, 16000])
        campaign = cluster.start(tag, workers=room_size * 8, room_size=room_size, on_loss=policy, duration_ms=duration_ms)
        self.say(f"campaign {campaign}: {policy}, rooms of {room_size}")
        # At least one agent survives, and an agent or the coordinator has one fault at a time.
        victims = draw.sample(cluster.names, AGENTS - 1)
        faults = []
        for _ in range(count):
            kind = draw.choice(KINDS)
            is_of_agent = not kind.endswith("coordinator") and victims
            name = victims.pop() if is_of_agent else "coordinator"
            kind = kind if is_of_agent else draw.choice(["kill", "freeze"])
            faults.append((kind, name, draw.uniform(0.2, 5.0), self.length(draw, kind, name)))
        threads = [threading.Thread(target=self.fault, args=(cluster, *fault)) for fault in faults]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        report = cluster.report(campaign, 120)
        steps = report["steps"]
        self.say(f"campaign {campaign}: {report['verdict']}: {report['reason'] or '-'}; {steps}")
        self.assertClean(cluster, outcomes=OUTCOMES, again=self.again)
        self.assertEqual(self.log.after_loss(cluster), [])
        self.assertIn(report["verdict"], PERMITTED[policy], report)

    def length(self, draw, kind, name):
        if name == "coordinator":
            return draw.uniform(0.0, LEASE_S + 2)
        return draw.uniform(0.0, 3.0) if kind == "kill" else draw.choice([draw.uniform(1, LEASE_S), draw.uniform(LEASE_S, LOSS_S + 6)])

    def fault(self, cluster, kind, name, after_s, for_s):
        time.sleep(after_s)
        self.say(f"{kind} {name}, for {for_s:.1f} s")
        if name == "coordinator":
            self.disturb_coordinator(cluster, kind, for_s)
        else:
            self.disturb_agent(cluster, kind, name, for_s)

    def disturb_coordinator(self, cluster, kind, for_s):
        """One at a time: a fault for a process that already has one waits."""
        with self.lock:
            if kind == "kill":
                cluster.kill_coordinator()
                time.sleep(for_s)
                cluster.start_coordinator()
            else:
                os.kill(cluster.coordinator.pid, signal.SIGSTOP)
                time.sleep(for_s)
                os.kill(cluster.coordinator.pid, signal.SIGCONT)

    def disturb_agent(self, cluster, kind, name, for_s):
        agent, host = cluster.agents[name], cluster.network[name]
        agent.is_doubtful = True
        if kind == "kill":
            agent.murder()
            time.sleep(for_s)
            cluster.start_agent(name)
            return
        rules = {"deaf": [("-A", "INPUT", "-p", "tcp", "--sport", PORT, "-j", "DROP")],
                 "mute": [("-A", "OUTPUT", "-p", "tcp", "--dport", PORT, "-j", "DROP")],
                 "lossy": [("-A", chain, "-m", "statistic", "--mode", "random", "--probability", "0.3", "-j", "DROP") for chain in ("INPUT", "OUTPUT")]}
        if kind == "freeze":
            agent.freeze()
        elif kind == "cut":
            host.pull_cable()
        for rule in rules.get(kind, ()):
            host.filter(*rule)
        time.sleep(for_s)
        if kind == "freeze":
            agent.thaw()
        elif kind == "cut":
            host.plug_cable()
        host.unfilter()


if __name__ == "__main__":
    main()
