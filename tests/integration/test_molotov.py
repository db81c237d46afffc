"""What users of Molotov look for: session defaults from setup, requests with -vv, extensions, life cycle, weights, -x, --fail."""
import re
import unittest

from support import ROOT, run
from test_params import HEAD, Params

HTTP = HEAD + "local http = require 'tutti.http'\n"


class Handbook(unittest.TestCase):
    def test_the_tests_that_it_names_exist(self):
        page = (ROOT / "docs" / "from-molotov.md").read_text()
        rows = re.findall(r"^\|.*\| ((?:`\w+`(?:, )?)+) \|$", page, re.MULTILINE)
        named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
        self.assertGreater(len(named), 15)
        for name in sorted(named):
            with self.subTest(name):
                self.assertTrue((ROOT / "tests" / "integration" / f"test_{name}.py").exists())


class Molotov(Params):
    def passes(self, text, *options):
        result = run(self.script(text), *options)
        self.assertEqual(result.code, 0, result)
        return result

    def test_what_setup_returns_is_for_the_requests_of_its_worker(self):
        self.passes(HTTP + """
        tutti.http_defaults { headers = { ["X-All"] = "all", ["X-Who"] = "nobody" } }
        local session = http.session { headers = { ["X-Session"] = "s" } }
        tutti.setup(function(worker)
          tutti.sleep(0.01)
          if worker.id == 2 then return nil end
          return { headers = { ["x-who"] = "w" .. worker.id }, base = tutti.target .. "/sub/" }
        end)
        tutti.scenario("s", function(worker)
          local of = worker.id == 2 and "nobody" or "w" .. worker.id
          for _, client in ipairs { http, session } do
            local get = client == http and http.get or function(...) return session:get(...) end
            local seen = get(worker.id == 2 and "/headers" or "../headers"):json()
            local who, all
            for name, value in pairs(seen) do
              if name:lower() == "x-who" then who = value end
              if name:lower() == "x-all" then all = value end
            end
            assert(who == of and all == "all", tostring(who))
          end
        end)""", "--target", "builtin", "-w", 6, "-r", 4, "--agents", 2)

    def test_what_setup_must_not_return(self):
        for returned, words in (("5", "what setup returns: expected a table of options, got a number"), ("{ hedaers = {} }", "hedaers")):
            result = run(self.script(HEAD + f"tutti.setup(function() return {returned} end)\ntutti.scenario('s', function() end)\n"))
            self.assertEqual(result.code, 1, result)
            self.assertIn(words, result.report["errors"][0]["message"])

    def test_vv_shows_each_request(self):
        text = HTTP + "tutti.scenario('s', function() http.get(tutti.target .. '/status/204') pcall(http.get, 'http://127.0.0.1:1/x') end)\n"
        result = run(self.script(text), "--target", "builtin", "-vv", "-w", 2, "--fail", 0)
        shown = [line for line in result.out.splitlines() if "GET" in line and line.startswith("[")]
        self.assertEqual(len(shown), 4, result)
        for worker in (0, 1):
            self.assertTrue(any(re.fullmatch(rf"\[{worker}\] step 1: GET http://127\.0\.0\.1:\d+/status/204 204, [0-9.]+ ms", line) for line in shown), shown)
            self.assertTrue(any(re.fullmatch(rf"\[{worker}\] step 1: GET http://127\.0\.0\.1:1/x [a-z_ ]+, [0-9.]+ ms", line) for line in shown), shown)
        result = run(self.script(text), "--target", "builtin", "-v", "--fail", 0)
        self.assertNotIn("step 1: GET", result.out)

    def test_an_extension_is_a_module(self):
        self.file("""
        local tutti = require "tutti"
        local counted = { scenario_start = 0, scenario_success = 0, scenario_failure = 0, sending_request = 0, response_received = 0 }
        tutti.events(function(event, info) counted[event] = counted[event] + 1 end)
        tutti.teardown(function(worker)
          for event, count in pairs(counted) do tutti.print(event, count) end
        end)
        return counted
        """, "extension.lua")
        result = run(self.script(HTTP + """
        require "extension"
        tutti.events(function() end)
        tutti.scenario("s", function(worker) http.get(tutti.target .. "/") assert(worker.step < 3) end)
        """), "--target", "builtin", "-r", 3)
        for line in ("scenario_start\t3", "scenario_success\t2", "scenario_failure\t1", "sending_request\t3", "response_received\t3"):
            self.assertIn(line, result.out)

    def test_workers_are_told_once_a_second(self):
        result = self.passes(HEAD + """
        tutti.events(function(event, info) if event == "current_workers" then tutti.print("workers " .. info.workers) end end)
        tutti.scenario("s", function() tutti.sleep(0.05) end)
        """, "-w", 3, "--agents", 1, "-d", "3500ms")
        self.assertEqual(re.findall(r"workers (\d+)", result.out)[:2], ["3", "3"], result)
        self.assertIn(len(re.findall(r"workers \d+", result.out)), (2, 3), result)

    def test_the_order_of_a_life(self):
        names = ("global_setup", "setup", "setup_session", "teardown_session", "teardown", "global_teardown")
        result = self.passes(HEAD + "".join(f"tutti.{name}(function() tutti.print('at {name}') end)\n" for name in names) +
                             "tutti.scenario('s', function() tutti.print('at step') end)\n", "-r", 2)
        self.assertEqual(re.findall(r"at (\w+)", result.out), [*names[:3], "step", "step", *names[3:]])


if __name__ == "__main__":
    unittest.main()
