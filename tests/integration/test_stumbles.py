"""Where people who come from other tools stumble: what they are told then."""
import pathlib
import re
import tempfile
import unittest

from support import environment, tutti

LOADS = """local tutti = require "tutti"
local http = require "tutti.http"
"""


class Plays(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, name, text):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def play(self, text, *options, name="stumbles.lua", **more):
        return tutti("run", self.write(name, text), "--agents", 1, *options, **more)


class Stumbles(Plays):
    def test_options_of_other_tools(self):
        path = self.write("a.lua", LOADS)
        for foreign, ours in (("--vus", "--workers"), ("--users", "--workers"), ("--max-runs", "--runs"),
                              ("--run-time", "--duration"), ("--processes", "--agents"), ("--host", "--target"),
                              ("-u", "--workers"), ("-t", "--duration"), ("-H", "--target"), ("-i", "--shared-runs"),
                              ("--iterations", "--shared-runs"), ("--tags", "--single-mode"), ("--logfile", "--log"),
                              ("--exit-code-on-error", "--threshold"), ("--insecure-skip-tls-verify", "--insecure")):
            result = tutti("run", path, foreign, 3)
            self.assertEqual(result.code, 2, result)
            self.assertEqual(result.err, f"tutti: run: unknown option {foreign}; it is {ours} here (see tutti help run)\n")

    def test_options_of_other_commands(self):
        """`--api` is where an operator's commands find what the coordinator calls `--http`."""
        for words, ours in ((("coordinator", "--api", "127.0.0.1:0"), "--http"),
                            (("start", self.write("a.lua", LOADS), "--agents", 3), "--expect-agents")):
            result = tutti(*words)
            self.assertEqual(result.code, 2, result)
            self.assertIn(f"it is {ours} here (see tutti help {words[0]})\n", result.err)
        result = tutti("scale", 7, 500)
        self.assertEqual(result.code, 2, result)
        self.assertEqual(result.err, 'tutti: scale: unexpected argument "500"; the number of workers is --workers N '
                                     "(see tutti help scale)\n")

    def test_thresholds_of_other_tools(self):
        path = self.write("a.lua", LOADS)
        for theirs, ours in (("p95<200ms", "http.p95 < 200ms"), ("p(95)<200", "http.p95 < 200ms"),
                             ("http_req_duration: p(95)<200", "http.p95 < 200ms"), ("http_req_failed<0.01", "http.failed < 1%"),
                             ("errors<1%", "http.failed < 1%"), ("avg<1s", "http.mean < 200ms")):
            result = tutti("run", path, "--threshold", theirs)
            self.assertEqual(result.code, 2, result)
            self.assertIn(f"; write it like {ours} (see tutti help run)\n", result.err)
            self.assertEqual(tutti("check", path, "--threshold", ours).err.count("is none of"), 0)

    def test_a_threshold_that_nothing_can_miss(self):
        """A run in which no step has succeeded has not passed, whatever thresholds say of its times."""
        scenario = LOADS + 'tutti.scenario("a", function() http.get("/page") error("on purpose") end)\n'
        result = self.play(scenario, "--target", "builtin", "--threshold", "http.p95 < 30s; http.failed < 5")
        self.assertEqual(result.code, 1, result)
        self.assertIn("failed: no step succeeded: stumbles.lua:3: on purpose", result.out)

    def test_what_scripts_of_other_tools_say(self):
        for line, why in (("tutti.options { vus = 3 }", "unknown option vus; it is workers here"),
                          ('tutti.options { run_time = "3s" }', "unknown option run_time; it is duration here"),
                          ("tutti.options { what_is_this = 1 }", "unknown option what_is_this\n"),
                          ('tutti.thresholds { http_req_duration = { "p(95)<200" } }',
                           'tutti.thresholds: expected a list like { "http.p95 < 200ms" }, got the name http_req_duration')):
            result = self.play(LOADS + line + '\ntutti.scenario("a", function() end)\n')
            self.assertEqual(result.code, 2, result)
            self.assertIn(f"stumbles.lua:3: {why}", result.err)

    def test_a_dot_for_a_colon(self):
        dots = {'worker.barrier("b")': "(tutti.worker expected, got string; methods are called with a colon)",
                'worker:notifier("n").written("x")': "(tutti.notifier expected, got string; methods are called with a colon)",
                'http:get("/page")': "http: the URL is a string, not a table; http.get and the like are called with a dot"}
        for call, why in dots.items():
            self.assertIn(why, self.play(LOADS + f'tutti.scenario("a", function(worker) {call} end)\n').out)

    def test_a_folder_for_a_script(self):
        result = tutti("run", self.folder)
        self.assertEqual(result.code, 2, result)
        self.assertEqual(result.err, f"tutti: run: {self.folder}: a folder, not a file\n")

    def test_a_misspelt_variable(self):
        scenario = LOADS + 'tutti.scenario("a", function() end)\n'
        result = self.play(scenario, env=environment(TUTTI_WROKERS="3", TUTTI_WHAT_IS_THIS_ONE="1", TUTTI_API="http://x"))
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.err.count("the environment has"), 2, result)
        self.assertIn("tutti: run: the environment has TUTTI_WROKERS, which no command knows; did you mean TUTTI_WORKERS?\n",
                      result.err)
        self.assertIn("the environment has TUTTI_WHAT_IS_THIS_ONE, which no command knows\n", result.err)

    def test_a_traceback_with_one_v(self):
        text = LOADS + 'local function deep() error("bad") end\ntutti.scenario("a", function()\n  deep()\nend)\n'
        result = self.play(text, "-v")
        self.assertIn("tutti: agent-1: worker 0, step 1: stumbles.lua:3: bad\n", result.err)
        self.assertIn("    stumbles.lua:5: in function <stumbles.lua:4>\n", result.err)
        self.assertIn("1 × stumbles.lua:3: bad\n", result.out)
        self.assertNotIn("traceback", self.play(text).err)

    def test_a_traceback_of_a_setup(self):
        for fixture in ("setup", "global_setup"):
            text = LOADS + f'tutti.{fixture}(function()\n  error("bad")\nend)\ntutti.scenario("a", function() end)\n'
            result = self.play(text, "-v")
            self.assertEqual(result.code, 1, result)
            self.assertRegex(result.err, r"    stumbles\.lua:4: in (function <stumbles\.lua:3>|upvalue 'setup')\n", fixture)

    def test_no_target(self):
        use = LOADS + 'tutti.scenario("a", function() http.get(tutti.target .. "/") end)\n'
        result = self.play(use)
        self.assertIn("attempt to concatenate a nil value (field 'target'); no --target was given", result.out)
        self.assertEqual(self.play(use, "--target", "builtin").code, 0)

    def test_an_assertion_shows_the_response_that_came(self):
        text = LOADS + """tutti.scenario("a", function()
  local first = http.get("/page")
  local answer = http.get("/status/503")
  assert(answer.status == 200)
end)
"""
        result = self.play(text, "--target", "builtin")
        self.assertIn("stumbles.lua:6: assertion failed! (answer: response of status 503, 4 bytes)", result.out)
        own = self.play(text.replace("== 200", '== 200, "not open"'), "--target", "builtin")
        self.assertIn("1 × stumbles.lua:6: not open\n", own.out)

    def test_what_editors_put_before_a_script(self):
        self.write("part.lua", b"\xef\xbb\xbf#!/usr/bin/env lua\nreturn { answer = 42 }\n")
        result = self.play(b"\xef\xbb\xbf#!/usr/bin/env tutti\n" + (LOADS + """local part = require "part"
tutti.scenario("a", function() assert(part.answer == 42) end)
""").encode())
        self.assertEqual(result.code, 0, result)

    def rows(self, content, options="", name="rows.csv"):
        self.write(name, content)
        return self.play(LOADS + f"""local rows = tutti.data("{name}"{options})
tutti.scenario("a", function(worker) local row = rows:next(worker) tutti.print(row.name .. "|" .. row.sum) end)
""")

    def test_a_csv_with_another_separator(self):
        hint = 'rows.csv:1: the header is one field with "{0}" in it; if that separates the fields, say separator = "{0}"\n'
        for spelled, separator in ((";", ";"), ("\\t", "\t")):
            content = f"name{separator}sum\nren{separator}1,5\n"
            result = self.rows(content)
            self.assertEqual(result.code, 2, result)
            self.assertIn(hint.format(spelled), result.err)
            result = self.rows(content, f', {{ separator = "{spelled}" }}')
            self.assertEqual(result.code, 0, result)
            self.assertIn("ren|1,5\n", result.out)
        self.assertIn('separator: expected one character such as ";" or "\\t", got ;;\n',
                      self.rows("a\n", ', { separator = ";;" }').err)
        self.assertIn("separator is for .csv files", self.rows("{}", ', { separator = ";" }', name="rows.jsonl").err)

    def test_bytes_that_are_not_utf8(self):
        for name, content in (("rows.csv", b"name,sum\nren\xe9,1\n"), ("rows.jsonl", b'{"name":"x","sum":1}\n{"name":"\xe9"}\n'),
                              ("rows.json", b'[\n{"name":"\xe9"}]')):
            result = self.rows(content, name=name)
            self.assertEqual(result.code, 2, result)
            self.assertIn(f"{name}:2: the byte 0xE9 is not UTF-8; save the file as UTF-8\n", result.err)


