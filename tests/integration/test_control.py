"""start, stop, status, watch, report and agents against an API that answers what we want, including nonsense."""
import base64
import contextlib
import json
import os
import pathlib
import signal
import socket
import tempfile
import threading
import time
import unittest

from fake_api import PROGRESS, FakeApi, event, report
from support import Process, environment, script, tutti, write_secret

POST = ("POST", "/v1/campaigns")
EVENTS = ("GET", "/v1/campaigns/7/events")
STOP = ("POST", "/v1/campaigns/7/stop")
STARTED = [(201, {"campaign": 7})]
COMMANDS = (("status",), ("status", "7"), ("stop", "7"), ("watch", "7"), ("report", "7"), ("agents",), ("start", script("scene-right")))


def ends(verdict, *before):
    return lambda handler: handler.stream(*before, event("ended", report(verdict)))


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Refused(unittest.TestCase):
    def test_nobody_there(self):
        url = f"http://127.0.0.1:{closed_port()}"
        for command in COMMANDS:
            result = tutti(*command, "--api", url, env=environment(TUTTI_RETRY="0"))
            self.assertEqual(result.code, 3, result)
            self.assertRegex(result.err, rf"^tutti: {command[0]}: no coordinator answers at {url}: start one with tutti coordinator")
            self.assertEqual(result.out, "")

    def everywhere(self, *answer):
        return {(method, path): [answer] for method in ("GET", "POST")
                for path in ("/v1/campaigns", "/v1/agents", *(f"/v1/campaigns/7{rest}" for rest in ("", "/stop", "/report", "/events")))}

    def check_all(self, plans, code, words, *options):
        with FakeApi(plans) as api:
            for command in COMMANDS:
                result = tutti(*command, "--api", api.url, *options)
                self.assertEqual((result.code, result.out), (code, ""), result)
                self.assertIn(words, result.err)
                self.assertEqual(result.err.count("\n"), 1, result)

    def test_no_token(self):
        self.check_all(self.everywhere(401, {"error": "a token is needed"}), 2, "wants a token: --token-file FILE, or TUTTI_TOKEN")

    def test_wrong_token(self):
        self.check_all(self.everywhere(401, {"error": "no"}), 2, "does not take this token", "--token", "wrong")

    def test_what_the_coordinator_says_is_shown(self):
        self.check_all(self.everywhere(400, {"error": "options.workers: too many"}), 2, "options.workers: too many")

    def test_draining(self):
        self.check_all(self.everywhere(503, {"error": "shutting down"}), 3, "shutting down")

    def test_no_such_campaign(self):
        with FakeApi(self.everywhere(404, {"error": "there is no campaign 7"})) as api:
            for command in COMMANDS[1:5]:
                result = tutti(*command, "--api", api.url)
                self.assertEqual((result.code, result.err), (2, f"tutti: {command[0]}: there is no campaign 7{' (see tutti status)' * (command[0] != 'watch')}\n"))

    def test_something_else(self):
        for answer in ((404, b"<html>not here</html>"), (500, b""), (403, {"message": "x"})):
            self.check_all(self.everywhere(*answer), 3, "but not as a coordinator does (HTTP status")
        for answer in ((200, b"<html>hello</html>"), (200, [1])):
            with FakeApi(self.everywhere(*answer)) as api:
                for command in COMMANDS[:2] + COMMANDS[4:]:
                    result = tutti(*command, "--api", api.url)
                    self.assertEqual(result.code, 3, result)

    def test_answers_are_bounded(self):
        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            for _ in range(200):
                handler.wfile.write(b" " * 1_000_000)

        with FakeApi({("GET", "/v1/agents"): [endless], EVENTS: [endless]}) as api:
            for command in (("agents",), ("watch", 7)):
                result = tutti(*command, "--api", api.url)
                self.assertEqual(result.code, 3, result)
                self.assertIn("longer than 64 MiB", result.err)

    def test_usage(self):
        for arguments, words in ((("stop",), "which campaign?"), (("stop", "seven"), '"seven" is not the id'), (("watch", "-1"), "unknown option"),
                                 (("status", "7", "8"), "unexpected argument \"8\""), (("agents", "--api", "localhost"), "is not an address like http://"),
                                 (("start",), "which script?"), (("start", "nowhere.lua"), "nowhere.lua"),
                                 (("status", "--token", "a b"), "visible characters"), (("status", "--token-file", "/nowhere"), "No such file"),
                                 (("start", script("scene-right"), "--agents", "3"), "unknown option --agents")):
            result = tutti(*arguments)
            self.assertEqual((result.code, result.out), (2, ""), result)
            self.assertIn(words, result.err)

    def test_the_practice_target_is_the_coordinators_business(self):
        for arguments in ((script("scene-right"), "--target", "builtin"), (script("pad"),)):
            with FakeApi({POST: STARTED}) as api:
                result = tutti("start", *arguments, "--api", api.url)
                self.assertEqual(result.code, 0, result)
                self.assertEqual(api.asked[0][2]["options"]["target"], "builtin")


