"""What scripts see of HTTP, with both engines: TLS options, kinds of errors, and how a report groups them."""
import contextlib
import http.server
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from support import BY_ITS_STEPS, Process, environment, run

ENGINES = ("native", "curl")
HEAD = "local tutti, http = require 'tutti', require 'tutti.http'\n"


def openssl(folder, *arguments):
    subprocess.run(("openssl", *arguments), cwd=folder, check=True, capture_output=True, timeout=60)


def make_certificates(folder):
    """An authority ca.pem; s.pem and c.pem (server and client) signed by it, other.pem by nobody."""
    for name in ("ca", "other"):
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.pem")
    pathlib.Path(folder, "extensions").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("s", "c"):
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", "extensions", "-out", f"{name}.pem")


class Handler(http.server.BaseHTTPRequestHandler):
    """The body says which connection of the server it was, and whose certificate the client has shown."""
    protocol_version = "HTTP/1.1"
    served = 0
    met = threading.Barrier(4)

    def do_GET(self):
        self.served += 1
        if self.path == "/once" and self.served > 1:
            self.close_connection = True  # as a server does whose patience has ended meanwhile
            return
        if self.path == "/meet":
            self.met.wait(timeout=20)  # for three others
        if self.path.startswith("/until-end"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")
            self.close_connection = True
            if self.path == "/until-end/goodbye":
                with contextlib.suppress(OSError):
                    self.connection.unwrap()
            return
        if self.path.startswith("/short"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * (len(self.path) * 7))
            self.close_connection = True
            return
        status = int(self.path.removeprefix("/status/")) if self.path.startswith("/status/") else 200
        shown = self.connection.getpeercert() if hasattr(self.connection, "getpeercert") else None
        name = dict(pair for part in shown["subject"] for pair in part)["commonName"] if shown else "nobody"
        body = f"{self.client_address[1]} {name}".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *arguments):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.context = context

    def finish_request(self, request, client_address):
        if self.context is None:
            super().finish_request(request, client_address)
            return
        with self.context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as wrapped:
            wrapped.do_handshake()
            super().finish_request(wrapped, client_address)

    def handle_error(self, *arguments):
        pass


