"""--git: a script, and the runs of a file, from a git repository at a revision."""
import json
import os
import signal
import subprocess
import time
import unittest

from daemon import Agent, Coordinator
from support import TUTTI, environment, tutti, wait_until
from test_params import HEAD, Params

SCRIPT = HEAD + "local part = require 'part'\ntutti.scenario('s', function() tutti.print('version ' .. part.version) end)\n"


class Git(Params):
    def setUp(self):
        super().setUp()
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.env = environment(TMPDIR=str(self.temporary))
        self.repository = self.folder / "repository"
        (self.repository / "load").mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.commits = [self.commit(version) for version in ("1", "2")]
        self.git("tag", "old", self.commits[0])

    def git(self, *arguments):
        clean = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
        who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        return subprocess.run(["git", *who, *arguments], cwd=self.repository, check=True, capture_output=True, text=True, env=clean, timeout=30).stdout.strip()

    def commit(self, version):
        (self.repository / "load" / "s.lua").write_text(SCRIPT)
        (self.repository / "load" / "part.lua").write_text(f"return {{ version = '{version}' }}\n")
        runs = {"tutti": {"env": {}, "runs": {"smoke": {"script": "load/s.lua", "workers": 1, "runs": 1, "name": "smoke " + version}}}}
        (self.repository / "tutti.json").write_text(json.dumps(runs))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "version " + version)
        return self.git("rev-parse", "HEAD")

    def ran(self, *options, url=None):
        result = tutti("run", "--git", url or self.repository, *options, "--json", self.folder / "r.json", env=self.env)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(list(self.temporary.glob("tutti-git-*")), [])
        return result, json.loads((self.folder / "r.json").read_text())

    def test_a_script_at_a_revision(self):
        for options, version in (((), "2"), (("--revision", "main"), "2"), (("--revision", "old"), "1"), (("--revision", self.commits[0]), "1"),
                                 (("--revision", self.commits[0][:9]), "1")):
            for where in (("load/s.lua",), ("s.lua", "--path", "load")):
                with self.subTest(options=options, where=where):
                    result, report = self.ran(*where, *options)
                    self.assertIn("version " + version, result.out)
                    self.assertEqual(report["script"], f"{self.commits[int(version) - 1][:12]}/load/s.lua")

    def test_a_url_and_the_runs_of_a_file(self):
        result, report = self.ran("--config", "tutti.json", "smoke", "--revision", "old", url=f"file://{self.repository}")
        self.assertIn("version 1", result.out)
        self.assertEqual(report["name"], "smoke 1")

    def test_a_coordinator_gets_it(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"):
            env = {**self.env, "TUTTI_API": f"http://127.0.0.1:{coordinator.port}"}
            result = tutti("start", "load/s.lua", "--git", self.repository, "--revision", "old", "--wait", env=env)
            self.assertEqual((result.code, "passed" in result.out), (0, True), result)
            self.assertEqual(coordinator.report(1)["script"], self.commits[0][:12] + "/load/s.lua")

    def test_no_hook_and_no_submodule_runs(self):
        hook = self.folder / "ran"
        template = self.folder / "template" / "hooks"
        template.mkdir(parents=True)
        template.joinpath("post-checkout").write_text(f"#!/bin/sh\ntouch {hook}\n")
        template.joinpath("post-checkout").chmod(0o755)
        config = self.folder / "gitconfig"
        config.write_text(f"[init]\ntemplateDir = {template.parent}\n[core]\nhooksPath = {template}\n")
        (self.repository / ".gitmodules").write_text('[submodule "x"]\npath = x\nurl = /nowhere\n')
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "a submodule")
        self.env["GIT_CONFIG_GLOBAL"] = str(config)
        self.ran("load/s.lua")
        self.assertFalse(hook.exists())

    def test_what_is_wrong_is_one_line_and_nothing_is_left(self):
        url = ("--git", self.repository)
        for options, words in ((("s.lua", "--git", "/nowhere"), "--git: "), (("s.lua", *url, "--revision", "never"), "--git: it has no revision \"never\""),
                               (("load/none.lua", *url), "none.lua"), (("../s.lua", *url), "leads out of the repository"), (("/s.lua", *url), "leads out of"),
                               (("s.lua", *url, "--path", "load/../.."), "--path: it leads out"), (("s.lua", "--git", "--upload-pack=touch x"), "no address"),
                               (("s.lua", *url, "--revision=--all"), "no revision"), (("s.lua", "--git", "ext::sh -c touch% x"), "--git: "),
                               (("s.lua", "--git", "http://user:secret@127.0.0.1:1/x"), "--git: "), (("s.lua", "--revision", "main"), "without --git"),
                               (("smoke", *url, "--config", "none.json"), "--config: "), (("--config", "../tutti.json", *url), "leads out of"), (url, "which script?")):
            for command in ("run", "start"):
                with self.subTest(words, command=command):
                    result = tutti(command, *options, env=self.env, timeout=30)
                    self.assertEqual((result.code, result.err.count("\n")), (2, 1), result)
                    self.assertIn(words, result.err)
                    self.assertNotIn("secret", result.err)
                    self.assertEqual(list(self.temporary.glob("tutti-git-*")), [])

    def interrupt(self, command, script, number, path=None):
        """Ends the command by the signal as soon as `begun` is in its folder of temporary files, or the checkout is and this
        takes half a second more. Returns how it ended and what it said."""
        words = [TUTTI, command, script, "--git", str(self.repository), "--json", str(self.folder / "r.json")]
        env = {**self.env, "PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]}
        with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
            wait_until(lambda: list(self.temporary.glob("begun" if path else "tutti-git-*/load/*.lua")), 20, "it does not begin")
            time.sleep(0.5)
            os.killpg(process.pid, number)  # as a terminal does
            out, err = process.communicate(timeout=20)
        self.assertEqual(list(self.temporary.glob("tutti-git-*")), [])
        self.assertFalse((self.folder / "r.json").exists())
        wait_until(lambda: not self.of_group(process.pid), 10, "a process is left")
        return process.returncode, out, err

    def of_group(self, group):
        return subprocess.run(["pgrep", "-g", str(group)], capture_output=True, text=True, check=False).stdout.split()

    def test_an_interrupt_while_git_works(self):
        """In the middle of the fetch, whose program has a child of its own."""
        programs = self.folder / "programs"
        programs.mkdir()
        slow = programs / "git"
        slow.write_text(f'#!/bin/sh\ncase "$*" in *fetch*) touch "{self.temporary}/begun"; sleep 60;; *) PATH="{os.environ["PATH"]}" exec git "$@";; esac\n')
        slow.chmod(0o755)
        for command in ("run", "start"):
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(command, number=number):
                    (self.temporary / "begun").unlink(missing_ok=True)
                    code, out, err = self.interrupt(command, "load/s.lua", number, programs)
                    self.assertEqual((code, out), (130, ""))
                    self.assertRegex(err, rf"^[a-z: ]*{command}: --git: interrupted\n$")

    def test_an_interrupt_while_the_script_is_examined(self):
        """Which takes as long as the script does; the signal ends the process as it does without --git."""
        (self.repository / "load" / "s.lua").write_text("while true do end\n")
        self.git("commit", "-q", "-a", "-m", "for ever")
        for command in ("run", "start"):
            for number in (signal.SIGINT, signal.SIGHUP):
                with self.subTest(command, number=number):
                    self.assertEqual(self.interrupt(command, "load/s.lua", number), (-number, "", ""))

    def test_without_git(self):
        result = tutti("run", "s.lua", "--git", self.repository, env={**self.env, "PATH": "/nowhere"})
        self.assertEqual((result.code, "cannot run git" in result.err), (2, True), result)


if __name__ == "__main__":
    unittest.main()