class Token(unittest.TestCase):
    def test_ways_to_give_it(self):
        with FakeApi({("GET", "/v1/agents"): [(200, {"agents": []})]}) as api, tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "token")
            write_secret(path, "from-file\n")
            tutti("agents", "--api", api.url)
            tutti("agents", "--api", api.url + "/", "--token", "from-line")
            tutti("agents", "--token-file", path, env=environment(TUTTI_API=api.url, TUTTI_TOKEN="from-environment"))
            tutti("agents", env=environment(TUTTI_API=api.url, TUTTI_TOKEN="from-environment"))
            self.assertEqual([asked[3] for asked in api.asked], [None, "Bearer from-line", "Bearer from-file", "Bearer from-environment"])

    def test_a_proxy_is_not_for_this_host(self):
        with FakeApi({("GET", "/v1/agents"): [(200, {"agents": []})]}) as api:
            result = tutti("agents", "--api", api.url, env=environment(http_proxy=f"http://127.0.0.1:{closed_port()}"))
            self.assertEqual(result.code, 0, result)


class Start(unittest.TestCase):
    def test_tells_the_id(self):
        with FakeApi({POST: STARTED}) as api:
            result = tutti("start", script("writer-fails"), "-w", 12, "--api", api.url, "-q")
            self.assertEqual((result.code, result.out, result.err), (0, "7\n", ""))
            result = tutti("start", script("writer-fails"), "--api", api.url, "--json", "-")
            self.assertEqual((result.code, json.loads(result.out)), (0, {"campaign": 7}))
            sent = api.asked[0][2]
            self.assertEqual([file["path"] for file in sent["files"]], ["writer-fails.lua", "scene.lua"])
            self.assertEqual(base64.b64decode(sent["files"][0]["content"]), script("writer-fails").read_bytes())
            self.assertEqual((sent["options"]["workers"], sent["script"]), (12, str(script("writer-fails"))))

    def test_the_nearer_word_wins(self):
        with FakeApi({POST: STARTED}) as api:
            for options, variables in (((), {}), ((), {"TUTTI_WORKERS": "4"}), (("-w", 5), {"TUTTI_WORKERS": "4"})):
                tutti("start", script("options"), "--api", api.url, *options, env=environment(**variables))
            self.assertEqual([body["options"]["workers"] for body in api.bodies("/v1/campaigns")], [3, 4, 5])

    def test_exit_code_by_verdict(self):
        codes = {"passed": 0, "failed": 1, "deadlocked": 1, "degraded": 3, "aborted": 3}
        for verdict, code in codes.items():
            with FakeApi({POST: STARTED, EVENTS: [ends(verdict, event("progress", PROGRESS))]}) as api, tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder, "report.json")
                result = tutti("start", script("scene-right"), "--wait", "--api", api.url, "--json", path)
                self.assertEqual(result.code, code, result)
                self.assertIn(f"\n{verdict}\n\n  time    2.50 s\n  steps   10 ok, 0 failed", result.out)
                self.assertEqual(json.loads(path.read_text()), report(verdict))
                quiet = tutti("start", script("scene-right"), "--wait", "--api", api.url, "-q")
                self.assertEqual((quiet.code, quiet.out, quiet.err), (code, "", ""))

    def test_json_has_standard_output_for_itself(self):
        with FakeApi({POST: STARTED, EVENTS: [ends("passed")]}) as api:
            result = tutti("start", script("scene-right"), "--wait", "--api", api.url, "--json", "-")
            self.assertEqual(json.loads(result.out), report())
            self.assertIn("passed", result.err)

    def test_deadlock_is_told_at_once(self):
        with FakeApi({POST: STARTED, EVENTS: [ends("deadlocked", event("deadlock", {"text": "worker 1 waits\x1b for 2"}))]}) as api:
            result = tutti("start", script("scene-right"), "--wait", "-q", "--api", api.url)
            self.assertEqual(result.code, 1)
            self.assertIn("tutti: coordinator: worker 1 waits", result.err)


    def test_lost_agents_are_told_once(self):
        lost = event("progress", {**PROGRESS, "agents": [{"name": "a1", "state": "running"}, {"name": "a2", "state": "lost"}]})
        with FakeApi({POST: STARTED, EVENTS: [ends("degraded", event("progress", PROGRESS), lost, lost)]}) as api:
            result = tutti("start", script("scene-right"), "--wait", "-q", "--api", api.url)
            self.assertEqual((result.code, result.err), (3, "tutti: coordinator: lost agents: a2\n"))


