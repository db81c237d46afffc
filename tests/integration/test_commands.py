"""The other commands: help, version, check, init, target, completion; and where options come from."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.request

from daemon import Agent, Coordinator, campaign
from support import TUTTI, Process, environment, run, script, tutti

COMMANDS = ("run", "start", "stop", "delete", "scale", "rate", "pause", "resume", "status", "watch", "report", "compare", "agents", "coordinator", "agent", "keygen", "doctor", "check", "init", "target",
            "completion", "help", "version")


class Help(unittest.TestCase):
    def test_overview(self):
        for arguments in (("--help",), ("help",), ("-h",)):
            result = tutti(*arguments)
            self.assertEqual((result.code, result.err), (0, ""))
            for command in COMMANDS:
                self.assertRegex(result.out, rf"(?m)^  {command} +\S")
        self.assertEqual(tutti().code, 2)

    def test_each_command(self):
        for command in COMMANDS:
            first, second = tutti("help", command), tutti(command, "--help")
            self.assertEqual((first.code, second.code), (0, 0))
            self.assertEqual(first.out, second.out)
            for line in first.out.splitlines():
                self.assertLessEqual(len(line), 100, line)
            if command not in ("version",):
                self.assertIn("Examples:", first.out)

    def test_unknown_commands_have_their_nearest(self):
        for arguments, word in ((("rnu",), "run"), (("help", "rnu"), "run"), (("help", "statsu"), "status")):
            result = tutti(*arguments)
            self.assertEqual((result.code, result.out), (2, ""))
            self.assertRegex(result.err, rf'there is no command "\w+"; did you mean {word}\? \(see tutti help\)\n$')
        self.assertIn('unexpected argument "watch"', tutti("help", "run", "watch").err)

    def test_a_variable_is_offered_only_where_it_is_taken(self):
        for command in COMMANDS:
            out = tutti("help", command).out
            for name in re.findall(r"\bTUTTI_[A-Z_]+", out.partition("Options:")[2].partition("Examples:")[0]):
                option = name.removeprefix("TUTTI_").lower().replace("_", "-")
                self.assertRegex(out, rf"(?m)^ +(-\w, )?--{option}\b", command)
                self.assertNotRegex(out, rf"Only on the command line: .*--{option}\b", command)
        self.assertIn("\nOnly on the command line: --json.\n", tutti("help", "watch").out)
        self.assertIn("--retry as TUTTI_RETRY", tutti("help", "status").out)
        self.assertNotIn("TUTTI_JSON", tutti("help", "watch").out)

    def test_version(self):
        for arguments in (("--version",), ("version",)):
            self.assertRegex(tutti(*arguments).out, r"^tutti \d+\.\d+\.\d+\n$")


class Options(unittest.TestCase):
    def workers(self, *options, **variables):
        result = run("options", *options, env=environment(**variables))
        self.assertEqual(result.code, 0, result)
        return result.report["workers"], result.steps["ok"]

    def test_the_command_line_wins_over_the_environment_over_the_script(self):
        self.assertEqual(self.workers(), (3, 6))
        self.assertEqual(self.workers(TUTTI_WORKERS="4"), (4, 8))
        self.assertEqual(self.workers("-w", 5, TUTTI_WORKERS="4"), (5, 10))
        self.assertEqual(self.workers("--runs=1", TUTTI_RUNS="7"), (3, 3))

    def test_one_run_is_what_nobody_asked_for(self):
        self.assertEqual(run("scene-right", "-w", 2).steps["ok"], 2)

    def test_single_run_and_single_mode(self):
        self.assertEqual(run("weights", "-w", 2, "--single-run").steps["ok"], 6)
        result = run("weights", "-w", 2, "-r", 5, "-s", "never")
        self.assertEqual(result.report["timings"]["never"]["count"], 10)

    def test_seed_repeats_the_picking(self):
        picks = []
        for seed in (7, 7, 8):
            timings = run("weights", "-w", 3, "-r", 40, "--seed", seed).report["timings"]
            self.assertNotIn("never", timings, "weight 0")
            picks.append({name: timing["count"] for name, timing in timings.items()})
        self.assertEqual(picks[0], picks[1])
        self.assertGreater(picks[0]["often"], picks[0]["seldom"])

    def test_shards(self):
        result = run("scene-right", "-w", 20, "-r", 5, "--agents", 2, "--shards", 2)
        self.assertEqual((result.code, result.steps["ok"]), (0, 100), result)


class Check(unittest.TestCase):
    def test_tells_what_is_there(self):
        result = tutti("check", script("writer-fails"))
        self.assertEqual(result.code, 0, result)
        for words in ("pad", "weight 1", "writer-fails.lua", "scene.lua"):
            self.assertIn(words, result.out)
        self.assertRegex(result.out, r"[0-9a-f]{64}")

    def test_hash_follows_the_content(self):
        def hash_of(folder):
            return re.search(r"[0-9a-f]{64}", tutti("check", f"{folder}/writer-fails.lua").out).group()

        with tempfile.TemporaryDirectory() as folder:
            for name in ("writer-fails", "scene"):
                shutil.copy(script(name), folder)
            first = hash_of(folder)
            self.assertEqual(first, re.search(r"[0-9a-f]{64}", tutti("check", script("writer-fails")).out).group())
            with open(f"{folder}/scene.lua", "a") as file:
                file.write("-- changed\n")
            self.assertNotEqual(first, hash_of(folder))

    def test_options_and_fixtures(self):
        result = tutti("check", script("options"))
        self.assertIn("workers = 3", result.out)
        self.assertIn("setup", tutti("check", script("ends-early")).out)


class Suspicions(unittest.TestCase):
    def check(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "a.lua")
            path.write_text('local tutti = require "tutti"\n' + text)
            return tutti("check", path)

    def test_misspelt_fields(self):
        result = self.check('tutti.scenario("a", function(worker)\n  worker.steps = 1\n  return worker.rom.id, worker.steps, worker.seat, worker.basket,\n'
                            '    worker:barier("x"), my.worker.rom\nend)\n')
        self.assertEqual((result.code, result.err), (0, "tutti: check: a.lua:4: nobody sets worker.rom; did you mean worker.room?\n"
                                                        "tutti: check: a.lua:5: nobody sets worker.barier; did you mean worker.barrier?\n"), result)

    def test_functions_that_are_no_fixtures(self):
        result = self.check('function setup(worker) end\nlocal function teardown() end\ntutti.teardown(teardown)\ntutti.scenario("a", function() end)\n')
        self.assertEqual((result.code, result.err), (0, "tutti: check: a.lua:2: nobody calls the function setup; a fixture is given to tutti: tutti.setup(setup)\n"))

    def test_weights_that_are_all_0(self):
        text = 'tutti.scenario("a", { weight = 0 }, function() end)\ntutti.scenario("b", { weight = 0 }, function() end)\n'
        result = self.check(text)
        self.assertEqual((result.code, result.out), (2, ""))
        self.assertIn("all scenarios have weight 0, and there is no scenario_picker: no step would find one", result.err)
        self.assertEqual(self.check(text + 'tutti.scenario_picker(function() return "a" end)\n').code, 0)


class Init(unittest.TestCase):
    def test_skeleton_runs_and_is_never_overwritten(self):
        with tempfile.TemporaryDirectory() as folder:
            made = tutti("init", f"{folder}/shop")
            self.assertEqual(made.code, 0, made)
            self.assertEqual(tutti("check", f"{folder}/shop/loadtest.lua").code, 0)
            for options in ((), ("-s", "pad")):
                result = tutti("run", f"{folder}/shop/loadtest.lua", "--target", "builtin", *options)
                self.assertEqual(result.code, 0, result)
            again = tutti("init", f"{folder}/shop")
            self.assertEqual(again.code, 2, again)
            self.assertIn("loadtest.lua", again.err)
            pathlib.Path(folder, "half").mkdir()
            pathlib.Path(folder, "half", "README.md").write_text("mine")
            self.assertEqual(tutti("init", f"{folder}/half").code, 2)
            self.assertEqual(os.listdir(f"{folder}/half"), ["README.md"])

    def test_each_template_runs(self):
        names = re.search(r"--template ([a-z|]+)", tutti("help", "init").out)[1].split("|")
        self.assertEqual(len(names), 6)
        for name in names:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                self.assertEqual(tutti("init", f"{folder}/shop", "--template", name).code, 0)
                told = tutti("check", f"{folder}/shop/loadtest.lua")
                self.assertEqual(told.code, 0, told)
                if name != "browser" or shutil.which("chromedriver"):
                    result = tutti("run", f"{folder}/shop/loadtest.lua", "--target", "builtin")
                    self.assertEqual(result.code, 0, result)
        wrong = tutti("init", "nowhere", "--template", "soap")
        self.assertEqual(wrong.code, 2)
        self.assertIn("start, pad, chat", wrong.err)

    def test_annotations_are_written_again_and_settings_are_not(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(tutti("init", folder, "--editor").code, 0)
            module, settings = pathlib.Path(folder, ".tutti", "tutti", "http.lua"), pathlib.Path(folder, ".luarc.json")
            self.assertIn("---@meta tutti.http", module.read_text())
            self.assertIn(".tutti", json.loads(settings.read_text())["workspace.library"])
            module.write_text("old")
            settings.write_text("{}")
            self.assertEqual(tutti("init", folder, "--editor").code, 0)
            self.assertIn("---@meta tutti.http", module.read_text())
            self.assertEqual(settings.read_text(), "{}")
            self.assertFalse(pathlib.Path(folder, "loadtest.lua").exists())


class Target(unittest.TestCase):
    def test_serves_until_it_is_told_to_end(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with Process("target", "--port", 0) as process:
                address = process.read_until("http://").strip()
                with urllib.request.urlopen(address + "/") as answer:
                    self.assertEqual(answer.status, 200)
                os.kill(process.pid, number)
                self.assertEqual(process.finish(10).code, 0)


class Completion(unittest.TestCase):
    def test_shells(self):
        for shell in ("bash", "zsh", "fish"):
            result = tutti("completion", shell)
            self.assertEqual(result.code, 0)
            for word in (*COMMANDS, "on-loss", "shrink", "replace"):
                self.assertIn(word, result.out)

    def complete(self, typed, cwd=None, env=None):
        ask = 'source /dev/stdin; COMP_WORDS=({}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _tutti; echo "${{COMPREPLY[@]}}"'
        done = subprocess.run(["bash", "-c", ask.format(typed)], input=tutti("completion", "bash").out, capture_output=True,
                              text=True, timeout=20, cwd=cwd, env=env)
        self.assertEqual(done.stderr, "")
        return done.stdout.strip()

    def test_bash_completes(self):
        for typed, expected in (("tutti ru", "run"), ("tutti run --ro", "--room-size"), ("tutti run --on-loss s", "shrink"),
                                ("tutti start --expect", "--expect-agents"), ("tutti start --on-loss r", "replace replace=again replace=next"),
                                ("tutti watch --to", "--token --token-file"), ("tutti help st", "start stop status"),
                                ("tutti completion f", "fish"), ("tutti version ''", "")):
            self.assertEqual(self.complete(typed), expected, typed)

    def test_bash_completes_files_only_where_files_go(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "load.lua").touch()
        (folder / "notes.txt").touch()
        (folder / "parts").mkdir()
        for typed, expected in (("tutti run ''", "load.lua parts"), ("tutti check l", "load.lua"), ("tutti run --json n", "notes.txt"),
                                ("tutti run -w ''", ""), ("tutti run --delay ''", ""), ("tutti stop n", ""), ("tutti agents ''", "")):
            self.assertEqual(self.complete(typed, cwd=folder), expected, typed)

    def test_bash_completes_what_the_coordinator_has(self):
        coordinator = self.enterContext(Coordinator("--no-token"))
        self.enterContext(Agent(coordinator.endpoint, "berta"))
        coordinator.wait_agents(1)
        number = coordinator.post("/v1/campaigns", campaign("quick")).json["campaign"]
        env = environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}", PATH=f"{os.path.dirname(TUTTI)}:{os.environ['PATH']}")
        for command in ("stop", "report", "watch", "scale", "status"):
            self.assertEqual(self.complete(f"tutti {command} ''", env=env), str(number), command)
        self.assertEqual(self.complete("tutti keygen keys --revoke b", env=env), "berta")


if __name__ == "__main__":
    unittest.main()