@contextlib.contextmanager
def serving(context=None):
    server = QuietServer(context)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tutti-http-")
        make_certificates(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def context(self, asks_client=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.folder.name}/s.pem", f"{self.folder.name}/s.key")
        if asks_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(f"{self.folder.name}/ca.pem")
        return context

    def passes(self, body, target, engine, **more):
        path = pathlib.Path(self.folder.name, "script.lua")
        files = "tutti.options { files = { 'ca.pem', 'other.pem', 'c.pem', 'c.key' } }\n"
        path.write_text(HEAD + files + more.get("before", "") + "tutti.scenario('s', function(worker)\n" + body + "\nend)\n")
        return run(path, "-w", more.get("workers", 1), "-r", more.get("steps", 1), "--target", target, "--http-engine", engine, *BY_ITS_STEPS,
                   "--agents", 2 if more.get("workers", 1) > 1 else 1, timeout=60)

    def both(self, body, target, **more):
        for engine in ENGINES:
            with self.subTest(engine):
                result = self.passes(body.replace("'%s'", f"'{engine}'"), target, engine, **more)
                self.assertEqual(result.code, 0, (result.out, result.err))

    def test_trusts_whom_it_is_told_to(self):
        with serving(self.context()) as target:
            self.both("""
                local function kind(tls)
                  local ok, why = pcall(http.get, tutti.target .. '/', { tls = tls, name = 'r' })
                  return ok and 'ok' or why.kind .. ': ' .. why.message
                end
                assert(kind(nil):find('^tls: .*certificate'), kind(nil))
                assert(kind { ca = 'other.pem' }:find('^tls: '), 'another authority')
                assert(kind { ca = 'ca.pem' } == 'ok', kind { ca = 'ca.pem' })
                assert(kind { verify = false } == 'ok')
                -- A connection that was made for other options is not used.
                assert(kind(nil):find('^tls: '), 'the options of another request')
                assert(kind { ca = 'other.pem' }:find('^tls: '), 'another authority')
                """, target)

    def test_trusts_the_authorities_of_the_machine(self):
        with serving(self.context()) as target:
            path = pathlib.Path(self.folder.name, "machine.lua")
            path.write_text(HEAD + "tutti.scenario('s', function() assert(http.get(tutti.target .. '/').status == 200) end)\n")
            for engine in ENGINES:
                for name, code in (("ca.pem", 0), ("other.pem", 1)):
                    with self.subTest(engine=engine, name=name):
                        result = run(path, "-w", 1, "-r", 1, "--target", target, "--http-engine", engine, "--agents", 1,
                                     env=environment(SSL_CERT_FILE=f"{self.folder.name}/{name}", SSL_CERT_DIR="/nonexistent"))
                        self.assertEqual(result.code, code, result)

    def test_keeps_connections_of_the_same_options(self):
        with serving(self.context()) as target:
            self.both("""
                local ca, unverified = { tls = { ca = 'ca.pem' } }, { tls = { verify = false } }
                local first, other = http.get(tutti.target .. '/', ca).body, http.get(tutti.target .. '/', unverified).body
                assert(first ~= other)
                assert(http.get(tutti.target .. '/', { tls = { ca = 'ca.pem' } }).body == first, 'not kept')
                assert(http.get(tutti.target .. '/', unverified).body == other, 'not kept')
                """, target)

    def test_a_body_until_the_end_needs_the_goodbye_of_tls(self):
        with serving(self.context()) as target, serving() as plain:
            self.both(f"""
                local tls = {{ ca = 'ca.pem' }}
                assert(http.get(tutti.target .. '/until-end/goodbye', {{ tls = tls }}).body == 'hello')
                local ok, why = pcall(http.get, tutti.target .. '/until-end/cut', {{ tls = tls, name = 'r' }})
                -- libcurl takes what has come for the whole.
                assert(ok == ('%s' == 'curl') and (ok or why.kind == 'reset'), tostring(why))
                assert(http.get('{plain}/until-end').body == 'hello')
                """, target)

    def test_shows_a_certificate(self):
        pem = {name: pathlib.Path(self.folder.name, name).read_text() for name in ("ca.pem", "c.pem", "c.key")}
        with serving(self.context(asks_client=True)) as target:
            self.both("""
                local function whose(tls)
                  local ok, r = pcall(http.get, tutti.target .. '/', { tls = tls, name = 'r' })
                  return ok and r.body:match(' (.*)') or r.kind .. ': ' .. r.message
                end
                local function assert_whose(name, tls) assert(whose(tls) == name, whose(tls)) end
                assert_whose('c', { ca = 'ca.pem', certificate = 'c.pem', key = 'c.key' })
                assert(whose { ca = 'ca.pem' } ~= 'c', 'the certificate of another request')
                local ca, certificate, key = [[%(ca.pem)s]], [[%(c.pem)s]], [[%(c.key)s]]
                assert_whose('c', { ca = ca, certificate = certificate, key = key })
                assert_whose('c', { ca = ca, certificate = certificate .. key })
                """ % pem, target)

    def test_says_which_text_is_not_good(self):
        with serving(self.context()) as target:
            self.both("""
                local function why(tls)
                  local ok, why = pcall(http.get, tutti.target .. '/', { tls = tls })
                  assert(not ok and why.kind == 'tls', ok and 'ok' or why.kind .. ': ' .. why.message)
                  return why.message:lower()
                end
                local function block(what) return ('-----BEGIN %s-----\\nAAAA\\n-----END %s-----\\n'):format(what, what) end
                local bad = { ca = block 'CERTIFICATE', key = block 'PRIVATE KEY' }
                assert(why { ca = bad.ca }:find('ca'), why { ca = bad.ca })
                local text = why { verify = false, certificate = bad.ca, key = 'c.key' }
                assert(text:find('certificate') and not text:find('key cannot'), text)
                text = why { verify = false, certificate = 'c.pem', key = bad.key }
                assert(text:find('key'), text)
                """, target)

    def test_says_who_is_to_blame(self):
        with socket.create_server(("127.0.0.1", 0)) as once:
            port = once.getsockname()[1]
        self.both(f"""
            local function kind(url)
              local ok, why = pcall(http.get, url, {{ name = 'r', timeout = 5 }})
              return ok and 'ok' or why.kind
            end
            assert(kind('http://127.0.0.1:{port}/') == 'refused', kind('http://127.0.0.1:{port}/'))
            local far = kind('http://255.255.255.255/')
            assert(far == 'unreachable' or far == 'connect', far)
            """, "http://127.0.0.1:1")

    def test_a_response_says_how_it_came(self):
        with serving() as target:
            self.both("""
                local first = http.get(tutti.target .. '/')
                assert(first.version == '1.1', first.version)
                assert('http://' .. first.address == tutti.target, first.address)
                assert(first.reused == false and not first.retried)
                local second = http.get(tutti.target .. '/')
                assert(second.reused == true and not second.retried)
                local again = http.get(tutti.target .. '/once')
                assert(again.status == 200 and again.reused == false, tostring(again.reused))
                assert(again.retried == true, tostring(again.retried))
                """, target)

    def test_a_batch_is_under_way_at_once(self):
        with serving() as target:
            self.both("""
                local meet, many = { url = tutti.target .. '/meet' }, {}
                for _ = 1, 3 do
                  local responses = http.batch { meet, meet, meet, meet }
                  assert(#responses == 4)
                  for _, r in ipairs(responses) do assert(r.status == 200, tostring(r)) end
                end
                -- In order, whichever ends first; what fails is an error object in its place.
                local r = http.batch {
                  { url = tutti.target .. '/status/404' },
                  { url = tutti.target .. '/short/' },
                  { method = 'put', url = tutti.target .. '/status/201', body = 'x', name = 'put' },
                  { url = 'http://127.0.0.1:1/', name = 'refused' },
                  { url = 'ftp://x/', name = 'no' },
                  { url = tutti.target .. '/' },
                }
                assert(r[1].status == 404 and r[2].kind == 'reset' and r[3].status == 201)
                assert(r[4].kind == 'refused' and tostring(r[4]):find('script.lua:%d+: GET http://127.0.0.1:1/'))
                assert(r[5].kind == 'bad_request' and r[6].status == 200 and #r == 6)
                for i = 1, 100 do many[i] = { url = tutti.target .. '/status/' .. 400 + i, name = 'many' } end
                for i, one in ipairs(http.batch(many)) do assert(one.status == 400 + i, one.status or one.message) end
                assert(#http.batch {} == 0)
                """, target)

    def test_a_batch_that_is_wrong_leaves_nothing(self):
        with serving() as target:
            self.both("""
                local function why(...)
                  local ok, text = pcall(http.batch, ...)
                  assert(not ok)
                  return tostring(text)
                end
                local good = { url = tutti.target .. '/meet' }
                local function expect(text, part) assert(text:find(part, 1, true), text) end
                expect(why(), 'http.batch: the requests are a table of tables, not a nil')
                expect(why { good, 'x' }, 'script.lua:6: http.batch: request 2 is a table')
                expect(why { good, {} }, 'script.lua:6: http.batch: request 2: http: the URL is a string, not a nil')
                expect(why { good, good, { url = 'x', tiemout = 1 } }, 'http.batch: request 3: http: ')
                expect(why { good, { url = 'x', timeout = 'y' } }, 'http.batch: request 2: http: timeout is a number')
                assert(http.get(tutti.target .. '/').reused == false)
                """, target)

    def test_a_stop_ends_a_batch(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            for engine in ENGINES:
                with self.subTest(engine):
                    path = pathlib.Path(self.folder.name, "script.lua")
                    path.write_text(HEAD + """
                        tutti.scenario('s', function()
                          local item = { url = tutti.target .. '/', name = 'r' }
                          http.batch { item, item, item, item, item, item, item, item, item }
                        end)""")
                    with Process("run", path, "-w", 3, "--target", f"http://127.0.0.1:{silent.getsockname()[1]}",
                                 "--http-engine", engine) as process:
                        # The six connections of each worker; the requests on them are never answered.
                        held = [silent.accept()[0] for _ in range(18)]
                        os.kill(process.pid, signal.SIGINT)
                        result = process.finish(timeout=20)
                    self.assertEqual(result.code, 130, result)
                    self.assertIn("0 failed", result.out)
                    for connection in held:
                        connection.close()

    def test_listeners_hear_of_each_of_a_batch(self):
        with serving() as target:
            self.both("""
                local r = http.batch { { url = tutti.target .. '/' }, { url = 'http://127.0.0.1:1/' } }
                assert(r[1].status == 200 and r[2].kind == 'refused')
                assert(heard == 'sent sent 200 ', heard)
                """, target, before="""
                heard = ''
                tutti.events(function(event, info)
                  if event == 'sending_request' then heard = heard .. 'sent ' end
                  if event == 'response_received' then heard = heard .. info.status .. ' ' end
                end)
                """)

    def test_a_report_groups_what_is_one_error(self):
        with serving() as target:
            for engine in ENGINES:
                with self.subTest(engine):
                    result = self.passes("""
                        local mode = worker.step % 5
                        local id = ('%d-%d'):format(worker.id, worker.step)
                        if mode == 0 then http.get('http://127.0.0.1:1/a?id=' .. id, { name = 'refused' .. worker.id % 2 }) end
                        if mode == 1 then http.get(tutti.target .. '/short/' .. ('x'):rep(worker.id + worker.step)) end
                        if mode == 2 then error('order ' .. id .. ' is lost after ' .. worker.step * 7 .. ' ms') end
                        if mode == 3 then http.get('http://127.0.0.1:1/b/' .. id) end
                        local status = worker.id % 2 == 0 and 404 or 503
                        local r = http.get(tutti.target .. '/status/' .. status, { name = 'status' })
                        error('status ' .. r.status)""", target, engine, workers=6, steps=20)
                    self.assertEqual(result.steps["failed"], 120, result)
                    errors = result.report["errors"]
                    # The path of /short is part of its name: twenty-five lengths.
                    other = [error for error in errors if "/short/" not in error["message"]]
                    self.assertEqual(sorted(error["count"] for error in other), [12, 12, 12, 12, 24, 24], errors)
                    texts = "\n".join(error["message"] for error in other)
                    for part in ("a?id=", "/b/", "order ", "status 404", "status 503", "script.lua:7: GET http://127.0.0.1:1/a"):
                        self.assertIn(part, texts)

    def test_a_report_tells_scenarios_apart_and_shows_tables(self):
        path = pathlib.Path(self.folder.name, "errors.lua")
        path.write_text(HEAD + """
local function buy() http.get("http://127.0.0.1:1/buy", { name = "buy" }) end
tutti.scenario("browse", function() buy() end)
tutti.scenario("order", function() buy() end)
tutti.scenario("pay", function() error { code = 7, message = "the card is refused" } end)
tutti.scenario("ship", function() error { code = 8, carrier = "none" } end)
""")
        result = run(path, "-w", 3, "--single-run", "--agents", 2)
        self.assertEqual(result.code, 1, result)
        self.assertEqual(sorted((error["scenario"], error["count"]) for error in result.report["errors"]),
                         [("browse", 3), ("order", 3), ("pay", 3), ("ship", 3)])
        messages = {error["scenario"]: error["message"] for error in result.report["errors"]}
        self.assertEqual(messages["browse"], messages["order"])
        self.assertRegex(messages["browse"], r"^errors.lua:3: GET http://127.0.0.1:1/buy: .*refused")
        self.assertEqual((messages["pay"], messages["ship"]), ("the card is refused", '{ carrier = "none", code = 8 }'))
        for line in ("3 × the card is refused\n", '3 × { carrier = "none", code = 8 }\n', ", scenario order\n"):
            self.assertIn(line, result.out)
        buy = result.report["requests"]["buy"]
        self.assertEqual({key: value for key, value in buy.items() if value not in (0, {})}, {"count": 6, "failed": 6, "per_s": buy["per_s"]})
        self.assertEqual(buy["max_ms"], 0)


if __name__ == "__main__":
    unittest.main()
