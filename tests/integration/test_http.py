"""What scripts see of HTTP, with both engines: TLS options, kinds of errors, and how a report groups them."""
import contextlib
import http.server
import pathlib
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from support import run

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

    def do_GET(self):
        self.served += 1
        if self.path == "/once" and self.served > 1:
            self.close_connection = True  # as a server does whose patience has ended meanwhile
            return
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
        path.write_text(HEAD + files + "tutti.scenario('s', function(worker)\n" + body + "\nend)\n")
        return run(path, "-w", more.get("workers", 1), "-r", more.get("steps", 1), "--target", target, "--http-engine", engine,
                   "--agents", 2 if more.get("workers", 1) > 1 else 1, timeout=60)

    def both(self, body, target):
        for engine in ENGINES:
            with self.subTest(engine):
                result = self.passes(body.replace("'%s'", f"'{engine}'"), target, engine)
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
                -- libcurl does it too, and does not say so.
                assert(again.retried == ('%s' == 'native' or nil), tostring(again.retried))
                """, target)

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


if __name__ == "__main__":
    unittest.main()
