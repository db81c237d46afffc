"""Checks, expectations and thresholds of real runs: what the report says, the verdict and the exit code."""
import json
import os
import pathlib
import re
import signal
import tempfile
import time
import unittest
from xml.etree import ElementTree

from daemon import Agent, Coordinator
from support import Process, environment, tutti, wait_until

SCRIPT = """
local tutti = require "tutti"
local http = require "tutti.http"
{head}
tutti.scenario("judged", function(worker)
{body}
end)
"""


class Judged(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def script(self, body, head=""):
        path = self.folder / "judged.lua"
        path.write_text(SCRIPT.format(head=head, body=body))
        return path

    def play(self, body, *options, head="", expected=0):
        report = self.folder / "report.json"
        result = tutti("run", self.script(body, head), "--target", "builtin", "-w", 2, "--json", report, *options)
        self.assertEqual(result.code, expected, result)
        result.report = json.loads(report.read_text())
        return result

    def outcomes(self, result):
        return {row["threshold"]: row["outcome"] for row in result.report["thresholds"]}


class Checks(Judged):
    def test_they_are_counted_and_fail_nothing(self):
        result = self.play("""
            local page = http.get("/")
            tutti.check(page.status, "status is 200", 200)
            tutti.check(worker.step, "step is odd", function(step) return step % 2 == 1 end)
            tutti.check(nil, "there is one")
            tutti.check(page, "it raises", function(page) error("no " .. page.status) end)
            tutti.check(page, "it may wait", function() tutti.sleep(0.01) return true end)
        """, "-r", 4)
        checks = result.report["checks"]
        counts = {name: (check["passed"], check["failed"]) for name, check in checks.items()}
        self.assertEqual(counts, {"status is 200": (8, 0), "step is odd": (4, 4), "there is one": (0, 8), "it raises": (0, 8), "it may wait": (8, 0)})
        self.assertEqual((checks["step is odd"]["message"], checks["step is odd"]["step"]), ("got 2", 2))
        self.assertRegex(checks["it raises"]["message"], r"judged.lua:\d+: no 200")
        self.assertEqual((result.report["verdict"], result.report["steps"]["ok"]), ("passed", 8))
        self.assertRegex(result.out, r"step is odd +4 +4 +50 % +got 2 \(worker \d, step 2\)")

    def test_one_may_fail_the_step(self):
        result = self.play("""
            tutti.check(worker.id, "worker is 0", 0, { fail = true })
            tutti.check(true, "it goes on")
        """, "-r", 3, expected=1)
        self.assertEqual((result.report["steps"]["ok"], result.report["steps"]["failed"]), (3, 3))
        self.assertEqual(result.report["checks"]["it goes on"]["passed"], 3)
        self.assertRegex(result.report["errors"][0]["message"], r'judged.lua:\d+: check "worker is 0" failed: got 1, expected 0$')

    def test_expectations_are_checks_of_the_request(self):
        result = self.play("""
            local page = http.post("/echo", { json = { items = { { id = 7 } } }, name = "create" })
            assert(page:expect { status = "2xx", body = '"id":%d', header = { ["Content-Type"] = "json" },
                                 json = { ["$.items[0].id"] = 7, ["items[0].id"] = function(id) return id > 6 end }, max = 20 })
            local is_good, why = page:expect { status = { 201, 204 }, json = { ["$.nothing"] = 1 }, header = { ["X-None"] = true }, name = "mine" }
            assert(not is_good and why == "mine: status: got 200", why)
            local text = http.get("/bytes/3")
            assert(not text:expect { json = { ["$.a"] = 1 }, name = "no JSON" })
        """, "-r", 1)
        counts = {name: (check["passed"], check["failed"]) for name, check in result.report["checks"].items()}
        self.assertEqual(counts, {
            "create: status 2xx": (2, 0), 'create: body has ""id":%d"': (2, 0), "create: header Content-Type": (2, 0),
            "create: json $.items[0].id": (2, 0), "create: json items[0].id": (2, 0), "create: within 20 s": (2, 0),
            "mine: status": (0, 2), "mine: json $.nothing": (0, 2), "mine: header X-None": (0, 2), "no JSON: json $.a": (0, 2)})
        self.assertIn("the answer is not JSON", result.report["checks"]["no JSON: json $.a"]["message"])

    def test_how_a_request_is_counted_can_be_changed(self):
        result = self.play("""
            http.get("/nothing/1"):ok()
            local page = http.get("/")
            page:fail("it is too short")
            tutti.check(pcall(page.ok, page), "twice", false)
            local late = http.get("/nothing/2")
            tutti.sleep(2.5)  -- it was reported as failed
            late:ok()
            http.get("/nothing/3"):fail("not found")
        """, "-r", 1, head='tutti.options { fail = 0 }')
        failed = {name: (request["count"], request["failed"]) for name, request in result.report["requests"].items()}
        self.assertEqual(failed, {"GET /": (2, 2), "GET /nothing/1": (2, 0), "GET /nothing/2": (2, 0), "GET /nothing/3": (2, 2)})
        errors = {error["message"]: error["count"] for error in result.report["errors"]}
        self.assertEqual(errors, {"GET /: it is too short": 2, "GET /nothing/3: not found": 2})
        self.assertEqual(result.report["checks"]["twice"]["passed"], 2)
        self.assertEqual(result.report["reason"], "4 of 8 requests failed")

    def test_misuse_is_said_with_its_line(self):
        for body, why in (("tutti.check(1)", "tutti.check: expected a name, got a no value"), ("tutti.check(1, '')", "printable text of 1 to 255"),
                          ("tutti.check(1, 'a', 1, { fial = true })", "fial"), ("http.get('/'):expect {}", "nothing is expected"),
                          ("http.get('/'):expect { status = '2x' }", "status is a number like 200"), ("http.get('/'):expect { stat = 2 }", "stat"),
                          ("http.get('/'):expect { max = 0 }", "max is a number of seconds"), ("http.get('/'):json('$.a[')", "column 5: expected a quoted name"),
                          ("http.get('/'):json('$.a[?@.b ==]')", "column 12: expected @, $, a number"),
                          ("http.get('/'):json('$[?search(@, \"a\")]')", "match and search are not supported"), ("http.get('/'):fail()", "expected why")):
            with self.subTest(body=body):
                result = self.play(body, "-r", 1, expected=1)
                self.assertRegex(result.report["errors"][0]["message"], r"judged.lua:\d+: ")
                self.assertIn(why, result.report["errors"][0]["message"])


class Extractors(Judged):
    """Values out of JSON, XML and HTML."""

    HEAD = """
        local function fails(says, f, ...)
            local ok, why = pcall(f, ...)
            assert(not ok and tostring(why):find(says, 1, true), tostring(why))
        end
        local function answer(kind, body) return http.post("/echo", body, { headers = { ["Content-Type"] = kind } }) end
    """

    def test_json_by_path(self):
        self.play("""
            local page = http.post("/echo", { json = { items = { { id = 7, tags = { "a", "b" } }, { id = 8 } }, none = require("tutti.json").null } })
            assert(page:json("$.items[0].id") == 7 and page:json("items[-1].id") == 8 and page:json("$.items[0].tags[*]")[2] == "b")
            assert(page:json("$.none") == require("tutti.json").null and page:json("$.nothing") == nil and #page:json("$..id") == 2)
            assert(page:json("$.items[0].tags").b == nil and page:json().items[1].id == 7)
            fails("the answer is not JSON", answer("text/plain", "{").json, answer("text/plain", "{"), "$.a")
        """, "-r", 2, head=self.HEAD)

    def test_a_pattern(self):
        self.play("""
            local page = answer("text/plain", "token=abc; id=17")
            local token, id = page:match("token=(%a+); id=(%d+)")
            assert(token == "abc" and id == "17" and page:match("id=%d+") == "id=17" and page:match("nothing") == nil)
            fails("unfinished capture", page.match, page, "(")
        """, "-r", 2, head=self.HEAD)

    def test_xml_by_xpath(self):
        self.play("""
            local page = answer("application/xml", '<list n="2"><item id="a">one</item><item id="b">two<b>!</b></item></list>')
            local texts = page:xpath("//item")
            assert(#texts == 2 and texts[1] == "one" and texts[2] == "two!")
            assert(page:xpath("//item/@id")[2] == "b" and page:xpath("string(/list/@n)") == "2" and page:xpath("count(//item)") == 2)
            assert(page:xpath("//item = 'one'") == true and #page:xpath("//nothing") == 0)
            fails('xpath: "//item["', page.xpath, page, "//item[")
            fails("the answer is not XML", page.xpath, answer("application/xml", "<list>"), "/list")
            fails("the answer is not XML", page.xpath, answer("application/xml", ""), "/list")
            local shared = "<!DOCTYPE a [<!ENTITY f SYSTEM 'file:///etc/passwd'><!ENTITY g 'text'>]><a>&f;</a>"
            assert(not page.xpath(answer("application/xml", shared), "string(/a)"):find("root", 1, true))
            local long = "<a>" .. ("<b/>"):rep(3000) .. "</a>"
            fails("xpath: ", page.xpath, answer("application/xml", long), "count(//b[count(//b[count(//b) > 1]) > 1])")
            assert(page:xpath("count(//item)") == 2)
        """, "-r", 2, head=self.HEAD)

    def test_html_by_xpath(self):
        self.play("""
            local page = answer("text/html; charset=utf-8", "<title>Pad</title><p class=x>one<p class=y>two <a href='/next'>more</a>")
            assert(page:xpath("string(//title)") == "Pad" and page:xpath("//p[@class='y']/a/@href")[1] == "/next")
        """, "-r", 2, head=self.HEAD)


class Thresholds(Judged):
    def test_each_form_is_met_and_missed(self):
        body = """
            http.get("/", { name = "home" })
            http.get(worker.step % 4 == 0 and "/nothing" or "/", { name = "GET /a[1]" })
            tutti.check(worker.step % 4 ~= 0, "three of four")
            tutti.time("nap", tutti.sleep, 0.005)
            worker:barrier("together")
        """
        met = ["http.p95 < 20s", "http.failed < 13%", "http.count = 16", "http.rate > 0.1/s", 'request["GET /a[1]"].failed = 2', "request[home].ok = 100%",
               "request[*].failed <= 2", "record[nap].min >= 5ms", "steps.failed = 0", "steps.max < 1m", "checks >= 75%", "checks[three*].failed = 2",
               "waits[together].p99 < 20s", "waits.failed = 0", "dropped = 0"]
        missed = ["http.p95 < 1us", "http.failed < 12%", "request[home].count > 8", "record[nap].max < 1ms", "steps.count < 8", "checks > 75%", "waits[together].count < 1",
                  "request[hme].failed = 0", "seen.p99 < 500ms", "http.p95 < 1us over 1s"]
        options = [option for threshold in met for option in ("--threshold", threshold)]
        result = self.play(body, "-r", 4, *options)
        self.assertEqual(self.outcomes(result), dict.fromkeys(met, "met"))
        self.assertEqual((result.report["verdict"], result.report["reason"]), ("passed", "2 of 16 requests failed"))
        for threshold in missed:
            with self.subTest(threshold=threshold):
                result = self.play(body, "-r", 4, "--threshold", threshold, expected=1)
                self.assertEqual(self.outcomes(result), {threshold: "missed"})
                self.assertRegex(result.report["reason"], "^threshold ")
                self.assertIn(f"failed: threshold {threshold}: ", result.out)

    def test_the_script_has_its_own(self):
        head = 'tutti.thresholds { "http.p95 < 20s", "steps.failed = 0" }\ntutti.thresholds { "http.failed = 0" }'
        result = self.play('http.get("/")', "-r", 1, head=head)
        self.assertEqual(list(self.outcomes(result)), ["http.p95 < 20s", "steps.failed = 0", "http.failed = 0"])
        checked = tutti("check", self.script("", head))
        self.assertIn("thresholds\n  http.p95 < 20s\n  steps.failed = 0\n  http.failed = 0\n", checked.out)
        result = self.play('http.get("/")', "-r", 1, "--threshold", "http.count > 5", head=head, expected=1)
        self.assertEqual(list(self.outcomes(result)), ["http.count > 5"], "the command line stands over the script")
        broken = tutti("check", self.script("", 'tutti.thresholds { "http.p95 < 20s", "http.p95 < 20x" }'))
        self.assertEqual(broken.code, 2, broken)
        self.assertRegex(broken.err, r'judged.lua:4: threshold: "http.p95 < 20x", column 12: a time needs a unit')

    def test_nothing_is_started_for_one_that_cannot_be_read(self):
        for threshold, why in (("http.p95 < 200", "column 12: a time needs a unit, such as 200ms"), ("htp.p95 < 1s", "column 1: \"htp.p95\" is none of http,"),
                               ("http.p95 <> 1s", "column 11: "), ("checks > 99% abrt", "column 14: ")):
            with self.subTest(threshold=threshold):
                result = tutti("run", self.script("tutti.print('started')"), "--threshold", "steps.failed = 0", "--threshold", threshold)
                self.assertEqual((result.code, result.out), (2, ""), result)
                self.assertIn(f'--threshold: "{threshold}", {why}', result.err)
                self.assertEqual(len(result.err.splitlines()), 1)

    def test_failed_steps_alone_fail_nothing_unless_it_is_said(self):
        body = "assert(worker.step ~= 1)"
        self.play(body, "-r", 4, expected=1)
        self.play(body, "-r", 4, "--threshold", "steps.failed < 30%")
        self.play(body, "-r", 4, "--threshold", "steps.failed < 30%", "--fail", 1, expected=1)
        self.play(body, "-r", 4, "--threshold", "steps.failed < 20%", expected=1)

    def test_abort_ends_it_within_two_seconds(self):
        body = 'http.get("/")\ntutti.sleep(0.02)\nif tutti.now() - begun > 3 then first = first or tutti.now() http.get("/nothing") end'
        head = "begun = tutti.now()"
        started = time.monotonic()
        result = self.play(body, "-d", "60s", "--threshold", "http.failed = 0 abort", head=head, expected=1)
        took = time.monotonic() - started
        self.assertRegex(result.report["reason"], r"^threshold http.failed = 0 abort: \d+ after \d.* s \(abort\)")
        self.assertLess(result.report["duration_s"], 6)
        self.assertLess(took, 20)
        self.assertEqual(self.outcomes(result), {"http.failed = 0 abort": "missed"})

    def test_each_form_ends_it_with_abort(self):
        """Within two seconds of being missed, with the exit code, the line of the report and the test case that say so."""
        body = """
            http.get("/", { name = "home" })
            http.get("/nothing", { name = "none" }):ok()
            http.get("/nothing", { name = "away" })
            tutti.check(worker.step == 1, "first")
            tutti.time("nap", tutti.sleep, 0.02)
            worker:barrier("together")
        """
        met = ["http.p95 < 20s", "http.count > 0 over 2s", "request[none].failed = 0", "record[nap].min >= 5ms", "steps.failed = 0", "checks >= 0%", "waits.failed = 0",
               "http.p95 < 20s over 1s", "dropped = 0"]
        options = [option for threshold in met for option in ("--threshold", threshold + " abort")]
        result = self.play(body, "-d", "2500ms", *options)
        self.assertEqual(self.outcomes(result), dict.fromkeys([threshold + " abort" for threshold in met], "met"))
        for threshold in ("http.p95 < 1us", "http.failed < 12%", "http.count < 9", "http.rate < 1/s", "request[away].failed = 0", "request[home].max < 1us", "record[nap].max < 1ms",
                          "steps.count < 8", "checks > 99%", "checks[first].failed = 0", "waits[together].count < 1", "http.p95 < 1us over 1s",
                          "http.p95 < 1us after 1s"):
            with self.subTest(threshold=threshold):
                junit = self.folder / "junit.xml"
                result = self.play(body, "-d", "30s", "--threshold", threshold + " abort", "--junit", junit, expected=1)
                self.assertEqual(self.outcomes(result), {threshold + " abort": "missed"})
                self.assertLess(result.report["duration_s"], 5, result)  # missed after two seconds at most, and two more
                self.assertRegex(result.report["reason"], rf"^threshold {re.escape(threshold)} abort: ")
                self.assertIn(f"failed: threshold {threshold} abort: ", result.out)
                case = ElementTree.parse(junit).find(f".//testcase[@name='{threshold} abort']")
                self.assertIsNotNone(case.find("failure"), junit.read_text())

    def test_a_run_in_which_no_request_succeeds_has_failed(self):
        result = self.play('http.get("/nothing")', "-r", 3, expected=1)
        self.assertEqual((result.report["verdict"], result.report["reason"]), ("failed", "no request succeeded: all 6 failed"))
        self.play('http.get("/nothing")', "-r", 3, "--fail", 0)
        self.play('http.get("/nothing"):ok()', "-r", 3)

    def test_the_window_is_judged_while_it_runs(self):
        body = 'http.get(tutti.now() - begun < 3 and "/delay/60" or "/")\ntutti.sleep(0.01)'
        head = "begun = tutti.now()"
        result = self.play(body, "-d", "7s", "--threshold", "http.p50 < 50ms over 2s", "--threshold", "http.p50 < 50ms over 2s after 5s",
                           "--threshold", "http.rate > 5/s over 2s", head=head, expected=1)
        self.assertEqual(list(self.outcomes(result).values()), ["missed", "met", "met"])
        worst = result.report["thresholds"][0]
        self.assertTrue(60 <= worst["value"] < 1000, worst)
        self.assertTrue(2 <= worst["missed_at_s"] <= 4, worst)


class Controlled(Judged):
    """At a coordinator: over its restart, by the API, and stopped."""

    def setUp(self):
        super().setUp()
        self.coordinator = self.enterContext(Coordinator())
        self.enterContext(Agent(self.coordinator.endpoint, "a1"))
        self.coordinator.wait_agents(1)
        self.env = environment(TUTTI_API=f"http://127.0.0.1:{self.coordinator.port}")

    def test_a_stopped_one_is_judged_by_its_thresholds(self):
        for threshold, code, said in (("http.p95 < 20s", 0, "passed: stopped after "), ("http.count < 1", 1, "failed: threshold http.count < 1: ")):
            with self.subTest(threshold=threshold):
                with Process("start", self.script('http.get("/")\ntutti.sleep(0.05)'), "--target", "builtin", "-w", 2, "-d", "10m", "--threshold", threshold,
                             "--wait", env=self.env) as process:
                    campaign = int(process.read_until("campaign ").split()[1])
                    wait_until(lambda: self.coordinator.show(campaign)["steps"]["ok"] > 20, 20, "no steps")
                    self.assertEqual(self.coordinator.show(campaign)["thresholds"][0]["threshold"], threshold)
                    outcome = "met" if code == 0 else "missed"
                    wait_until(lambda: self.coordinator.show(campaign)["thresholds"][0]["outcome"] == outcome, 20, "it is not judged while it runs")
                    metrics = self.coordinator.get("/metrics").body.decode()
                    self.assertIn(f'tutti_campaign_threshold_missed{{campaign="{campaign}",threshold="{threshold}"}} {code}\n', metrics)
                    self.assertEqual(tutti("stop", campaign, env=self.env).code, 0)
                    result = process.finish(20)
                self.assertEqual(result.code, code, result)
                self.assertIn(said, result.out)

    def test_checks_are_metrics(self):
        with Process("start", self.script('tutti.check(worker.step % 2, "odd", 1)\ntutti.sleep(0.01)'), "-w", 1, "-r", 100000, "--wait", env=self.env) as process:
            campaign = int(process.read_until("campaign ").split()[1])
            wait_until(lambda: self.coordinator.show(campaign)["steps"]["ok"] > 20, 20, "no steps")
            metrics = self.coordinator.get("/metrics").body.decode()
            counts = [int(line.rsplit(" ", 1)[1]) for line in metrics.splitlines() if line.startswith("tutti_campaign_checks_total{")]
            self.assertEqual(len(counts), 2)
            self.assertTrue(counts[0] > 5 and abs(counts[0] - counts[1]) <= 1, counts)
            os.kill(process.pid, signal.SIGINT)
            process.finish(20)

    def test_the_api_refuses_what_cannot_be_read(self):
        self.assertEqual(self.coordinator.post("/v1/campaigns", {"script": "a.lua", "files": [{"path": "a.lua", "content": ""}],
                                                                 "options": {"thresholds": "http.p95 < 1"}}).status, 400)


if __name__ == "__main__":
    unittest.main()
