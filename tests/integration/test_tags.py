"""Numbers by tag, groups, and thresholds about them: counted from end to end, with known causes."""
import csv
import json
import os
import pathlib
import signal
import tempfile
import time
import unittest

from daemon import Agent, Coordinator
from support import Process, environment, run, tutti, wait_until


class Tagged(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="tutti-tags-")))

    def script(self, body, head=""):
        path = self.folder / "script.lua"
        path.write_text('local tutti = require "tutti"\nlocal http = require "tutti.http"\n' + head +
                        '\ntutti.scenario("s", function(worker)\n' + body + "\nend)\n")
        return path

    def play(self, body, *options, head="", code=0):
        result = run(self.script(body, head), "--target", "builtin", "-q", *options)
        self.assertEqual(result.code, code, result)
        return result

    @staticmethod
    def by_tag(result):
        """{(tag, value, kind, name): (count, failed)}"""
        return {(row["tag"], row["value"], row["kind"], row.get("name", "")): (row["count"], row["failed"]) for row in result.report["tags"]}


class Tags(Tagged):
    def test_requests_are_counted_by_their_tags(self):
        body = """http.get("/", { name = "home", tags = { tier = "gold" } })
            http.get("/", { name = "home", tags = { tier = "iron", [worker.seat == 0 and "seat" or "place"] = worker.seat } })
            http.get("/nope", { name = "nope", tags = { tier = "gold" } })
            http.get("/", { name = "plain" })"""
        result = self.play(body, "-w", "2", "-r", "3", "--agents", "2")
        self.assertEqual(self.by_tag(result), {
            ("tier", "gold", "request", ""): (12, 6), ("tier", "gold", "request", "home"): (6, 0), ("tier", "gold", "request", "nope"): (6, 6),
            ("tier", "iron", "request", ""): (6, 0), ("tier", "iron", "request", "home"): (6, 0),
            ("seat", "0", "request", ""): (3, 0), ("seat", "0", "request", "home"): (3, 0),
            ("place", "1", "request", ""): (3, 0), ("place", "1", "request", "home"): (3, 0)})
        self.assertEqual(result.report["requests"]["home"]["count"], 12)
        self.assertNotIn("by tag", self.play('http.get("/")', "-r", "1").out)

    def test_a_session_and_a_worker_have_tags(self):
        """Those of the request stand over those of its session, and these over the worker's."""
        head = """tutti.http_defaults { tags = { app = "shop", from = "all" } }
            local session = http.session { tags = { from = "session" } }"""
        body = """worker:tag("from", "worker")
            worker:tag("step", worker.step)
            http.get("/", { name = "a" })
            session:get("/", { name = "b" })
            session:get("/", { name = "c", tags = { from = "request" } })
            http.batch { { url = "/", name = "d", tags = { app = true } } }
            tutti.time("own", function() end)
            worker:tag("step", nil)
            tutti.record("late", 0.5)"""
        found = self.by_tag(self.play(body, "-r", "2", head=head))
        self.assertEqual({key[1:]: value for key, value in found.items() if key[0] == "from" and key[3]}, {
            ("all", "request", "a"): (2, 0), ("session", "request", "b"): (2, 0), ("request", "request", "c"): (2, 0),
            ("all", "request", "d"): (2, 0), ("worker", "timing", "own"): (2, 0), ("worker", "timing", "late"): (2, 0)})
        self.assertEqual({key[1:]: value for key, value in found.items() if key[0] == "app" and not key[3]},
                         {("shop", "request", ""): (6, 0), ("true", "request", ""): (2, 0)})
        self.assertEqual({key[1]: value for key, value in found.items() if key[0] == "step" and not key[3]}, {"1": (4, 0), "2": (4, 0)})
        self.assertNotIn(("step", "1", "timing", "late"), found)

    def test_checks_records_and_streams_have_them(self):
        body = """local page = http.get("/", { name = "page", tags = { tier = "gold" } })
            tutti.check(worker.step == 1, "first", nil, { tags = { tier = "gold" } })
            tutti.check(1, "waits", function() tutti.sleep(0.01) return true end, { tags = { tier = "iron" } })
            page:expect { status = 200 }
            page:fail("it is not what it seems")
            tutti.record("own", 0.25, { ok = false, tags = { tier = "gold" } })
            local stream <close> = http.stream("/events/3?interval=10", { name = "events", tags = { tier = "gold" } })
            stream:event()"""
        result = self.play(body, "-w", "1", "-r", "2", "--fail", "0")
        found = self.by_tag(result)
        self.assertEqual(found[("tier", "gold", "check", "first")], (2, 1))
        self.assertEqual(found[("tier", "iron", "check", "waits")], (2, 0))
        self.assertEqual(found[("tier", "gold", "check", "page: status 200")], (2, 0))
        self.assertEqual(found[("tier", "gold", "request", "page")], (2, 2))
        self.assertEqual(found[("tier", "gold", "timing", "own")], (2, 2))
        self.assertEqual(found[("tier", "gold", "timing", "events first event")], (2, 0))
        self.assertEqual(result.report["requests"]["page"]["failed"], 2)

    def test_further_values_and_names_are_counted_together_and_it_is_said(self):
        body = """http.get("/", { name = "a", tags = { user = worker.step } })
            if worker.step <= 12 then tutti.record("b", 1, { tags = { ["n" .. worker.step] = "x" } }) end"""
        result = run(self.script(body), "--target", "builtin", "-r", "100")
        found = self.by_tag(result)
        self.assertEqual(sum(value[0] for key, value in found.items() if key[0] == "user" and not key[3]), 100)
        self.assertEqual(found[("user", "(other)", "request", "a")], (36, 0))
        self.assertEqual(found[("(other)", "(other)", "timing", "b")], (5, 0))
        self.assertEqual(result.out.count("more than 8 tags, or 64 values of one, count together as (other)"), 1)

    def test_misuse_is_said_with_its_line(self):
        for call, said in (('http.get("/", { tags = "gold" })', "http: tags is a table of NAME = VALUE, not a string"),
                           ('http.get("/", { tags = { "gold" } })', "the name of a tag is 1 to 40 letters"),
                           ('http.get("/", { tags = { ["a b"] = "gold" } })', "the name of a tag is 1 to 40 letters"),
                           ('http.get("/", { tags = { tier = "" } })', "the value of a tag is a number, true, false, or printable text"),
                           ('http.get("/", { tags = { tier = {} } })', "the value of a tag is a number"),
                           ('worker:tag("a=b", 1)', "worker:tag: the name of a tag"), ('worker:tag("a", "\\n")', "worker:tag: the value of a tag"),
                           ('tutti.check(1, "x", nil, { tags = 7 })', "tutti.check: tags is a table"),
                           ('tutti.record("x", 1, { tags = 7 })', "tutti.record: tags is a table")):
            with self.subTest(call):
                message = self.play(call, "-r", "1", code=1).report["errors"][0]["message"]
                self.assertIn(said, message)
                self.assertIn("script.lua:5", message)
        refused = tutti("check", self.script("", 'http.session { tags = { tier = {} } }'))
        self.assertEqual(refused.code, 2)
        self.assertIn("the value of a tag", refused.err)

    def test_outputs_have_them(self):
        body = """http.get("/", { name = "a", tags = { tier = 'go,"ld' } })
            tutti.group("pay", function() end)"""
        result = run(self.script(body), "--target", "builtin", "-r", "4", "--csv", self.folder / "csv", "--markdown", self.folder / "report.md")
        def rows_of(name):
            return list(csv.DictReader((self.folder / "csv" / name).read_text().splitlines()))

        self.assertEqual([(row["tag"], row["value"], row["kind"], row["name"], row["count"], row["failed"]) for row in rows_of("tags.csv")],
                         [("tier", 'go,"ld', "request", "", "4", "0"), ("tier", 'go,"ld', "request", "a", "4", "0")])
        self.assertTrue(all(0 < float(row["p50_ms"]) <= float(row["max_ms"]) for row in rows_of("tags.csv")))
        self.assertEqual([(row["kind"], row["name"], row["count"]) for row in rows_of("requests.csv")],
                         [("request", "a", "4"), ("scenario", "s", "4"), ("group", "pay", "4")])
        text = (self.folder / "report.md").read_text()
        self.assertIn('| tier=go,"ld | request | a | 4 | 0 |', text)
        self.assertIn("| pay | 4 | 0 |", text)
        self.assertRegex(result.out, r'tier=go,"ld  all requests +4 +0 ')
        self.assertRegex(result.out, r"(?m)^  pay +4 +0 ")


