"""Bad input: one clear line, the right exit code, and nothing left running."""
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import unittest

from support import environment, script, tutti


class BadInput(unittest.TestCase):
    def refused(self, *arguments, says, code=2, **more):
        result = tutti(*arguments, timeout=20, **more)
        self.assertEqual(result.code, code, result)
        lines = result.err.splitlines()
        self.assertEqual(len(lines), 1, result)
        self.assertTrue(lines[0].startswith("tutti: "), result)
        for words in says if isinstance(says, tuple) else (says,):
            self.assertIn(words, lines[0], result)

    def refused_script(self, text, says, *options):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "bad.lua"
            path.write_text(text)
            for command in ("run", "check"):
                with self.subTest(command):
                    self.refused(command, path, *(options if command == "run" else ()), says=says)

    def test_commands(self):
        self.refused("rnu", says=("rnu", "did you mean run"))
        self.refused("something", says="something")
        self.refused("run", says="which script")
        self.refused("help", "nothing", says="nothing")
        self.refused("run", "a.lua", "b.lua", says="b.lua")
        self.refused("completion", "tcsh", says="bash")

    def test_options(self):
        path = script("scene-right")
        self.refused("run", path, "--wrokers", "5", says=("--wrokers", "--workers"))
        self.refused("run", path, "-w", "0", says=("--workers", "\"0\""))
        self.refused("run", path, "-w", "five", says=("--workers", "five"))
        self.refused("run", path, "-w", says="needs a value")
        self.refused("run", path, "--agents", "0", says="--agents")
        self.refused("run", path, "-d", "soon", says=("--duration", "soon"))
        self.refused("run", path, "--on-loss", "cry", says=("shrink", "replace", "fail"))
        self.refused("run", path, "--fail", "150%", says="--fail")
        self.refused("run", path, "-q", "-v", says="contradict")
        self.refused("run", path, "--single-run", "-s", "pad", says="contradict")
        self.refused("run", path, "-s", "unknown", says="unknown")
        self.refused("run", path, says=("TUTTI_WORKERS", "many"), env=environment(TUTTI_WORKERS="many"))
        self.refused("agent", "--coordinator", "nowhere", says="nowhere")
        self.refused("agent", says="--coordinator")

    def test_scripts(self):
        self.refused("run", "/nowhere/pad.lua", says="/nowhere/pad.lua")
        self.refused("run", "/tmp", says="/tmp")
        self.refused("run", "/dev/zero", says="/dev/zero: not a file")
        with tempfile.TemporaryDirectory() as folder:  # nothing is ever written to it
            os.mkfifo(f"{folder}/fifo.lua")
            for command in ("run", "check", "start"):
                self.refused(command, f"{folder}/fifo.lua", says="fifo.lua: not a file")
        self.refused_script("local x = = 3\n", "bad.lua:1:")
        self.refused_script("\n\nerror('at load')\n", ("bad.lua:3:", "at load"))
        self.refused_script("require 'tutti'\n", "scenario")
        self.refused_script("while true do end\n", "bad.lua")
        self.refused_script("local s = 'x' while true do s = s .. s end\n", "bad.lua")
        self.refused("run", script("empty"), says="scenario")

    def test_scenarios(self):
        begin = "local tutti = require 'tutti'\n"
        self.refused_script(begin + "tutti.scenario('a', { weight = -1 }, function() end)\n", ("bad.lua:2:", "weight"))
        self.refused_script(begin + "tutti.scenario('a')\n", "bad.lua:2:")
        self.refused_script(begin + "tutti.scenario('a', function() end)\ntutti.scenario('a', function() end)\n", "bad.lua:3:")
        self.refused_script(begin + "tutti.setup(3)\ntutti.scenario('a', function() end)\n", "bad.lua:2:")

    def test_options_of_the_script(self):
        begin, end = "local tutti = require 'tutti'\n", "\ntutti.scenario('a', function() end)\n"
        for options, says in (("{ workers = 'many' }", "workers"), ("{ workers = {} }", "workers"), ("{ wokers = 3 }", "wokers"),
                              ("{ duration = 'soon' }", "duration"), ("{ on_loss = 'cry' }", "on_loss"), ("3", "options")):
            with self.subTest(options):
                self.refused_script(begin + "tutti.options " + ("(3)" if options == "3" else options) + end, ("bad.lua:2:", says))

    def test_the_world(self):
        path = script("scene-right")
        self.refused("run", path, "--json", "/nowhere/report.json", says="/nowhere/report.json")
        self.refused("run", path, "--json", "/tmp", says="/tmp")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            self.refused("target", "--port", port, says=port)
        self.refused("target", "--port", "70000", says="--port")
        self.refused("init", "/proc/nowhere", says="/proc/nowhere")

    # What no value of a type is, and of options that have a check of their own; with what is said, if it is not the value.
    OF_TYPE = {"flag": ("maybe",), "count": (), "number": ("many", "-1", "1.5", "", "99999999999999999999"),
               "duration": ("soon", "-1s", "5x", "", "1e999h"), "choice": ("cry", ""), "real": ("much", "-1%", "")}
    OF_OPTION = {
        "name": ("", "a\tb"), "label": ("zone", "zone=", ("a b=c", "labels must be pairs")), "grace": ("soon", "-1s"), "trace": ("some", "101%"),
        "fail": ("x%", "150%", "-1"), "think": ("gauss", "normal:1s", "uniform:2s:1s", "exponential:1s:2s"), "rate": ("fast", "-5/s", "5", "5/year"),
        "stages": ("30s", "30s:", "x:5", "30s:5/x", "30s:1.5", ("30s:5,30s:5/s", 'stage "30s:5/s"')),
        "load": (("a;wrokers=2", "load a: unknown option --wrokers"), ("a;workers", 'load a: workers: ""'), ("a;workers=x", 'load a: workers: "x"'),
                 (";runs=1", "expected SCENARIO")),
        "goal": ("http.p95", ("http.p95 < 1s;max=x", "min and max are numbers"), ("http.p95 < 1s;least=1", "expected a threshold with max=N")), "target": ("",), "resolve": ("a", "a:1", "a:b:c", "a:1:x"),
        "source": ("nowhere", "1.2.3", "10.0.0.0/99"), "single-mode": ("",),
        "threshold": ("x", "http", "http.p95 < 1", "http.p95 << 1s", "http.p42x < 1s", "http{a}.p95 < 1s", "http{a=1,a=2}.p95 < 1s", "request.p95 < 1s",
                      "request[a.p95 < 1s", "waits[a]{b=c}.p95 < 1s", "http.p95 < 1s over", "http.p95 < 1s abort abort", "http.failed < 101%")}

    def test_each_option_of_a_campaign(self):
        """Whichever way it is given: the option and the value are named, on one line, and nothing is started."""
        rows = json.loads(subprocess.run([os.environ["OPTION_ROWS"]], capture_output=True, text=True, check=True).stdout)
        options = {row["name"]: row for row in rows if "name" in row and row.get("key") != "on"}
        self.assertGreater(len(options), 35)
        self.assertLessEqual(set(self.OF_OPTION), set(options))
        path = script("scene-right")
        for name, row in options.items():
            self.assertTrue(name in self.OF_OPTION or row["type"] in self.OF_TYPE, f"--{name} is not in the table")
            for place, value in enumerate(self.OF_OPTION.get(name, self.OF_TYPE.get(row["type"], ()))):
                value, says = value if isinstance(value, tuple) else (value, "" if "\t" in value else value)
                with self.subTest(option=name, value=value):
                    self.refused("run", path, f"--{name}={value}", says=(f"--{name}", says))
                variable = "TUTTI_" + name.upper().replace("-", "_")
                if place == 0 and value != "" and name != "insecure":  # which has no variable
                    with self.subTest(variable=variable):
                        self.refused("run", path, says=(variable, says), env=environment(**{variable: value}))

    def test_tags_and_thresholds_of_the_script(self):
        end = "\ntutti.scenario('a', function() end)\n"
        begin = "local tutti = require 'tutti'\nlocal http = require 'tutti.http'\n"
        for call, says in (("tutti.thresholds { 'http.p95 < 1' }", "column 12: a time needs a unit"),
                           ("tutti.thresholds { 'http{a=1,b}.p95 < 1s' }", "column 10: a tag is {NAME=VALUE}"),
                           ("tutti.thresholds 'x'", "table expected"), ("tutti.thresholds { 5 }", "option threshold: expected a string"),
                           ("tutti.load('a', { stages = { { '30s' } } })", "stages"), ("tutti.load('a', { wrokers = 5 })", "wrokers"),
                           ("http.session { tags = { ['a b'] = 1 } }", "the name of a tag"), ("tutti.http_defaults { tags = 5 }", "tags is a table")):
            with self.subTest(call):
                self.refused_script(begin + call + end, ("bad.lua:3:", says))

    def test_a_full_disk_is_told_after_the_run(self):
        result = tutti("run", script("scene-right"), "-w", 2, "--json", "/dev/full")
        self.assertEqual(result.code, 3, result)
        self.assertIn("/dev/full", result.err)


if __name__ == "__main__":
    unittest.main()
