"""How browsers of workers begin and end: killed, stopped, left open, many at once, with large pictures."""
import os
import pathlib
import signal
import time
import unittest

from browsers import Driver, Run, chromedriver, descendants, needs_chromium, pages, run
from support import is_alive, wait_until


def command(pid):
    try:
        return pathlib.Path("/proc", str(pid), "cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@needs_chromium
class Life(unittest.TestCase):
    def setUp(self):
        self.driver = self.enterContext(Driver(chromedriver(), "--port=0"))
        self.server = self.enterContext(pages(self.driver.url))

    def none_left(self):
        wait_until(lambda: not self.driver.descendants(), 5, "browsers are left")

    def test_killed_in_the_middle_of_a_step(self):
        with Run("killed", "-w", 1, "-r", 3, "--target", self.server.url) as running:
            running.read_until("kill it")
            for pid in self.driver.descendants():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            result = running.finish()
        self.assertEqual((result.steps["ok"], result.steps["failed"], result.code), (2, 1, 1), result)
        self.assertRegex(result.report["errors"][0]["message"], r"^killed.lua:13: the browser has gone: wait_for #never: ")
        self.none_left()

    def test_killed_with_a_driver_of_the_agents_own(self):
        self.server.driver = ""
        with Run("killed", "-w", 1, "-r", 3, "--target", self.server.url) as running:
            running.read_until("kill it")
            everyone = descendants(running.pid)
            browser = [pid for pid in everyone if "--user-data-dir" in command(pid) and "--type=" not in command(pid)]
            self.assertEqual(len(browser), 1)
            os.kill(browser[0], signal.SIGKILL)
            result = running.finish()
        self.assertEqual((result.steps["ok"], result.steps["failed"], result.code), (2, 1, 1), result)
        self.assertRegex(result.report["errors"][0]["message"], r"^killed.lua:13: the browser has gone: wait_for #never: ")
        wait_until(lambda: not [pid for pid in everyone if is_alive(pid)], 5, "something of it is left")

    def test_a_stop_ends_a_wait_in_the_page(self):
        with Run("waits-long", "-w", 2, "-r", 1, "--target", self.server.url) as running:
            running.read_until("waits now")
            running.read_until("waits now")
            time.sleep(0.5)
            began = time.monotonic()
            running.process.send_signal(signal.SIGINT)
            result = running.finish()
        self.assertLess(time.monotonic() - began, 5, result)
        self.assertEqual((result.steps["stopped"], result.verdict), (2, "aborted"), result)
        self.none_left()

    def test_large_pictures(self):
        result = run("large", "-w", 1, "-r", 2, "--target", self.server.url)
        self.assertEqual(result.code, 0, result)
        self.none_left()

    def test_each_worker_has_its_own(self):
        result = run("many", "-w", 4, "-r", 2, "--target", self.server.url)
        self.assertEqual((result.code, result.steps["ok"]), (0, 8), result)
        self.none_left()


if __name__ == "__main__":
    unittest.main()
