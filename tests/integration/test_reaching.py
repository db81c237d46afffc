"""An agent that cannot reach its coordinator says why, at once and every ten seconds, and says when it is back."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from daemon import Agent, Coordinator
from support import wait_until

# A network with loopback alone, and files of its own by which names are resolved.
ALONE = ("unshare", "--net", "--mount", "sh", "-c",
         'ip link set lo up && mount --bind "$FOLDER/resolv.conf" /etc/resolv.conf && mount --bind "$FOLDER/hosts" /etc/hosts && '
         'eval "$BEFORE" && exec "$@"', "alone")
# A name server that never answers.
SILENT_DNS = f'{sys.executable} -c \'import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 53)); time.sleep(60)\' 2>/dev/null & sleep 0.3'
# A host at 10.99.0.2 that nothing comes back from.
HOLE = ("ip link add hole type veth peer name end && ip addr add 10.99.0.1/24 dev hole && ip link set hole up && ip link set end up && "
        "ip neigh add 10.99.0.2 lladdr 02:00:00:00:00:02 dev hole")


def can_be_alone():
    return subprocess.run(["unshare", "--net", "--mount", "ip", "link", "set", "lo", "up"], capture_output=True).returncode == 0


def free_port():
    with socket.socket() as taken:
        taken.bind(("", 0))
        return taken.getsockname()[1]


def lines_with(agent, text):
    return [line for line in agent.lines if text in line]


class Ending(unittest.TestCase):
    def agent(self, endpoint, **more):
        return self.enterContext(Agent(endpoint, "a1", **more))

    def assert_ends(self, agent, within=2):
        began = time.monotonic()
        agent.process.send_signal(signal.SIGTERM)
        self.assertEqual(agent.process.wait(20), 0, agent.log)
        self.assertLess(time.monotonic() - began, within)


class Reaching(Ending):
    def test_nothing_listens(self):
        port = free_port()
        agent = self.agent(f"tcp://127.0.0.1:{port}")
        words = f"warning a1: cannot reach tcp://127.0.0.1:{port}: nothing listens there (connection refused)"
        agent.wait_for(words, 3)
        time.sleep(4)
        self.assertEqual(len(lines_with(agent, words)), 1, agent.log)
        wait_until(lambda: len(lines_with(agent, words)) == 2, 10, "it was not said again")
        with Coordinator(listen=f"tcp://127.0.0.1:{port}") as coordinator:
            agent.wait_for(f"info a1: connected to tcp://127.0.0.1:{port} after ", 5)
            coordinator.wait_agents(1)
            self.assertNotIn("refused", coordinator.log)
        self.assert_ends(agent)

    def test_the_port_of_the_api(self):
        with Coordinator() as coordinator:
            agent = self.agent(f"tcp://127.0.0.1:{coordinator.port}")
            agent.wait_for(f"warning a1: cannot join tcp://127.0.0.1:{coordinator.port}: it has not answered in time: "
                           "it is too busy, or that is not the port of its agents (its --listen)", 10)
            self.assert_ends(agent)

    def test_lost_and_back(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        coordinator = self.enterContext(Coordinator("--state", folder))
        agent = self.agent(coordinator.endpoint)
        coordinator.wait_agents(1)
        self.assertFalse(lines_with(agent, "warning"), agent.log)
        for _ in range(2):
            since = len(agent.lines)
            coordinator.process.send_signal(signal.SIGKILL)
            coordinator.process.wait()
            agent.wait_for(f"warning a1: lost the coordinator at {coordinator.endpoint}: it has ended the connection; trying on", 2, since)
            coordinator = self.enterContext(Coordinator("--state", folder, listen=coordinator.endpoint))
            agent.wait_for(f"info a1: back at {coordinator.endpoint} after ", 5, since)
        self.assert_ends(agent)
        self.assertFalse(lines_with(agent, "lost the coordinator")[2:], agent.log)

    def test_a_name_that_is_taken(self):
        coordinator = self.enterContext(Coordinator())
        self.agent(coordinator.endpoint)
        coordinator.wait_agents(1)
        second = self.agent(coordinator.endpoint)
        words = "warning a1: the coordinator says: "
        second.wait_for(words, 5)
        time.sleep(6)
        self.assertEqual(len(lines_with(second, words)), 1, second.log)
        self.assertEqual(len(lines_with(coordinator, "was refused: the name a1 is in use")), 1, coordinator.log)
        wait_until(lambda: len(lines_with(second, words)) == 2, 8, "it was not said again")


class Again(Ending):
    """An agent whose process was killed comes back under its name."""

    def setUp(self):
        self.coordinator = self.enterContext(Coordinator())
        self.first = self.agent(self.coordinator.endpoint)
        self.coordinator.wait_agents(1)

    def test_one_that_was_killed(self):
        self.first.process.kill()
        self.first.process.wait()
        began = time.monotonic()
        second = self.agent(self.coordinator.endpoint)
        second.wait_for("joined as a1", 10)
        self.assertLess(time.monotonic() - began, 6, "it does not wait for 15 s")
        self.coordinator.wait_for("agent a1 is lost: its process has ended, and another one has come in its place")

    def test_one_that_stands_still_is_not_gone(self):
        """It may go on, and its workers with it, until its lease is over."""
        self.first.process.send_signal(signal.SIGSTOP)
        try:
            second = self.agent(self.coordinator.endpoint)
            second.wait_for("the name a1 is in use")
            time.sleep(6)
            self.assertFalse(lines_with(second, "joined"), second.log)
        finally:
            self.first.process.send_signal(signal.SIGCONT)


class Telling(Ending):
    """What happens to an agent is in its log."""

    def run_one(self, agent, coordinator):
        coordinator.wait_agents(1)
        coordinator.report(coordinator.create("quick", workers=2, runs=2))
        agent.wait_for("campaign 1 is over", 5)

    def test_campaigns_come_and_go(self):
        coordinator = self.enterContext(Coordinator())
        agent = self.agent(coordinator.endpoint)
        self.run_one(agent, coordinator)
        self.assert_ends(agent)
        agent.wait_for("leaving")
        said = [line.partition(" info a1: ")[2] for line in agent.lines]
        self.assertEqual(said[1:], ["joined as a1", "campaign 1 is deployed here, with 2 workers", "campaign 1 begins",
                                    "campaign 1 is over", "leaving"])

    def test_as_json(self):
        coordinator = self.enterContext(Coordinator())
        agent = self.enterContext(Agent(coordinator.endpoint, "a1", "--log-format", "json"))
        self.run_one(agent, coordinator)
        lines = [json.loads(line) for line in agent.lines]
        begun = next(line for line in lines if line["text"] == "campaign 1 begins")
        self.assertEqual((begun["level"], begun["agent"], begun["campaign"]), ("info", "a1", 1))

    def test_only_what_is_wrong(self):
        agent = self.enterContext(Agent(f"tcp://127.0.0.1:{free_port()}", "a1", "--log-level", "warning"))
        agent.wait_for("cannot reach")
        self.assert_ends(agent)
        self.assertFalse(lines_with(agent, " info "), agent.log)


@unittest.skipUnless(can_be_alone(), "needs root, unshare and iproute2")
class Alone(Ending):
    """With a network and name server of its own."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.resolve_by("127.0.0.1")
        self.hosts("127.0.0.1 localhost")

    def resolve_by(self, server):
        (self.folder / "resolv.conf").write_text(f"nameserver {server}\noptions timeout:5 attempts:2\n")

    def hosts(self, text):
        """In place: the file is mounted."""
        (self.folder / "hosts").write_text(text + "\n")

    def alone(self, endpoint, before=":"):
        return self.agent(endpoint, prefix=ALONE, env={**os.environ, "FOLDER": str(self.folder), "BEFORE": before})

    def test_no_name_server_answers(self):
        """ZeroMQ would look the name up in its own thread, and the agent could not end for as long as that takes."""
        agent = self.alone("tcp://coord.test:7440", SILENT_DNS)
        agent.wait_for("warning a1: cannot reach tcp://coord.test:7440: the name coord.test is not resolved: no name server answers; trying on", 8)
        self.assert_ends(agent)

    def test_ends_at_once_while_a_name_is_looked_up(self):
        agent = self.alone("tcp://coord.test:7440", SILENT_DNS)
        agent.wait_for("walls:")
        time.sleep(1)
        self.assert_ends(agent)

    def test_the_name_does_not_exist(self):
        agent = self.alone("tcp://coord.test:7440")
        agent.wait_for("warning a1: cannot reach tcp://coord.test:7440: the name coord.test cannot be resolved: ", 5)
        self.hosts("127.0.0.1 coord.test")
        agent.wait_for("warning a1: cannot reach tcp://coord.test:7440: nothing listens there", 5)
        self.assert_ends(agent)

    def test_no_way_there(self):
        agent = self.alone("tcp://10.99.0.1:7440")
        agent.wait_for("warning a1: cannot reach tcp://10.99.0.1:7440: there is no way to that host (unreachable); trying on", 5)
        self.assert_ends(agent)

    def test_a_host_that_does_not_answer(self):
        agent = self.alone("tcp://10.99.0.2:7440", HOLE)
        agent.wait_for("warning a1: cannot reach tcp://10.99.0.2:7440: that host does not answer: is it up, and does a firewall let us through?; trying on", 10)
        self.assert_ends(agent)


