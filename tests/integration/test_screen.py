"""What is shown on the screen, with a terminal and without one, and how Ctrl-C ends a run."""
import json
import os
import re
import signal
import subprocess
import time
import unittest

from support import TUTTI, Process, Run, environment, processes_of_session, run, script, tutti, wait_until
from terminal import Terminal

COLUMNS = 60


class OnATerminal(unittest.TestCase):
    def test_live_line(self):
        with Terminal("run", script("prints"), "-w", 3, "-d", 3, columns=COLUMNS, NO_COLOR="1") as terminal:
            code, shown = terminal.finish()
        self.assertEqual(code, 0, shown)
        frames = re.findall(r"\r\x1b\[K([^\r\n]*workers[^\r\n]*)", shown)
        self.assertGreaterEqual(len(frames), 2, shown)
        for frame in frames:
            self.assertLess(len(frame), COLUMNS)
            self.assertRegex(frame, r"^0:0\d  .*\d workers  \d+ ok  0 failed")
        self.assertTrue(any("  3 workers  " in frame for frame in frames), frames)
        for line in re.findall(r"[^\r\n\x1b]*a line of worker[^\r\n]*", shown):
            self.assertNotIn("workers", line, "the live line tears what the script prints")
        self.assertNotIn("\x1b[3", shown, "NO_COLOR")

    def test_colour(self):
        with Terminal("run", script("scene-right"), columns=COLUMNS) as terminal:
            _, shown = terminal.finish()
        self.assertIn("\x1b[32mpassed\x1b[0m", shown)

    def test_control_c_reaches_only_the_parent(self):
        with Terminal("run", script("waits"), "-w", 3, "-d", 600, columns=COLUMNS) as terminal:
            terminal.read(20, b"working")
            terminal.type(b"\x03")
            code, shown = terminal.finish()
        self.assertEqual(code, 130, shown)
        for worker in range(3):
            self.assertIn(f"torn down {worker}", shown, "graceful")
        self.assertIn("interrupted", shown)
        self.assertNotIn("lost", shown)


class WithoutOne(unittest.TestCase):
    def test_plain_lines_and_no_control_codes(self):
        result = run("prints", "-w", 3, "-d", 6)
        self.assertEqual(result.code, 0, result)
        self.assertRegex(result.out, r"(?m)^0:0\d  3 workers  \d+ ok  0 failed")
        for text in (result.out, result.err):
            self.assertNotIn("\x1b", text)
            self.assertNotIn("\r", text)
        for worker in range(3):
            self.assertIn(f"a line of worker {worker}", result.out)

    def test_quiet(self):
        result = tutti("run", script("prints"), "-w", 3, "-r", 1, "-q")
        self.assertEqual((result.code, result.out, result.err), (0, "", ""))

    def test_quiet_tells_a_deadlock(self):
        result = tutti("run", script("no-fifth"), "-w", 4, "-q")
        self.assertEqual((result.code, result.out), (1, ""), result)
        self.assertIn("deadlock", result.err)

    def test_json_on_standard_output(self):
        result = tutti("run", script("prints"), "-w", 2, "-r", 1, "--json", "-")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(json.loads(result.out)["verdict"], "passed")
        self.assertIn("a line of worker 0", result.err)

    def test_a_reader_that_dawdles_holds_up_nothing(self):
        with Run("floods", "-w", 2, "-d", 2, "--agents", 2) as process:
            wait_until(process.json.exists, 25, "the run does not end while nobody reads what it prints")
            result = process.finish()
        self.assertEqual((result.code, result.verdict), (0, "passed"), result.err)
        self.assertIn("\npassed", result.out)

    def test_nobody_at_all(self):
        done = subprocess.run(f"'{TUTTI}' run '{script('prints')}' -w 3 <&- >&- 2>&-", shell=True, timeout=30, env=environment())
        self.assertEqual(done.returncode, 0)

    def test_a_reader_that_leaves(self):
        with Process("run", script("prints"), "-w", 3, "-d", 2) as process:
            process.read_until("a line of worker")
            process.process.stdout.close()
            self.assertEqual(process.process.wait(30), 0)
            self.assertEqual(processes_of_session(process.pid), [])


class Ending(unittest.TestCase):
    def end(self, name, *signals, seconds):
        with Run(name, "-w", 4, "-d", 600, "--agents", 2) as process:
            process.read_until("working" if name == "waits" else "sleeping")
            sent = time.monotonic()
            for number in signals:
                os.kill(process.pid, number)
                time.sleep(0.3)
            result = process.finish(30)
            self.assertLess(time.monotonic() - sent, seconds, result)
        self.assertEqual(result.code, 130, result)
        self.assertEqual(result.report["verdict"], "aborted", result)
        self.assertIn("interrupted", result.report["reason"])
        return result

    def test_once_is_graceful(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                result = self.end("waits", number, seconds=10)
                for worker in range(4):
                    self.assertIn(f"torn down {worker}", result.out)
                self.assertEqual(result.steps["failed"], 0, result)

    def test_once_ends_sleeps_too(self):
        result = self.end("sleeps", signal.SIGINT, seconds=10)
        self.assertIn("torn down 3", result.out)

    def test_twice_is_at_once(self):
        self.end("sleeps", signal.SIGINT, signal.SIGINT, seconds=10)


if __name__ == "__main__":
    unittest.main()
