"""The second line of defence: what a script can reach once it has escaped the sandbox. Landlock, seccomp and no_new_privs, as this kernel has them."""
import os
import pathlib
import re
import tempfile
import unittest

from daemon import Agent, Coordinator, Logged
from place import Place
from support import Process, children_of, environment, run, script, tutti
from webdrivers import needs_chromium

WALLS = re.compile(r"walls: (Landlock \d+, )?(seccomp, )?no_new_privs")


class OpenAgent(Logged):
    """Its sandbox is open; only the test has such an agent."""

    def __init__(self, endpoint, name, **more):
        super().__init__(endpoint, name, program=os.environ["OPEN_AGENT"], **more)


class Foreign:
    """A folder that is not the agent's; it may be neither read nor written."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tw", dir="/tmp")
        self.path = pathlib.Path(self.folder.name)
        (self.path / "secret").write_text("do not tell")
        (self.path / "secret.txt").write_text("do not tell")
        (self.path / "program").write_text(f"#!/bin/sh\nid > {self.path}/out\n")
        (self.path / "program").chmod(0o755)
        self.before = self.state()
        return self

    def state(self):
        return {path.name: (path.stat().st_mode, path.read_text()) for path in self.path.iterdir()}

    def __exit__(self, *_):
        self.folder.cleanup()


class Attacks(unittest.TestCase):
    def setUp(self):
        self.foreign = self.enterContext(Foreign())
        self.place = self.enterContext(Place())
        self.coordinator = self.enterContext(Coordinator())
        self.agent = self.enterContext(OpenAgent(self.coordinator.endpoint, "open", env=self.place.environment()))
        self.agent.wait_for("walls: ")
        if "no Landlock" in self.agent.log:
            self.skipTest("this kernel has no Landlock")
        self.coordinator.wait_agents(1)

    def attack(self, name, **options):
        campaign = self.coordinator.create(name, workers=1, runs=1, target=f"file://{self.foreign.path}", **options)
        report = self.coordinator.report(campaign, 150)
        self.assertEqual((report["verdict"], report["steps"]["failed"]), ("passed", 0), (report["reason"], report["errors"], self.agent.log))
        self.assertEqual(self.foreign.state(), self.foreign.before)
        self.assertIsNone(self.agent.process.poll())

    def test_scripts(self):
        self.attack("opened", single_mode="attacks")

    @needs_chromium
    def test_pages_of_files(self):
        self.attack("opened-browser", single_mode="files")

    @needs_chromium
    def test_programs_of_browsers(self):
        self.attack("opened-browser", single_mode="programs")


class Agents(unittest.TestCase):
    def test_the_start_says_which_walls_stand(self):
        coordinator = self.enterContext(Coordinator())
        agent = self.enterContext(Agent(coordinator.endpoint, "a1"))
        self.assertRegex(agent.wait_for("walls: "), WALLS)
        allowed = self.enterContext(Agent(coordinator.endpoint, "a2", "--allow-system"))
        self.assertIn("walls: none, with --allow-system", allowed.wait_for("walls: "))
        self.assertEqual(self.status(allowed.pid)["NoNewPrivs"], "0")
        self.assertEqual((self.status(agent.pid)["NoNewPrivs"], self.status(agent.pid)["Seccomp"]), ("1", "2"))

    def test_every_thread_is_within(self):
        coordinator = self.enterContext(Coordinator())
        agent = self.enterContext(Agent(coordinator.endpoint, "a1", "--shards", "2"))
        coordinator.wait_agents(1)
        threads = os.listdir(f"/proc/{agent.pid}/task")
        self.assertGreater(len(threads), 3)
        for thread in threads:
            found = self.status(f"{agent.pid}/task/{thread}")
            self.assertEqual((found["NoNewPrivs"], found["Seccomp"]), ("1", "2"))

    def test_nothing_outlives_it(self):
        coordinator = self.enterContext(Coordinator())
        agent = self.enterContext(Agent(coordinator.endpoint, "a1"))
        coordinator.wait_agents(1)
        starter = children_of(agent.pid)
        self.assertEqual(len(starter), 1)
        self.assertEqual(agent.end(), 0)
        self.assertFalse(os.path.exists(f"/proc/{starter[0]}"))

    def status(self, pid):
        with open(f"/proc/{pid}/status") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)

    def test_options_are_checked(self):
        for option in ("--allow-read=etc", "--allow-run=/usr/bin,", "--allow-read="):
            result = tutti("agent", "--coordinator", "tcp://127.0.0.1:1", option)
            self.assertEqual(result.code, 2, result)


class Looks(unittest.TestCase):
    """Loading a script for `check`, `run` and `start`."""

    def check(self, folder, text):
        path = pathlib.Path(folder, "looked-at.lua")
        path.write_text(f"local tutti = require 'tutti'\n{text}\ntutti.scenario('s', function() end)\n")
        return tutti("check", path)

    def test_files_beside_it_and_links_of_them(self):
        foreign = self.enterContext(Foreign())
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "linked.txt").symlink_to(foreign.path / "secret")
            pathlib.Path(folder, "parts").mkdir()
            pathlib.Path(folder, "parts", "more.lua").write_text("return 1")
            result = self.check(folder, "assert(require 'parts.more' == 1)\nassert(io.open('linked.txt'):read('a') == 'do not tell')")
            self.assertEqual(result.code, 0, result)
            self.assertIn("linked.txt", result.out)

    def test_a_script_that_is_a_link(self):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
            pathlib.Path(other, "it.lua").write_text("require('tutti').scenario('s', function() end)")
            pathlib.Path(folder, "it.lua").symlink_to(pathlib.Path(other, "it.lua"))
            self.assertEqual(tutti("check", pathlib.Path(folder, "it.lua")).code, 0)
            self.assertEqual(tutti("check", "it.lua", cwd=folder).code, 0)

    def test_errors_come_through(self):
        with tempfile.TemporaryDirectory() as folder:
            result = self.check(folder, "error('so it is')")
            self.assertEqual(result.code, 2, result)
            self.assertIn("looked-at.lua:2: so it is", result.err)


if __name__ == "__main__":
    unittest.main()