class Interrupted(unittest.TestCase):
    def story(self, stop, after_stop, times):
        """Starts, waits for the stream, interrupts `times` times, the second time when the first has been reported."""
        told = threading.Event()

        def stopping(handler):
            told.set()
            stop(handler)

        def events(handler):
            handler.stream(event("progress", PROGRESS), lambda: told.wait(20), lambda: after_stop(handler), event("ended", report("aborted", "interrupted")))

        with FakeApi({POST: STARTED, EVENTS: [events], STOP: [stopping]}) as api:
            with Process("start", script("scene-right"), "--wait", "--api", api.url) as process:
                api.wait_for(EVENTS[1])
                os.kill(process.pid, signal.SIGINT)
                if times == 2:
                    api.wait_for(STOP[1])
                    os.kill(process.pid, signal.SIGINT)
                result = process.finish(10)
            self.assertEqual(result.code, 130, result)
            self.assertEqual(api.bodies(STOP[1]), [{"at_once": False, "reason": "interrupted"}])
            return result

    def test_once_stops_and_waits(self):
        result = self.story(lambda handler: handler.answer(202, {}), lambda _: None, 1)
        self.assertIn("aborted: interrupted", result.out)
        self.assertIn("once more leaves it alone", result.err)

    def test_twice_leaves(self):
        result = self.story(lambda handler: handler.answer(202, {}), lambda handler: handler.server.api.over.wait(20), 2)
        self.assertIn("leaving", result.err)
        self.assertLess(result.seconds, 8)

    def test_twice_leaves_although_nobody_answers_the_first(self):
        result = self.story(lambda handler: handler.server.api.over.wait(20), lambda handler: handler.server.api.over.wait(20), 2)
        self.assertIn("leaving; campaign 7 may still run", result.err)
        self.assertLess(result.seconds, 8)

    def test_before_the_coordinator_has_answered(self):
        with FakeApi({POST: [lambda handler: handler.server.api.over.wait(20)]}) as api:
            with Process("start", script("scene-right"), "--wait", "--api", api.url) as process:
                api.wait_for(POST[1])
                os.kill(process.pid, signal.SIGTERM)
                result = process.finish(10)
            self.assertEqual(result.code, 130, result)
            self.assertIn("before the coordinator answered", result.err)

    def test_watching_leaves_it_alone(self):
        with FakeApi({EVENTS: [lambda handler: handler.stream(event("progress", PROGRESS), lambda: handler.server.api.over.wait(20))]}) as api:
            with Process("watch", 7, "--api", api.url) as process:
                api.wait_for(EVENTS[1])
                os.kill(process.pid, signal.SIGINT)
                result = process.finish(10)
            self.assertEqual(result.code, 130, result)
            self.assertEqual(api.bodies(STOP[1]), [])


class Away(unittest.TestCase):
    """No coordinator is there yet when a command begins to look."""

    LOOKS = (("status",), ("status", "7", "--json"), ("watch", "7"), ("watch", "7", "--json"), ("report", "7"), ("report", "7", "--json", "-"), ("agents",))

    def test_looking_waits_for_it(self):
        plans = {("GET", "/v1/campaigns"): [(200, {"campaigns": []})], ("GET", "/v1/campaigns/7"): [(200, PROGRESS)], EVENTS: [ends("passed")],
                 ("GET", "/v1/campaigns/7/report"): [(200, report())], ("GET", "/v1/agents"): [(200, {"agents": []})]}
        port = closed_port()
        with contextlib.ExitStack() as processes:
            looking = [processes.enter_context(Process(*command, "--api", f"http://127.0.0.1:{port}")) for command in self.LOOKS]
            time.sleep(1)
            with FakeApi(plans, port):
                for command, process in zip(self.LOOKS, looking):
                    result = process.finish(30)
                    self.assertEqual(result.code, 0, (command, result))
                    self.assertNotEqual(result.out, "", command)
                    self.assertEqual((result.err.count("; trying again for a minute"), result.err.count("\n")), (1, 1), (command, result))

    def test_but_not_for_ever(self):
        url = f"http://127.0.0.1:{closed_port()}"
        for command in self.LOOKS:
            begun = time.monotonic()
            result = tutti(*command, "--retry", "600ms", "--api", url)
            self.assertEqual((result.code, result.out), (3, ""), (command, result))
            self.assertIn("; trying again for 600 ms\n", result.err)
            self.assertEqual(result.err.count("no coordinator answers at"), 2, result)
            self.assertTrue(0.6 <= time.monotonic() - begun < 15, command)


