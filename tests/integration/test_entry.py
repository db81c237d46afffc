"""Access to the API: attackers with every combination of headers, slow clients, and clients without a token."""
import base64
import http.client
import http.server
import itertools
import json
import os
import pathlib
import socket
import stat
import tempfile
import threading
import time
import unittest

from daemon import Agent, Coordinator, campaign
from support import RUNTIME, environment, token_of, tutti, wait_until

BODY = json.dumps(campaign("quick", 5, 60000)).encode()
# AddressSanitizer moves memory that grows, and looks at every byte that is copied.
LOOP_MOST_S = 0.15 if os.environ.get("SANITIZER") else 0.02
TOO_MANY = b'{"error":"too many connections; try again"}'


def processor_time(pid):
    """Seconds that the main thread has computed: on a machine that others use too, that is what it is to blame for."""
    with open(f"/proc/{pid}/task/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9


def ask(coordinator, head, body=b"", address="127.0.0.1", host=None):
    """Sends one request with these header lines; returns the status."""
    lines = [*head, f"Host: {host or f'127.0.0.1:{coordinator.port}'}"] if host != "" else head
    with socket.create_connection((address, coordinator.port), timeout=20) as client:
        client.sendall("\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close", "", ""]).encode() + body)
        answer = b""
        while more := client.recv(65536):
            answer += more
    return int(answer.split()[1])


