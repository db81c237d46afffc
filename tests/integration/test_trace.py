"""traceparent: which requests carry it, of both engines, HTTP/2 and WebSockets, and that the report names what the server saw."""
import collections
import http.server
import json
import pathlib
import shutil
import tempfile
import threading
import time
import unittest

from support import run, tutti
from test_http import make_certificates
from test_http2 import Nginx
from websocket_server import WebSocketServer

HEADER = r"^00-[0-9a-f]{32}-[0-9a-f]{16}-01$"
OWN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


class Server:
    """Notes (path, traceparent) of each request; /slow takes its time."""

    def __init__(self):
        self.seen = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                values = self.headers.get_all("traceparent") or []
                server.seen.append((self.path, values))
                if self.path == "/slow":
                    time.sleep(0.03 + 0.001 * len(server.seen))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.target = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


class Trace(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def script(self, body, before=""):
        path = self.folder / "script.lua"
        path.write_text(f"local tutti = require 'tutti'\nlocal http = require 'tutti.http'\n{before}\n"
                        f"tutti.scenario('visit', function(worker)\n{body}\nend)\n")
        return path

    def run_with(self, server, *options, body="http.get('/slow')\nhttp.get('/fast', { headers = { accept = 'text/plain' } })", **more):
        result = run(self.script(body), "-w", 2, "-r", 8, "--target", server.target, *options, **more)
        self.assertEqual(result.code, 0, result)
        return result

    def test_all_of_both_engines_and_the_slowest_in_the_report(self):
        for engine in ("native", "curl"):
            with self.subTest(engine), Server() as server:
                log = self.folder / "log"
                result = self.run_with(server, "--trace", "all", "--http-engine", engine, "--log", log)
                self.assertEqual(len(server.seen), 32)
                sent = {}
                for path, values in server.seen:
                    self.assertEqual(len(values), 1)
                    self.assertRegex(values[0], HEADER)
                    sent[values[0].split("-")[1]] = path
                self.assertEqual(len(sent), 32, "each has its own")
                self.assertEqual(len({values[0].split("-")[2] for _, values in server.seen}), 32)
                logged = {line["trace"]: line for line in map(json.loads, log.read_text().splitlines())}
                self.assertEqual(set(logged), set(sent))
                for path in ("/slow", "/fast"):
                    slowest = result.report["requests"][f"GET {path}"]["slowest"]
                    expected = sorted((line for line in logged.values() if line["name"] == f"GET {path}"), key=lambda line: -line["ms"])[:10]
                    self.assertEqual([(one["trace"], one["worker"], one["step"]) for one in slowest],
                                     [(line["trace"], line["worker"], line["step"]) for line in expected])
                    self.assertEqual([one["ms"] for one in slowest], [line["ms"] for line in expected])
                    self.assertIn(slowest[0]["trace"], result.out)

    def test_none_unless_asked(self):
        with Server() as server:
            for options in ((), ("--trace", "off"), ("--trace", "0%")):
                result = self.run_with(server, *options)
                self.assertNotIn("slowest", result.report["requests"]["GET /slow"])
                self.assertNotIn("slowest", result.out)
            self.assertTrue(all(values == [] for _, values in server.seen))

    def test_a_share_by_lot_that_the_seed_decides(self):
        drawn = []
        body = "for i = 1, 50 do http.get('/' .. i .. '?' .. worker.id .. '.' .. worker.step, { name = 'one' }) end"
        for _ in range(2):
            with Server() as server:
                result = self.run_with(server, "--trace", "10%", "--seed", 3, body=body)
                drawn.append(sorted(path for path, values in server.seen if values))
                self.assertEqual(len(result.report["requests"]["one"]["slowest"]), 10)
        self.assertEqual(drawn[0], drawn[1])
        # Of 800, 80 ± 8.5 are expected.
        self.assertGreater(len(drawn[0]), 45)
        self.assertLess(len(drawn[0]), 115)

    def test_the_scripts_own_header_wins(self):
        body = f"""http.get('/own', {{ headers = {{ TraceParent = '{OWN}' }} }})
        http.get('/odd', {{ headers = {{ traceparent = 'mine' }} }})
        http.batch {{ {{ url = '/batch' }}, {{ url = '/batch', headers = {{ traceparent = '{OWN}' }} }} }}"""
        with Server() as server:
            result = self.run_with(server, "--trace", "all", body=body)
            seen = collections.defaultdict(set)
            for path, values in server.seen:
                self.assertEqual(len(values), 1)
                seen[path].update(values)
            self.assertEqual((seen["/own"], seen["/odd"]), ({OWN}, {"mine"}))
            self.assertEqual(len(seen["/batch"]), 17)
            self.assertEqual({one["trace"] for one in result.report["requests"]["GET /own"]["slowest"]}, {OWN.split("-")[1]})
            self.assertNotIn("slowest", result.report["requests"]["GET /odd"])

    def test_streams_fixtures_and_the_options_of_a_script(self):
        body = "local stream = http.stream('/stream')\nstream:close()"
        before = "tutti.options { trace = 'all' }\ntutti.global_setup(function() http.get('/global') end)"
        with Server() as server:
            result = run(self.script(body, before), "-w", 1, "-r", 1, "--target", server.target)
            self.assertEqual(result.code, 0, result)
            self.assertEqual([path for path, values in server.seen if len(values) == 1], ["/global", "/stream"])
            requests = result.report["requests"]
            self.assertEqual((requests["GET /global"]["slowest"][0]["worker"], requests["GET /global"]["slowest"][0]["step"]), (None, None))
            self.assertEqual((requests["GET /stream"]["slowest"][0]["worker"], requests["GET /stream"]["slowest"][0]["step"]), (0, 1))

    @unittest.skipUnless(shutil.which("nginx"), "there is no nginx here")
    def test_http2(self):
        make_certificates(str(self.folder))
        (self.folder / "www").mkdir()
        with Nginx(str(self.folder)) as nginx:
            body = """local page = http.get('/trace', { version = 2 })
            assert(page.version == '2' and page.body:match('^00%-%x+%-%x+%-01$') and #page.body == 55, page.body)"""
            for engine in ("native", "curl"):
                result = run(self.script(body), "-w", 2, "-r", 3, "--target", nginx.target, "--insecure", "--trace", "all", "--http-engine", engine)
                self.assertEqual(result.code, 0, result)
                self.assertEqual(len(result.report["requests"]["GET /trace"]["slowest"]), 6)

    def test_the_handshake_of_a_websocket(self):
        seen = []

        def behave(peer):
            seen.append(peer.fields.get("traceparent"))

        with WebSocketServer(behave) as server:
            body = f"pcall(require('tutti.websocket').connect, 'ws://127.0.0.1:{server.port}/pad')"
            result = run(self.script(body), "-w", 1, "-r", 2, "--trace", "all")
            self.assertEqual(result.code, 0, result)
        self.assertEqual(len(seen), 2)
        for value in seen:
            self.assertRegex(value, HEADER)

    def test_what_cannot_be_read_starts_nothing(self):
        for value in ("on", "1", "200%", "-1%", ""):
            result = tutti("run", self.script(""), f"--trace={value}")
            self.assertEqual((result.code, len(result.err.splitlines())), (2, 1), result)
            self.assertIn("--trace", result.err)


if __name__ == "__main__":
    unittest.main()