class Groups(Tagged):
    def test_they_nest_wait_and_pass_on(self):
        body = """local first, second = tutti.group("checkout", function(given)
              http.get("/")
              tutti.group("pay", function() tutti.sleep(0.2) end)
              return given + 1, "b"
            end, 6)
            assert(first == 7 and second == "b")
            tutti.group("browse", function() tutti.sleep(0.05) end)
            local ok, why = pcall(tutti.group, "broken", function() error("no stock") end)
            assert(not ok and tostring(why):find("no stock"))
            tutti.group("after", function() end)"""
        groups = self.play(body, "-w", "2", "-r", "3").report["groups"]
        self.assertEqual({name: (row["count"], row["ok"], row["failed"]) for name, row in groups.items()},
                         {"checkout": (6, 6, 0), "checkout / pay": (6, 6, 0), "browse": (6, 6, 0), "broken": (6, 0, 6), "after": (6, 6, 0)})
        self.assertTrue(199.8 <= groups["checkout / pay"]["min_ms"] <= groups["checkout"]["min_ms"] < 300, groups)
        self.assertTrue(50 <= groups["browse"]["min_ms"] < 100, groups)

    def test_a_task_goes_on_in_the_group_that_starts_it(self):
        body = """tutti.group("page", function()
              tutti.all { tutti.task(function() tutti.group("a", function() tutti.sleep(0.02) end) end),
                          tutti.task(function() tutti.group("b", function() tutti.sleep(0.01) end) end) }
              tutti.group("c", function() end)
            end)
            coroutine.wrap(function() tutti.group("d", function() coroutine.yield() end) end)()
            collectgarbage()
            tutti.group("e", function() end)"""
        groups = self.play(body, "-r", "2").report["groups"]
        self.assertEqual({name: row["count"] for name, row in groups.items()}, {"page": 2, "page / a": 2, "page / b": 2, "page / c": 2, "e": 2})

    def test_an_error_fails_the_step_and_the_groups_around_it(self):
        result = self.play('tutti.group("a", function() tutti.group("b", function() error("no stock") end) end)', "-r", "2", code=1)
        self.assertEqual(result.steps["failed"], 2)
        self.assertIn("no stock", result.report["errors"][0]["message"])
        self.assertEqual({name: row["failed"] for name, row in result.report["groups"].items()}, {"a": 2, "a / b": 2})

    def test_the_end_of_the_campaign_is_no_failure(self):
        body = """tutti.group("short", function() end)
            tutti.group("long", function() print("in it") tutti.sleep(60) end)"""
        with Process("run", self.script(body), "-w", 1, "--json", self.folder / "report.json") as process:
            process.read_until("in it")
            os.kill(process.pid, signal.SIGINT)
            process.finish(30)
        groups = json.loads((self.folder / "report.json").read_text())["groups"]
        self.assertEqual({name: (row["count"], row["failed"]) for name, row in groups.items()}, {"short": (1, 0)})

    def test_misuse(self):
        for call, said in (('tutti.group("", print)', "a name is printable text"), ('tutti.group("x")', "function expected"),
                           ('tutti.group(("x"):rep(200), function() tutti.group(("y"):rep(60), print) end)', "more than 255 bytes")):
            self.assertIn(said, self.play(call, "-r", "1", code=1).report["errors"][0]["message"])


