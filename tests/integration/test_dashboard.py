"""What is served for the dashboard: its files, and one-time codes; and what attackers get."""
import gzip
import json
import os
import pathlib
import re
import stat
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from daemon import Coordinator, Logged
from support import ROOT, environment, script, token_of, tutti, wait_until
from test_entry import ask

TOKEN = "a-token-of-some-length"
PAGE = ROOT / "coordinator" / "dashboard" / "page"
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.coordinator = cls.enterClassContext(Coordinator("--token", TOKEN, token=TOKEN))

    def file(self, path, status=200, method="GET", **headers):
        answer = self.coordinator.request(method, path, headers={"Authorization": "", **{name.replace("_", "-"): value for name, value in headers.items()}})
        self.assertEqual(answer.status, status, f"{path}: {answer}")
        return answer

    def test_each_file_is_served_as_it_is_without_a_token(self):
        for path in PAGE.iterdir():
            answer = self.file(f"/dashboard/{path.name}")
            self.assertEqual(answer.body, path.read_bytes(), path)
            self.assertEqual(answer.headers["Cache-Control"], "no-cache")
            self.assertNotIn("Content-Encoding", answer.headers)
        self.assertEqual(self.file("/").body, (PAGE / "index.html").read_bytes())
        self.assertIn(b"Dygraph", self.file("/dashboard/dygraph.min.js").body)
        for path, kind in (("/", "text/html; charset=utf-8"), ("/dashboard/style.css", "text/css; charset=utf-8"), ("/dashboard/app.js", "text/javascript; charset=utf-8"),
                           ("/dashboard/favicon.svg", "image/svg+xml")):
            self.assertEqual(self.file(path).headers["Content-Type"], kind)

    def test_gzip_and_tags(self):
        for path in ("/", "/dashboard/app.js", "/dashboard/dygraph.min.js"):
            plain, packed = self.file(path), self.file(path, Accept_Encoding="gzip, br")
            self.assertEqual((packed.headers["Content-Encoding"], packed.headers["Vary"]), ("gzip", "Accept-Encoding"))
            self.assertEqual(gzip.decompress(packed.body), plain.body)
            self.assertLess(len(packed.body), len(plain.body))
            self.assertNotEqual(plain.headers["ETag"], packed.headers["ETag"])
            known = self.file(path, 304, If_None_Match=plain.headers["ETag"])
            self.assertEqual((known.body, known.headers["ETag"], known.headers["Cache-Control"]), (b"", plain.headers["ETag"], "no-cache"))
            self.file(path, 304, If_None_Match=f"W/{packed.headers['ETag']}", Accept_Encoding="gzip")
            self.file(path, 200, If_None_Match=packed.headers["ETag"])
            head = self.file(path, method="HEAD")
            self.assertEqual((head.body, int(head.headers["Content-Length"])), (b"", len(plain.body)))

    def test_nothing_else_is_there(self):
        for path in ("/dashboard/", "/dashboard/nothing.js", "/dashboard/../api.c", "/dashboard/%2e%2e/README.md", "/dashboard/README.md", "/dashboard", "//", "/dashboard/app.js/"):
            self.file(path, 404)
        self.file("/", 405, method="POST", Content_Type="application/json")

    def test_every_answer_carries_the_policy(self):
        number = self.coordinator.create("quick", 5, deadline_ms=60000)
        for path in ("/", "/dashboard/app.js", "/dashboard/none", "/nowhere", "/healthz", "/v1/agents", "/metrics", "/v1/openapi.yaml", f"/v1/campaigns/{number}"):
            for headers in ({}, {"Authorization": ""}, {"Host": "evil.example"}):
                answer = self.coordinator.get(path, headers=headers)
                self.assertEqual((answer.headers["Content-Security-Policy"], answer.headers["X-Content-Type-Options"]), (POLICY, "nosniff"), (path, headers))
        connection = self.coordinator.connect()
        self.addCleanup(connection.close)
        connection.request("GET", f"/v1/campaigns/{number}/events", headers=self.coordinator.authorization)
        self.assertEqual(connection.getresponse().headers["Content-Security-Policy"], POLICY)

    def test_the_page_has_no_script_or_style_of_its_own(self):
        page = (PAGE / "index.html").read_text()
        self.assertNotRegex(page, r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|javascript:|https?://")
        for path in PAGE.glob("*.js"):
            self.assertNotRegex(path.read_text(), r"\binnerHTML\b|\bouterHTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function", path)


class Attackers(unittest.TestCase):
    """Pages of other origins, names that were made to mean this host, and guessers."""

    def setUp(self):
        self.coordinator = self.enterContext(Coordinator("--token", TOKEN, token=TOKEN))
        self.own = f"127.0.0.1:{self.coordinator.port}"

    def login(self, code):
        return self.coordinator.post("/v1/login", {"code": code}, headers={"Authorization": ""})

    def draw(self):
        answer = self.coordinator.post("/v1/login/code", {})
        self.assertEqual((answer.status, answer.json["seconds"]), (201, 60))
        self.assertRegex(answer.json["code"], r"^[0-9a-f]{32}$")
        return answer.json["code"]

    def test_a_code_is_good_once_and_leaks_nothing(self):
        first, second = self.draw(), self.draw()
        self.assertNotEqual(first, second)
        self.assertEqual(self.login(first).json, {"token": TOKEN})
        for code in (first, "", first[:-1], second[::-1], second + " ", TOKEN):
            answer = self.login(code)
            self.assertEqual((answer.status, TOKEN.encode() in answer.body), (401, False), answer)
        self.assertEqual(self.login(second).json, {"token": TOKEN})
        self.assertEqual(self.coordinator.get("/v1/agents", headers={"Authorization": f"Bearer {second}"}).status, 401)
        self.assertNotIn(TOKEN, self.coordinator.log)
        self.assertNotIn(second, self.coordinator.log)

    def test_only_the_latest_codes_are_good(self):
        codes = [self.draw() for _ in range(18)]
        self.assertEqual([self.login(code).status for code in codes[:2] + codes[-16:]], [401, 401] + [200] * 16)

    def test_who_guesses_waits(self):
        code = self.draw()
        started = time.monotonic()
        statuses = [self.login(f"{i:032x}").status for i in range(12)]
        self.assertEqual(statuses[:10], [401] * 10)
        if time.monotonic() - started < 5:
            self.assertEqual(statuses[10:], [429, 429])
            self.assertEqual(self.login(code).status, 429)

    def test_codes_end_with_the_process(self):
        code, port = self.draw(), self.coordinator.port
        self.coordinator.end()
        with Coordinator("--token", TOKEN, token=TOKEN, http=f"127.0.0.1:{port}") as again:
            self.assertEqual(again.post("/v1/login", {"code": code}).status, 401)

    def test_no_token_no_code(self):
        with Coordinator("--no-token") as open_one:
            self.assertIsNone(open_one.post("/v1/login/code", {}).json["code"])
            self.assertEqual(open_one.post("/v1/login", {"code": ""}).status, 401)

    def test_missing_and_wrong_tokens(self):
        for headers in ({"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "", "Cookie": f"token={TOKEN}"}):
            for method, path in (("GET", "/v1/campaigns"), ("POST", "/v1/campaigns"), ("POST", "/v1/login/code"), ("POST", "/v1/campaigns/1/stop")):
                answer = self.coordinator.request(method, path, {} if method == "POST" else None, headers=headers)
                self.assertEqual((answer.status, TOKEN.encode() in answer.body), (401, False), (headers, path))
        self.assertEqual(self.coordinator.get(f"/v1/campaigns?token={TOKEN}", headers={"Authorization": ""}).status, 401)

    def test_foreign_pages(self):
        bearer = f"Authorization: Bearer {TOKEN}"
        code = self.draw()
        for path, body in (("/v1/login", {"code": code}), ("/v1/login/code", {}), ("/v1/campaigns/1/stop", {}), ("/v1/campaigns/1/pause", {})):
            body = json.dumps(body).encode()
            for head in (("Origin: http://evil.example",), ("Origin: null",), ("Sec-Fetch-Site: cross-site",), ("Sec-Fetch-Site: same-site",),
                         ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"), (f"Origin: http://127.0.0.1:{self.coordinator.port + 1}",)):
                self.assertEqual(ask(self.coordinator, (f"POST {path} HTTP/1.1", bearer, "Content-Type: application/json", *head), body), 403, (path, head))
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
                self.assertEqual(ask(self.coordinator, (f"POST {path} HTTP/1.1", bearer, f"Content-Type: {kind}"), body), 415, (path, kind))
            for host in ("rebound.evil.example", f"rebound.evil.example:{self.coordinator.port}", "0.0.0.0", "127.0.0.1.evil.example"):
                self.assertEqual(ask(self.coordinator, (f"POST {path} HTTP/1.1", bearer, "Content-Type: application/json", f"Origin: http://{host}", "Sec-Fetch-Site: same-origin"), body, host=host),
                                 403, (path, host))
        self.assertEqual(self.login(code).status, 200)

    def test_links_of_other_sites_lead_to_the_page_alone(self):
        link = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
        self.assertEqual(ask(self.coordinator, ("GET / HTTP/1.1", *link)), 200)
        for path in ("/dashboard/app.js", "/dashboard/index.html", "/v1/campaigns", "/metrics", "/healthz"):
            self.assertEqual(ask(self.coordinator, (f"GET {path} HTTP/1.1", *link)), 403, path)
        self.assertEqual(ask(self.coordinator, ("GET / HTTP/1.1", "Origin: http://evil.example")), 403)
        for host in ("rebound.evil.example", ""):
            self.assertEqual(ask(self.coordinator, ("GET / HTTP/1.1",), host=host), 403, host)


class Links(unittest.TestCase):
    """`tutti dashboard`, and `tutti run --dashboard`."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.opened = self.folder / "opened"
        browser = self.folder / "browser"
        browser.write_text(f"#!/bin/sh\necho \"$@\" > {self.opened}.new && cat \"${{1#file://}}\" >> {self.opened}.new && mv {self.opened}.new {self.opened}\n")
        browser.chmod(0o755)
        self.env = environment(BROWSER=str(browser))

    def follow(self, link):
        """As the page does."""
        address, _, code = link.partition("/#code=")
        asked = urllib.request.Request(f"{address}/v1/login", json.dumps({"code": code}).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return json.load(answer)["token"]

    def open_one(self):
        wait_until(self.opened.exists, 20, "no browser was started")
        argument, _, page = self.opened.read_text().partition("\n")
        self.assertRegex(argument, r"^file:///\S+/dashboard\.html$")
        self.assertEqual(stat.S_IMODE(os.stat(argument.removeprefix("file://")).st_mode), 0o600)
        return re.search(r'url=([^"]+)"', page).group(1)

    def test_a_coordinator(self):
        with Coordinator() as coordinator:
            env = {**self.env, "TUTTI_API": f"http://127.0.0.1:{coordinator.port}/"}
            result = tutti("dashboard", env=env)
            self.assertRegex(result.out, rf"^http://127\.0\.0\.1:{coordinator.port}/#code=[0-9a-f]{{32}}\n$")
            self.assertEqual(self.follow(result.out.strip()), coordinator.token)
            with self.assertRaises(urllib.error.HTTPError) as again:
                self.follow(result.out.strip())
            again.exception.close()
            self.assertEqual(again.exception.code, 401)
            told = json.loads(tutti("dashboard", "--json", env=env).out)
            self.assertEqual((told["seconds"], self.follow(told["url"])), (60, coordinator.token))
            result = tutti("dashboard", "--open", env=env)
            self.assertEqual((result.code, result.err), (0, ""), result)
            self.assertEqual(self.open_one(), result.out.strip())
            self.assertEqual(self.follow(result.out.strip()), coordinator.token)
            result = tutti("dashboard", "--token", "x" * 20, env=env)
            self.assertEqual((result.code, result.out), (2, ""), result)
            result = tutti("dashboard", "--open", env={**env, "BROWSER": "/nowhere/browser"})
            self.assertEqual(result.code, 0, result)
            self.assertIn("/nowhere/browser", result.err)
            self.assertIn("#code=", result.out)
        with Coordinator("--no-token") as coordinator:
            address = f"http://127.0.0.1:{coordinator.port}"
            self.assertEqual(tutti("dashboard", "--api", address).out, f"{address}/\n")

    def test_one_run(self):
        run = self.enterContext(Logged("run", script("slow-steps"), "-w", "4", "-d", "60s", "--agents", "2", "--dashboard", "--open", env=self.env))
        link = run.wait_for("dashboard at").partition("dashboard at ")[2]
        self.assertEqual(self.open_one(), link)
        address, _, code = link.partition("/#code=")
        port = int(address.rpartition(":")[2])
        token = self.follow(link)
        self.assertEqual(token, token_of(port))
        env = {**self.env, "TUTTI_API": address}
        wait_until(lambda: json.loads(tutti("status", "1", "--json", env=env).out)["state"] == "running", 30, "it does not run")
        self.assertEqual(self.follow(tutti("dashboard", env=env).out.strip()), token)
        with urllib.request.urlopen(address, timeout=20) as page:
            self.assertIn(b"<title>tutti", page.read())
        result = tutti("start", script("quick"), env=env)
        self.assertEqual(result.code, 3, result)
        self.assertIn("one run", result.err)
        self.assertEqual(tutti("scale", "1", "-w", "6", env=env).code, 0)
        wait_until(lambda: json.loads(tutti("status", "1", "--json", env=env).out)["workers_running"] == 6, 20, "it has not been scaled")
        self.assertEqual(tutti("stop", "1", env=env).code, 0)
        self.assertEqual(run.code(30), 3)  # it was stopped
        self.assertIsNone(token_of(port))

    def test_usage(self):
        for options, words in ((("--open",), "--open is given without --dashboard"), (("--dashboard=65536",), "not a whole number from 0 to 65535"), (("--dashboard=",), "--dashboard")):
            result = tutti("run", script("quick"), *options)
            self.assertEqual((result.code, words in result.err), (2, True), result)
        with Coordinator() as coordinator:
            result = tutti("run", script("quick"), f"--dashboard={coordinator.port}")
            self.assertEqual((result.code, "--dashboard: " in result.err), (2, True), result)
        result = tutti("run", script("quick"), "--dashboard", "--json", "-", "-q")
        self.assertEqual((result.code, json.loads(result.out)["verdict"]), (0, "passed"), result)
        self.assertIn("--dashboard[=PORT]", tutti("help", "run").out)


if __name__ == "__main__":
    unittest.main()
