"""The API of a coordinator with real agents: campaigns over HTTP, who may do what, bad requests."""
import errno
import base64
import json
import os
import pathlib
import socket
import tempfile
import time
import unittest

from daemon import Coordinator, Events, WithAgents, campaign
from support import Process, tutti, wait_until, write_secret

TOKEN = "a-token-of-some-length"


class Target(Process):
    def __enter__(self):
        self.url = "http://" + self.read_until("http://").partition("http://")[2].split()[0].rstrip("/,;.")
        return super().__enter__()

    def __init__(self):
        super().__init__("target", "--port", "0")


class Campaigns(WithAgents):
    names = ("a1", "a2")

    def test_pad_from_the_beginning_to_the_report(self):
        with Target() as target:
            number = self.coordinator.create("pad", 2, workers=5, runs=20, target=target.url)
            report = self.coordinator.report(number)
        self.assertEqual(report["verdict"], "passed", report)
        self.assertEqual(report["steps"]["ok"], 100)
        self.assertEqual(sorted(agent["name"] for agent in report["agents"]), ["a1", "a2"])
        self.assertEqual(report["requests"]["read the pad"]["count"], 80)
        self.assertEqual(report["script"], "pad.lua")
        live = self.coordinator.show(number)
        self.assertEqual((live["state"], live["verdict"], live["workers_running"]), ("ended", "passed", 0))
        self.assertEqual(live["requests_total"], 100)
        listed = self.coordinator.get("/v1/campaigns").json["campaigns"][-1]
        self.assertEqual((listed["campaign"], listed["agents"], listed["steps"]["ok"]), (number, 2, 100))

    def test_agents_serve_one_campaign_after_another(self):
        numbers = []
        for _ in range(8):
            numbers.append(self.coordinator.create("quick", 2, workers=4, runs=2))
            self.assertEqual(self.coordinator.report(numbers[-1])["verdict"], "passed")
        self.assertEqual(numbers, sorted(set(numbers)))
        agents = self.coordinator.get("/v1/agents").json["agents"]
        self.assertEqual(sorted((agent["name"], agent["state"], agent["campaigns"]) for agent in agents), [("a1", "idle", []), ("a2", "idle", [])])
        self.assertEqual({f"tutti {agent['version']}" for agent in agents}, {tutti("version").out.strip()})

    def test_two_at_once_do_not_see_each_other(self):
        first = self.coordinator.create("slow-steps", 2, workers=4, runs=10)
        second = self.coordinator.create("slow-steps", 2, workers=6, runs=5)
        self.coordinator.wait_state(second, "running")
        agents = self.coordinator.get("/v1/agents").json["agents"]
        self.assertEqual([agent["campaigns"] for agent in agents], [[first, second]] * 2)
        self.assertEqual({agent["state"] for agent in agents}, {"running"})
        self.assertEqual(self.coordinator.report(first)["steps"]["ok"], 40)
        self.assertEqual(self.coordinator.report(second)["steps"]["ok"], 30)

    def test_too_few_agents_end_it_at_the_deadline(self):
        number = self.coordinator.create("slow-steps", 3, deadline_ms=300, workers=4)
        self.assertEqual(self.coordinator.show(number)["state"], "created")
        report = self.coordinator.report(number)
        self.assertEqual(report["verdict"], "aborted")
        self.assertIn("only 2 of 3 agents joined", report["reason"])

    def test_a_broken_script_fails_with_the_words_of_lua(self):
        body = campaign("quick")
        body["files"][0]["content"] = base64.b64encode(b"this is no Lua").decode()
        report = self.coordinator.report(self.coordinator.post("/v1/campaigns", body).json["campaign"])
        self.assertEqual(report["verdict"], "failed")
        self.assertIn("quick.lua:1:", report["reason"])

    def test_other_files_of_the_bundle_are_there(self):
        script = b'local tutti = require "tutti"; local other = require "lib.other"\ntutti.scenario("s", function() assert(other == 42) end)'
        body = {"script": "some/main.lua", "files": [{"path": "main.lua", "content": base64.b64encode(script).decode()},
                                                     {"path": "lib/other.lua", "content": base64.b64encode(b"return 42").decode()}]}
        report = self.coordinator.report(self.coordinator.post("/v1/campaigns", body).json["campaign"])
        self.assertEqual((report["verdict"], report["script"]), ("passed", "some/main.lua"), report)

    def test_stop(self):
        number = self.coordinator.create("slow-steps", 2, workers=6, runs=100000)
        self.coordinator.wait_state(number, "running")
        answer = self.coordinator.post(f"/v1/campaigns/{number}/stop", {"reason": "enough"})
        self.assertEqual((answer.status, answer.json), (202, {}))
        report = self.coordinator.report(number, 10)
        self.assertEqual((report["verdict"], report["reason"]), ("aborted", "enough"))
        self.assertEqual(self.coordinator.post(f"/v1/campaigns/{number}/stop", {}).status, 409)

    def test_stop_without_a_body_and_at_once(self):
        number = self.coordinator.create("drains-slowly", 2, workers=2, runs=100000)
        wait_until(lambda: self.coordinator.show(number)["steps"]["ok"] > 0, 20, "no steps")
        self.assertEqual(self.coordinator.post(f"/v1/campaigns/{number}/stop").status, 202)
        self.assertEqual(self.coordinator.post(f"/v1/campaigns/{number}/stop", {"at_once": True}).status, 202)
        self.assertEqual(self.coordinator.report(number, 2.5)["verdict"], "aborted")

    def test_metrics_follow_what_happens(self):
        before = self.coordinator.metrics()
        number = self.coordinator.create("slow-steps", 2, workers=4, runs=100000)

        def all_have_told():  # each agent tells of its own
            live = self.coordinator.show(number)
            return live["steps"]["ok"] > 0 and live["workers_running"] == 4
        wait_until(all_have_told, 20, "no steps of four workers")
        during = self.coordinator.metrics()
        self.coordinator.post(f"/v1/campaigns/{number}/stop")
        self.coordinator.report(number)
        after = self.coordinator.metrics()
        self.assertEqual((during["tutti_agents"], during["tutti_agents_running"], during["tutti_workers_running"]), (2, 2, 4))
        self.assertEqual(during['tutti_campaigns{state="running"}'], 1)
        self.assertGreater(during[f'tutti_campaign_steps_total{{campaign="{number}",result="ok"}}'], 0)
        self.assertGreater(during["tutti_operations_total"], before["tutti_operations_total"])
        self.assertEqual(during["tutti_campaigns_created_total"], before["tutti_campaigns_created_total"] + 1)
        self.assertEqual((after["tutti_agents_running"], after["tutti_workers_running"], after["tutti_live_waits"]), (0, 0, 0))
        self.assertEqual(after['tutti_campaigns{state="ended"}'], before['tutti_campaigns{state="ended"}'] + 1)
        self.assertGreater(after["process_resident_memory_bytes"], 1e6)