class Rendezvous(Plays):
    """Six of seven parties are there in time, and the seventh comes alone."""

    def meet(self, option):
        return self.play(LOADS + f"""tutti.scenario("sale", function(worker)
  if worker.id == 6 then tutti.sleep(1) end
  local ok, rank, arrived, present = pcall(worker.barrier, worker, "sale", {{ parties = 7, timeout = 0.4{option} }})
  tutti.print(worker.id .. ": " .. (ok and rank .. " of " .. arrived .. ", " .. present .. " present"
                                    or rank.outcome .. ", " .. rank.arrived .. " of " .. rank.parties))
end)
""", "-w", 7).out

    def test_who_times_out_counts(self):
        out = self.meet("")
        self.assertEqual(out.count(": timeout, 6 of 7\n"), 6, out)
        self.assertIn("6: 7 of 7, 1 present\n", out)

    def test_who_is_there_goes(self):
        out = self.meet(', on_timeout = "go"')
        for rank in range(1, 7):
            self.assertRegex(out, rf"[0-5]: {rank} of 6, 6 present\n")
        self.assertIn("6: 7 of 7, 1 present\n", out)

    def test_who_leaves_does_not_count(self):
        out = self.meet(', on_timeout = "leave"')
        self.assertEqual(len(re.findall(r"[0-5]: timeout, \d of 7\n", out)), 6, out)
        self.assertRegex(out, r"6: 7 of 7, 1 present\n|6: timeout, 1 of 7\n")


if __name__ == "__main__":
    unittest.main()
