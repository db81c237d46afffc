"""An agent of another release meets today's coordinator: it is refused with a line that says what to upgrade."""
import pathlib
import socket
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cluster"))

from daemon import Agent, Coordinator  # noqa: E402
from support import tutti  # noqa: E402
from zmq_peer import HELLO, REFUSED, VERSION, Peer, envelope, fields, hello, read_key, welcome  # noqa: E402


class Releases(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for more in ((), ("--agent", "a1")):
            self.assertEqual(tutti("keygen", "keys", *more, cwd=self.folder).code, 0)

    def refused(self, endpoint, lowest, highest):
        with Peer(read_key(self.folder / "a1.key"), connect=endpoint) as peer:
            peer.send(envelope(4711), hello("a1", lowest, highest))
            return fields(fields(peer.receive()[1])[REFUSED])

    def test_the_last_one_is_told_to_be_upgraded(self):
        with Coordinator("--keys", self.folder / "keys") as coordinator:
            for version, older in ((VERSION - 1, "agent"), (VERSION + 1, "coordinator")):
                said = f"the agent speaks version {version} of the protocol, this coordinator version {VERSION}: upgrade the {older}"
                self.assertEqual(self.refused(coordinator.endpoint, version, version), {1: 1, 2: said.encode()}, "for good, and why")
                coordinator.wait_for(f"agent a1 was refused: {said}")
                time.sleep(1.1)  # it logs one refusal a second
            agent = self.enterContext(Agent(coordinator.endpoint, "a1", "--key", self.folder / "a1.key"))
            agent.wait_for("joined as a1")

    def test_a_coordinator_of_the_last_one(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with Peer(read_key(self.folder / "keys" / "coordinator.key"), bind=endpoint) as peer:
            agent = self.enterContext(Agent(endpoint, "a1", "--key", self.folder / "a1.key"))
            route, sent, message = peer.receive()
            self.assertIn(HELLO, fields(message))
            said = fields(sent)
            peer.send(route, envelope(said[1], epoch=5, sequence=1, sent_ns=1, echoed_sent_ns=said[5]), welcome(VERSION - 1, 5))
            agent.wait_for(f"another version of the protocol: {VERSION - 1}, and this agent {VERSION}: upgrade the coordinator")
            self.assertEqual(agent.code(), 2)


if __name__ == "__main__":
    unittest.main()