@unittest.skipUnless(can_be_alone(), "needs root, unshare and iproute2")
class Named(unittest.TestCase):
    """By a name, with the network of the others."""

    def setUp(self):
        self.file = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "hosts"
        self.hosts("127.0.0.1 localhost")

    def hosts(self, text):
        self.file.write_text(text + "\n")

    def agent(self, endpoint):
        return self.enterContext(Agent(endpoint, "a1", prefix=("unshare", "--mount", "sh", "-c", f'mount --bind {self.file} /etc/hosts && exec "$@"', "named")))

    def test_a_coordinator_that_has_moved(self):
        port = free_port()
        self.hosts("127.0.0.1 coord.test")
        with Coordinator(listen=f"tcp://127.0.0.1:{port}") as first:
            agent = self.agent(f"tcp://coord.test:{port}")
            first.wait_agents(1)
        agent.wait_for("lost the coordinator", 3)
        with Coordinator(listen=f"tcp://127.0.0.2:{port}") as second:
            self.hosts("127.0.0.2 coord.test")
            second.wait_agents(1, 6)
            agent.wait_for(f"back at tcp://coord.test:{port}", 3)

    def test_the_second_address_of_a_name(self):
        port = free_port()
        self.hosts("127.0.0.1 coord.test\n127.0.0.3 coord.test\n::1 coord.test")
        for address in ("127.0.0.3", "[::1]"):
            with Coordinator(listen=f"tcp://{address}:{port}") as coordinator:
                agent = self.agent(f"tcp://coord.test:{port}")
                coordinator.wait_agents(1, 10)
                agent.end()


if __name__ == "__main__":
    unittest.main()
