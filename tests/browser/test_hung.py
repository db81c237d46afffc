"""A browser that hangs is replaced like one that has died: its driver, itself or the process of its page is stopped (SIGSTOP)."""
import os
import re
import signal
import time
import unittest

from browsers import Run, descendants, geckodriver, needs_chromium, needs_firefox, pages
from support import is_alive, wait_until
from test_life import command

# By what the command line of the process has.
CHROMIUM = {"driver": r"chromedriver.* --port", "browser": r"--user-data-dir(?!.*--type=)", "page": r"--type=renderer"}
FIREFOX = {"driver": r"geckodriver.* --port", "browser": r"-profile (?!.*-contentproc)", "page": r"-contentproc .*isForBrowser|-contentproc .* tab$"}
REPLACED_WITHIN_S = 45


class Hung(unittest.TestCase):
    def stopped(self, browser, which, pattern, **variables):
        with pages("", browser) as server, Run("hung", "-w", 1, "-r", 3, "--target", server.url, env=variables or None) as running:
            running.read_until("stop it")
            everyone = descendants(running.pid)
            found = [pid for pid in everyone if re.search(pattern, command(pid))]
            self.assertTrue(found, [command(pid)[:200] for pid in everyone])
            began = time.monotonic()
            for pid in found:
                os.kill(pid, signal.SIGSTOP)
            result = running.finish(timeout=120)
        self.assertEqual((result.steps["ok"], result.steps["failed"], result.code), (2, 1, 1), (which, result))
        self.assertRegex(result.report["errors"][0]["message"], r"^hung.lua:13: the browser has gone: wait_for #never: ")
        self.assertLess(time.monotonic() - began, REPLACED_WITHIN_S, which)
        wait_until(lambda: not [pid for pid in everyone if is_alive(pid)], 5, f"with the {which} stopped, something is left")

    @needs_chromium
    def test_chromium(self):
        for which, pattern in CHROMIUM.items():
            with self.subTest(which):
                self.stopped("chromium", which, pattern)

    @needs_firefox
    def test_firefox(self):
        for which, pattern in FIREFOX.items():
            with self.subTest(which):
                self.stopped("firefox", which, pattern)


if __name__ == "__main__":
    unittest.main()