class Pages(unittest.TestCase):
    """A coordinator that requires no token: requests are refused here for other reasons."""

    @classmethod
    def setUpClass(cls):
        cls.coordinator = cls.enterClassContext(Coordinator("--no-token", "--api-host", "load.example.org,load-2", "--api-host", "load-3"))

    def tearDown(self):
        self.assertEqual(self.coordinator.get("/v1/campaigns").json["campaigns"], [])

    def expect(self, status, *head, **more):
        self.assertEqual(ask(self.coordinator, head, **more), status, (head, more.get("host")))

    def test_every_combination_that_a_page_can_send(self):
        port = self.coordinator.port
        origins = (None, "Origin: http://evil.example", "Origin: null", f"Origin: http://localhost:{port}", "Origin: http://127.0.0.1:8000", f"Origin: http://evil.example:{port}")
        sites = (None, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Sec-Fetch-Site: none")
        types = (None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain; application/json", "application/json")
        for origin, site, kind in itertools.product(origins, sites, types):
            head = ["POST /v1/campaigns HTTP/1.1", *filter(None, (origin, site, kind and f"Content-Type: {kind}"))]
            is_foreign = origin is not None or site in sites[1:3]
            if is_foreign or kind != "application/json":
                self.expect(403 if is_foreign else 415, *head, body=BODY)

    def test_a_name_that_means_this_host_for_now(self):
        port = self.coordinator.port
        for host in (f"rebound.evil.example:{port}", "rebound.evil.example", f"localhost.evil.example:{port}", f"127.0.0.1.evil.example:{port}", f"evil.localhost:{port}",
                     f"0.0.0.0:{port}", f"192.0.2.1:{port}", f"load.example.org.evil.example:{port}", f"[::2]:{port}", "127.0.0.1@evil.example", " "):
            for path in ("/v1/agents", "/metrics", "/healthz", "/readyz", "/nowhere"):
                self.expect(403, f"GET {path} HTTP/1.1", host=host)
            self.expect(403, "POST /v1/campaigns HTTP/1.1", "Content-Type: application/json", f"Origin: http://{host}", "Sec-Fetch-Site: same-origin", host=host, body=BODY)
        self.expect(403, "GET /v1/agents HTTP/1.0", host="")

    def test_who_asks_as_one_should(self):
        port = self.coordinator.port
        for host in (f"127.0.0.1:{port}", "127.0.0.1", f"localhost:{port}", f"LOCALHOST:{port + 1}", f"127.1.2.3:{port}", f"[::1]:{port}", f"load.example.org:{port}", "load-2", "load-3:443"):
            self.expect(200, "GET /v1/agents HTTP/1.1", host=host)
            self.expect(200, "GET /v1/agents HTTP/1.1", f"Origin: http://{host}", "Sec-Fetch-Site: same-origin", host=host)
        self.expect(200, "GET /v1/agents HTTP/1.1", "Origin: https://load.example.org", host="load.example.org")  # a proxy with TLS
        self.expect(200, "GET /v1/agents HTTP/1.1", "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate")  # a user who types the address
        self.expect(200, "GET /v1/agents HTTP/1.1", address="127.0.0.1", host=f"127.0.0.1:{port}")

    def test_no_page_opens_a_stream_or_a_websocket(self):
        for head in (("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), ("Accept: text/event-stream",)):
            self.expect(403, "GET /v1/campaigns/1/events HTTP/1.1", "Origin: http://evil.example", *head)
        answer = self.coordinator.request("OPTIONS", "/v1/campaigns", headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"})
        self.assertEqual((answer.status, [name for name in answer.headers if name.lower().startswith("access-control")]), (403, []))

    def test_only_a_bundle_may_be_large(self):
        for path in ("/v1/campaigns/1/stop", "/v1/campaigns/1/scale"):
            answer = self.coordinator.post(path, b" " * 70000)
            self.assertEqual(answer.status, 413, answer)


class Slow(unittest.TestCase):
    def setUp(self):
        self.coordinator = self.enterContext(Coordinator())
        self.env = environment(TUTTI_API=f"http://127.0.0.1:{self.coordinator.port}")
        self.open = []
        self.addCleanup(lambda: [one.close() for one in self.open])

    def crowd(self, count, head, addresses=("127.0.0.1",)):
        for i in range(count):
            one = socket.socket()
            one.bind((addresses[i % len(addresses)], 0))
            one.settimeout(20)
            one.connect(("127.0.0.1", self.coordinator.port))
            one.sendall(head)
            self.open.append(one)

    def drip(self, until):
        while time.monotonic() < until and self.open:
            for one in self.open:
                try:
                    one.send(b"x")
                except OSError:
                    pass
            time.sleep(0.5)

    def test_a_crowd_that_says_nothing_shuts_nobody_out(self):
        for addresses, count in ((("127.0.0.1",), 100), (("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.8", "127.0.0.9"), 600)):
            self.crowd(count, b"GET /v1/agents HTTP/1.1\r\nX-Never-Ends: ", addresses)
            dripping = threading.Thread(target=self.drip, args=(time.monotonic() + 6,))
            dripping.start()
            time.sleep(2)
            started = time.monotonic()
            for _ in range(3):
                result = tutti("agents", env=self.env)
                self.assertEqual(result.code, 0, result)
            self.assertLess(time.monotonic() - started, 30)
            dripping.join()
            for one in self.open:
                one.close()
            self.open.clear()

    def test_a_slow_client_is_told_and_closed(self):
        self.crowd(3, b"GET /v1/agents HTTP/1.1\r\nX-Never-Ends: ")
        started = time.monotonic()
        self.drip(started + 8)
        answers = [self.read(one) for one in self.open]
        self.assertLess(time.monotonic() - started, 20)
        for answer in answers:
            self.assertTrue(answer.startswith(b"HTTP/1.1 408 "), answer)
            self.assertIn("error", json.loads(answer.partition(b"\r\n\r\n")[2]))

    def read(self, one):
        answer = b""
        try:
            while more := one.recv(4096):
                answer += more
        except ConnectionResetError:
            pass
        return answer

    def test_too_many_at_work_are_told_so(self):
        number = self.coordinator.create("quick", 5, deadline_ms=60000)
        head = f"GET /v1/campaigns/{number}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.coordinator.token}\r\n\r\n".encode()
        self.crowd(64, head)
        wait_until(lambda: all(one.recv(9, socket.MSG_PEEK) for one in self.open), 20, "not all are served")
        self.crowd(1, head)
        answer = self.read(self.open[-1])
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertTrue(answer.endswith(TOO_MANY), answer)


class Proxy(unittest.TestCase):
    def test_its_clients_count_and_not_itself(self):
        with Coordinator("--trusted-proxy", "127.0.0.0/8") as coordinator:
            number = coordinator.create("quick", 5, deadline_ms=60000)
            open_ones = []
            try:
                statuses = [self.watch(coordinator, number, f"198.51.100.7, 203.0.113.{i % 2}", open_ones) for i in range(140)]
                self.assertEqual(statuses.count(200), 128)
                self.assertEqual(statuses.count(503), 12)
                self.assertEqual(self.watch(coordinator, number, "203.0.113.9", open_ones), 200)
            finally:
                for one in open_ones:
                    one.close()

    def watch(self, coordinator, number, client, open_ones):
        connection = coordinator.connect()
        connection.request("GET", f"/v1/campaigns/{number}/events", headers={**coordinator.authorization, "X-Forwarded-For": client})
        open_ones.append(connection)
        return connection.getresponse().status

    def test_bad_networks_are_refused(self):
        for value in ("proxy.example", "10.0.0.0/33", "10.0.0.0/", ",", "::1/129"):
            result = tutti("coordinator", "--trusted-proxy", value)
            self.assertEqual((result.code, "--trusted-proxy" in result.err), (2, True), result)


class DrawnToken(unittest.TestCase):
    def test_commands_of_the_same_user_find_it(self):
        with Coordinator() as coordinator:
            path = pathlib.Path(RUNTIME.name, "tutti", f"api-{coordinator.port}.token")
            self.assertEqual((stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)), (0o600, 0o700))
            self.assertRegex(path.read_text(), r"^[0-9a-f]{64}\n$")
            self.assertNotIn(coordinator.token, coordinator.log)
            self.assertIn(str(path), coordinator.log)
            for host in ("127.0.0.1", "localhost"):
                result = tutti("agents", "--api", f"http://{host}:{coordinator.port}")
                self.assertEqual(result.code, 0, result)
            self.assertEqual(coordinator.request("GET", "/v1/agents", headers={"Authorization": "Bearer "}).status, 401)
            self.assertEqual(coordinator.request("GET", "/metrics", headers={"Authorization": ""}).status, 401)
            with tempfile.TemporaryDirectory() as elsewhere:
                result = tutti("agents", env=environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}", XDG_RUNTIME_DIR=elsewhere))
            self.assertEqual(result.code, 2, result)
            self.assertIn("--token-file", result.err)
            result = tutti("agents", "--token", "x" * 64, "--api", f"http://127.0.0.1:{coordinator.port}")
            self.assertEqual((result.code, result.err.count("\n")), (2, 1), result)
            self.assertIn("does not take this token", result.err)
            self.assertEqual(coordinator.end(), 0)
            self.assertFalse(path.exists())
            self.assertEqual(list(path.parent.iterdir()), [])

    def test_each_start_draws_another(self):
        with Coordinator() as first, Coordinator() as second:
            self.assertNotEqual(first.token, second.token)
            self.assertEqual(first.get("/v1/agents", token=second.token).status, 401)

    def test_one_that_was_left_behind_does_no_harm(self):
        with Coordinator() as first:
            path = pathlib.Path(RUNTIME.name, "tutti", f"api-{first.port}.token")
            old, port = first.token, first.port
            first.kill()
            first.process.wait()
            self.assertEqual(path.read_text().strip(), old)
        given = []

        class Thief(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                given.append(self.headers["Authorization"])
                self.send_error(404)

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", port), Thief) as thief:
            threading.Thread(target=thief.serve_forever, daemon=True).start()
            tutti("agents", "--api", f"http://127.0.0.1:{port}")
            thief.shutdown()
        self.assertEqual(given, [None])
        with Coordinator(http=f"127.0.0.1:{port}") as second:
            self.assertNotEqual(second.token, old)
            self.assertEqual(tutti("agents", "--api", f"http://127.0.0.1:{port}").code, 0)

    def test_two_at_one_port_of_two_addresses(self):
        with Coordinator() as first:
            result = tutti("coordinator", "--listen", "tcp://127.0.0.1:0", "--http", f"127.0.0.2:{first.port}")
            self.assertEqual(result.code, 2, result)
            self.assertIn("another coordinator", result.err)
            self.assertEqual(token_of(first.port), first.token)

    def test_a_folder_of_somebody_else_is_not_taken(self):
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder, "tutti")
            for make in (lambda: place.mkdir(mode=0o777) or place.chmod(0o777), lambda: place.symlink_to("/tmp"), lambda: place.write_text("")):
                make()
                result = tutti("coordinator", "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0", env=environment(XDG_RUNTIME_DIR=folder))
                self.assertEqual((result.code, str(place) in result.err), (2, True), result)
                place.rmdir() if place.is_dir() and not place.is_symlink() else place.unlink()
            place.mkdir(mode=0o755)
            if os.geteuid() == 0:
                os.chown(place, 12345, 12345)
                result = tutti("coordinator", "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0", env=environment(RUNTIME_DIRECTORY=str(place)))
                self.assertEqual((result.code, "another user" in result.err), (2, True), result)

    def test_a_folder_of_the_service_manager(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            env = environment(RUNTIME_DIRECTORY=f"{folder}:/nowhere")
            with Coordinator(env=env) as coordinator:
                self.assertTrue(pathlib.Path(folder, f"api-{coordinator.port}.token").exists())
                self.assertEqual(tutti("agents", "--api", f"http://127.0.0.1:{coordinator.port}", env=env).code, 0)

    def test_where_it_comes_from(self):
        token = "a-token-of-some-length"
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(token + "\n")
            file.flush()
            other = environment(TUTTI_TOKEN="another-token-of-some-length")
            for options, more, taken in ((("--token", token), {}, token), ((), {"env": environment(TUTTI_TOKEN=token)}, token), (("--token-file", file.name), {"env": other}, token),
                                         (("--no-token",), {"env": other}, None)):
                with Coordinator(*options, **more) as coordinator:
                    self.assertIsNone(token_of(coordinator.port))
                    self.assertEqual(coordinator.get("/v1/agents", token=taken).status, 200)
                    self.assertEqual(coordinator.get("/v1/agents", token="wrong").status, 401 if taken else 200)
                    self.assertEqual("--no-token" in coordinator.log, taken is None)
            for options in (("--token", token, "--token-file", file.name), ("--no-token", "--token", token), ("--no-token", "--token-file", file.name)):
                result = tutti("coordinator", *options)
                self.assertEqual((result.code, "contradict" in result.err), (2, True), result)
        result = tutti("coordinator", "--no-token", "--listen", "tcp://127.0.0.1:0", "--http", "0.0.0.0:0")
        self.assertEqual((result.code, "--insecure" in result.err), (2, True), result)


class Large(unittest.TestCase):
    def test_others_are_served_while_a_bundle_is_read(self):
        files = [*campaign("quick")["files"], {"path": "data", "content": base64.b64encode(os.urandom(60 * 1024 * 1024)).decode()}]
        body = json.dumps({"script": "quick.lua", "files": files, "expect_agents": 5, "deadline_ms": 0}).encode()
        state = ("--state", self.enterContext(tempfile.TemporaryDirectory()) + "/state")
        for wanted, what, options in ((201, body, ()), (201, body, state), (400, body[:-1] + b", ", ())):
            with Coordinator(*options) as coordinator, Agent(coordinator.endpoint, "a1"):
                coordinator.wait_agents(1)
                large = coordinator.connect(timeout=100)
                large.request("POST", "/v1/campaigns", what, {**coordinator.authorization, "Content-Type": "application/json"})
                answers = []
                reader = threading.Thread(target=lambda: answers.append(large.getresponse().status))
                reader.start()
                served = 0
                work = []  # of the coordinator's loop, from one answer to the next
                while reader.is_alive():
                    worked = processor_time(coordinator.process.pid)
                    self.assertEqual(coordinator.get("/healthz").status, 200)
                    work.append(processor_time(coordinator.process.pid) - worked)
                    served += reader.is_alive()
                reader.join()
                large.close()
            self.assertEqual(answers, [wanted])
            self.assertGreater(served, 10, "it did nothing else while it read the bundle")
            self.assertLess(max(work), LOOP_MOST_S, "it was busy with the bundle itself")


if __name__ == "__main__":
    unittest.main()
