"""What a campaign is told from outside: variables for its script, a name and labels, the grace of its last steps."""
import json
import os
import pathlib
import tempfile
import unittest
import urllib.parse

from daemon import Agent, Coordinator, campaign
from support import environment, run, tutti
from test_recovery import Restarted

HEAD = "local tutti = require 'tutti'\n"
PRINTS = HEAD + """
for name, value in pairs(tutti.env) do tutti.print("loaded " .. name .. "=" .. value) end
tutti.scenario("s", function(worker)
  tutti.print(("%d: %s|%s|%s"):format(worker.id, tutti.env.HOST, tutti.env.TOKEN, tostring(tutti.env.NOTHING)))
end)
"""


class Params(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def script(self, text):
        path = self.folder / "script.lua"
        path.write_text(text)
        return path

    def file(self, text, name=".env"):
        path = self.folder / name
        path.write_text(text)
        return path

    def refused(self, *arguments, says):
        result = tutti(*arguments, timeout=20)
        self.assertEqual((result.code, result.err.count("\n")), (2, 1), result)
        for words in (says,) if isinstance(says, str) else says:
            self.assertIn(words, result.err)
        return result


class Env(Params):
    def test_a_script_has_what_the_command_line_gives(self):
        result = run(self.script(PRINTS), "-e", "HOST=a.example", "--env", "TOKEN=x=y z", "-w", 2, "--agents", 2)
        self.assertEqual(result.code, 0, result)
        for line in ("0: a.example|x=y z|nil", "1: a.example|x=y z|nil"):
            self.assertIn(line, result.out)

    def test_a_file_gives_them_too_and_the_command_line_wins(self):
        path = self.file("# ours\n\nexport HOST='a # b'\nTOKEN=\"1\\n2\\t\\\"\\$\" # quoted\nHOST_2=plain # not this\r\nEMPTY=\n")
        text = HEAD + """
        tutti.scenario("s", function()
          assert(tutti.env.HOST == "a # b", tutti.env.HOST)
          assert(tutti.env.TOKEN == '1\\n2\\t"$', tutti.env.TOKEN)
          assert(tutti.env.HOST_2 == "plain" and tutti.env.EMPTY == "" and tutti.env.LAST == "over")
        end)"""
        more = self.file("LAST=first\nUNUSED=1\n", "more.env")
        result = run(self.script(text), "--env-file", path, "--env-file", more, "-eLAST=over", "-e", "UNUSED=2")
        self.assertEqual(result.code, 0, result)
        result = run(self.script(text), "--env-file", more, "-eLAST=over", env=environment(TUTTI_ENV_FILE=str(path)))
        self.assertEqual(result.code, 0, result)

    def test_check_has_them(self):
        path = self.script(HEAD + "assert(tutti.env.HOST == 'h', 'no HOST')\ntutti.scenario('s', function() end)\n")
        self.assertEqual(tutti("check", path, "-e", "HOST=h").code, 0)
        self.assertEqual(tutti("check", path, "--env-file", self.file("HOST=h")).code, 0)
        self.refused("check", path, says="no HOST")

    def test_they_cannot_be_changed(self):
        path = self.script(HEAD + "tutti.env.HOST = 'x'\ntutti.scenario('s', function() end)\n")
        self.refused("check", path, "-e", "HOST=h", says=("script.lua:2:", "tutti.env cannot be changed"))

    def test_what_is_malformed_is_named_by_its_line_and_never_quoted(self):
        path = self.script(HEAD + "tutti.scenario('s', function() end)\n")
        for text, words in (("A=1\nB\n", "line 2: expected NAME=VALUE"), ("1A=secret\n", "line 1: \"1A\" is no name"),
                            ("A='secret\n", "line 1: the quote is not closed"), ("A='x' secret\n", "line 1: something follows"),
                            ("A=\"\\secret\"\n", "line 1: in \"…\" a backslash"), ("A=1\n\nA B=secret", "line 3: \"A B\" is no name")):
            for command in ("run", "check", "start"):
                with self.subTest(words, command=command):
                    result = self.refused(command, path, "--env-file", self.file(text), says=("--env-file: ", words))
                    self.assertNotIn("secret", result.err)
        self.refused("run", path, "-e", "HOST", says="expected NAME=VALUE")
        self.refused("run", path, "-e", "=x", says="is no name")
        self.refused("run", path, "--env-file", "/nowhere", says="/nowhere")
        self.refused("run", path, "-e", "A=" + "x" * 66000, says="-e")
        self.refused("run", path, "--env-file", self.file("".join(f"A{i}={'x' * 9000}\n" for i in range(8))), says=("line 8: with A7", "65536 bytes"))

    def test_no_report_and_no_log_has_them(self):
        files = [self.folder / name for name in ("junit.xml", "report.md")]
        path = self.script(HEAD + "tutti.scenario('s', function() assert(#tutti.env.TOKEN == 9) error('x') end)\n")
        result = run(path, "-e", "TOKEN=geheim-42", "--junit", files[0], "--markdown", files[1], "--csv", self.folder / "csv", "-vv")
        self.assertEqual(result.code, 1, result)
        written = [file.read_text() for file in (*files, *(self.folder / "csv").iterdir())]
        for text in (result.out, result.err, json.dumps(result.report), *written):
            self.assertNotIn("geheim", text)


class Survives(Restarted):
    def test_all_agents_have_them_after_a_restart_of_the_coordinator(self):
        self.start()
        self.start_agents()
        path = pathlib.Path(self.folder, "env.lua")
        path.write_text(HEAD + """
        tutti.scenario("s", function(worker)
          assert(tutti.env.TOKEN == "ein\\nwort")
          tutti.sleep(0.2)
        end)""")
        run = self.tutti("start", path, "-w", 6, "-d", "4s", "-e", "TOKEN=ein\nwort", "--name", "nightly", "--label", "team=web", "--label", "tier=gold")
        self.assertEqual(run.code, 0, run)
        campaign = int(run.out)
        self.coordinator.wait_state(campaign, "running")
        self.kill()
        self.start()
        self.coordinator.wait_agents(3)
        report = self.coordinator.report(campaign)
        self.assertEqual((report["verdict"], report["steps"]["failed"], report["errors"]), ("passed", 0, []))
        self.assertEqual((report["name"], report["labels"]), ("nightly", {"team": "web", "tier": "gold"}))
        self.assertNotIn("wort", self.coordinator.log)


class Names(Params):
    def test_a_campaign_is_found_by_name_and_labels(self):
        path = self.script(HEAD + "tutti.options { name = 'of the script', label = { 'team=web', 'tier=gold' } }\ntutti.scenario('s', function() end)\n")
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"):
            env = environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}")
            first = tutti("start", path, "--wait", env=env)
            self.assertEqual((first.code, "  name    of the script\n" in first.out, "  labels  team=web,tier=gold\n" in first.out), (0, True, True), first)
            second = tutti("start", path, "--wait", "--name", "zwölf & mehr", "--label", "team=api", "--label=tier=gold", env=env)
            self.assertEqual(second.code, 0, second)

            def found(**query):
                return [row["campaign"] for row in coordinator.get("/v1/campaigns?" + urllib.parse.urlencode(query)).json["campaigns"]]
            self.assertEqual(found(), [1, 2])
            self.assertEqual(found(name="zwölf & mehr"), [2])
            self.assertEqual((found(label="team=web"), found(label="tier=gold"), found(label="tier=gold,team=api")), ([1], [1, 2], [2]))
            self.assertEqual((found(name="of the script", label="team=api"), found(name="of")), ([], []))
            self.assertEqual(coordinator.get("/v1/campaigns?label=team").status, 400)
            rows = coordinator.get("/v1/campaigns").json["campaigns"]
            self.assertEqual([(row["name"], row["labels"]["team"]) for row in rows], [("of the script", "web"), ("zwölf & mehr", "api")])
            listed = tutti("status", "--name", "zwölf & mehr", "--label", "team=api", "--label", "tier=gold", env=env)
            self.assertEqual((listed.code, "zwölf &" in listed.out, "of the" in listed.out), (0, True, False), listed)
            self.assertIn("zwölf & mehr  team=api,tier=gold", tutti("status", 2, env=env).out)
            self.assertIn("  name    zwölf & mehr", tutti("report", 2, env=env).out)
            answer = coordinator.post("/v1/campaigns", {**campaign(path, 1, 20000), "options": {"name": "by the API", "labels": "a=b"}, "env": {"A": "b"}})
            self.assertEqual(answer.status, 201, answer)
            self.assertEqual(coordinator.report(3)["name"], "by the API")

    def test_a_metric_says_the_name_of_what_runs(self):
        path = self.script(HEAD + "tutti.scenario('s', function() tutti.sleep(30) end)\n")
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"):
            tutti("start", path, "--name", 'a "b"', "-r", 1, env=environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}"))
            metrics = [name for name in coordinator.metrics() if name.startswith("tutti_campaign_info")]
            self.assertEqual(len(metrics), 1)
            self.assertIn('{campaign="1",name="a \\"b\\"",script="', metrics[0])

    def test_outputs_have_it(self):
        path = self.script(HEAD + "tutti.scenario('s', function() end)\n")
        result = run(path, "--name", "nightly", "--label", "a=b", "--markdown", self.folder / "r.md", "--junit", self.folder / "r.xml", "--csv", self.folder)
        self.assertEqual((result.code, result.report["name"], result.report["labels"]), (0, "nightly", {"a": "b"}), result)
        self.assertIn("## nightly: passed", (self.folder / "r.md").read_text())
        self.assertIn('<testsuite name="nightly"', (self.folder / "r.xml").read_text())
        self.assertIn("name,nightly\nlabels,a=b\n", (self.folder / "summary.csv").read_text())

    def test_what_is_malformed_is_refused(self):
        path = self.script(HEAD + "tutti.scenario('s', function() end)\n")
        self.refused("run", path, "--name", "", says="--name")
        self.refused("run", path, "--name", "a\nb", says=("--name", "cannot be printed"))
        self.refused("run", path, "--label", "team", says=("--label", "pairs"))
        self.refused("run", path, "--label", "a=b", "--label", "a=c", says="given twice")
        self.refused("status", "--label", "x", says="--label")


