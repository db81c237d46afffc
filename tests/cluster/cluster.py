"""A coordinator, agents and a target, each on a host of its own, with keys; and the faults that can hit them."""
import contextlib
import os
import pathlib
import re
import signal
import tempfile
import time
import unittest

from daemon import Coordinator, Logged
from hosts import Network, need_namespaces
from support import Process, environment, is_alive, tutti, wait_until, write_secret
from trace_checker import Trace, check

SCRIPTS = pathlib.Path(__file__).resolve().parent / "scripts"
TRACED = SCRIPTS / "traced.lua"
TOKEN = "a-token-for-the-tests-of-the-cluster"
LEASE_S, LOSS_S = 10, 15
# Our processes react to a silent connection within seconds; a busy machine takes longer.
PATIENCE_S = 60


class ClusterAgent(Logged):
    """An agent on its host; its workers' output goes to a file, which survives a kill."""

    def __init__(self, host, endpoint, key, path, shards=1, env=None, shift=0.0):
        self.host, self.path, self.shift = host, path, shift
        self.name = host.name
        self.is_doubtful = False
        with open(path, "wb") as output:
            super().__init__("agent", "--coordinator", endpoint, "--key", key, "--shards", shards, prefix=host.prefix, stdout=output, env=env)

    def trace(self, until=None):
        return Trace(self.path.stem, self.path.read_text(errors="replace"), self.is_doubtful, self.shift, until)

    def freeze(self, is_doubtful=True):
        self.is_doubtful = self.is_doubtful or is_doubtful
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)

    def murder(self):
        self.is_doubtful = True
        self.kill()
        self.process.wait()