class Watching(WithAgents):
    names = ("a1", "a2")

    def test_events_tell_from_the_beginning_to_the_end(self):
        number = self.coordinator.create("slow-steps", 2, workers=4, runs=30)
        with Events(self.coordinator, number) as events:
            self.assertEqual(events.response.headers["Content-Type"], "text/event-stream")
            seen = list(events)
        names = [event for event, _ in seen]
        self.assertEqual(names[-1], "ended")
        self.assertEqual(names.count("ended"), 1)
        self.assertGreaterEqual(names.count("progress"), 2)
        states = [data["state"] for event, data in seen if event == "state"]
        self.assertEqual(states[-2:], ["stopping", "ended"])
        report = seen[-1][1]
        self.assertEqual((report["verdict"], report["steps"]["ok"]), ("passed", 120))
        progress = [data for event, data in seen if event == "progress"]
        self.assertEqual(progress[-1]["workers"], 4)
        self.assertEqual(sorted(data["elapsed_s"] for data in progress), [data["elapsed_s"] for data in progress])

    def test_of_an_ended_campaign_the_end_is_told_at_once(self):
        number = self.coordinator.create("quick", 2, workers=2)
        report = self.coordinator.report(number)
        with Events(self.coordinator, number) as events:
            self.assertEqual(list(events), [("ended", report)])

    def test_a_deadlock_is_told(self):
        with Target() as target:
            number = self.coordinator.create("pad-as-published", 2, workers=5, runs=5, target=target.url)
            with Events(self.coordinator, number) as events:
                seen = list(events)
        told = [data["text"] for event, data in seen if event == "deadlock"]
        self.assertIn("wait for the writer", told[0])
        self.assertEqual((seen[-1][1]["verdict"], seen[-1][1]["reason"]), ("deadlocked", told[0]))

    def test_many_watch_and_leave_when_they_like(self):
        number = self.coordinator.create("slow-steps", 2, workers=4, runs=100000)
        watchers = [Events(self.coordinator, number) for _ in range(30)]
        for watcher in watchers[:15]:
            watcher.until("progress")
            watcher.close()
        self.coordinator.post(f"/v1/campaigns/{number}/stop", {"reason": "seen enough"})
        for watcher in watchers[15:]:
            self.assertEqual(watcher.until("ended")[-1][1]["reason"], "seen enough")
            watcher.close()
        wait_until(lambda: self.coordinator.metrics()["tutti_http_connections"] <= 1, 20, "connections of those that left stay open")

    def test_who_never_reads_holds_up_nobody(self):
        number = self.coordinator.create("slow-steps", 2, workers=4, runs=40)
        with socket.create_connection((self.coordinator.host, self.coordinator.port)) as idler:
            idler.sendall(f"GET /v1/campaigns/{number}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.coordinator.token}\r\n\r\n".encode())
            self.assertTrue(idler.recv(15, socket.MSG_PEEK).startswith(b"HTTP/1.1 200 "))
            self.assertEqual(self.coordinator.report(number)["verdict"], "passed")

    def test_an_idle_watcher_costs_nothing(self):
        number = self.coordinator.create("slow-steps", 9, workers=4, deadline_ms=60000)
        with Events(self.coordinator, number) as events:
            events.until("progress")
            before = self.coordinator.metrics()["process_cpu_seconds_total"]
            started = time.monotonic()
            for _ in range(3):
                events.until("progress")
            took = time.monotonic() - started
            self.assertLess(self.coordinator.metrics()["process_cpu_seconds_total"] - before, took * 0.2)
            self.coordinator.post(f"/v1/campaigns/{number}/stop")
            self.assertEqual(events.until("ended")[-1][1]["verdict"], "aborted")


