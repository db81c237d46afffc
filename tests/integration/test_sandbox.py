"""Hostile scripts on real agents: each ends within its own step, and nothing was read, written or run outside."""
import http.server
import json
import os
import pathlib
import re
import signal
import tempfile
import threading
import time
import unittest

from place import Place
from support import SCRIPTS, Run, run
from webdrivers import geckodriver, needs_chromium, needs_firefox

HOSTILE = sorted(path for path in (SCRIPTS / "hostile").glob("*.lua") if path.stem != "lib")
SECRET = "the agent's secret"
LONGEST_S = 60  # with sanitizers, beside other tests


class WebDriver(http.server.BaseHTTPRequestHandler):
    """Answers every command with success."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/slow" in self.path:
            time.sleep(0.3)
        value = None
        if self.command == "POST" and self.path.endswith("/session"):
            value = {"sessionId": "1", "capabilities": {}}
        elif self.path.endswith("/element"):
            value = {"element-6066-11e4-a52e-4f735466cecf": "e1"}
        body = b"<p>a page</p>" if self.path == "/page" else json.dumps({"value": value}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if self.path == "/page" else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = do_PUT = answer

    def log_message(self, *_):
        pass


def listening_sockets():
    """The inodes of all TCP sockets that listen."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                found.add(f"socket:[{fields[9]}]")
    return found


def told(path, name, default=None):
    """A script's declaration in its first lines: `-- fails: text`."""
    found = re.search(rf"^-- {name}: (.*)$", path.read_text(), re.MULTILINE)
    return found.group(1) if found else default


class Scripts(unittest.TestCase):
    def setUp(self):
        self.place = self.enterContext(Place())
        self.prey = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="prey", dir="/tmp")))
        (self.prey / "secret").write_text(SECRET)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), WebDriver)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def play(self, path, browser="remote"):
        target = f"http://127.0.0.1:{self.server.server_address[1]}{self.prey}"
        workers = int(told(path, "workers", 1))
        result = run(path, "-w", workers, "-r", 1, "--agents", 1, "--target", target, "--browser", browser,
                     "--artifacts", self.place.path + "/artifacts", env=self.place.environment(TUTTI_GECKODRIVER=geckodriver() or ""), timeout=LONGEST_S)
        said = result.out + result.err + json.dumps(result.report, ensure_ascii=False)
        self.assertNotIn("ESCAPED", said, result)
        self.assertNotIn(SECRET, said, result)
        self.assertNotIn("\x1b[31m", said, result)
        self.assertNotIn("\\u001b", json.dumps(result.report), result)
        self.assertEqual([entry.name for entry in self.prey.iterdir()], ["secret"], result)
        fails = told(path, "fails")
        self.assertEqual((result.code, result.steps["ok"], result.steps["failed"], result.steps["stopped"]),
                         (1, workers - 1, 1, 0) if fails else (0, workers, 0, 0), result)
        if fails:
            self.assertIn(fails, json.dumps(result.report["errors"]), result)

    def play_all(self, browser):
        for path in HOSTILE:
            if browser in told(path, "browser", "remote").split():
                with self.subTest(path.stem):
                    self.play(path, browser)

    def test_without_a_browser(self):
        self.play_all("remote")

    @needs_chromium
    def test_with_chromium(self):
        self.play_all("chromium")
        self.place.expect_nothing()

    @needs_chromium
    def test_a_chromium_of_ours_listens_nowhere(self):
        with Run("drivers", "-w", 1, "-r", 1, "--agents", 1, "--target", "builtin", env=self.place.environment()) as running:
            running.read_until("up ")
            doors = listening_sockets()
            browsers = self.place.processes(b"--user-data-dir")
            self.assertTrue(browsers)
            for pid in browsers:
                for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                    try:
                        self.assertNotIn(os.readlink(entry), doors, "a port of its debugger")
                    except OSError:
                        pass
            running.process.send_signal(signal.SIGINT)
            running.finish()

    @needs_firefox
    def test_with_firefox(self):
        self.play_all("firefox")
        self.place.expect_nothing()


if __name__ == "__main__":
    unittest.main()