class LostCoordinator(unittest.TestCase):
    def test_comes_back(self):
        def cut(handler):
            handler.stream(event("progress", PROGRESS), b"event: progress\ndata: {\"half")

        with FakeApi({POST: STARTED, EVENTS: [cut, (503, {"error": "not yet"}), ends("passed")]}) as api:
            result = tutti("start", script("scene-right"), "--wait", "--api", api.url)
            self.assertEqual(result.code, 0, result)
            self.assertEqual(result.err.count("trying again for a minute"), 1, result)

    def test_comes_back_and_has_forgotten(self):
        with FakeApi({EVENTS: [lambda handler: handler.stream(event("progress", PROGRESS)), (404, {"error": "there is no campaign 7"})]}) as api:
            result = tutti("watch", 7, "--api", api.url)
            self.assertEqual(result.code, 3, result)
            self.assertIn("there is no campaign 7", result.err)

    def test_a_stop_that_it_missed_is_said_again(self):
        told = threading.Event()

        def first(handler):
            handler.stream(event("progress", PROGRESS), lambda: told.wait(20))

        def missed(handler):
            told.set()
            handler.answer(503, {"error": "not now"})

        def second(handler):
            handler.stream(event("progress", PROGRESS), lambda: handler.server.api.over.wait(0.5), event("ended", report("aborted")))

        with FakeApi({POST: STARTED, EVENTS: [first, second], STOP: [missed, (202, {})]}) as api:
            with Process("start", script("scene-right"), "--wait", "--api", api.url) as process:
                api.wait_for(EVENTS[1])
                os.kill(process.pid, signal.SIGINT)
                result = process.finish(20)
            self.assertEqual(result.code, 130, result)
            self.assertEqual(len(api.bodies(STOP[1])), 2)

    def test_nonsense_ends_it(self):
        for nonsense in (b"event: ended\ndata: {\n\n", b"event: ended\ndata: [1]\n\n"):
            with FakeApi({EVENTS: [lambda handler: handler.stream(nonsense)]}) as api:
                result = tutti("watch", 7, "--api", api.url)
                self.assertEqual(result.code, 3, result)
                self.assertIn("cannot be understood", result.err)


class Watch(unittest.TestCase):
    def test_json_lines(self):
        with FakeApi({EVENTS: [ends("failed", event("state", {"state": "running"}), event("progress", PROGRESS))]}) as api:
            result = tutti("watch", 7, "--json", "--api", api.url, env=environment(TUTTI_JSON="report.json"))
            lines = [json.loads(line) for line in result.out.splitlines()]
            self.assertEqual([line["event"] for line in lines], ["state", "progress", "ended"])
            self.assertEqual((lines[1]["data"], lines[2]["data"], result.code, result.err), (PROGRESS, report("failed"), 1, ""))

    def test_plain_lines(self):
        with FakeApi({EVENTS: [ends("passed", *[event("progress", {**PROGRESS, "elapsed_s": second + 0.0}) for second in range(12)])]}) as api:
            result = tutti("watch", 7, "--api", api.url)
            # The events arrive at once, and a line that has not been shown yet is replaced by a newer one.
            lines = [line for line in result.out.splitlines() if line.startswith("0:")]
            self.assertIn(lines, [[f"{at}  5 workers  10 ok  0 failed" for at in seen] for seen in (("0:04", "0:09"), ("0:04",), ("0:09",))], result)