SLOW = HEAD + """
tutti.options { workers = 2 }
tutti.teardown_session(function(worker) tutti.print("down " .. worker.id) end)
tutti.scenario("s", function(worker)
  if worker.id == 0 then tutti.sleep(60) end
  if worker.id == 1 then worker:wait_var("never", { timeout = 60 }) end
end)
"""


class Grace(Params):
    def test_the_last_steps_are_ended(self):
        result = run(self.script(SLOW), "-d", "500ms", "--grace", "1s", "--fail", 0)
        self.assertLess(result.seconds, 12)
        self.assertGreaterEqual(result.report["duration_s"], 1.5)
        self.assertLess(result.report["duration_s"], 5)
        self.assertEqual((result.steps["stopped"], result.steps["ok"], result.steps["failed"]), (2, 0, 0), result)
        self.assertIn("down 0", result.out)
        self.assertIn("down 1", result.out)

    def test_a_request_is_ended(self):
        path = self.script(HEAD + "local http = require 'tutti.http'\ntutti.scenario('s', function() http.get(tutti.target .. '/delay/60000') end)\n")
        result = run(path, "--target", "builtin", "-d", "500ms", "--grace", "0s")
        self.assertLess(result.report["duration_s"], 3)
        self.assertEqual((result.steps["stopped"], result.steps["ok"]), (1, 0), result)

    def test_a_step_within_its_grace_is_whole_and_none_is_no_end(self):
        path = self.script(HEAD + "tutti.scenario('s', function() tutti.sleep(2) end)\n")
        for grace in ("10s", "none"):
            result = run(path, "-d", "500ms", "--grace", grace)
            self.assertEqual((result.code, result.steps["ok"], result.steps["stopped"]), (0, 1, 0), result)
        path = self.script(HEAD + "tutti.options { duration = 0.5, grace = 0 }\ntutti.scenario('s', function() tutti.sleep(20) end)\n")
        self.assertEqual(run(path).steps["stopped"], 1)

    def test_what_is_malformed_is_refused(self):
        path = self.script(SLOW)
        self.refused("run", path, "--grace", "soon", says=("--grace", "soon"))
        self.refused("run", path, "--grace", "-1", says="--grace")


if __name__ == "__main__":
    unittest.main()
