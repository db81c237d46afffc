"""Bad input: one clear line, the right exit code, and nothing left running."""
import os
import pathlib
import socket
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

    def test_a_full_disk_is_told_after_the_run(self):
        result = tutti("run", script("scene-right"), "-w", 2, "--json", "/dev/full")
        self.assertEqual(result.code, 3, result)
        self.assertIn("/dev/full", result.err)


if __name__ == "__main__":
    unittest.main()