class Cluster:
    def __init__(self, agents=3, coordinator_options=(), shards=1, proxy=None, environments=None, shifts=None, guests=()):
        """`proxy`: a FaultProxy between the agents and the coordinator. `environments`, `shifts`: of agents, by name. `guests` have a
        key and no host."""
        self.names = [f"a{number}" for number in range(1, agents + 1)]
        self.coordinator_options, self.shards = coordinator_options, shards
        self.environments, self.shifts = environments or {}, shifts or {}
        self.stack = contextlib.ExitStack()
        self.lives = []  # every agent process so far
        self.coordinators = []
        try:
            self.make(proxy, guests)
        except BaseException:
            self.stack.close()
            raise

    def make(self, proxy, guests):
        self.folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="tutti-cluster-")))
        self.network = self.stack.enter_context(Network("coordinator", "target", *self.names))
        self.host = self.network["coordinator"]
        self.address = f"tcp://{self.host.address}:7440"
        self.endpoint = self.address
        if proxy is not None:
            self.proxy = self.stack.enter_context(proxy((self.network.address, 0), (self.host.address, 7440)))
            self.endpoint = f"tcp://{self.network.address}:{self.proxy.address[1]}"
        self.token_file = self.folder / "token"
        write_secret(self.token_file, TOKEN + "\n")
        self.keygen()
        for name in (*self.names, *guests):
            self.keygen("--agent", name)
        self.target_process = self.stack.enter_context(
            Process("target", "--address", self.network["target"].address, "--port", 8080, prefix=self.network["target"].prefix))
        self.target = self.target_process.read_until("http://").strip()
        self.env = environment(TUTTI_API=f"http://{self.host.address}:7441", TUTTI_TOKEN_FILE=str(self.token_file))
        self.start_coordinator()
        self.agents = {}
        for name in self.names:
            self.start_agent(name)
        self.coordinator.wait_agents(len(self.names), PATIENCE_S)

    def keygen(self, *arguments):
        result = tutti("keygen", "keys", *arguments, cwd=self.folder)
        if result.code != 0:
            raise AssertionError(str(result))

    def start_coordinator(self):
        self.coordinator = self.stack.enter_context(
            Coordinator("--token-file", self.token_file, "--keys", self.folder / "keys", *self.coordinator_options,
                        listen=self.address, http=f"{self.host.address}:7441", token=TOKEN, prefix=self.host.prefix))
        self.coordinators.append(self.coordinator)

    def kill_coordinator(self):
        self.coordinator.kill()
        self.coordinator.process.wait()

    def start_agent(self, name):
        number = sum(life.name == name for life in self.lives)
        agent = ClusterAgent(self.network[name], self.endpoint, self.folder / f"{name}.key", self.folder / f"{name}.{number}.trace",
                             self.shards, environment(**self.environments.get(name, {})), self.shifts.get(name, 0.0))
        self.agents[name] = self.stack.enter_context(agent)
        self.lives.append(agent)
        return agent

    def start(self, tag="one", script=TRACED, **options):
        options = {"workers": 15, "room_size": 5, "fail_steps": 0, "target": f"{self.target}#{tag}", **options}
        return self.coordinator.create(script, expect_agents=options.pop("expect_agents", len(self.names)), **options)

    def report(self, campaign, seconds):
        """Waits for the end. Asks again if the coordinator does not answer, since it or the whole machine is busy."""
        def has_ended():
            try:
                return self.coordinator.show(campaign)["state"] == "ended"
            except OSError:
                return False
        self.wait_until(has_ended, seconds, f"campaign {campaign} has not ended")
        return self.coordinator.get(f"/v1/campaigns/{campaign}/report").json

    def tutti(self, *arguments, **more):
        return tutti(*arguments, env=self.env, **more)

    def traces(self):
        """As they were at one instant: no line is in any of them without the lines that it follows from."""
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        return [life.trace(now) for life in self.lives]

    def wait_step(self, step, tag="one", agents=None, seconds=PATIENCE_S):
        """Waits until each of these agents has had a worker in this step, or a later one."""
        wanted = re.compile(rf"trace \S+ {tag} \d+ \d+ (\d+) begin")
        for name in agents or self.agents:
            def is_there():
                found = [int(match) for match in wanted.findall(self.agents[name].path.read_text(errors="replace"))]
                return found and max(found) >= step
            self.wait_until(is_there, seconds, f"{name} has no worker in step {step}")

    def wait_until(self, condition, seconds, what):
        try:
            wait_until(condition, seconds, what)
        except AssertionError as failed:
            logs = [f"{agent.name}: {line}" for agent in self.agents.values() for line in (*agent.log.splitlines(), f"exit code {agent.process.poll()}")]
            raise AssertionError("\n".join([str(failed), *logs, *(one.log for one in self.coordinators)])) from None

    def furthest(self, name, tag="one"):
        return max((event.step for event in self.agents[name].trace().events if event.campaign == tag), default=0)

    def faults(self, **more):
        return check(self.traces(), **more) + self.orphans()

    def orphans(self):
        """Processes on our hosts that are neither started by us and not killed, nor children of those (an agent's starter of
        browsers, which has a moment to notice that its agent is dead)."""
        ours = {process.pid for process in (*self.lives, *self.coordinators, self.target_process)}

        def strangers():
            return [(host, pid) for host in self.network.hosts.values() for pid in host.pids()
                    if pid not in ours and parent_of(pid) not in ours and is_alive(pid)]
        end = time.monotonic() + 5
        while (found := strangers()) and time.monotonic() < end:
            time.sleep(0.1)
        return [f"{host.name}: process {pid} is nobody's: {command_line(pid)}" for host, pid in found]

    def stop_all(self):
        """Ends agents and coordinator as an operator would, and returns what is left."""
        for agent in self.agents.values():
            if agent.process.poll() is None:
                agent.thaw()
                agent.end(seconds=PATIENCE_S)
        if self.coordinator.process.poll() is None:
            self.coordinator.end(seconds=PATIENCE_S)
        return [f"{host.name}: process {pid} is left: {command_line(pid)}" for host in self.network.hosts.values()
                if host.name != "target" for pid in host.pids() if is_alive(pid)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()


def parent_of(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "?"


class Scene(unittest.TestCase):
    """A story on a cluster of its own."""

    def cluster(self, **more):
        return self.enterContext(Cluster(**more))

    def assertClean(self, cluster, **more):
        faults = cluster.faults(**more)
        self.assertEqual(faults, [], "\n".join(["", *faults[:20], cluster.coordinator.log]))

    def assertEnds(self, cluster, campaign, verdicts, seconds=90, **more):
        """It ends with one of these verdicts, its traces are clean, and nothing is left when all is stopped."""
        report = cluster.report(campaign, seconds)
        self.assertClean(cluster, **more)
        self.assertIn(report["verdict"], verdicts, f"{report['reason']}\n{report['errors']}\n{cluster.coordinator.log}")
        return report

    def assertLeavesNothing(self, cluster):
        self.assertEqual(cluster.stop_all(), [])


def main():
    need_namespaces()
    unittest.main()
