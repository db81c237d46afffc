"""System limits: one line and exit code 3, never an abort; and strangers that take all connections."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from daemon import Agent, Coordinator
from support import TUTTI, environment, script, tutti, wait_until

SANITIZER = os.environ.get("SANITIZER")
NOBODY = 65534
COMMANDS = (("run", script("quick"), "-w", "2", "-r", "2"), ("run", script("quick"), "-w", "2", "-r", "2", "--target", "builtin"),
            ("coordinator", "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0"),
            ("agent", "--coordinator", "tcp://127.0.0.1:1", "--shards", "2"), ("target", "--port", "0"), ("check", script("quick")),
            ("start", script("quick"), "--api", "http://127.0.0.1:1"), ("status", "--api", "http://127.0.0.1:1", "--retry", "0"))
# A sanitizer searches for leaks in a separate process.
ENVIRONMENT = environment(ASAN_OPTIONS="detect_leaks=0")
STAYING = ("coordinator", "agent", "target")


def limited(limits, command, seconds=20):
    """(exit code, standard error); a daemon that keeps running is stopped, and its code is that of a normal end."""
    process = subprocess.Popen([*limits, TUTTI, *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd="/")
    try:
        _, said = process.communicate(timeout=1.5 if command[0] in STAYING else seconds)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            _, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            _, said = process.communicate()
    return process.returncode, said


class Limits(unittest.TestCase):
    def refused(self, limits, command, *words):
        code, said = limited(limits, command)
        with self.subTest(limits=limits, command=command):
            self.assertEqual(code, 3, said)
            self.assertEqual(len(said.splitlines()), 1, said)
            self.assertTrue(said.startswith(f"tutti: {command[0]}: "), said)
            for word in words:
                self.assertIn(word, said)

    def works_or_says_why(self, limits, command):
        code, said = limited(limits, command)
        with self.subTest(limits=limits, command=command):
            unreachable = command[0] in ("start", "status")
            self.assertIn(code, (3,) if unreachable else (0, 3), said)
            if code == 3 and not unreachable:
                self.assertTrue(said.startswith("tutti: "), said)
                self.assertIn("ulimit", said)
            self.assertNotIn("terminate called", said)
            self.assertNotIn("src/", said, "no words of a library's assertion")

    def test_descriptors(self):
        for command in COMMANDS[:5]:
            self.refused(("prlimit", "--nofile=24"), command, "more files can be opened", "ulimit -n")
        for command in COMMANDS:
            for count in (8, 16, 32, 48, 64, 80, 128):
                self.works_or_says_why(("prlimit", f"--nofile={count}"), command)

    def test_stack(self):
        for command in COMMANDS:
            self.refused(("prlimit", "--stack=131072"), command, "the stack is limited to 128 KiB", "ulimit -s")
        code, said = limited(("prlimit", "--stack=131072:8388608"), COMMANDS[0])
        self.assertEqual(code, 0, said)  # it raises the limit by itself

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user, and root has no limit of processes")
    def test_threads(self):
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            os.chmod(folder, 0o755)
            path = pathlib.Path(shutil.copy(script("quick"), folder))
            for count in (1, 2, 4, 6, 8, 12, 16, 24):
                limits = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "prlimit", f"--nproc={count}")
                for command in (("run", path, "-w", "2", "-r", "2"), *COMMANDS[2:5]):
                    self.works_or_says_why(limits, command)
                if count < 4:
                    self.refused(limits, COMMANDS[2], "more threads can be created", "ulimit -u")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user, and root has no limit of processes")
    def test_threads_that_others_have_taken_since(self):
        """A daemon that has begun needs no more of them at its end."""
        nobody = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        for command in COMMANDS[2:4]:
            with subprocess.Popen([*nobody, "prlimit", "--nproc=60", TUTTI, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd="/") as process:
                self.addCleanup(process.kill)
                time.sleep(1.5)
                others = [subprocess.Popen([*nobody, "sleep", "60"]) for _ in range(70)]
                try:
                    time.sleep(0.5)
                    process.terminate()
                    _, said = process.communicate(timeout=20)
                finally:
                    for other in others:
                        other.kill()
                        other.wait()
                self.assertEqual(process.returncode, 0, said)

    @unittest.skipIf(SANITIZER, "a sanitizer takes all addresses for itself")
    def test_memory(self):
        for mebibytes in (20, 60, *range(100, 500, 40), 600):
            for command in COMMANDS[:5]:
                code, said = limited(("prlimit", f"--as={mebibytes << 20}"), command)
                with self.subTest(mebibytes=mebibytes, command=command):
                    if "error while loading shared libraries" in said:
                        continue  # not ours yet
                    self.assertIn(code, (0, 3), said)
                    if code == 3:
                        self.assertIn("ulimit -v", said)
                    self.assertNotIn("abort", said.lower())

    @unittest.skipIf(SANITIZER, "a sanitizer takes all addresses for itself")
    def test_after_passed_the_code_is_that_of_the_report(self):
        for mebibytes in range(260, 400, 20):
            result = subprocess.run(["prlimit", f"--as={mebibytes << 20}", TUTTI, "run", script("quick"), "-w", "2", "-r", "2"],
                                    stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(), timeout=60)
            with self.subTest(mebibytes=mebibytes):
                self.assertEqual(result.returncode, 0 if "passed" in result.stdout else 3, result)


class Files(unittest.TestCase):
    def test_a_journal_that_may_not_grow_ends_no_coordinator(self):
        with tempfile.TemporaryDirectory() as folder, \
                Coordinator("--state", f"{folder}/state", prefix=("prlimit", "--fsize=300")) as coordinator, \
                Agent(coordinator.endpoint, "a1") as agent:
            coordinator.wait_agents(1)
            report = coordinator.report(coordinator.create("naps", 1, workers=20, runs=20))
            self.assertEqual(report["verdict"], "passed", report)
            self.assertRegex(coordinator.log, "the journal has failed: .*: File too large; campaigns go on")
            self.assertIsNone(agent.process.poll())
            self.assertEqual(coordinator.end(), 0, coordinator.log)


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


AT_ONCE = 25  # fewer than the backlog: otherwise most of them retry only after a second


class Strangers:
    """Silent connections, made again when they are cut."""

    def __init__(self, port, count):
        self.port, self.count, self.sockets = port, count, []

    def fill(self):
        """Replaces those that the other side has closed; opens as many as possible."""
        alive = []
        for each in self.sockets:
            try:
                if each.recv(64, socket.MSG_DONTWAIT) == b"":
                    each.close()
                    continue
            except BlockingIOError:
                pass
            except OSError:
                each.close()
                continue
            alive.append(each)
        self.sockets = alive
        for _ in range(min(AT_ONCE, self.count - len(self.sockets))):
            each = socket.socket()
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", self.port))
            self.sockets.append(each)

    def stay(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.fill()
            time.sleep(0.05)

    def close(self):
        for each in self.sockets:
            each.close()


class AcceptStorm(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.assertEqual(tutti("keygen", "keys", cwd=self.folder).code, 0)
        self.assertEqual(tutti("keygen", "keys", "--agent", "a1", cwd=self.folder).code, 0)
        self.coordinator = self.enterContext(Coordinator("--keys", "keys", cwd=self.folder, prefix=("prlimit", "--nofile=256")))
        self.strangers = Strangers(int(self.coordinator.endpoint.rpartition(":")[2]), 450)
        self.addCleanup(self.strangers.close)

    def open_files(self):
        return len(os.listdir(f"/proc/{self.coordinator.pid}/fd"))

    def test_silent_connections_take_neither_the_processor_nor_the_place_of_an_agent(self):
        self.strangers.stay(2)
        self.coordinator.wait_for("refused: ")
        before, begun = cpu_s(self.coordinator.pid), time.monotonic()
        self.strangers.stay(6)
        share = (cpu_s(self.coordinator.pid) - before) / (time.monotonic() - begun)
        self.assertLess(share, 0.5 if SANITIZER else 0.2, self.coordinator.log)
        self.assertLess(self.open_files(), 250, "the API, files and so on have some left")
        self.assertEqual(self.coordinator.get("/healthz").status, 200)
        self.assertIn("because there were too many, until some had closed (raise ulimit -n)", self.coordinator.log)
        self.assertGreater(self.coordinator.metrics()['tutti_refusals_total{kind="full"}'], 0)

        agent = Agent(self.coordinator.endpoint, "a1", "--key", "a1.key", cwd=self.folder)
        self.enterContext(agent)
        end = time.monotonic() + 60
        while "agent a1 has joined" not in self.coordinator.log:
            self.assertLess(time.monotonic(), end, self.coordinator.log)
            self.strangers.stay(0.5)
        self.strangers.close()
        self.strangers.sockets = []
        wait_until(lambda: self.open_files() < 60, 20, "connections that have gone are still open")
        self.coordinator.wait_agents(1)

    def test_it_goes_on_as_before_when_they_have_gone(self):
        for _ in range(3):
            self.strangers.stay(1)
            self.strangers.close()
            self.strangers.sockets = []
            wait_until(lambda: self.open_files() < 60, 20, "connections that have gone are still open")
        self.enterContext(Agent(self.coordinator.endpoint, "a1", "--key", "a1.key", cwd=self.folder))
        self.coordinator.wait_for("agent a1 has joined", 10)


if __name__ == "__main__":
    unittest.main()
