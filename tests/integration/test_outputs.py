"""Results that cannot be written are lost, which is an error: one line that says so, and exit code 3."""
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

from daemon import Agent, Coordinator
from support import ROOT, TUTTI, environment, script

TIMEOUT_S = 60


def into_full_disk(*arguments, **more):
    with open("/dev/full", "wb") as full:
        return subprocess.run([TUTTI, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                              timeout=TIMEOUT_S, text=True, **more)


def into_closed_pipe(*arguments, **more):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run([TUTTI, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE,
                              timeout=TIMEOUT_S, text=True, **more)
    finally:
        os.close(writer)


class Outputs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.env = environment()

    def lost(self, *arguments, code=3, lines=1, gone=0):
        with self.subTest(arguments=arguments):
            result = into_full_disk(*arguments, env=self.env, cwd=self.enterContext(tempfile.TemporaryDirectory()))
            self.assertEqual(result.returncode, code, result)
            said = [line for line in result.stderr.splitlines() if "standard output" in line]
            self.assertEqual(len(said), 1, result)
            # With several writes, the last one does not know why the first one failed.
            self.assertRegex(said[0], "^tutti: .*(cannot write to standard output|cannot be written)(: No space left on device)?$")
            if lines is not None:
                self.assertEqual(len(result.stderr.splitlines()), lines, result)
            # A reader that has gone has seen enough: `tutti run … | head -1` keeps the code of the run.
            result = into_closed_pipe(*arguments, env=self.env, cwd=self.enterContext(tempfile.TemporaryDirectory()))
            self.assertEqual(result.returncode, gone, result)
            if gone == 0:
                self.assertNotIn("standard output", result.stderr)

    def test_what_needs_no_coordinator(self):
        for command in (("help",), ("help", "run"), ("run", "--help"), ("--help",), ("version",), ("--version",), ("completion", "bash"),
                        ("completion", "zsh"), ("completion", "fish"), ("check", script("scene-right")), ("keygen", "keys"), ("init", "shop"),
                        ("target", "--port", 0)):
            self.lost(*command)

    def test_a_run_ends_and_says_that_its_report_is_lost(self):
        self.lost("run", script("quick"), "-w", 2, "-r", 2)
        self.lost("run", script("quick"), "-w", 2, "-r", 2, "--json", "-", lines=None, gone=3)  # the text is on standard error then
        result = into_full_disk("run", script("fails-half"), "-w", 2, "-r", 2, env=self.env)
        self.assertEqual(result.returncode, 3, result)
        report = self.folder / "report.json"
        result = into_full_disk("run", script("quick"), "-w", 2, "-r", 2, "-q", "--json", report, env=self.env)
        self.assertEqual((result.returncode, result.stderr), (0, ""), "nothing was to be written there")
        self.assertIn("passed", report.read_text())

    def test_a_report_on_a_full_disk_leaves_nothing_half(self):
        report = self.folder / "report.json"
        result = subprocess.run(["prlimit", "--fsize=512", TUTTI, "run", script("quick"), "-w", "2", "-r", "2", "--json", report],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S, env=self.env)
        self.assertEqual(result.returncode, 3, result)
        self.assertIn("report.json cannot be written: File too large", result.stderr)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_file_that_may_not_grow(self):
        out = self.folder / "out"
        with open(out, "wb") as file:
            result = subprocess.run(["prlimit", "--fsize=100", TUTTI, "help", "run"], stdin=subprocess.DEVNULL, stdout=file,
                                    stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S, env=self.env)
        self.assertEqual((result.returncode, result.stderr), (3, "tutti: cannot write to standard output: File too large\n"))

    def test_what_asks_a_coordinator(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"):
            coordinator.wait_agents(1)
            self.env = environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}")
            ended = coordinator.create("quick", 1, workers=2, runs=2)
            self.assertEqual(coordinator.report(ended)["verdict"], "passed")
            running = coordinator.create("naps", 1, workers=2, runs=100000)
            coordinator.wait_state(running, "running")
            for command in (("agents",), ("agents", "--json"), ("status",), ("status", "--json"), ("status", ended), ("report", ended),
                            ("scale", running, "-w", 2), ("watch", ended), ("watch", ended, "--json"),
                            ("start", script("quick"), "-w", 2), ("start", script("quick"), "-w", 2, "--wait")):
                self.lost(*command)
            self.lost("report", ended, "--json", "-", gone=3)
            begun = time.monotonic()
            self.lost("watch", running, "--json", gone=3)
            self.assertLess(time.monotonic() - begun, 30, "nobody sees what it shows: it does not wait for the end")
            self.lost("stop", running)


class Words(unittest.TestCase):
    """Text from others is shown escaped."""

    def test_names_and_errors_cannot_turn_the_direction_of_writing(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "turns.lua")
            path.write_text("local tutti = require 'tutti'\ntutti.scenario('a', function()\n"
                            "  error('gnp.\\u{202e}exe \\u{2066}x\\u{2028}tutti: coordinator: forged\\u{200b}')\nend)\n")
            result = subprocess.run([TUTTI, "run", path, "-w", "1", "-v"], stdin=subprocess.DEVNULL,
                                    capture_output=True, timeout=TIMEOUT_S, env=environment())
            shown = (result.stdout + result.stderr).decode()
            self.assertEqual(result.returncode, 1, shown)
            self.assertIn("gnp.", shown)
            for character in "\u202e\u2066\u2028\u200b":
                self.assertNotIn(character, shown)
        result = subprocess.run([TUTTI, "agent", "--coordinator", "tcp://127.0.0.1:1", "--name", "a\u202e1"], stdin=subprocess.DEVNULL,
                                capture_output=True, timeout=TIMEOUT_S, env=environment())
        self.assertEqual(result.returncode, 2)
        self.assertNotIn("\u202e", result.stderr.decode())


class Places(unittest.TestCase):
    """Without the usual environment: the run is the same."""

    def test_without_a_home_or_a_place_for_temporary_files(self):
        bare = {"PATH": os.environ["PATH"]}
        for env in (bare, {**bare, "TMPDIR": "/nowhere"}, {**bare, "TMPDIR": "/proc"}, {**bare, "HOME": "/nowhere", "XDG_RUNTIME_DIR": "/nowhere"}):
            result = subprocess.run([TUTTI, "run", script("quick"), "-w", "2", "-r", "2"], stdin=subprocess.DEVNULL, capture_output=True,
                                    text=True, timeout=TIMEOUT_S, env=env, cwd=ROOT)
            self.assertEqual((result.returncode, result.stderr), (0, ""), (env, result))

    def test_without_the_first_three_descriptors(self):
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            result = subprocess.run(["sh", "-c", f'exec "$0" "$@" {closed}', TUTTI, "run", script("quick"), "-w", "2", "-r", "2"],
                                    capture_output=True, text=True, timeout=TIMEOUT_S, env=environment())
            self.assertEqual(result.returncode, 0, (closed, result))


if __name__ == "__main__":
    unittest.main()