class Judged(Tagged):
    BODY = """http.get("/", { name = "login", tags = { tier = "gold" } })
        http.get(worker.step <= 2 and "/nope" or "/", { name = "login", tags = { tier = "iron" } })
        tutti.record("own", 0.25, { tags = { tier = "gold" } })
        tutti.check(true, "c", nil, { tags = { tier = "gold" } })
        tutti.check(false, "c", nil, { tags = { tier = "iron" } })
        tutti.group("checkout", function() tutti.group("pay", function() tutti.sleep(0.02) end) end)"""
    MET = ["request[login]{tier=gold}.p95 < 5s", "http{tier=gold}.failed < 1%", "http{tier=iron}.failed = 2", "request[log*]{tier=iron}.ok = 2",
           "record[own]{tier=gold}.max >= 249ms", "checks{tier=gold} = 100%", "checks[c]{tier=iron} = 0%", "group[checkout].p95 < 5s",
           "group[checkout / pay].min > 19ms", "group[*].count = 8", 'http{tier="gold"}.count = 4 over 1s']
    MISSED = ["request[login]{tier=gold}.p95 < 1us", "http{tier=iron}.failed < 1%", "checks{tier=iron} > 0%", "group[checkout].p95 < 1ms",
              "http{tier=lead}.failed < 1%", "http{tire=gold}.count >= 0", "group[chekout].failed < 1%", "group[pay].count > 0"]

    def test_each_form_is_met_and_missed(self):
        options = [word for text in self.MET for word in ("--threshold", text)]
        result = self.play(self.BODY, "-r", "4", *options)
        self.assertEqual({row["threshold"]: row["outcome"] for row in result.report["thresholds"]}, dict.fromkeys(self.MET, "met"), result)
        result = self.play(self.BODY, "-r", "4", "--threshold", "; ".join(self.MISSED), code=1)
        self.assertEqual({row["threshold"]: row["outcome"] for row in result.report["thresholds"]}, dict.fromkeys(self.MISSED, "missed"), result)
        self.assertEqual(result.verdict, "failed")

    def test_the_script_has_its_own(self):
        head = 'tutti.thresholds { "http{tier=iron}.failed < 1%" }'
        result = self.play(self.BODY, "-r", "4", head=head, code=1)
        self.assertEqual(result.report["reason"], "threshold http{tier=iron}.failed < 1%: 50 %; 2 of 8 requests failed")

    def test_windows_and_abort(self):
        body = """http.get(worker.step > 30 and "/nope" or "/", { name = "a", tags = { tier = "iron" } })
            http.get("/", { name = "a", tags = { tier = "gold" } })
            tutti.sleep(0.05)"""
        began = time.monotonic()
        result = self.play(body, "-d", "30s", "--threshold", "http{tier=gold}.failed < 10% over 1s abort; request[a]{tier=iron}.failed < 10% over 1s abort",
                           code=1)
        self.assertLess(time.monotonic() - began, 12)
        self.assertIn("request[a]{tier=iron}.failed < 10% over 1s abort", result.report["reason"])
        self.assertEqual([row["outcome"] for row in result.report["thresholds"]], ["met", "missed"])
        late = self.play(body.replace("30", "10"), "-d", "3s", "--threshold", "http{tier=iron}.failed > 90% after 2s")
        self.assertEqual(late.report["thresholds"][0]["outcome"], "met")

    def test_nothing_is_started_for_one_that_cannot_be_read(self):
        for text, said in (("http{tier}.p95 < 1s", "column 5: a tag is {NAME=VALUE}"), ("http{a=b,a=d}.p95 < 1s", "column 10: the tag a has a value already"),
                           ("http{a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1}.p95 < 1s", "column 38: more than 8 tags"),
                           ("waits[pad]{a=b}.p95 < 1s", "column 11: waits is not counted by tag"), ("group.p95 < 1s", "column 6: group needs a name")):
            result = tutti("run", self.script(""), "--threshold", text)
            self.assertEqual((result.code, result.err.count("\n")), (2, 1), result)
            self.assertIn(f'--threshold: "{text}", {said}', result.err)


    def test_several_tags_together(self):
        """Only what has both is counted, with however many tags there are of others; the report has what thresholds name."""
        head = 'tutti.thresholds { "http{tier=gold,region=eu}.failed = 0", "request[a]{region=us,tier=gold}.failed = 4" }'
        body = """for i = 1, 40 do http.get("/", { name = "x", tags = { ["n" .. i] = i } }) end
            http.get("/", { name = "a", tags = { tier = "gold", region = "eu" } })
            http.get("/nope", { name = "a", tags = { tier = "gold", region = "us", more = worker.step } })
            http.get("/nope", { name = "b", tags = { tier = "iron", region = "eu" } })
            tutti.record("own", 0.25, { tags = { tier = "gold", region = "eu" } })
            tutti.check(worker.step > 1, "c", nil, { tags = { tier = "gold", region = "eu" } })"""
        result = self.play(body, "-w", "2", "-r", "2", "--agents", "2", head=head)
        self.assertEqual([row["outcome"] for row in result.report["thresholds"]], ["met", "met"])
        eu, us = "{region=eu,tier=gold}", "{region=us,tier=gold}"
        self.assertEqual({key: value for key, value in self.by_tag(result).items() if key[0].startswith("{")}, {
            (eu, "", "request", ""): (4, 0), (eu, "", "request", "a"): (4, 0), (eu, "", "timing", "own"): (4, 0), (eu, "", "check", "c"): (4, 2),
            (us, "", "request", ""): (4, 4), (us, "", "request", "a"): (4, 4)})
        missed = "http{tier=gold,region=us}.failed < 1%; http{tier=iron,region=us}.failed < 1%; checks{tier=gold,region=eu} > 99%"
        result = self.play(body, "-r", "2", "--threshold", missed, code=1)
        self.assertEqual([row["outcome"] for row in result.report["thresholds"]], ["missed"] * 3)
        many = "; ".join(f"http{{a={i},b=1}}.count >= 0" for i in range(33))
        refused = tutti("run", self.script(""), "--threshold", many)
        self.assertEqual((refused.code, refused.err.count("\n")), (2, 1), refused)
        self.assertIn('"http{a=32,b=1}.count >= 0", {a=32,b=1}: more than 32 combinations of tags', refused.err)


