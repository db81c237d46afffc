"""How workers reach hosts, with both engines: addresses that are set for names, and addresses to connect from."""
import http.server
import pathlib
import tempfile
import threading
import unittest

from support import run, tutti

ENGINES = ("native", "curl")
HEAD = "local tutti, http = require 'tutti', require 'tutti.http'\n"


class Handler(http.server.BaseHTTPRequestHandler):
    """Says where the connection comes from, and what was asked for."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = f"{self.client_address[0]} {self.server.server_address[0]} {self.headers['Host']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Network(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="tutti-network-"))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def written(self, body, options=""):
        path = pathlib.Path(self.folder, "script.lua")
        path.write_text(f"{HEAD}{options}\ntutti.scenario('s', function(worker)\n{body}\nend)\n")
        return path

    def both(self, body, *arguments, options=""):
        path = self.written(body, options)
        for engine in ENGINES:
            with self.subTest(engine):
                result = run(path, "--http-engine", engine, *arguments, timeout=60)
                self.assertEqual(result.code, 0, (result.out, result.err))

    def test_resolve_sets_the_address_of_a_name(self):
        body = f"""
            local r = http.get('http://nowhere.invalid:{self.port}/')
            assert(r.body == '127.0.0.1 127.0.0.1 nowhere.invalid:{self.port}', r.body)
            assert(r.address == '127.0.0.1:{self.port}', r.address)
            local ok, why = pcall(http.get, 'http://nowhere.invalid:1/', {{ name = 'r' }})
            assert(not ok and why.kind == 'resolve', tostring(why))"""
        entries = (f"nowhere.invalid:{self.port}:127.0.0.9,127.0.0.1", "other.invalid:80:10.0.0.1")
        self.both(body, "--resolve", " ".join(entries))
        self.both(body, options=f"tutti.options {{ resolve = {{ '{entries[1]}', '{entries[0]}' }} }}")
        self.both(body, options=f"tutti.options {{ resolve = '{entries[0]}' }}")

    def test_resolve_says_what_it_cannot_read(self):
        path = self.written("")
        for arguments, text in (
                (("--resolve", "a:80"), "\"a:80\" is not HOST:PORT:ADDRESS"),
                (("--resolve", "a:80:1.1.1.1", "--resolve", "b:80:1.1.1.1"), "--resolve is given twice: write all of it as one"),
                (("--source", "10.0.0.0/33"), "\"10.0.0.0/33\" is not an address or a network")):
            result = tutti("run", path, *arguments)
            self.assertEqual(result.code, 2, result)
            self.assertIn(text, result.err)
        path = self.written("", "tutti.options { resolve = { 'a:80:1.1.1.1', 7 } }")
        self.assertIn("option resolve: expected a string, or a list of strings", tutti("run", path).err)

    def test_each_worker_comes_from_an_address_of_its_own(self):
        self.both(f"""
            for i = 1, 2 do
              local r = http.get('http://127.0.0.1:{self.port}/')
              local wanted = '127.0.7.' .. 16 + worker.id % 16
              assert(r.body:match('^%S+') == wanted, r.body)
            end""", "--source", "127.0.7.16/28", "-w", "20", "--agents", "2")
        self.both(f"assert(http.get('http://127.0.0.1:{self.port}/').body:match('^127.0.8.3 '))", "--source", "127.0.8.3", "-w", "3")

    def test_an_address_that_is_not_here_is_said_before_the_start(self):
        path = self.written(f"http.get('http://127.0.0.1:{self.port}/')")
        for engine in ENGINES:
            result = run(path, "--http-engine", engine, "--source", "203.0.113.8/30", "-w", "2", timeout=60)
            self.assertNotEqual(result.code, 0, result)
            self.assertIn("this machine does not have the address 203.0.113.8 (--source)", result.err + result.out)
            self.assertEqual(result.steps["failed"] if result.report else 0, 0, result)


if __name__ == "__main__":
    unittest.main()
