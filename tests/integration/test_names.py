"""Targets by name: name lookups leave nothing behind that prevents an agent from ending."""
import ipaddress
import socket
import unittest

from daemon import Agent, Coordinator
from support import Process, environment, script, tutti


def local_name():
    """A name of this host that resolves to it; curl does not look "localhost" up."""
    name = socket.gethostname()
    try:
        address = socket.gethostbyname(name)
    except OSError:
        return None, None
    return (name, address) if ipaddress.ip_address(address).is_loopback else (None, None)


NAME, ADDRESS = local_name()


@unittest.skipUnless(NAME, "the name of this host does not lead to a loopback address")
class Names(unittest.TestCase):
    def campaign(self, target):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "names") as agent:
            done = tutti("start", script("get"), "-w", 100, "-r", 3, "--wait", "--target", target,
                         env=environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}"))
            self.assertEqual(done.code, 0, done)
            self.assertEqual(agent.end(), 0, agent.log)

    def test_many_look_a_name_up_at_once(self):
        with Process("target", "--port", 0, "--address", ADDRESS) as target:
            port = target.read_until("http://").strip().rpartition(":")[2]
            for _ in range(4):
                self.campaign(f"http://{NAME}:{port}/page")


if __name__ == "__main__":
    unittest.main()
