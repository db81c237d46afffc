"""Keys from `tutti keygen` to agents that join with them, cannot join without, and are disconnected."""
import os
import pathlib
import re
import selectors
import signal
import stat
import subprocess
import tempfile
import time
import unittest

from support import TUTTI, Process, children_of, environment, script, tutti, write_secret


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class Lines:
    """A process whose output is awaited line by line."""

    def __init__(self, *command, cwd=None):
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True, env=environment(), cwd=cwd)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ""

    def wait_for(self, words, seconds=30):
        """The output up to the next occurrence of these words since the last call."""
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while words not in self.text:
                selector.select(max(0.0, end - time.monotonic()))
                more = self.process.stdout.read()
                if more:
                    self.text += more.decode(errors="replace")
                elif more == b"" or time.monotonic() > end:
                    raise AssertionError(f"{words!r} did not come:\n{self.text}")
        at = self.text.index(words) + len(words)
        seen, self.text = self.text[:at], self.text[at:]
        return seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Keygen(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def keygen(self, *arguments):
        return tutti("keygen", "keys", *arguments, cwd=self.folder)

    def good(self, *arguments):
        result = self.keygen(*arguments)
        self.assertEqual((result.code, result.err), (0, ""), result)
        return result.out

    def bad(self, *arguments, says):
        result = self.keygen(*arguments)
        self.assertEqual((result.code, result.out), (2, ""), result)
        self.assertIn(says, result.err)
        self.assertEqual(len(result.err.splitlines()), 1, result)

    def test_files_and_their_modes(self):
        self.good()
        self.assertEqual(mode_of(self.folder / "keys"), 0o700)
        self.assertIn("host-7.key", self.good("--agent", "host-7"))
        for path in ("keys/coordinator.key", "keys/agents.allow", "host-7.key"):
            self.assertEqual(mode_of(self.folder / path), 0o600, path)
        agent = dict(line.split(" ", 1) for line in (self.folder / "host-7.key").read_text().splitlines()[1:])
        pair = dict(line.split(" ", 1) for line in (self.folder / "keys/coordinator.key").read_text().splitlines()[1:])
        self.assertEqual(agent["coordinator"], pair["public"])
        self.assertNotIn(pair["secret"], (self.folder / "host-7.key").read_text())
        self.assertIn(f"agent host-7 {agent['public']}", (self.folder / "keys/agents.allow").read_text())
        self.assertNotIn(agent["secret"], (self.folder / "keys/agents.allow").read_text())
        self.assertEqual(sorted(os.listdir(self.folder)), ["host-7.key", "keys"])
        self.assertEqual(sorted(os.listdir(self.folder / "keys")), ["agents.allow", "coordinator.key"])

    def test_nothing_is_overwritten(self):
        self.good()
        self.good("--agent", "a1")
        before = [(self.folder / name).read_text() for name in ("keys/coordinator.key", "keys/agents.allow", "a1.key")]
        self.bad(says="nothing was overwritten")
        self.bad("--agent", "a1", says="there is already an agent a1")
        self.good("--revoke", "a1")
        self.bad("--agent", "a1", says="nothing was overwritten")
        self.assertNotIn("a1", (self.folder / "keys/agents.allow").read_text().split())
        self.assertEqual(before[0], (self.folder / "keys/coordinator.key").read_text())
        self.assertEqual(before[2], (self.folder / "a1.key").read_text())

    def test_mistakes(self):
        self.bad("--agent", "a1", says="keys cannot be opened")
        self.good()
        self.bad("--agent", "../a1", says="letters, digits")
        self.bad("--revoke", "a1", says="no agent \"a1\"")
        self.bad("--agent", "a1", "--revoke", "a1", says="exclude")
        (self.folder / "keys/agents.allow").write_text("agent a1 nonsense\n")
        self.bad("--agent", "a2", says="agents.allow: line 1")
        self.assertFalse((self.folder / "a2.key").exists())
        (self.folder / "keys/coordinator.key").write_text("public 1\n")
        self.bad("--agent", "a2", says="coordinator.key: line 1")

    def test_tokens_that_others_may_open_are_refused(self):
        token = self.folder / "token"
        token.write_text("a-token-of-some-length\n")
        for mode in (0o644, 0o666, 0o604):
            os.chmod(token, mode)
            for command in (("coordinator",), ("status",)):
                result = tutti(*command, "--token-file", token, cwd=self.folder)
                self.assertEqual((result.code, result.out), (2, ""), result)
                self.assertRegex(result.err, rf"{command[0]}: .*others may open it \(mode {mode:04o}\): chmod 600 .*/token\n$")
        os.unlink(token)
        os.mkfifo(token, 0o600)
        for command in (("coordinator",), ("status",), ("coordinator", "--config", token)):
            result = tutti(*command, *(() if len(command) > 1 else ("--token-file", token)), timeout=10)
            self.assertEqual(result.code, 2, result)
            self.assertIn("is not a file", result.err)

    def test_many_at_once(self):
        self.good()
        names = [f"a{i}" for i in range(20)]
        started = [subprocess.Popen([TUTTI, "keygen", "keys", "--agent", name], cwd=self.folder, env=environment(),
                                    stdout=subprocess.DEVNULL) for name in names]
        self.assertEqual([process.wait(30) for process in started], [0] * 20)
        listed = (self.folder / "keys/agents.allow").read_text().split()
        for name in names:
            self.assertIn(name, listed)

    def test_what_an_agent_says_about_its_file(self):
        def refused(says, *more):
            result = tutti("agent", "--coordinator", "tcp://127.0.0.1:1", "--key", "a1.key", *more, cwd=self.folder)
            self.assertEqual((result.code, result.out), (2, ""), result)
            self.assertIn(says, result.err)
        refused("a1.key cannot be read: No such file")
        write_secret(self.folder / "a1.key", "secret of mine\n")
        refused("a1.key: line 1")
        self.assertNotIn("of mine", tutti("agent", "--coordinator", "tcp://127.0.0.1:1", "--key", "a1.key", cwd=self.folder).err)
        os.unlink(self.folder / "a1.key")
        self.good()
        self.good("--agent", "a1")
        refused("--name is other, but the key is that of a1", "--name", "other")
        if os.geteuid() != 0:
            os.chmod(self.folder / "a1.key", 0)
            refused("Permission denied")


class Door(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("keys", "others"):
            self.keygen(name)
        for name in ("a1", "a2"):
            self.keygen("keys", "--agent", name)
        self.keygen("others", "--agent", "o1")
        self.door = self.enterContext(Lines(TUTTI, "coordinator", "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0",
                                            "--keys", "keys", cwd=self.folder))
        self.door.wait_for("ready: agents at ")
        self.endpoint = re.match(r"[^\s,]+", self.door.wait_for("\n")).group()

    def enterContext(self, manager):
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def keygen(self, *arguments):
        result = tutti("keygen", *arguments, cwd=self.folder)
        self.assertEqual(result.code, 0, result)

    def agent(self, *options):
        return self.enterContext(Lines(TUTTI, "agent", "--coordinator", self.endpoint, "--shards", 1, *options, cwd=self.folder))

    def test_the_right_key_joins_and_leaves_when_it_is_revoked(self):
        first = self.agent("--key", "a1.key")
        self.door.wait_for("agent a1 has joined")
        second = self.agent("--key", "a2.key")
        self.door.wait_for("agent a2 has joined")
        self.keygen("keys", "--revoke", "a1")
        self.door.wait_for("agent a1 is expelled: its key was revoked")
        first.wait_for("the key of this agent was revoked")
        self.assertEqual(first.process.wait(20), 2)
        again = self.agent("--key", "a1.key")
        again.wait_for("it does not accept our key")
        self.door.wait_for("with a key that is not on the list")
        self.assertIsNone(second.process.poll())
        self.assertIsNone(again.process.poll())

    def test_who_is_let_in_later_joins_by_itself(self):
        kept = (self.folder / "keys/agents.allow").read_text()
        self.keygen("keys", "--revoke", "a1")
        self.door.wait_for("the list of agents has changed: 1 may join")
        agent = self.agent("--key", "a1.key")
        agent.wait_for("it does not accept our key")
        (self.folder / "keys/agents.new").write_text(kept)
        os.rename(self.folder / "keys/agents.new", self.folder / "keys/agents.allow")
        self.door.wait_for("agent a1 has joined", 60)

    def test_strangers_are_told_why(self):
        self.agent("--key", "o1.key").wait_for("is it the coordinator that our key is for?")
        self.agent("--name", "a1").wait_for("--key")
        self.door.wait_for("refused: ")
        self.agent("--key", "a1.key")
        self.door.wait_for("agent a1 has joined")

    def mixed_key(self, name, **lines):
        """The key file of a1 with some of its lines taken from that of o1, an agent of another coordinator."""
        def values(path):
            return dict(line.split(" ", 1) for line in path.read_text().splitlines() if not line.startswith("#"))
        other = values(self.folder / "o1.key")
        mixed = {key: other[key] if lines.get(key) else value for key, value in values(self.folder / "a1.key").items()}
        path = self.folder / f"{name}.key"
        path.touch(0o600)
        path.write_text("".join(f"{key} {value}\n" for key, value in mixed.items()))
        return path

    def test_a_key_file_with_the_wrong_key_of_the_coordinator(self):
        """Its own key is on the list, but it takes us for somebody else."""
        said = self.agent("--key", self.mixed_key("wrong", coordinator=True)).wait_for("; trying on")
        self.assertIn(f"cannot join {self.endpoint}: it ended the connection at once: is it the coordinator that our key is for?", said)
        self.door.wait_for("without our keys or our protocol")
        self.agent("--key", "a1.key")
        self.door.wait_for("agent a1 has joined")

    def test_a_foreign_key(self):
        """It knows our key, but never was on the list."""
        said = self.agent("--key", self.mixed_key("foreign", public=True, secret=True)).wait_for("; trying on")
        self.assertIn(f"cannot join {self.endpoint}: it does not accept our key, which was revoked or never was on its list", said)
        self.door.wait_for("with a key that is not on the list")
        self.agent("--key", "a1.key")
        self.door.wait_for("agent a1 has joined")

    def test_a_revoked_key(self):
        """It was on the list once, and its neighbour still is."""
        self.keygen("keys", "--revoke", "a1")
        self.door.wait_for("the list of agents has changed: 1 may join")
        said = self.agent("--key", "a1.key").wait_for("; trying on")
        self.assertIn(f"cannot join {self.endpoint}: it does not accept our key, which was revoked or never was on its list", said)
        self.door.wait_for("with a key that is not on the list")
        self.agent("--key", "a2.key")
        self.door.wait_for("agent a2 has joined")

    def test_complaints_are_few(self):
        agent = self.agent("--key", "o1.key")
        agent.wait_for("cannot join")
        time.sleep(4)  # while ZeroMQ keeps trying
        agent.process.send_signal(signal.SIGTERM)
        agent.process.wait(20)
        self.assertNotIn("cannot join", (agent.process.stdout.read() or b"").decode())

    def test_what_the_coordinator_says_about_its_folder(self):
        def refused(says, *more):
            result = tutti("coordinator", "--listen", "tcp://0.0.0.0:0", "--http", "127.0.0.1:0", *more, cwd=self.folder)
            self.assertEqual(result.code, 2, result)
            self.assertIn(says, result.err)
        refused("--keys: nowhere/coordinator.key cannot be read", "--keys", "nowhere")
        (self.folder / "others/agents.allow").write_text("agent\n")
        refused("--keys: others/agents.allow: line 1", "--keys", "others")
        refused("--keys, see tutti help keygen")
        os.chmod(self.folder / "keys/coordinator.key", 0o644)
        refused("others may open it (mode 0644): chmod 600 keys/coordinator.key", "--keys", "keys")
        os.chmod(self.folder / "keys/coordinator.key", 0o600)
        os.chmod(self.folder / "keys", 0o777)
        refused("others can replace the files in keys (mode 0777): chmod go-w keys", "--keys", "keys")
        os.chmod(self.folder / "keys", 0o700)
        wide = self.enterContext(Lines(TUTTI, "coordinator", "--listen", "tcp://0.0.0.0:0", "--http", "127.0.0.1:0", "--keys", "keys",
                                       cwd=self.folder))
        wide.wait_for("ready: agents at tcp://0.0.0.0:")

    def test_a_key_that_others_may_read_is_refused_until_it_is_closed(self):
        os.chmod(self.folder / "a1.key", 0o644)
        agent = self.agent("--key", "a1.key")
        agent.wait_for("others may open it (mode 0644): chmod 600 a1.key")
        self.assertEqual(agent.process.wait(20), 2)
        os.chmod(self.folder / "a1.key", 0o600)
        self.agent("--key", "a1.key")
        self.door.wait_for("agent a1 has joined")

    def test_a_list_that_others_may_write_does_not_count(self):
        os.chmod(self.folder / "keys/agents.allow", 0o666)
        self.door.wait_for("keys/agents.allow can be changed by others (mode 0666)")
        self.agent("--key", "a1.key")
        self.door.wait_for("agent a1 has joined")  # the previous list is in force


class Run(unittest.TestCase):
    def test_no_secret_is_on_a_command_line_or_in_the_environment(self):
        with Process("run", script("scene-right"), "-w", 2, "-d", "30s") as process:
            process.read_until("2 workers")
            agents = children_of(process.pid)
            self.assertEqual(len(agents), 2)
            for pid in agents:
                shown = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() + pathlib.Path(f"/proc/{pid}/environ").read_bytes()
                self.assertIn(b"--key=-", shown)
                self.assertIsNone(re.search(rb"secret", shown))
                self.assertEqual(os.readlink(f"/proc/{pid}/fd/0"), "/dev/null")

    def test_nobody_else_joins(self):
        with Process("run", script("scene-right"), "-w", 2, "-d", "30s") as process:
            process.read_until("2 workers")
            words = pathlib.Path(f"/proc/{children_of(process.pid)[0]}/cmdline").read_bytes().split(b"\0")
            endpoint = words[words.index(b"--coordinator") + 1].decode()
            with Lines(TUTTI, "agent", "--coordinator", endpoint, "--name", "intruder") as intruder:
                intruder.wait_for("cannot join")
            os.kill(process.pid, signal.SIGINT)
            result = process.finish()
            self.assertNotIn("intruder", result.out)


if __name__ == "__main__":
    unittest.main()
