"""Browsers and their drivers: however a campaign ends, nothing is left of them; and the messages if there is no driver."""
import contextlib
import os
import shutil
import signal
import subprocess
import unittest

from daemon import Agent, Coordinator
from place import GONE_S, Place
from support import TUTTI, Run, children_of, environment, run, script, tutti, wait_until
from webdrivers import geckodriver, needs_chromium, needs_firefox


class Story:
    """Workers that wait in browsers of their own."""
    browser = "chromium"
    driver = b"chromedriver\0--port"
    mark = b"--user-data-dir"  # in the command line of each browser
    variables = {}

    def setUp(self):
        self.place = self.enterContext(Place())

    def begin(self, *options, workers=2):
        running = self.enterContext(Run("drivers", "-w", workers, "--agents", 2, "--target", "builtin", "--browser", self.browser, *options,
                                        env=self.place.environment(**self.variables)))
        for _ in range(workers):
            running.read_until("up ")
        self.assertGreaterEqual(len(self.place.processes(self.mark)), workers)
        self.assertEqual(len(self.place.folders()), workers)
        return running


class Kills(Story):
    def test_root_killed(self):
        running = self.begin()
        running.process.kill()
        running.process.wait()
        self.place.expect_nothing()

    def test_agent_killed(self):
        running = self.begin("-r", 2)
        victim = children_of(running.pid)[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(self.place.folders()) == 1, GONE_S, "the browser of the agent that was killed is left")
        running.process.send_signal(signal.SIGINT)
        running.finish()
        self.place.expect_nothing()

    def test_driver_killed(self):
        running = self.begin("-r", 2, workers=1)
        os.kill(self.place.processes(self.driver)[0], signal.SIGKILL)
        result = running.finish()
        self.assertEqual((result.steps["ok"], result.steps["failed"]), (1, 1), result)
        self.assertRegex(result.report["errors"][0]["message"], "the browser has gone: wait_for #never: ")
        self.place.expect_nothing()

    def test_browser_killed(self):
        running = self.begin("-r", 2, workers=1)
        for pid in self.place.processes(self.mark):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        result = running.finish()
        self.assertEqual((result.steps["ok"], result.steps["failed"]), (1, 1), result)
        self.place.expect_nothing()


@needs_chromium
class ChromiumKills(Kills, unittest.TestCase):
    pass


@needs_firefox
class FirefoxKills(Kills, unittest.TestCase):
    browser = "firefox"
    driver = b"geckodriver\0--"
    mark = b"--marionette"
    variables = {"TUTTI_GECKODRIVER": geckodriver() or ""}


@needs_chromium
class Ends(Story, unittest.TestCase):
    def test_by_itself(self):
        result = run("drivers-quick", "-w", 3, "-r", 2, "--agents", 2, "--target", "builtin", env=self.place.environment())
        self.assertEqual((result.code, result.steps["ok"]), (0, 6), result)
        self.assertEqual((self.place.processes(), self.place.folders()), ([], []))

    def test_interrupted(self):
        running = self.begin()
        running.process.send_signal(signal.SIGINT)
        self.assertEqual(running.finish().code, 130)
        self.assertEqual((self.place.processes(), self.place.folders()), ([], []))

    def test_interrupted_twice(self):
        running = self.begin()
        running.process.send_signal(signal.SIGINT)
        running.process.send_signal(signal.SIGINT)
        self.assertEqual(running.finish().code, 130)
        self.place.expect_nothing()

    def test_reaper_killed(self):
        running = self.begin("-r", 2, workers=1)
        os.kill(self.place.processes(b"tutti\0reaper\0chromium")[0], signal.SIGKILL)
        result = running.finish()
        self.assertEqual((result.steps["ok"], result.steps["failed"]), (1, 1), result)
        self.place.expect_nothing()

    def test_all_of_tutti_killed_at_once(self):
        """Then the next run that needs a browser cleans up."""
        running = self.begin()
        victims = [*self.place.processes(b"reaper"), *children_of(running.pid), running.pid]
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):  # it ends with the one before
                os.kill(pid, signal.SIGKILL)
        running.process.wait()
        self.assertEqual(len(self.place.folders()), 2)
        result = run("drivers-quick", "--agents", 1, "--target", "builtin", env=self.place.environment())
        self.assertEqual(result.code, 0, result)
        self.place.expect_nothing()


@needs_chromium
@unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare") and shutil.which("ip"), "needs root, unshare and iproute2")
class WithoutIpv6(unittest.TestCase):
    def test_chromium_starts(self):
        """As in most containers: chromedriver cannot choose a port by itself there."""
        with Place() as place:
            done = subprocess.run(
                ["unshare", "--net", "sh", "-c", 'ip link set lo up; echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; exec "$@"', "sh",
                 TUTTI, "run", script("drivers-quick"), "--agents", "1", "--target", "builtin"],
                env=place.environment(), capture_output=True, text=True, timeout=150)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            place.expect_nothing()


class Missing(unittest.TestCase):
    def setUp(self):
        self.bare = environment(PATH="/nowhere", HOME="/nowhere")

    def test_nothing_starts(self):
        for command in ("run", "check"):
            for browser, words in {"chromium": "apt-get install chromium-driver", "firefox": "cargo install geckodriver --version 0.37.1 --locked",
                                   "webkit": "apt-get install webkit2gtk-driver"}.items():
                result = tutti(command, script("drivers"), env={**self.bare, "TUTTI_BROWSER": browser})
                self.assertEqual((result.code, result.out), (2, ""), result)
                self.assertRegex(result.err, rf"^tutti: {command}: .*drivers.lua: {browser} needs \w+: {words}.*\n$")

    def test_of_several_each_is_told(self):
        for command in ("run", "check"):
            result = tutti(command, script("drivers"), "--browser", "chromium,firefox,chromium", env=self.bare)
            self.assertEqual((result.code, result.out), (2, ""), result)
            self.assertRegex(result.err, rf"^tutti: {command}: .*drivers.lua: firefox needs geckodriver: cargo .*; chromium needs chromedriver: apt-get "
                                         r"install chromium-driver\n$|: chromium needs chromedriver: .*; firefox needs geckodriver: cargo .*\n$")
            wrong = tutti(command, script("drivers"), "--browser", "chromium,safari", env=self.bare)
            self.assertEqual(wrong.code, 2, wrong)
            self.assertIn("browser is chromium, firefox, webkit or remote, or several with commas", wrong.err)

    def test_scripts_that_open_none_do_not_care(self):
        self.assertEqual(tutti("check", script("pad"), env=self.bare).code, 0)
        self.assertEqual(tutti("check", script("drivers"), env={**self.bare, "TUTTI_BROWSER": "remote"}).code, 0)

    def test_agents_say_so(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1", env=self.bare):
            result = tutti("start", script("drivers"), "--wait", "--api", f"http://127.0.0.1:{coordinator.port}", env=self.bare)
            self.assertNotEqual(result.code, 0, result)
            self.assertIn("chromium needs chromedriver: apt-get install chromium-driver", result.out + result.err)


if __name__ == "__main__":
    unittest.main()