class BadRequests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.coordinator = cls.enterClassContext(Coordinator())

    def assert_refused(self, status, answer, words=""):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(list(answer.json), ["error"])
        self.assertIn(words, answer.json["error"])
        self.assertNotIn("\n", answer.json["error"])

    def test_unknown_paths(self):
        for path in ("/v1", "/v1/", "/v1/agents/", "/v1/campaigns/x", "/v1/campaigns/-1", "/v1/campaigns/1/", "/v1/campaigns/1x",
                     "/v1/campaigns/99999999999999999999/report", "/v1/campaigns//report", "/healthz%00", "/v1/%2e%2e/agents", "/metrics/"):
            self.assert_refused(404, self.coordinator.get(path))
        for path in ("", "/report", "/events"):
            self.assert_refused(404, self.coordinator.get(f"/v1/campaigns/12345{path}"), "no campaign 12345")
        self.assert_refused(404, self.coordinator.post("/v1/campaigns/12345/stop", {}), "no campaign 12345")

    def test_wrong_methods_name_the_right_ones(self):
        for method, path, allowed in (("DELETE", "/v1/campaigns", "GET, HEAD, POST"), ("POST", "/v1/agents", "GET, HEAD"), ("PUT", "/healthz", "GET, HEAD"),
                                      ("GET", "/v1/campaigns/1/stop", "POST"), ("OPTIONS", "/v1/campaigns/1", "GET, HEAD, DELETE")):
            answer = self.coordinator.request(method, path)
            self.assert_refused(405, answer)
            self.assertEqual(answer.headers["Allow"], allowed)

    def test_head_is_get_without_the_body(self):
        answer = self.coordinator.request("HEAD", "/v1/agents")
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_bodies_that_are_no_campaign(self):
        good = campaign("quick")
        file = good["files"][0]
        deep = "[" * 100000 + "]" * 100000
        for body, words in (
                ("", "not valid JSON"), ("{", "not valid JSON"), ("[]", "not a JSON object"), ("1", "not valid JSON"), ('{"script": "a", "script": "b"}', "duplicate"), (b"\xff\xfe{}", "not valid JSON"),
                (deep, "too deeply"), ('{"a":' * 5000 + "1" + "}" * 5000, "too deeply"), ("[" + "[]," * 300000 + "1]", "too many values"),
                ({}, "script"), ({**good, "script": 5}, "script"), ({**good, "script": ""}, "script"), ({**good, "script": "a\nb"}, "script"), ({**good, "script": "x" * 2000}, "script"),
                ({**good, "more": 1}, '"more" is not known'), ({**good, 'a"' + "[" * 50: 1}, "is not known"), ({**good, "files": []}, "files"), ({**good, "files": {}}, "files"), ({**good, "files": [1]}, "files[0]"),
                ({**good, "files": [{"path": "a.lua"}]}, "files[0]"), ({**good, "files": [{**file, "mode": 5}]}, '"mode"'), ({**good, "files": [{**file, "content": "a$=="}]}, "Base64"),
                ({**good, "files": [file, file]}, "two files"), ({**good, "script": "x/other.lua"}, 'script is "x/other.lua", but the first of the files is "quick.lua"'), ({**good, "files": [{"path": f"f{i}", "content": ""} for i in range(1001)]}, "1000 files"),
                ({**good, "expect_agents": 0}, "expect_agents"), ({**good, "expect_agents": "2"}, "expect_agents"), ({**good, "deadline_ms": -1}, "deadline_ms"), ({**good, "deadline_ms": 1.5}, "deadline_ms"),
                ({**good, "options": []}, "options")):
            self.assert_refused(400, self.coordinator.post("/v1/campaigns", body), words)

    def test_paths_that_are_not_relative_and_clean(self):
        for path in ("", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", "a\\b", "a\x01b", "x" * 2000):
            body = {"script": "a.lua", "files": [{"path": path, "content": ""}]}
            self.assert_refused(400, self.coordinator.post("/v1/campaigns", body), "path")

    def test_options_of_the_wrong_kind(self):
        for name, values in {"workers": (0, -1, 1000001, "5", 1.5, None, True, 10 ** 30), "runs": (-1, "x", 9.5), "duration_ms": (-1, 10 ** 15), "room_size": (-1, 1000001),
                             "on_loss": ("explode", 1, None), "on_deadlock": ("replace",), "browser": ("safari", 0, None), "sync_timeout_ms": (0,), "setup_timeout_ms": (0,), "verbosity": (-1, 11, "2"), "single_run": (1, "true"), "single_mode": (1, "x" * 256),
                             "fail_percent": (-1, 101, "5"), "fail_steps": (-1,), "target": (5, "x" * 2001), "seed": (0, 2 ** 63), "colour": ("red",)}.items():
            for value in values:
                answer = self.coordinator.post("/v1/campaigns", campaign("quick", **{name: value}))
                self.assertEqual(answer.status, 400, (name, value, str(answer)))
                self.assertIn(name if value != 10 ** 30 and value != 2 ** 63 else "", answer.json["error"])
        self.assert_refused(400, self.coordinator.post("/v1/campaigns", campaign("quick", single_run=True, single_mode="x")), "contradict")
        self.assert_refused(400, self.coordinator.post("/v1/campaigns", campaign("quick", fail_steps=1, fail_percent=5)), "contradict")

    def test_stop_with_a_bad_body(self):
        number = self.coordinator.create("quick", 5, deadline_ms=60000)
        for body in ("x", "[]", {"at_once": 1}, {"reason": 5}, {"reason": "x" * 301}, {"when": "now"}):
            self.assert_refused(400, self.coordinator.post(f"/v1/campaigns/{number}/stop", body))
        self.assertEqual(self.coordinator.show(number)["state"], "created")
        self.assert_refused(404, self.coordinator.get(f"/v1/campaigns/{number + 2 ** 64}"))
        self.coordinator.post(f"/v1/campaigns/{number}/stop")

    def test_bodies_that_are_too_large(self):
        large = b"x" * (96 * 1024 * 1024)
        self.assert_refused(413, self.coordinator.post("/v1/campaigns", large), "at most")
        chunks = iter([large[:1024 * 1024]] * 96)
        connection = self.coordinator.connect()
        headers = {**self.coordinator.authorization, "Content-Type": "application/json"}
        connection.request("POST", "/v1/campaigns", chunks, encode_chunked=True, headers={"Transfer-Encoding": "chunked", **headers})
        self.assertEqual(connection.getresponse().status, 413)
        connection.close()
        asked = self.coordinator.connect()
        asked.request("POST", "/v1/campaigns", headers={"Content-Length": str(10 ** 15), "Expect": "100-continue", **headers})
        self.assertEqual(asked.getresponse().status, 413)
        asked.close()

    def test_a_bundle_as_large_as_it_may_be_is_taken(self):
        files = [*campaign("quick")["files"], {"path": "data", "content": base64.b64encode(os.urandom(60 * 1024 * 1024)).decode()}]
        answer = self.coordinator.post("/v1/campaigns", {"script": "quick.lua", "files": files, "expect_agents": 5, "deadline_ms": 0})
        self.assertEqual(answer.status, 201, answer)
        files.append({"path": "more", "content": base64.b64encode(bytes(5 * 1024 * 1024)).decode()})
        self.assert_refused(400, self.coordinator.post("/v1/campaigns", {"script": "quick.lua", "files": files}), "at most")

    def test_so_many_campaigns_and_no_more(self):
        numbers = []
        while (answer := self.coordinator.post("/v1/campaigns", campaign("quick", 5, 60000))).status == 201:
            numbers.append(answer.json["campaign"])
            self.assertLessEqual(len(numbers), 64)
        self.assert_refused(503, answer, "under way")
        for number in numbers:
            self.assertEqual(self.coordinator.post(f"/v1/campaigns/{number}/stop").status, 202)
        self.assertEqual(self.coordinator.post("/v1/campaigns", campaign("quick", 5, 0)).status, 201)

    def test_noise_is_answered_or_cut_off(self):
        for noise in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST /v1/campaigns HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                      b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 50000 + b"\r\n", os.urandom(2000) + b"\r\n\r\n"):
            with socket.create_connection((self.coordinator.host, self.coordinator.port), timeout=10) as rude:
                try:
                    rude.sendall(noise)
                    rude.shutdown(socket.SHUT_WR)
                    while rude.recv(65536):
                        pass
                except OSError as error:  # already closed: how that looks depends on who was faster
                    self.assertIn(error.errno, (errno.ENOTCONN, errno.ECONNRESET, errno.EPIPE))
        self.assertEqual(self.coordinator.get("/healthz").body, b"ok\n")

    def test_one_address_cannot_take_all_connections(self):
        open_ones = [socket.create_connection((self.coordinator.host, self.coordinator.port), timeout=10) for _ in range(100)]
        try:
            wait_until(lambda: sum(is_closed(one) for one in open_ones) >= 36, 10, "none of 100 connections was closed")
            self.assertLessEqual(sum(not is_closed(one) for one in open_ones), 64)
        finally:
            for one in open_ones:
                one.close()
        wait_until(self.serves, 10, "it does not serve any more")

    def serves(self):
        try:
            return self.coordinator.get("/healthz").status == 200
        except OSError:
            return False


