"""A page of another origin in real browsers: it starts no campaign, and reads no answer.

The browsers are started as anybody starts them, without a driver: the page does all by itself, and tells what it saw."""
import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

from browsers import HERE

sys.path.insert(0, str(HERE.parent / "integration"))
from daemon import Coordinator, campaign  # noqa: E402
from support import environment, processes_of_session, wait_until  # noqa: E402

ENCTYPES = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
CHROMIUM = shutil.which("chromium")
FIREFOX = shutil.which("firefox") or shutil.which("firefox-esr")
needs_chromium = unittest.skipUnless(CHROMIUM, "chromium is not installed: apt-get install chromium")
needs_firefox = unittest.skipUnless(FIREFOX, "firefox is not installed: apt-get install firefox-esr")
PAGE_S = 120
PREFERENCES = {"browser.shell.checkDefaultBrowser": False, "browser.startup.page": 0, "browser.aboutwelcome.enabled": False, "datareporting.policy.dataSubmissionEnabled": False,
               "toolkit.telemetry.enabled": False, "app.normandy.enabled": False, "browser.safebrowsing.update.enabled": False, "network.captive-portal-service.enabled": False,
               "network.connectivity-service.enabled": False, "services.settings.server": "data:,", "security.sandbox.content.level": 0, "network.trr.mode": 5,
               "network.dns.localDomains": "evil.example", "network.proxy.type": 1, "network.proxy.http": "127.0.0.1", "network.proxy.no_proxies_on": "127.0.0.1, localhost, evil.example"}


class Evil(http.server.ThreadingHTTPServer):
    """The attacker's server, and, for a name that is rebound, the network on the way to what it means then."""

    daemon_threads = True

    def __init__(self, before_answer=None):
        """`before_answer()`: called when a page has told what it saw, before it goes on."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.told, self.before_answer = [], before_answer
        self.port = self.server_address[1]

    def handle_error(self, *_):
        """Browsers hang up as they please."""

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", kind="text/html"):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        if address.path == "/attack":
            return self.answer(200, (HERE / "pages" / "attack.html").read_bytes())
        self.forward(address)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path == "/told":
            if self.server.before_answer:
                self.server.before_answer()
            self.server.told.append(json.loads(body))
            return self.answer(204)
        self.forward(urllib.parse.urlsplit(self.path), body)

    def forward(self, address, body=None):
        """The first answer came from the attacker; now the name means the coordinator's host."""
        if address.hostname != "rebound.example" or address.port is None:
            return self.answer(404)
        connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=20)
        try:
            headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
            connection.request(self.command, address.path, body, headers)
            response = connection.getresponse()
            self.answer(response.status, response.read(), response.headers["Content-Type"] or "text/plain")
        finally:
            connection.close()

    def log_message(self, *_):
        pass


class Lenient(http.server.ThreadingHTTPServer):
    """What the API was: takes whatever comes. By it is seen that the attack is one."""

    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.server.posts.append((self.headers["Content-Type"], body))
            self.send_response(201)
            self.end_headers()

        def do_GET(self):
            self.send_error(404)

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.posts = []
        self.port = self.server_address[1]

    def handle_error(self, *_):
        pass

    __enter__, __exit__ = Evil.__enter__, Evil.__exit__


class Browser:
    def __init__(self, kind, evil, url):
        self.folder = tempfile.TemporaryDirectory(prefix="tutti-web-pages-", ignore_cleanup_errors=True)
        path = pathlib.Path(self.folder.name)
        if kind == "chromium":
            line = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update",
                    f"--user-data-dir={path}", "--host-resolver-rules=MAP evil.example 127.0.0.1", f"--proxy-server=http=127.0.0.1:{evil.port}",
                    "--proxy-bypass-list=127.0.0.1;localhost;evil.example", url]
        else:
            lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in {**PREFERENCES, "network.proxy.http_port": evil.port}.items()]
            (path / "user.js").write_text("\n".join(lines) + "\n")
            line = [FIREFOX, "--headless", "--no-remote", "--profile", str(path), url]
        self.process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                                        env=environment(HOME=str(path), MOZ_DISABLE_CONTENT_SANDBOX="1"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in [self.process.pid, *processes_of_session(self.process.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.folder.cleanup()


class NextRequest:
    """Whether somebody else has asked the coordinator something since this was first called."""

    def __init__(self, coordinator):
        self.coordinator, self.first, self.asked = coordinator, None, 0

    def __call__(self):
        count = self.coordinator.metrics()["tutti_http_requests_total"]
        self.first = count if self.first is None else self.first
        self.asked += 1
        return count > self.first + self.asked - 1


class WebPages(unittest.TestCase):
    def visit(self, kind, port, host="evil.example", until=None, **more):
        """Opens the attacker's page, and gives back what it saw of each of its attempts."""
        with Evil(until) as evil:
            name = f"{host}:{port if 'here' in more else evil.port}"
            api = f"http://{host}:{port}" if "here" in more else f"http://127.0.0.1:{port}"
            body = json.dumps(campaign("quick", 1, 60000))
            query = urllib.parse.urlencode({"api": api, "campaign": body, "back": evil.port, **more})
            with Browser(kind, evil, f"http://{name}/attack?{query}"):
                wait_until(lambda: evil.told, PAGE_S, f"the page in {kind} tells nothing")
                if until:
                    wait_until(until, 30, "the form of the page does not come")
            return evil.told[0]

    def attack(self, kind):
        for options in ((), ("--no-token",)):
            with self.subTest(options), Coordinator(*options) as coordinator:
                seen = self.visit(kind, coordinator.port)
                self.assertGreaterEqual(len(seen), 20)
                readable = {name: what for name, what in seen.items() if what.startswith("read: ")}
                self.assertEqual(readable, {}, "a page reads answers")
                for enctype in ENCTYPES:
                    self.visit(kind, coordinator.port, top=enctype, until=NextRequest(coordinator))
                seen = self.visit(kind, coordinator.port, host="rebound.example", here="1")
                self.assertGreaterEqual(len(seen), 6)
                for name, what in seen.items():
                    self.assertTrue(what == "blocked" or what.startswith("read: 403 "), (name, what))
                self.assertEqual(coordinator.get("/v1/campaigns").json["campaigns"], [])

    def is_an_attack(self, kind):
        """On what lets everything in, the very same page has its way: so it is not for want of trying."""
        with Lenient() as lenient:
            self.visit(kind, lenient.port)
            kinds = [(content_type or "").partition(";")[0] for content_type, _ in lenient.posts]
            for enctype in ENCTYPES:
                self.assertIn(enctype, kinds)
            body = next(body for content_type, body in lenient.posts if content_type == "text/plain" and b"creation_key" in body)
            self.assertEqual(json.loads(body)["script"], "quick.lua")

    @needs_chromium
    def test_in_chromium(self):
        self.attack("chromium")

    @needs_chromium
    def test_chromium_does_try(self):
        self.is_an_attack("chromium")

    @needs_firefox
    def test_in_firefox(self):
        self.attack("firefox")

    @needs_firefox
    def test_firefox_does_try(self):
        self.is_an_attack("firefox")


if __name__ == "__main__":
    unittest.main()
