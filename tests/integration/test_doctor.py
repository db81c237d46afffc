"""`tutti doctor` looks at a host and says what to change."""
import json
import pathlib
import socket
import tempfile
import unittest

from daemon import Coordinator
from support import tutti


class Doctor(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def look(self, *options, code=0):
        done = tutti("doctor", "--json", *options, cwd=self.folder)
        self.assertEqual((done.code, done.err), (code, ""), done)
        found = json.loads(done.out)
        rows = {row["check"]: row for row in found["findings"]}
        self.assertEqual(len(rows), len(found["findings"]))
        self.assertEqual([sum(row["level"] == level for row in rows.values()) for level in ("ok", "warn", "fail")],
                         [found["ok"], found["warn"], found["fail"]])
        return rows

    def test_each_role_has_its_checks(self):
        common = {"descriptors", "cores", "memory", "clock"}
        agent = common | {"ports", "browsers", "key", "coordinator"}
        coordinator = common | {"backlog", "keys", "state", "listen", "http"}
        self.assertEqual(set(self.look("--as", "agent")), agent)
        free = ("--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0")
        self.assertEqual(set(self.look("--as", "coordinator", *free)), coordinator)
        self.assertEqual(set(self.look(*free)), agent | coordinator)

    def test_as_text(self):
        done = tutti("doctor", "--as", "agent")
        self.assertEqual(done.code, 0, done)
        self.assertRegex(done.out, r"(?m)^(ok|warn) +descriptors +\d+ files may be open|without a limit")
        self.assertRegex(done.out, r"\n\d+ ok, \d+ to look at, 0 that do not work\n$")

    def test_the_way_to_the_coordinator(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        row = self.look("--as", "agent", "--coordinator", f"tcp://127.0.0.1:{port}", code=1)["coordinator"]
        self.assertEqual((row["level"], row["text"]), ("fail", f"tcp://127.0.0.1:{port} cannot be reached: connection refused"))
        self.assertIn("--listen", row["advice"])
        row = self.look("--as", "agent", "--coordinator", "tcp://nowhere.invalid:7440", code=1)["coordinator"]
        self.assertIn("the name nowhere.invalid cannot be resolved", row["text"])
        with Coordinator() as coordinator:
            row = self.look("--as", "agent", "--coordinator", coordinator.endpoint)["coordinator"]
            self.assertEqual((row["level"], row["text"]), ("ok", f"{coordinator.endpoint} accepts connections, at 127.0.0.1"))
            port = coordinator.endpoint.rpartition(":")[2]
            row = self.look("--as", "agent", "--coordinator", f"tcp://localhost:{port}")["coordinator"]
            self.assertEqual(row["level"], "ok", row)
            row = self.look("--as", "coordinator", "--listen", coordinator.endpoint)["listen"]
            self.assertEqual(row["level"], "warn")

    def test_keys(self):
        self.assertEqual(tutti("keygen", "keys", cwd=self.folder).code, 0)
        self.assertEqual(tutti("keygen", "keys", "--agent", "a1", cwd=self.folder).code, 0)
        self.assertEqual(self.look("--as", "agent", "--key", "a1.key")["key"]["level"], "ok")
        free = ("--as", "coordinator", "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0", "--state", self.folder)
        self.assertEqual(self.look(*free, "--keys", "keys")["keys"]["level"], "ok")
        (self.folder / "a1.key").chmod(0o644)
        row = self.look("--as", "agent", "--key", "a1.key", code=1)["key"]
        self.assertEqual((row["level"], row["text"]), ("fail", "a1.key holds a secret and others may open it (mode 0644): chmod 600 a1.key"))
        (self.folder / "keys").chmod(0o777)
        row = self.look(*free, "--keys", "keys", code=1)["keys"]
        self.assertEqual(row["level"], "fail")
        self.assertEqual(self.look("--as", "agent", "--key", "b1.key", code=1)["key"]["level"], "fail")


if __name__ == "__main__":
    unittest.main()
