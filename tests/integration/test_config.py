"""--config FILE NAME: runs that a file names, in JSON and in YAML."""
import json
import re
import unittest

from daemon import Agent, Coordinator
from support import ROOT, environment, run, tutti
from test_params import HEAD, Params

SHOWS = HEAD + """
tutti.options { workers = 4, runs = 7, threshold = "steps.count > 1000", stages = { { "1s", 3 } } }
tutti.scenario("s", function(worker) tutti.print(("%d of %d %s %s"):format(worker.id, worker.count, tutti.env.HOST, tutti.env.USER)) end)
"""
JSON = {"tutti": {"env": {"HOST": "h", "USER": "u"},
                  "runs": {"smoke": {"script": "s.lua", "workers": 2, "runs": 3, "threshold": ["steps.failed = 0", "steps.count > 5"],
                                     "name": "from the file", "label": ["team=web"], "env": {"USER": "smoke"}},
                           "load": {"script": "s.lua", "duration": "500ms", "agents": 1, "wait": True, "threshold": "steps.count > 0"}}}}
YAML = """
# our runs
tutti:
  env: { HOST: h, USER: u }
  runs:
    smoke:
      script: s.lua
      workers: 2
      runs: 3
      threshold: [ steps.failed = 0, "steps.count > 5" ]
      name: from the file
      label: [team=web]
      env: { USER: smoke }
    load: { script: s.lua, duration: 500ms, agents: 1, wait: true, threshold: steps.count > 0 }
"""
MOLOTOV = {"molotov": {"env": {"HOST": "h", "USER": "u"},
                       "tests": {"smoke": {"scenario": "s.lua", "workers": 2, "max_runs": 3, "processes": 2, "single_mode": "s", "threshold": "steps.count > 5"}}}}