class Controlled(Tagged):
    def test_the_api_and_metrics_have_them(self):
        coordinator = self.enterContext(Coordinator())
        self.enterContext(Agent(coordinator.endpoint, "a1"))
        coordinator.wait_agents(1)
        env = environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}")
        body = """http.get("/", { name = "a", tags = { tier = 'go"ld' } })
            http.get("/nope", { name = "b", tags = { tier = 'go"ld' } })
            tutti.group("pay", function() tutti.sleep(0.01) end)
            if worker.step == 5 then tutti.sleep(60) end"""
        with Process("start", self.script(body), "--target", "builtin", "-w", 2, "-r", 5, "--wait",
                     "--threshold", 'http{tier=go"ld}.failed < 60%', env=env) as process:
            campaign = int(process.read_until("campaign ").split()[1])
            wait_until(lambda: coordinator.show(campaign)["requests_total"] == 20, 20, "no requests")
            wait_until(lambda: coordinator.show(campaign)["thresholds"][0]["outcome"] == "met", 20, "it is not judged while it runs")
            metrics = coordinator.get("/metrics").body.decode()
            for line in (f'tutti_campaign_groups_total{{campaign="{campaign}",name="pay",result="ok"}} 10',
                         f'tutti_campaign_tagged_total{{campaign="{campaign}",kind="request",name="",tag="tier",value="go\\"ld",result="ok"}} 10',
                         f'tutti_campaign_tagged_total{{campaign="{campaign}",kind="request",name="b",tag="tier",value="go\\"ld",result="failed"}} 10',
                         f'tutti_metrics_dropped_series{{campaign="{campaign}"}} 0'):
                self.assertIn(line + "\n", metrics)
            took = next(line for line in metrics.splitlines() if line.startswith("tutti_campaign_group_seconds{") and 'quantile="0.5"' in line)
            self.assertTrue(0.01 <= float(took.rsplit(" ", 1)[1]) < 0.1, took)
            self.assertEqual(tutti("stop", campaign, env=env).code, 0)
            process.finish(30)
        report = coordinator.report(campaign)
        self.assertEqual([(row["kind"], row.get("name"), row["count"], row["failed"]) for row in report["tags"]],
                         [("request", None, 20, 10), ("request", "a", 10, 0), ("request", "b", 10, 10)])
        self.assertEqual(report["groups"]["pay"]["count"], 10)


if __name__ == "__main__":
    unittest.main()
