"""What the browser tests share: a server of local pages, and WebDrivers that the tests start themselves."""
import functools
import http.server
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import support  # noqa: E402
from webdrivers import chromedriver, geckodriver, needs_chromium, needs_firefox  # noqa: E402, F401

SCRIPTS = HERE / "scripts"
STARTED = re.compile(r"started successfully on port (\d+)|Listening on 127\.0\.0\.1:(\d+)")


class PageHandler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/slow/"):
            time.sleep(int(self.path.split("/")[2]) / 1000)
            self.path = "/second.html"
        elif self.path == "/driver":
            return self.answer(f"{self.server.browser} {self.server.driver}".encode())
        super().do_GET()

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Browsers hang up as they please."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def pages(driver="", browser="chromium"):
    server = Server(("127.0.0.1", 0), functools.partial(PageHandler, directory=str(HERE / "pages")))
    server.driver, server.browser = driver, browser
    return server


def descendants(pid):
    """Every process below it, but for the dead that only wait to be collected."""
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            state, parent = pathlib.Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            children.setdefault(int(parent), []).append(int(entry))
    found, left = [], [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found


class Driver:
    """A WebDriver in a session of its own, on any free port."""

    def __init__(self, program, *options):
        # Chromedriver takes a port of IPv6 and then the same one of IPv4, which somebody else may have.
        for _ in range(10):
            self.url = self.start(program, *options)
            if self.url:
                break
            self.process.stdout.close()
            self.process.wait()
        else:
            raise AssertionError(f"{program} does not start: {''.join(self.lines)}")
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()

    def start(self, program, *options):
        self.process = subprocess.Popen([program, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line)
            found = STARTED.search(line)
            if found:
                return f"http://127.0.0.1:{found.group(1) or found.group(2)}"
        return None

    def descendants(self):
        return descendants(self.process.pid)

    def kill(self):
        everyone = [*self.descendants(), *support.processes_of_session(self.process.pid), self.process.pid]
        for pid in everyone:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.reader.join(5)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Run(support.Run):
    def __init__(self, name, *options, **more):
        super().__init__(SCRIPTS / f"{name}.lua", "--agents", 1, *options, **more)


def run(name, *options, timeout=120, **more):
    with Run(name, *options, **more) as process:
        return process.finish(timeout)