class Config(Params):
    def setUp(self):
        super().setUp()
        self.folder.joinpath("runs").mkdir()
        self.folder.joinpath("runs", "s.lua").write_text(SHOWS)

    def config(self, text, name="tutti.json"):
        return self.file(text if isinstance(text, str) else json.dumps(text, indent=1), "runs/" + name)

    def ran(self, *options, **more):
        result = tutti("run", "--json", self.folder / "r.json", *options, **more)
        self.assertEqual(result.code, 0, result)
        return result, json.loads((self.folder / "r.json").read_text())

    def test_json_and_yaml_say_the_same(self):
        for text, name in ((JSON, "tutti.json"), (YAML, "tutti.yaml")):
            with self.subTest(name):
                result, report = self.ran("--config", self.config(text, name), "smoke")
                self.assertEqual((report["workers"], report["steps"]["ok"], report["name"], report["labels"]), (2, 6, "from the file", {"team": "web"}))
                self.assertEqual([row["threshold"] for row in report["thresholds"]], ["steps.failed = 0", "steps.count > 5"])
                self.assertIn("1 of 2 h smoke", result.out)

    def test_the_words_of_molotov(self):
        result, report = self.ran("--config", self.config(MOLOTOV, "molotov.json"), "smoke")
        self.assertEqual((report["workers"], report["steps"]["ok"], len(report["agents"])), (2, 6, 2))
        self.assertIn("h u", result.out)

    def test_the_command_line_wins_over_the_file_and_the_file_over_the_script(self):
        path = self.config(JSON)
        self.assertEqual(self.ran("smoke", "--config", path, "-w", 3)[1]["steps"]["ok"], 9)
        self.assertEqual(self.ran("--config", path, "smoke", env=environment(TUTTI_WORKERS="5"))[1]["workers"], 5)
        self.assertIn("h mine", self.ran("--config", path, "smoke", "-e", "USER=mine")[0].out)
        report = self.ran("--config", path, "smoke", "-d", "400ms", "--threshold", "steps.failed = 0")[1]
        self.assertGreater(report["steps"]["ok"], 6)
        self.assertEqual(len(report["thresholds"]), 1)
        report = self.ran("--config", path, "load")[1]
        self.assertGreater(report["steps"]["ok"], 28)  # not the runs of the script: the file says how long
        report = self.ran("--config", path, "load", "--stages", "1s:2", "--duration", "600ms", "-w", 2)[1]
        self.assertEqual(report["workers"], 2)  # stages stand once, and are those of the command line

    def test_a_script_with_stages_takes_those_of_the_command_line(self):
        result = run(self.folder / "runs" / "s.lua", "--stages", "500ms:1", "--threshold", "steps.count > 0")
        self.assertEqual(result.code, 0, result)
        self.assertLess(result.report["duration_s"], 0.9)

    def test_without_a_name_they_are_listed(self):
        for command in ("run", "start"):
            result = tutti(command, "--config", self.config(YAML, "tutti.yaml"))
            self.assertEqual((result.code, result.out, result.err), (0, "smoke\nload\n", ""))

    def test_what_the_handbook_shows(self):
        page = (ROOT / "docs" / "parameters.md").read_text()
        shown = [re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL).group(1) for kind in ("json", "yaml")]
        self.folder.joinpath("runs", "checkout.lua").write_text(HEAD + "tutti.scenario('s', function() assert(tutti.env.HOST) end)\n")
        for text in shown:
            path = self.config(text, "shown")
            self.assertEqual(tutti("run", "--config", path).out, "smoke\nnightly\n")
            self.assertEqual(self.ran("--config", path, "smoke")[1]["steps"]["ok"], 5)
            self.ran("--config", path, "nightly", "--stages", "300ms:5", "--threshold", "steps.failed = 0")

    def test_start_takes_them_too(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"):
            result = tutti("start", "--config", self.config(JSON), "load", env=environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}"))
            self.assertEqual((result.code, "passed" in result.out), (0, True), result)

    def test_a_file_of_variables_is_found_beside_it(self):
        self.file("USER=of the file\n", "runs/u.env")
        path = self.config({"tutti": {"runs": {"a": {"script": "s.lua", "workers": 1, "runs": 1, "threshold": "steps.count = 1", "env": {"HOST": "h"}, "env_file": "u.env"},
                                               "b": {"script": "s.lua", "env_file": "nowhere.env"}}}})
        self.assertIn("h of the file", self.ran("--config", path, "a")[0].out)
        self.refused("run", "--config", path, "b", says=("tutti.json:16: b: --env-file: ", "runs/nowhere.env"))

    def test_what_is_malformed_is_named_by_its_line(self):
        def of(runs):
            return json.dumps({"tutti": {"runs": runs}}, indent=1)
        for text, words in (("{", ":2: "), ("", "no object with the key \"tutti\""), ("[]", "no object"), ('{"other": {}}', "no object with the key"),
                            ('{"tutti": {},\n"x": 1}', ":2: \"x\" is not known here"), ('{"tutti": {}}', ":1: there are no runs"),
                            ('{"tutti": {"runs": {},\n"requirements": "r.txt"}}', ":2: \"requirements\" is not known here"),
                            ('{"tutti": {"runs": []}}', ":1: runs is not an object"), (of({"a": 1}), ":4: a is not an object"),
                            (of({"a": {}}), ":4: a: it has no script"), (of({"a": {"script": ""}}), ":5: a: script: it is not the path"),
                            (of({"a": {"script": "s.lua", "wrokers": 5}}), ":6: a: \"wrokers\" is not known here; did you mean --workers?"),
                            (of({"a": {"script": "s.lua", "users": 5}}), ":6: a: \"users\" is not known here; it is --workers here"),
                            (of({"a": {"script": "s.lua", "workers": "five"}}), ":6: a: workers: \"five\" is not a whole number"),
                            (of({"a": {"script": "s.lua", "duration": [1]}}), ":6: a: duration: it is not a text"),
                            (of({"a": {"script": "s.lua", "threshold": ["x", {}]}}), ":6: a: threshold: the list has something"),
                            (of({"a": {"script": "s.lua", "config": "x"}}), ":6: a: \"config\" is not known here"),
                            (of({"a": {"script": "s.lua", "env": {"1": "secret"}}}), ":7: env: \"1\" is no name"),
                            (of({"a": {"script": "s.lua", "env": {"A": ["secret"]}}}), ":7: env: the value of a variable"),
                            ("tutti:\n  runs:\n    a:\n      script: s.lua\n      script: t.lua\n", ":5: \"script\" stands there twice"),
                            (of({"other": {"script": "s.lua"}, "more": {"script": "s.lua"}}), "has no run \"a\"; it has other more")):
            with self.subTest(words):
                result = self.refused("run", "--config", self.config(text), "a", says=("--config: ", words))
                self.assertNotIn("secret", result.err)
        self.refused("run", "--config", "/nowhere.json", "a", says="/nowhere.json")
        self.refused("start", "--config", "/dev/zero", says="/dev/zero")
        self.refused("run", "--config", self.config(of({"a": {"script": "gone.lua"}})), "a", says="runs/gone.lua")


if __name__ == "__main__":
    unittest.main()