def is_closed(connection):
    """What it received before does not count."""
    connection.setblocking(False)
    try:
        while connection.recv(4096):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


class Token(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.token_file = self.folder / "token"
        write_secret(self.token_file, TOKEN + "\n")

    def test_who_does_not_know_it_gets_nothing(self):
        with Coordinator("--token-file", self.token_file) as coordinator:
            for given in (None, "x", TOKEN + "x", TOKEN[:-1], " " + TOKEN):
                for method, path in (("GET", "/v1/agents"), ("GET", "/metrics"), ("GET", "/v1/openapi.yaml"), ("POST", "/v1/campaigns"), ("POST", "/v1/campaigns/1/stop")):
                    answer = coordinator.request(method, path, token=given)
                    self.assertEqual((answer.status, answer.headers["WWW-Authenticate"], list(answer.json)), (401, "Bearer", ["error"]), (given, path))
            for scheme in ("Basic", "Digest", "NotBearer"):
                self.assertEqual(coordinator.request("GET", "/v1/agents", headers={"Authorization": f"{scheme} {TOKEN}"}).status, 401)
            self.assertEqual((coordinator.get("/healthz").status, coordinator.get("/readyz").status), (200, 200))
            for scheme in ("Bearer", "bearer"):
                self.assertEqual(coordinator.get("/v1/agents", headers={"Authorization": f"{scheme} {TOKEN}"}).status, 200)
            self.assertNotIn(TOKEN, coordinator.log)

    def test_a_stranger_is_refused_before_his_bundle_comes(self):
        with Coordinator("--token-file", self.token_file) as coordinator:
            connection = coordinator.connect()
            connection.request("POST", "/v1/campaigns", headers={"Content-Length": str(20 * 1024 * 1024), "Expect": "100-continue"})
            self.assertEqual(connection.getresponse().status, 401)
            connection.close()

    def test_a_bad_token_is_refused(self):
        for text in ("", "short\n", "two words of some length\n", "x" * 2000, "nul\0in the middle of it"):
            self.token_file.write_text(text)
            result = tutti("coordinator", "--token-file", self.token_file)
            self.assertEqual(result.code, 2, result)
        result = tutti("coordinator", "--token-file", self.folder / "none")
        self.assertEqual(result.code, 2)
        self.assertIn("No such file", result.err)


if __name__ == "__main__":
    unittest.main()
