"""kill -9 of agents and of the coordinator at random instants of real campaigns. After each the traces so far are clean and no process is
left over; each campaign ends by itself with a verdict that its policy permits.

TUTTI_CLUSTER_KILLS: how many, TUTTI_CLUSTER_SEED: which; a seed gives the same victims after the same delays again."""
import os
import random
import tempfile
import time

from cluster import PATIENCE_S, Scene, main

KILLS = int(os.environ.get("TUTTI_CLUSTER_KILLS", "3"))
SEED = int(os.environ.get("TUTTI_CLUSTER_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
MOST_IN_ONE = 3
# What a loss may do to the remaining workers: the writer of a round was lost with its agent.
BY_LOSS = {"outcomes": ("ok", "short", "stopped"), "fails_by_waits": True}
PERMITTED = {"shrink": ["passed", "degraded"], "replace": ["passed", "degraded"], "fail": ["passed", "failed"]}


class Kills(Scene):
    def test_random_kills(self):
        print(f"seed {SEED}, {KILLS} kills", flush=True)
        draw = random.Random(SEED)
        state = self.enterContext(tempfile.TemporaryDirectory(prefix="tutti-state-"))
        cluster = self.cluster(coordinator_options=("--state", state))
        self.begun = time.monotonic()
        done = number = 0
        while done < KILLS:
            number += 1
            kills = min(KILLS - done, draw.randint(1, MOST_IN_ONE))
            self.campaign(cluster, draw, number, kills)
            done += kills
        self.assertLeavesNothing(cluster)

    def say(self, text):
        print(f"{time.monotonic() - self.begun:7.1f} s  {text}", flush=True)

    def campaign(self, cluster, draw, number, kills):
        cluster.coordinator.wait_agents(3, PATIENCE_S)
        tag = f"c{number}"
        policy = draw.choice(["shrink", "shrink", "replace", "replace", "fail"])
        room_size = draw.choice([2, 3, 5])
        campaign = cluster.start(tag, workers=room_size * 4, room_size=room_size, on_loss=policy, duration_ms=draw.choice([6000, 9000]))
        self.say(f"campaign {campaign}: {policy}, rooms of {room_size}")
        # Sometimes immediately, while it is being deployed.
        first_s = draw.choice([draw.uniform(0.0, 0.05), draw.uniform(0.3, 2.5), draw.uniform(0.3, 2.5)])
        victims = []
        for kill in range(kills):
            time.sleep(draw.uniform(0.1, 2.5) if kill > 0 else first_s)
            # At least one agent survives: the promises are made to the remaining agents.
            dead = set(victims) - {"coordinator"}
            victim = draw.choice([*(name for name in cluster.names if name not in dead and len(dead) < 2), "coordinator", "coordinator"])
            victims.append(victim)
            self.kill(cluster, victim, draw.uniform(0.0, 3.0))
        report = cluster.report(campaign, 120)
        self.say(f"campaign {campaign}: {report['verdict']}: {report['reason'] or '-'}; {report['steps']['ok']} steps ok, {report['steps']['failed']} failed")
        self.assertClean(cluster, **BY_LOSS)
        self.assertIn(report["verdict"], PERMITTED[policy], report)
        if set(victims) == {"coordinator"}:
            self.assertEqual((report["verdict"], report["steps"]["failed"]), ("passed", 0), report)

    def kill(self, cluster, victim, away_s):
        self.say(f"kill {victim}, for {away_s:.1f} s")
        if victim == "coordinator":
            cluster.kill_coordinator()
        else:
            cluster.agents[victim].murder()
        self.assertClean(cluster, is_over=False, **BY_LOSS)
        time.sleep(away_s)
        if victim == "coordinator":
            cluster.start_coordinator()
        else:
            cluster.start_agent(victim)
        self.assertClean(cluster, is_over=False, **BY_LOSS)


if __name__ == "__main__":
    main()
