"""How workers reach hosts, with both engines: addresses that are set for names, addresses to connect from, proxies."""
import base64
import contextlib
import http.server
import pathlib
import re
import select
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from support import BY_ITS_STEPS, environment, run, tutti
from test_http import make_certificates

ENGINES = ("native", "curl")
HEAD = "local tutti, http = require 'tutti', require 'tutti.http'\n"


class Handler(http.server.BaseHTTPRequestHandler):
    """Says where the connection comes from, and what was asked for."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if "Proxy-Authorization" in self.headers:
            self.server.seen_of_proxy += 1
        body = f"{self.client_address[0]} {self.server.server_address[0]} {self.headers['Host']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Proxy(http.server.BaseHTTPRequestHandler):
    """Serves in the place of all hosts: a request for a whole URL says what it was; CONNECT leads to `server.behind`."""
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections += 1

    def refused(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        wanted = self.server.wanted
        given = self.headers.get("Proxy-Authorization")
        if wanted is not None and given != "Basic " + base64.b64encode(wanted.encode()).decode():
            self.answer(407, b"who are you?", ("Proxy-Authenticate", 'Basic realm="x"'))
            return True
        return False

    def answer(self, status, body, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if not self.refused():
            self.answer(200, f"proxied {self.path} {self.headers['Host']}".encode())

    def do_CONNECT(self):
        if self.refused():
            return
        if self.server.behind is None:
            self.answer(502, b"nobody there")
            return
        if self.server.behind == "silence":
            time.sleep(3)
            self.close_connection = True
            return
        if self.server.behind == "end":
            self.close_connection = True
            return
        # The head in two pieces, the second together with nothing else.
        self.wfile.write(b"HTTP/1.1 200 Connection esta")
        self.wfile.flush()
        time.sleep(0.05)
        self.wfile.write(b"blished\r\nVia: test\r\n\r\n")
        self.wfile.flush()
        with socket.create_connection(self.server.behind) as behind:
            pair = {self.connection: behind, behind: self.connection}
            while True:
                for ready in select.select(list(pair), [], [], 30)[0]:
                    data = ready.recv(65536)
                    if not data:
                        self.close_connection = True
                        return
                    pair[ready].sendall(data)

    def log_message(self, *arguments):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, *arguments):
        pass


class TlsServer(QuietServer):
    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen_of_proxy = 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(f"{folder}/s.pem", f"{folder}/s.key")

    def finish_request(self, request, client_address):
        with self.context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as wrapped:
            wrapped.do_handshake()
            super().finish_request(wrapped, client_address)


@contextlib.contextmanager
def proxy(behind=None, wanted=None):
    server = QuietServer(("127.0.0.1", 0), Proxy)
    server.behind, server.wanted, server.seen, server.connections = behind, wanted, [], 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Network(unittest.TestCase):
    def serve(self, server):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1]

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="tutti-network-"))
        self.port = self.serve(QuietServer(("127.0.0.1", 0), Handler))

    def written(self, body, options=""):
        path = pathlib.Path(self.folder, "script.lua")
        path.write_text(f"{HEAD}{options}\ntutti.scenario('s', function(worker)\n{body}\nend)\n")
        return path

    def both(self, body, *arguments, options="", engines=ENGINES, env=None):
        path = self.written(body, options)
        for engine in engines:
            with self.subTest(engine):
                result = run(path, "--http-engine", engine, *BY_ITS_STEPS, *arguments, timeout=60, env=env)
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
            self.assertRegex(result.err + result.out, r"this machine does not have the address 203\.0\.113\.[89] \(--source\)")
            self.assertEqual(result.steps["failed"] if result.report else 0, 0, result)

    def test_a_proxy_is_asked_for_the_whole_url(self):
        for engine in ENGINES:
            with proxy(wanted="me:se:cret") as server:
                port = server.server_address[1]
                self.both(f"""
                    local function get(url, proxy, more)
                      return http.get(url, {{ proxy = proxy, headers = more }})
                    end
                    local known = 'http://me:se%3Acret@127.0.0.1:{port}'
                    local r = get('http://nowhere.invalid:81/path?q=1#x', known)
                    assert(r.status == 200 and r.body == 'proxied http://nowhere.invalid:81/path?q=1 nowhere.invalid:81', r.body)
                    -- One connection to it serves all origins.
                    r = get('http://other.invalid/', known)
                    assert(r.body == 'proxied http://other.invalid/ other.invalid', r.body)
                    assert(r.reused == true)
                    r = http.session {{ proxy = known }}:get('http://third.invalid/')
                    assert(r.body == 'proxied http://third.invalid/ third.invalid', r.body)
                    -- Its refusal of a plain request is an answer like others.
                    r = get('http://nowhere.invalid/', 'http://127.0.0.1:{port}')
                    assert(r.status == 407 and r.body == 'who are you?', r.body)
                    assert(r.reused == false or '{engine}' == 'curl', 'the connection of other credentials')
                    -- And it is not asked at all.
                    r = http.get('http://127.0.0.1:{self.port}/', {{ proxy = false }})
                    assert(r.body:find('^127.0.0.1'), r.body)""", engines=(engine,))
                for command, path, headers in server.seen:
                    self.assertEqual(command, "GET")
                    self.assertNotIn("Authorization", headers)
                self.assertEqual(sum("Proxy-Authorization" in headers for _, _, headers in server.seen), 3)

    def test_a_tunnel_leads_to_https(self):
        make_certificates(self.folder)
        target = TlsServer(self.folder)
        port = self.serve(target)
        for engine in ENGINES:
            with proxy(behind=("127.0.0.1", port), wanted="me:secret") as server:
                self.both(f"""
                    local options = {{ proxy = 'http://me:secret@127.0.0.1:{server.server_address[1]}', tls = {{ ca = 'ca.pem' }},
                                       headers = {{ ['Proxy-Authorization'] = 'mine' }} }}
                    for i = 1, 3 do
                      local r = http.get('https://127.0.0.1:{port}/', options)
                      assert(r.body == '127.0.0.1 127.0.0.1 127.0.0.1:{port}', r.body)
                      assert(r.reused == (i > 1))
                    end
                    -- The certificate is that of the host, not of the proxy.
                    local ok, why = pcall(http.get, 'https://localhost:{port}/', options)
                    assert(not ok and why.kind == 'tls', tostring(why))""", engines=(engine,),
                    options="tutti.options { files = { 'ca.pem' } }")
                self.assertEqual([(command, path) for command, path, _ in server.seen],
                                 [("CONNECT", f"127.0.0.1:{port}"), ("CONNECT", f"localhost:{port}")])
                self.assertEqual(target.seen_of_proxy, 0)

    def test_what_a_proxy_does_not_do_is_blamed_on_it(self):
        for engine in ENGINES:
            with proxy(wanted="me:secret") as refusing, proxy() as alone, proxy(behind="silence") as silent, \
                    proxy(behind="end") as ending, socket.create_server(("127.0.0.1", 0)) as once:
                closed = once.getsockname()[1]
                once.close()
                ports = [server.server_address[1] for server in (refusing, alone, silent, ending)]
                self.both(f"""
                    local function why(url, port, timeout)
                      local ok, why = pcall(http.get, url, {{ proxy = 'http://127.0.0.1:' .. port, timeout = timeout, name = 'r' }})
                      assert(not ok, url)
                      return why.kind .. ' ' .. tostring(why.status), tostring(why)
                    end
                    local function expect(wanted, url, port, timeout)
                      local kind, text = why(url, port, timeout)
                      assert(kind == wanted, kind .. ': ' .. text)
                    end
                    expect('proxy 407', 'https://nowhere.invalid/', {ports[0]})
                    expect('proxy 502', 'https://nowhere.invalid/', {ports[1]})
                    expect('timeout nil', 'https://nowhere.invalid/', {ports[2]}, 1)
                    expect('proxy nil', 'https://nowhere.invalid/', {ports[3]})
                    expect('proxy nil', 'http://nowhere.invalid/', {closed})
                    expect('proxy nil', 'https://nowhere.invalid/', {closed})
                    local ok, text = pcall(http.get, 'http://nowhere.invalid/', {{ proxy = 'http://nowhere.invalid:1' }})
                    assert(not ok and text.kind == 'proxy', tostring(text))""", engines=(engine,))
        self.both("""
            local function why(proxy) return tostring(select(2, pcall(http.get, 'http://127.0.0.1/', { proxy = proxy }))) end
            assert(why('socks5://127.0.0.1:1080'):find('--http-engine curl', 1, true), why('socks5://127.0.0.1:1080'))
            assert(why('https://127.0.0.1:1080'):find('--http-engine curl', 1, true))
            assert(why(7):find('proxy is "http://user:password@host:port"', 1, true), why(7))""", engines=("native",))

    def test_the_environment_is_asked_only_where_that_is_wanted(self):
        with proxy() as server:
            address = f"http://127.0.0.1:{server.server_address[1]}"
            env = environment() | {"http_proxy": address, "https_proxy": address, "no_proxy": "127.0.0.1,direct.invalid"}
            self.both(f"""
                local there = 'http://127.0.0.1:{self.port}/'
                local ok, why = pcall(http.get, 'http://nowhere.invalid/', {{ name = 'r' }})
                assert(not ok and why.kind == 'resolve', tostring(why))
                local r = http.get('http://nowhere.invalid/', {{ proxy = 'environment' }})
                assert(r.body == 'proxied http://nowhere.invalid/ nowhere.invalid', r.body)
                r = http.get(there, {{ proxy = 'environment' }})
                assert(r.body:find('^127.0.0.1'), r.body)
                ok, why = pcall(http.get, 'http://direct.invalid/', {{ proxy = 'environment', name = 'r' }})
                assert(not ok and why.kind ~= 'ok', tostring(why))
                -- A proxy that is named is asked whatever no_proxy says.
                r = http.get(there, {{ proxy = '{address}' }})
                assert(r.body:find('^proxied'), r.body)""", env=env)
    def local_limits(self, host, words, *arguments, prefix=(), **more):
        """Workers that keep their connections: some have one, the others say that this machine is to blame."""
        path = self.written(f"""
            local ok, why = pcall(http.get, {host}, {{ name = 'r', timeout = 20 }})
            if ok then tutti.incr('connected') else
              assert(why.kind == 'local_limit' and why.phase == 'connect' and tostring(why):find({words!r}, 1, true), tostring(why))
              tutti.incr('refused')
            end
            worker:barrier('all')
            if worker.id == 0 then print(('%d connected, %d refused'):format(tutti.get_var('connected') or 0, tutti.get_var('refused') or 0)) end""")
        for engine in ENGINES:
            with self.subTest(engine):
                result = run(path, "--http-engine", engine, "--agents", "1", *arguments, timeout=120, prefix=prefix, **more)
                self.assertEqual(result.code, 0, (result.out, result.err))
                connected, refused = map(int, re.search(r"(\d+) connected, (\d+) refused", result.out).groups())
                self.assertGreater(connected, 0, result)
                self.assertGreater(refused, 0, result)
                yield result, connected, refused

    def test_descriptors_used_up_are_the_generators_fault(self):
        for host in ("127.0.0.1", "localhost"):
            for result, connected, refused in self.local_limits(f"'http://{host}:{self.port}/'", "ulimit -n", "-w", "150",
                                                                prefix=("prlimit", "--nofile=120:120")):
                self.assertEqual(connected + refused, 150)
                # Before the start, in one line.
                warnings = [line for line in result.err.splitlines() if "it has 150 workers and may open 120 files" in line]
                self.assertEqual(len(warnings), 1, result.err)
        result = run(self.written("tutti.sleep(0)"), "-w", "40", prefix=("prlimit", "--nofile=120:120"))
        self.assertNotIn("may open", result.err)

    def test_ports_used_up_are_the_generators_fault(self):
        within = ("unshare", "--net", "sh", "-c",
                  "ip link set lo up && echo 40000 40039 > /proc/sys/net/ipv4/ip_local_port_range && exec \"$@\"", "sh")
        if subprocess.run((*within, "true"), capture_output=True, check=False).returncode != 0:
            self.skipTest("no network namespace can be made here")
        for _, connected, refused in self.local_limits("tutti.target .. '/'", "no free port", "-w", "60", "--target", "builtin",
                                                       prefix=within):
            self.assertEqual(connected + refused, 60)
            self.assertLessEqual(connected, 40)


if __name__ == "__main__":
    unittest.main()
