"""What a request spends its time with: a server, a handshake or a name server that is slow in a known place, and bounds on both sides."""
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from support import Run, run
from threaded_server import accept_all

PHASES = ("blocked", "lookup", "connect", "tls", "sending", "waiting", "receiving")
LATE_MS = 400  # tolerance for a busy machine
LITTLE_MS = 90  # what a phase without a cause may take
UPLOAD_BYTES = 16 << 20


def read_head(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(4096)
        if not piece:
            raise OSError("closed")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    return head.split(b" ", 2)[1].decode(), head.lower(), body


def answer(connection, body=b"ok", more=b""):
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + more + b"Content-Length: %d\r\n\r\n" % len(body) + body)


class Server:
    """Slow in the place that the path names."""

    def __init__(self, context=None, handshake_s=0.0, backlog=64, accept_s=0.0):
        self.context, self.handshake_s, self.accept_s = context, handshake_s, accept_s
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(backlog)
        self.port = self.listener.getsockname()[1]
        self.others = []
        threading.Thread(target=self.accept, daemon=True).start()

    def fill(self):
        """No place is left for a connection until the first is taken: its SYN is repeated after a second."""
        for _ in range(2):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", self.port))
            self.others.append(other)

    def accept(self):
        time.sleep(self.accept_s)
        accept_all(self.listener, self.serve)

    def serve(self, connection):
        try:
            if self.context is not None:
                time.sleep(self.handshake_s)
                connection = self.context.wrap_socket(connection, server_side=True)
            while True:
                path, head, body = read_head(connection)
                self.respond(connection, path, head, body)
        except OSError:
            pass
        finally:
            connection.close()

    def respond(self, connection, path, head, body):
        if path == "/waits":
            time.sleep(0.1)
            answer(connection)
        elif path == "/trickles":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            for _ in range(5):
                time.sleep(0.04)
                connection.sendall(b"x")
        elif path == "/upload":
            time.sleep(0.15)  # what the buffers of the kernel do not hold has to wait
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            left = length - len(body)
            while left > 0:
                left -= len(connection.recv(min(left, 1 << 20)))
            time.sleep(0.1)
            answer(connection)
        elif path == "/moved":
            time.sleep(0.1)
            connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /waits\r\nContent-Length: 0\r\n\r\n")
        elif path == "/hints":
            connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
            time.sleep(0.1)
            answer(connection)
        elif path == "/stalls":
            time.sleep(5)
        else:
            answer(connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for other in self.others:
            other.close()


class SlowNames:
    """A name server on 127.53.x.y that answers each question for an A record after 120 ms with 127.0.0.1."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                question, sender = self.socket.recvfrom(2000)
            except OSError:
                return
            threading.Timer(0.12, self.reply, (question, sender)).start()

    def reply(self, question, sender):
        end = question.index(b"\0", 12) + 5
        kind, = struct.unpack(">H", question[end - 4:end - 2])
        found = kind == 1
        text = question[:2] + struct.pack(">HHHHH", 0x8180, 1, found, 0, 0) + question[12:end]
        if found:
            text += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes((127, 0, 0, 1))
        try:
            self.socket.sendto(text, sender)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class Phases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        subprocess.run(("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", "key.pem",
                        "-out", "cert.pem"), cwd=cls.folder.name, check=True, capture_output=True, timeout=60)
        cls.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cls.context.load_cert_chain(f"{cls.folder.name}/cert.pem", f"{cls.folder.name}/key.pem")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def write(self, text):
        path = pathlib.Path(self.folder.name, "phases.lua")
        path.write_text(f"""
local tutti, http = require "tutti", require "tutti.http"
local function whole(response)
  local sum = 0
  for _, seconds in pairs(response.timings.phases) do sum = sum + seconds end
  assert(math.abs(sum - response.timings.total) < 1e-9, "the phases are the whole time")
  return response
end
tutti.scenario("phases", function()
{text}
end)
""")
        return path

    def check(self, report, name, **causes):
        """Each phase has taken the time of its cause, and hardly more; the others hardly any."""
        phases = report["requests"][name]["phases"]
        self.assertEqual(set(phases), set(PHASES))
        for phase in PHASES:
            with self.subTest(name=name, phase=phase):
                least = causes.get(phase, 0)
                for column in ("p50_ms", "p95_ms", "p99_ms", "max_ms"):
                    self.assertGreaterEqual(phases[phase][column], least * 0.98)
                    self.assertLess(phases[phase][column], least + LATE_MS if least else LITTLE_MS)
        total = sum(phases[phase]["max_ms"] for phase in PHASES)
        self.assertGreaterEqual(total, report["requests"][name]["max_ms"] * 0.99)

    def test_a_slow_server_is_waited_for_and_a_slow_body_received(self):
        for engine in ("native", "curl"):
            with self.subTest(engine), Server() as server:
                url = f"http://127.0.0.1:{server.port}"
                result = run(self.write(f"""
  for _ = 1, 2 do
    whole(http.get("{url}/waits", {{ name = "waits" }}))
    whole(http.get("{url}/trickles", {{ name = "trickles" }}))
    whole(http.get("{url}/hints", {{ name = "hints" }}))
    whole(http.get("{url}/moved", {{ name = "moved", follow = true }}))
  end
"""), "--phases", "--http-engine", engine)
                self.assertEqual(result.code, 0, result)
                self.check(result.report, "waits", waiting=100)
                self.check(result.report, "trickles", receiving=200)
                self.check(result.report, "moved", waiting=200)
                self.check(result.report, "hints", waiting=100)
                row = next(line for line in result.out.splitlines() if line.startswith("  phases p95"))
                self.assertEqual(row.split()[2:], list(PHASES))

    def test_the_seventh_of_a_batch_waits_for_a_connection(self):
        for engine in ("native", "curl"):
            with self.subTest(engine), Server() as server:
                result = run(self.write(f"""
  local batch = {{}}
  for i = 1, 12 do batch[i] = {{ url = "http://127.0.0.1:{server.port}/waits", name = "batch" }} end
  local responses = http.batch(batch)
  for i = 1, 12 do whole(responses[i]) end
"""), "--phases", "--http-engine", engine)
                self.assertEqual(result.code, 0, result)
                phases = result.report["requests"]["batch"]["phases"]
                self.assertLess(phases["blocked"]["p50_ms"], LITTLE_MS)  # of six there is none
                self.assertGreaterEqual(phases["blocked"]["max_ms"], 98)
                self.assertLess(phases["blocked"]["max_ms"], 100 + LATE_MS)
                self.assertGreaterEqual(phases["waiting"]["p50_ms"], 98)
                self.assertLess(phases["waiting"]["max_ms"], 100 + LATE_MS)

    def test_a_request_leaves_before_another_worker_computes(self):
        """Requests of short turns may wait for each other; 0.3 s at a stretch is none, and cannot be interrupted in a gsub."""
        with Server() as server:
            script = pathlib.Path(self.folder.name, "computes.lua")
            script.write_text(f"""
local tutti, http = require "tutti", require "tutti.http"
local function compute() local began = os.clock() while os.clock() - began < 0.3 do end end
tutti.scenario("computes", function(worker)
  for _ = 1, 4 do
    if worker.id == 1 then http.get("http://127.0.0.1:{server.port}/", {{ name = "quick" }})
    else ("x"):gsub("x", compute) end
    tutti.sleep(0)
  end
end)
""")
            result = run(script, "--phases", "-w", "3", "--agents", "1", "--shards", "1")
            self.assertEqual(result.code, 0, result)
            self.assertEqual(result.report["requests"]["quick"]["count"], 4)
            self.assertLess(result.report["requests"]["quick"]["phases"]["sending"]["max_ms"], 200)

    def test_an_upload_that_is_read_slowly_is_sent_slowly(self):
        with Server() as server:
            script = self.write(f"""
  local body = ("x"):rep({UPLOAD_BYTES})
  for _ = 1, 2 do whole(http.post("http://127.0.0.1:{server.port}/upload", body, {{ name = "upload" }})) end
""")
            result = run(script, "--phases")
            self.assertEqual(result.code, 0, result)
            self.check(result.report, "upload", sending=150, waiting=100)
            result = run(script, "--phases", "--http-engine", "curl")
            self.assertEqual(result.code, 0, result)
            self.check(result.report, "upload", waiting=250)  # curl does not say when all of it had been sent

    def test_a_slow_handshake(self):
        for engine in ("native", "curl"):
            with self.subTest(engine), Server(self.context, handshake_s=0.15) as server:
                url = f"https://127.0.0.1:{server.port}/"
                result = run(self.write(f"""
  whole(http.get("{url}", {{ name = "new", tls = {{ verify = false }} }}))
  local response = whole(http.get("{url}", {{ name = "used", tls = {{ verify = false }} }}))
  assert(response.reused and response.timings.phases.tls == 0 and response.timings.phases.connect == 0)
"""), "--phases", "--http-engine", engine)
                self.assertEqual(result.code, 0, result)
                self.check(result.report, "new", tls=150)
                self.check(result.report, "used")

    def test_a_connection_that_is_taken_late(self):
        for engine in ("native", "curl"):
            with self.subTest(engine), Server(backlog=0, accept_s=0.9) as server:
                server.fill()
                result = run(self.write(f"""
  whole(http.get("http://127.0.0.1:{server.port}/", {{ name = "late" }}))
"""), "--phases", "--http-engine", engine)
                self.assertEqual(result.code, 0, result)
                phases = result.report["requests"]["late"]["phases"]
                self.assertGreaterEqual(phases["connect"]["max_ms"], 300)
                self.assertLess(phases["connect"]["max_ms"], 2500)
                self.assertLess(phases["waiting"]["max_ms"], LATE_MS)

    @unittest.skipUnless(os.geteuid() == 0, "needs a name server of its own on port 53, and so root")
    def test_a_slow_name_server(self):
        address = f"127.53.{os.getpid() % 250}.{os.getpid() // 250 % 250 + 1}"
        resolv = pathlib.Path(self.folder.name, "resolv.conf")
        resolv.write_text(f"nameserver {address}\n")
        mount = ("unshare", "-m", "sh", "-c", f'mount --bind {resolv} /etc/resolv.conf && exec "$@"', "sh")
        if subprocess.run((*mount, "true"), capture_output=True, timeout=20).returncode != 0:
            self.skipTest("no mount namespaces here")
        with SlowNames(address):
            self.look_up_slowly(mount)

    def look_up_slowly(self, mount):
        for engine in ("native", "curl"):
            with self.subTest(engine), Server() as server:
                path = self.write(f"""
  whole(http.get("http://slow.example:{server.port}/", {{ name = "named" }}))
""")
                with Run(path, "--phases", "--http-engine", engine, prefix=mount) as process:
                    result = process.finish()
                self.assertEqual(result.code, 0, result)
                self.check(result.report, "named", lookup=120)

    def test_without_the_option_nothing_is_reported(self):
        with Server() as server:
            result = run(self.write(f"""
  whole(http.get("http://127.0.0.1:{server.port}/", {{ name = "plain" }}))
"""))
        self.assertEqual(result.code, 0, result)
        self.assertNotIn("phases", result.report["requests"]["plain"])
        self.assertNotIn("phases", result.out)


class Failures(unittest.TestCase):
    def test_an_error_names_its_phase_and_what_never_left_has_no_latency(self):
        for engine in ("native", "curl"):
            with self.subTest(engine), Server() as server, tempfile.TemporaryDirectory() as folder, socket.socket() as closed:
                closed.bind(("127.0.0.1", 0))
                dead = f"http://127.0.0.1:{closed.getsockname()[1]}/"
                path = pathlib.Path(folder, "failures.lua")
                path.write_text(f"""
local tutti, http = require "tutti", require "tutti.http"
local function fails(name, url, kind, phase)
  local ok, err = pcall(http.get, url, {{ name = name, timeout = 0.3 }})
  assert(not ok and err.kind == kind and err.phase == phase, tostring(err) .. " " .. tostring(err.kind) .. " " .. tostring(err.phase))
end
tutti.scenario("failures", function()
  fails("bad", "http://", "bad_request", nil)
  fails("nowhere", "http://nowhere.invalid/", "resolve", "lookup")
  fails("dead", "{dead}", "refused", "connect")
  fails("stalls", "http://127.0.0.1:{server.port}/stalls", "timeout", "waiting")
  http.get("http://127.0.0.1:{server.port}/waits", {{ name = "mixed" }})
  fails("mixed", "{dead}", "refused", "connect")
end)
""")
                result = run(path, "-w", 2, "-r", 3, "--phases", "--http-engine", engine)
                self.assertEqual(result.code, 0, result)
                for name in ("bad", "nowhere", "dead"):
                    row = result.report["requests"][name]
                    self.assertEqual((row["count"], row["failed"], row["p50_ms"], row["max_ms"]), (6, 6, 0, 0), name)
                    self.assertNotIn("phases", row)
                stalls = result.report["requests"]["stalls"]
                self.assertEqual((stalls["count"], stalls["failed"]), (6, 6))
                self.assertGreaterEqual(stalls["p50_ms"], 290)
                mixed = result.report["requests"]["mixed"]
                self.assertEqual((mixed["count"], mixed["failed"]), (12, 6))
                self.assertGreaterEqual(mixed["p50_ms"], 100)  # with the refused ones among them it were less
                self.assertLess(mixed["max_ms"], 100 + LATE_MS)


if __name__ == "__main__":
    unittest.main()