class Look(unittest.TestCase):
    CAMPAIGNS = [{"campaign": 6, "script": "a.lua", "state": "ended", "verdict": "failed", "workers": 1000, "agents": 2, "elapsed_s": 65.0, "steps": {"ok": 4321, "failed": 2, "stopped": 0}, "started_at": "2023-11-14T22:13:20.123Z", "ended_at": "2023-11-14T22:14:25.123Z"},
                 {"campaign": 7, "script": "b\x1b.lua", "state": "running", "verdict": None, "workers": 5, "agents": 1, "elapsed_s": 1.0, "steps": {"ok": 1, "failed": 0, "stopped": 0}}]

    def test_status(self):
        with FakeApi({("GET", "/v1/campaigns"): [(200, {"campaigns": []}), (200, {"campaigns": self.CAMPAIGNS})]}) as api:
            self.assertIn("no campaigns", tutti("status", "--api", api.url).out)
            result = tutti("status", "--api", api.url, env=environment(TZ="UTC"))
            rows = [line.split() for line in result.out.splitlines()]
            self.assertEqual(rows[0], ["id", "script", "state", "workers", "agents", "started", "time", "ok", "failed"], result)
            self.assertEqual(rows[1], ["6", "a.lua", "failed", "1,000", "2", "Nov", "14", "22:13", "1", "m", "5", "s", "4,321", "2"], result)
            self.assertEqual(rows[2][1:6], ["b\\x1b.lua", "running", "5", "1", "–"], result)
            self.assertLessEqual(max(len(line) for line in result.out.splitlines()), 80)
            self.assertEqual(json.loads(tutti("status", "--json", "--api", api.url).out), {"campaigns": self.CAMPAIGNS})

    def test_status_wide(self):
        campaigns = [{**self.CAMPAIGNS[1], "script": "a/long/way/to/the/" + "script" * 10 + ".lua", "name": "nightly", "labels": {"team": "web"}}, {**self.CAMPAIGNS[0], "name": "", "labels": {}}]
        with FakeApi({("GET", "/v1/campaigns"): [(200, {"campaigns": campaigns})]}) as api:
            narrow = tutti("status", "--api", api.url, env=environment(TZ="UTC")).out.splitlines()
            wide = tutti("status", "--wide", "--api", api.url, env=environment(TZ="UTC")).out.splitlines()
        self.assertLessEqual(max(map(len, narrow)), 80, narrow)
        self.assertEqual([line.split()[0] for line in narrow], ["id", "6", "7"], "one line each, by age")
        self.assertEqual(wide[0].split(), ["id", "script", "name", "state", "workers", "agents", "started", "time", "ok", "failed", "labels"])
        self.assertEqual(wide[2].split(), ["7", campaigns[0]["script"], "nightly", "running", "5", "1", "–", "1.00", "s", "1", "0", "team=web"])

    def test_status_of_one(self):
        live = {**PROGRESS, "script": "pad.lua", "elapsed_s": 10.0, "requests_total": 500, "window_s": 10.0, "requests_per_s": 80.0, "failed_per_s": 0.0, "p95_ms": 3.2, "reason": "", "waiting": "4 wait for the writer of pad@12",
                "agents": [{"name": "a1", "host": "h", "workers": 5, "state": "running"}]}
        with FakeApi({("GET", "/v1/campaigns/7"): [(200, live)]}) as api:
            result = tutti("status", 7, "--api", api.url)
            self.assertEqual(result.out.splitlines(), ["campaign 7  pad.lua  running", "not started yet", "0:10  5 workers  10 ok  0 failed  last 10 s: 80.0 requests/s,", "  p95 3.20 ms  4 wait for the writer of pad@12", "  a1 on h  5 workers, running"])
            self.assertEqual(json.loads(tutti("status", 7, "--json", "--api", api.url).out), live)
        started = {**live, "started_at": "2023-11-14T22:13:20.123Z", "agents": [{"name": "a1", "host": "h", "workers": 5, "workers_running": 1, "state": "running"}]}
        ended = {**started, "state": "ended", "verdict": "passed", "elapsed_s": 65.0}
        with FakeApi({("GET", "/v1/campaigns/7"): [(200, started), (200, ended)]}) as api:
            out = tutti("status", 7, "--api", api.url, env=environment(TZ="UTC")).out
            self.assertIn("\nstarted Nov 14 22:13, running for 10.0 s\n", out)
            self.assertIn("\n  a1 on h  1 worker, running\n", out)
            self.assertIn("\nstarted Nov 14 22:13, ended Nov 14 22:14\n", tutti("status", 7, "--api", api.url, env=environment(TZ="UTC")).out)

    def test_agents(self):
        agents = [{"name": "a1", "host": "h", "pid": 11, "cores": 8, "memory_bytes": 2 ** 34, "shards": 8, "workers": 0, "state": "lost", "campaigns": [6, 7], "heard_ms_ago": 2500,
                   "labels": {"zone": "a", "disk": "ssd"}, "capacity": 500, "free": 20},
                  {"name": "a2", "host": "h", "pid": 12, "cores": 8, "memory_bytes": 2 ** 34, "shards": 8, "workers": 3, "state": "running", "campaigns": [7], "heard_ms_ago": 2500,
                   "labels": {}, "capacity": None, "free": None}]
        with FakeApi({("GET", "/v1/agents"): [(200, {"agents": []}), (200, {"agents": agents})]}) as api:
            self.assertIn("no agents", tutti("agents", "--api", api.url).out)
            result = tutti("agents", "--wide", "--api", api.url)
            self.assertEqual(result.out.splitlines()[1].split(), "a1 h 11 lost 8 16.0 GiB 8 0 500 zone=a,disk=ssd 6, 7 2.50 s – – – – –".split(), result)
            self.assertEqual(result.out.splitlines()[2].split(), "a2 h 12 running 8 16.0 GiB 8 3 any none 7 2.50 s – – – – –".split(), result)
            self.assertEqual(json.loads(tutti("agents", "--json", "--api", api.url).out), {"agents": agents})
            result = tutti("agents", "--api", api.url)
            self.assertEqual([line.split() for line in result.out.splitlines()], ["agent host state workers cpu lag heard ago campaigns".split(), "a1 h lost 0 – – 2.50 s 6, 7".split(),
                                                                                  "a2 h running 3 – – 2.50 s 7".split()], result)

    def test_agents_fit_a_terminal(self):
        gauges = {"cpu": 12.3456, "host_cpu": 0.5, "host_load": 1.0, "memory_bytes": 2 ** 33, "clock": None, "loops": [{"loop_lag_ms": {"p99": 123.4, "max": 999.0}, "busy": 0.5}]}
        agents = [{"name": f"agent-{number}", "host": f"loadgen-{number}.region-a.example.org", "pid": 11, "cores": 8, "memory_bytes": 2 ** 34, "shards": 8, "workers": 100000, "state": "running",
                   "campaigns": list(range(100, 100 + number)), "heard_ms_ago": 59900, "labels": {}, "capacity": None, "free": None, "gauges": gauges} for number in (10, 2, 1, 100)]
        with FakeApi({("GET", "/v1/agents"): [(200, {"agents": agents})]}) as api:
            lines = tutti("agents", "--api", api.url).out.splitlines()
            wide = tutti("agents", "--wide", "--api", api.url).out.splitlines()
        self.assertLessEqual(max(map(len, lines)), 80, lines)
        self.assertEqual([line.split()[0] for line in lines], ["agent", "agent-1", "agent-2", "agent-10", "agent-100"], "one line each, by number")
        self.assertEqual([line.split()[1] for line in wide[1:]], [f"loadgen-{number}.region-a.example.org" for number in (1, 2, 10, 100)], wide)

    def test_report(self):
        with FakeApi({("GET", "/v1/campaigns/7/report"): [(200, report("degraded", "an agent was lost")), (200, {**report(), "verdict": "none", "state": "stopping"}), (200, report())]}) as api:
            result = tutti("report", 7, "--api", api.url)
            self.assertEqual(result.code, 0, result)
            self.assertIn("degraded: an agent was lost", result.out)
            self.assertIn("  pad.barrier     10  1.00 ms  2.00 ms  10 ok", result.out)
            self.assertIn("\nstopping\n", tutti("report", 7, "--api", api.url).out)
            self.assertEqual(json.loads(tutti("report", 7, "--json", "-", "--api", api.url).out), report())
            self.assertEqual(tutti("report", 7, "--json", "/nowhere/r.json", "--api", api.url).code, 3)

    def test_stop(self):
        with FakeApi({STOP: [(202, {}), (202, {}), (409, {"error": "it has ended"})]}) as api:
            self.assertEqual(tutti("stop", 7, "--api", api.url).out, "campaign 7 is stopping\n")
            result = tutti("stop", 7, "--at-once", "--json", "--api", api.url)
            self.assertEqual(json.loads(result.out), {"campaign": 7, "state": "stopping"})
            result = tutti("stop", 7, "--api", api.url)
            self.assertEqual((result.code, result.out), (0, "campaign 7 has already ended\n"))
            self.assertEqual([body["at_once"] for body in api.bodies(STOP[1])], [False, True, False])


if __name__ == "__main__":
    unittest.main()
