"""HTTP/2 against nginx, over TLS: both engines, many workers, a server that changes its mind, one that does not speak it."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from support import run
from test_http import HEAD, make_certificates
from test_network import proxy

CONF = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log {dir}/access.log; client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir};
  uwsgi_temp_path {dir}; scgi_temp_path {dir}; client_max_body_size 64m; keepalive_requests {most};
  log_format short '$connection $connection_requests $server_protocol $request_method $uri $status $request_length $http_cookie';
  access_log {dir}/short.log short;
  server {{
    listen 127.0.0.1:{port} ssl{http2}; ssl_certificate {dir}/s.pem; ssl_certificate_key {dir}/s.key;
    root {dir}/www;
    location = /echo {{ add_header x-method $request_method; return 200 "$connection $server_protocol"; }}
    location = /moved {{ return 302 /echo; }}
    location = /trace {{ return 200 $http_traceparent; }}
    location = /cookie {{ add_header set-cookie "who=$arg_who"; return 200 ok; }}
    location = /post {{ proxy_pass https://127.0.0.1:{port}/sunk; proxy_ssl_verify off; }}
    location = /sunk {{ return 200 $request_length; }}
    location = /gone {{ return 444; }}
    default_type application/octet-stream;
    location = /text.txt {{ default_type text/plain; gzip on; gzip_types text/plain; gzip_min_length 1; }}
  }}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Nginx:
    def __init__(self, folder, http2=True, most=1000):
        self.port = free_port()
        self.folder = folder
        conf = pathlib.Path(folder, "nginx.conf")
        conf.write_text(CONF.format(dir=folder, port=self.port, http2=" http2" if http2 else "", most=most))
        pathlib.Path(folder, "short.log").write_text("")
        self.process = subprocess.Popen(["nginx", "-c", str(conf), "-p", folder], stderr=subprocess.DEVNULL)
        self.target = f"https://127.0.0.1:{self.port}"

    def __enter__(self):
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        raise AssertionError("nginx does not listen")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def log(self):
        """Rows (connection, ordinal on it, protocol, method, uri, status)."""
        time.sleep(0.1)
        rows = [line.split(" ") for line in pathlib.Path(self.folder, "short.log").read_text().splitlines()]
        return [row for row in rows if row[2] != "HTTP/1.0"]  # of its own proxy


@unittest.skipUnless(shutil.which("nginx"), "nginx is not installed")
class Http2(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tutti-http2-")
        os.chmod(cls.folder.name, 0o755)
        make_certificates(cls.folder.name)
        www = pathlib.Path(cls.folder.name, "www")
        www.mkdir()
        (www / "big.bin").write_bytes(os.urandom(1 << 20) * 5)
        (www / "text.txt").write_text("the same again and again\n" * 4000)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def passes(self, body, target, engine="native", **more):
        path = pathlib.Path(self.folder.name, "script.lua")
        files = "tutti.options { files = { 'ca.pem' } }\nlocal options = { version = 2, tls = { ca = 'ca.pem' } }\n"
        path.write_text(HEAD + files + "tutti.scenario('s', function(worker)\n" + body + "\nend)\n")
        result = run(path, "-w", more.get("workers", 1), "-r", more.get("steps", 1), "--target", target,
                     "--http-engine", engine, "--agents", more.get("agents", 1), timeout=60)
        self.assertEqual(result.code, 0, (result.out, result.err))
        return result

    def both(self, body, target):
        for engine in ("native", "curl"):
            with self.subTest(engine):
                self.passes(body, target, engine)

    def test_speaks_it_over_tls(self):
        with Nginx(self.folder.name) as nginx:
            self.both("""
                local first = http.get(tutti.target .. '/echo', options)
                assert(first.version == '2' and first.body:find(' HTTP/2.0', 1, true), first.body)
                assert(first.headers['x-method'] == 'GET')
                local connection = first.body:match('%d+')
                for _ = 1, 3 do
                  local again = http.get(tutti.target .. '/echo', options)
                  assert(again.body:match('%d+') == connection and again.reused)
                end
                local old = http.get(tutti.target .. '/echo', { tls = options.tls })
                assert(old.version == '1.1', old.version)
                -- A kept connection of HTTP/1.1 is not taken for HTTP/2, nor the other way round.
                assert(http.get(tutti.target .. '/echo', options).version == '2')
                local moved = http.get(tutti.target .. '/moved', { version = 2, tls = options.tls, follow = true })
                assert(moved.url == tutti.target .. '/echo' and moved.version == '2')
                local head = http.head(tutti.target .. '/big.bin', options)
                assert(head.headers['content-length'] == tostring(5 << 20) and head.body == '')
                assert(#http.get(tutti.target .. '/big.bin', options).body == 5 << 20)
                """, nginx.target)

    def test_bodies_cookies_and_codings(self):
        with Nginx(self.folder.name) as nginx:
            self.passes("""
                local function send(size)
                  return http.post(tutti.target .. '/post', ('x'):rep(size), options)
                end
                for _, size in ipairs { 0, 1, 65535, 65536, 3000000 } do assert(send(size).status == 200) end
                http.get(tutti.target .. '/cookie?who=w' .. worker.id, options)
                http.get(tutti.target .. '/echo', options)
                local text = http.get(tutti.target .. '/text.txt', options)
                assert(text.headers['content-encoding'] == 'gzip')
                assert(text.body == ('the same again and again\\n'):rep(4000))
                local ok, why = pcall(http.get, tutti.target .. '/big.bin', { version = 2, tls = options.tls, max_body = 1000 })
                assert(not ok and why.kind == 'too_large', tostring(why))
                ok, why = pcall(http.get, tutti.target .. '/gone', options)
                assert(not ok and (why.kind == 'reset' or why.kind == 'protocol'), tostring(why))
                assert(http.get(tutti.target .. '/echo', options).version == '2')
                ok, why = pcall(http.get, tutti.target .. '/echo', { version = 2 })
                assert(not ok and why.kind == 'tls', tostring(why))
                """, nginx.target)
            sizes = [int(row[6]) for row in nginx.log() if row[4] == "/post"]
            for size, got in zip((0, 1, 65535, 65536, 3000000), sizes, strict=True):
                self.assertTrue(size < got < size + 3000, sizes)
            self.assertTrue(any(row[4] == "/echo" and row[7] == "who=w0" for row in nginx.log()), nginx.log())

    def test_a_batch_is_multiplexed(self):
        with Nginx(self.folder.name) as nginx:
            self.passes("""
                local items = {}
                for i = 1, 300 do items[i] = { url = tutti.target .. '/echo', version = 2, tls = options.tls, name = 'b' } end
                local connections = {}
                for _, r in ipairs(http.batch(items)) do
                  assert(r.status == 200, tostring(r))
                  connections[r.body:match('%d+')] = true
                end
                local count = 0
                for _ in pairs(connections) do count = count + 1 end
                assert(count == 1, count)
                """, nginx.target)

    def test_passes_through_the_tunnel_of_a_proxy(self):
        for engine in ("native", "curl"):
            with self.subTest(engine), Nginx(self.folder.name) as nginx, \
                    proxy(behind=("127.0.0.1", nginx.port), wanted="me:secret") as server:
                self.passes(f"""
                    options.proxy = 'http://me:secret@127.0.0.1:{server.server_port}'
                    local first = http.get(tutti.target .. '/echo', options)
                    assert(first.version == '2' and first.body:find(' HTTP/2.0', 1, true), first.body)
                    local connection = first.body:match('%d+')
                    assert(#http.get(tutti.target .. '/big.bin', options).body == 5 << 20)
                    assert(http.post(tutti.target .. '/post', ('x'):rep(1000000), options).status == 200)
                    local items = {{}}
                    for i = 1, 50 do
                      items[i] = {{ url = tutti.target .. '/echo', version = 2, tls = options.tls, proxy = options.proxy }}
                    end
                    for _, r in ipairs(http.batch(items)) do
                      assert(r.version == '2' and r.body:match('%d+') == connection, tostring(r))
                    end
                    """, nginx.target, engine)
                self.assertEqual([(method, path) for method, path, _ in server.seen], [("CONNECT", f"127.0.0.1:{nginx.port}")])

    def test_finds_out_in_a_tunnel_that_it_is_not_spoken(self):
        for engine in ("native", "curl"):
            with self.subTest(engine), Nginx(self.folder.name, http2=False) as nginx, \
                    proxy(behind=("127.0.0.1", nginx.port)) as server:
                self.passes(f"""
                    options.proxy = 'http://127.0.0.1:{server.server_port}'
                    for _ = 1, 3 do
                      local response = http.get(tutti.target .. '/echo', options)
                      assert(response.version == '1.1' and response.status == 200, response.version)
                    end
                    """, nginx.target, engine)
                self.assertEqual([method for method, _, _ in server.seen], ["CONNECT"])

    def test_workers_share_one_if_asked(self):
        body = "http.get(tutti.target .. '/echo', { version = 2, tls = options.tls, share = %s })"
        for share, least, most in (("nil", 40, 40), ("'agent'", 2, 8)):
            with self.subTest(share), Nginx(self.folder.name) as nginx:
                self.passes(body % share, nginx.target, workers=40, steps=5, agents=2)
                rows = [row for row in nginx.log() if row[4] == "/echo"]
                self.assertEqual(len(rows), 200)
                self.assertTrue(least <= len({row[0] for row in rows}) <= most, {row[0] for row in rows})

    def test_falls_back(self):
        with Nginx(self.folder.name, http2=False) as nginx:
            self.both("""
                for _ = 1, 3 do
                  assert(http.get(tutti.target .. '/echo', options).version == '1.1')
                end
                local items, connections, count = {}, {}, 0
                for i = 1, 30 do items[i] = { url = tutti.target .. '/echo', version = 2, tls = options.tls, name = 'b' } end
                for _, r in ipairs(http.batch(items)) do
                  assert(r.version == '1.1', tostring(r))
                  connections[r.body:match('%d+')] = true
                end
                for _ in pairs(connections) do count = count + 1 end
                assert(count <= 31, count)
                """, nginx.target)
            self.passes("http.get(tutti.target .. '/echo', { version = 2, tls = options.tls, share = 'agent' })",
                        nginx.target, workers=20, steps=5)

    def test_goodbyes_lose_nothing(self):
        """After so many requests nginx says GOAWAY, to POSTs as well as to GETs."""
        with Nginx(self.folder.name, most=7) as nginx:
            result = self.passes("""
                for _ = 1, 20 do
                  assert(http.post(tutti.target .. '/echo', 'x', { version = 2, tls = options.tls }).status == 200)
                end
                local items = {}
                for i = 1, 5 do items[i] = { url = tutti.target .. '/echo', version = 2, tls = options.tls, name = 'b' } end
                for _, r in ipairs(http.batch(items)) do assert(r.status == 200, tostring(r)) end
                """, nginx.target, workers=5, steps=2)
            self.assertEqual(result.steps["failed"], 0)
            self.assertEqual(len([row for row in nginx.log() if row[4] == "/echo"]), 5 * 2 * 25)

    def test_a_server_that_restarts(self):
        with Nginx(self.folder.name) as nginx:
            path = pathlib.Path(self.folder.name, "reload.lua")
            path.write_text(HEAD + """
                tutti.options { files = { 'ca.pem' } }
                tutti.scenario('s', function()
                  assert(http.get(tutti.target .. '/echo', { version = 2, tls = { ca = 'ca.pem' } }).status == 200)
                end)""")
            reload = subprocess.Popen(["sh", "-c", f"for i in 1 2 3 4; do sleep 0.5; kill -HUP {nginx.process.pid}; done"])
            result = run(path, "-w", 20, "-d", "3s", "--target", nginx.target, timeout=60)
            reload.wait()
            self.assertEqual(result.code, 0, (result.out, result.err))
            self.assertEqual(result.steps["failed"], 0)

    def test_a_session_has_a_version(self):
        with Nginx(self.folder.name) as nginx:
            self.passes("""
                local session = http.session { base = tutti.target, version = 2, share = 'agent', tls = options.tls }
                assert(session:get('/echo').version == '2')
                for _, r in ipairs(session:batch { { url = '/echo' }, { url = '/echo' } }) do assert(r.version == '2', tostring(r)) end
                local fresh = session:get('/echo', { fresh_connection = true })
                assert(fresh.version == '2' and fresh.reused == false)
                assert(session:get('/echo').reused == true)
                http.close()
                assert(session:get('/echo').version == '2')
                """, nginx.target)

    def test_says_what_is_wrong_with_the_options(self):
        with Nginx(self.folder.name) as nginx:
            self.both("""
                local function why(more)
                  local ok, text = pcall(http.get, tutti.target .. '/', more)
                  assert(not ok)
                  return tostring(text)
                end
                assert(why({ version = 3 }):find('version is 1.1 or 2', 1, true))
                assert(why({ version = true }):find('version is 1.1 or 2', 1, true))
                assert(why({ version = 2, share = 'all' }):find('share is "agent"', 1, true))
                assert(why({ share = 'agent' }):find('share needs version = 2', 1, true))
                """, nginx.target)


if __name__ == "__main__":
    unittest.main()
