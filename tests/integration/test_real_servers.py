"""Servers that a user has, the same script, the same counts: nginx (also TLS 1.2 and 1.3), Apache, HAProxy, Python, Node, Go."""
import contextlib
import gzip
import http.server
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from support import run

SMALL, LARGE = b"hello\n", bytes(range(250)) * 800
TEXT = b"".join(b"line %d of a text that can be packed\n" % i for i in range(20000))
WORKERS, STEPS = 4, 10

SCRIPT = """
local tutti, http = require "tutti", require "tutti.http"
local function send(name, method, path, options)
  options.name, options.tls = name, { verify = false }
  return http.request(method, tutti.target .. path, options)
end
tutti.scenario("user", function(worker)
  local r = send("small", "GET", "/small", {})
  assert(r.status == 200 and r.body == "hello\\n", r.status)
  assert(r.reused == (worker.step > 1), "a connection was not kept")
  r = send("large", "GET", "/large", {})
  assert(r.status == 200 and #r.body == 200000, #r.body)
  r = send("head", "HEAD", "/large", {})
  assert(r.status == 200 and r.body == "" and r.headers["content-length"] == "200000", r.headers["content-length"])
  r = send("text", "GET", "/text", {})
  assert(r.headers["content-encoding"] == "gzip" and r.headers["transfer-encoding"] == "chunked", "not packed")
  assert(r.body:sub(1, 6) == "line 0" and #r.body == %d, #r.body)
  r = send("post", "POST", "/taken", { body = ("x"):rep(10000) })
  assert(r.status == 200 and r.body == "taken", r.status .. r.body)
  r = send("none", "GET", "/none", {})
  assert(r.status == 404, r.status)
  r = send("moved", "GET", "/old", { follow = true })
  assert(r.status == 200 and r.body == "hello\\n" and r.url == tutti.target .. "/small", r.url)
  assert(r.reused, "a connection was not kept")
end)
""" % len(TEXT)

NGINX = """
daemon off; worker_processes 1; pid nginx.pid; error_log error.log; user root;
events {}
http {
  access_log off; default_type text/plain;
  gzip on; gzip_min_length 1000; gzip_types text/plain;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  ssl_certificate s.pem; ssl_certificate_key s.key;
  root files;
  server {
    listen 127.0.0.1:%(plain)d;
    include rules;
  }
  server { listen 127.0.0.1:%(tls12)d ssl; ssl_protocols TLSv1.2; include rules; }
  server { listen 127.0.0.1:%(tls13)d ssl; ssl_protocols TLSv1.3; include rules; }
}
"""
NGINX_RULES = """
location = /large { default_type application/octet-stream; }
location = /old { return 301 /small; }
location = /taken { return 200 "taken"; }
"""

APACHE = """
ServerName 127.0.0.1
ServerRoot %(folder)s
PidFile apache.pid
ErrorLog apache.log
Listen 127.0.0.1:%(plain)d
LoadModule mpm_event_module %(modules)s/mod_mpm_event.so
LoadModule authz_core_module %(modules)s/mod_authz_core.so
LoadModule alias_module %(modules)s/mod_alias.so
LoadModule filter_module %(modules)s/mod_filter.so
LoadModule deflate_module %(modules)s/mod_deflate.so
User www-data
Group www-data
DefaultRuntimeDir %(folder)s
DocumentRoot %(folder)s/files
MaxKeepAliveRequests 0
Redirect 301 /old http://127.0.0.1:%(plain)d/small
<Location "/text">
  SetOutputFilter DEFLATE
</Location>
"""

HAPROXY = """
global
  maxconn 100
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend users
  bind 127.0.0.1:%(plain)d
  http-request redirect location /small code 301 if { path /old }
  compression algo gzip
  compression type text/plain
  compression offload
  default_backend python
backend python
  server one 127.0.0.1:%(backend)d
"""

NODE = """
const http = require("http"), zlib = require("zlib"), fs = require("fs");
const files = { "/small": fs.readFileSync("files/small"), "/large": fs.readFileSync("files/large") };
http.createServer((request, response) => {
  let size = 0;
  request.on("data", piece => size += piece.length);
  request.on("end", () => {
    const path = request.url;
    if (path === "/old") { response.writeHead(301, { Location: "/small", "Content-Length": 0 }); response.end(); }
    else if (path === "/taken") { response.end(size === 10000 ? "taken" : "lost"); }
    else if (path === "/text") {
      response.writeHead(200, { "Content-Encoding": "gzip" });
      const packer = zlib.createGzip(); packer.pipe(response); packer.end(fs.readFileSync("files/text"));
    } else if (files[path]) { response.writeHead(200, { "Content-Length": files[path].length }); response.end(files[path]); }
    else { response.writeHead(404); response.end("none"); }
  });
}).listen(+process.argv[2], "127.0.0.1");
"""

GO = """
package main

import ("compress/gzip"; "io"; "net/http"; "os"; "strconv")

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/old":
			http.Redirect(w, r, "/small", 301)
		case "/taken":
			body, _ := io.ReadAll(r.Body)
			if len(body) == 10000 { io.WriteString(w, "taken") }
		case "/text":
			w.Header().Set("Content-Encoding", "gzip")
			w.(http.Flusher).Flush()
			packer := gzip.NewWriter(w)
			file, _ := os.ReadFile("files/text")
			packer.Write(file)
			packer.Close()
		case "/small", "/large":
			file, _ := os.ReadFile("files" + r.URL.Path)
			w.Header().Set("Content-Length", strconv.Itoa(len(file)))
			w.Write(file)
		default:
			http.NotFound(w, r)
		}
	})
	http.ListenAndServe("127.0.0.1:" + os.Args[1], nil)
}
"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files = {"/small": SMALL, "/large": LARGE}

    def answer(self, status, body, **fields):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), "Content-Type": "text/plain", **fields}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        if self.path == "/old":
            self.answer(301, b"", Location="/small")
        elif self.path == "/text" and "gzip" in self.headers.get("Accept-Encoding", ""):
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            packed = gzip.compress(TEXT)
            for piece in (packed[:1000], packed[1000:]):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        elif self.path == "/text":
            self.answer(200, TEXT)
        elif self.path in self.files:
            kind = "application/octet-stream" if self.path == "/large" else "text/plain"
            self.answer(200, self.files[self.path], Content_Type=kind)
        else:
            self.answer(404, b"none")

    do_HEAD = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"taken" if len(body) == 10000 else b"lost")

    def log_message(self, *arguments):
        pass


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def find(*names):
    for name in names:
        path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/local/go/bin")
        if path:
            return path
    return None


class RealServers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.folder = pathlib.Path(cls.stack.enter_context(tempfile.TemporaryDirectory(prefix="tutti-servers-")))
        cls.folder.chmod(0o755)
        (cls.folder / "files").mkdir()
        for name, content in (("small", SMALL), ("large", LARGE), ("text", TEXT), ("taken", b"taken")):
            (cls.folder / "files" / name).write_bytes(content)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-keyout",
                        "s.key", "-out", "s.pem"], cwd=cls.folder, check=True, capture_output=True, timeout=60)
        (cls.folder / "user.lua").write_text(SCRIPT)

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    @contextlib.contextmanager
    def process(self, port, *command):
        log = (self.folder / "out").open("wb")
        process = subprocess.Popen([*map(str, command)], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            for _ in range(200):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                self.assertIsNone(process.poll(), (self.folder / "out").read_text())
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(20)
            log.close()

    @contextlib.contextmanager
    def python(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            server.server_close()

    def program(self, *names):
        path = find(*names)
        if path is None:
            self.skipTest(f"{names[0]} is not installed")
        return path

    def play(self, target):
        for engine in ("native", "curl"):
            with self.subTest(target=target, engine=engine):
                result = run(self.folder / "user.lua", "-w", WORKERS, "-r", STEPS, "--target", target, "--http-engine", engine,
                             "--agents", 1, timeout=60)
                self.assertEqual(result.code, 0, result)
                counts = {name: (row["count"], row["failed"]) for name, row in result.report["requests"].items()}
                all_of = WORKERS * STEPS
                self.assertEqual(counts, {**{name: (all_of, 0) for name in ("small", "large", "head", "text", "post", "moved")},
                                          "none": (all_of, all_of)})

    def test_nginx(self):
        nginx = self.program("nginx")
        ports = {name: free_port() for name in ("plain", "tls12", "tls13")}
        (self.folder / "nginx.conf").write_text(NGINX % ports)
        (self.folder / "rules").write_text(NGINX_RULES)
        with self.process(ports["tls13"], nginx, "-p", self.folder, "-c", "nginx.conf"):
            self.play(f"http://127.0.0.1:{ports['plain']}")
            self.play(f"https://127.0.0.1:{ports['tls12']}")
            self.play(f"https://127.0.0.1:{ports['tls13']}")

    def test_apache(self):
        apache = self.program("apache2", "httpd")
        port = free_port()
        modules = next((path for path in ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules") if os.path.isdir(path)), "modules")
        (self.folder / "apache.conf").write_text(APACHE % {"folder": self.folder, "plain": port, "modules": modules})
        with self.process(port, apache, "-X", "-f", self.folder / "apache.conf"):
            self.play(f"http://127.0.0.1:{port}")

    def test_haproxy(self):
        haproxy = self.program("haproxy")
        port = free_port()
        with self.python() as backend:
            (self.folder / "haproxy.cfg").write_text(HAPROXY % {"plain": port, "backend": backend})
            with self.process(port, haproxy, "-db", "-f", "haproxy.cfg"):
                self.play(f"http://127.0.0.1:{port}")

    def test_python(self):
        with self.python() as port:
            self.play(f"http://127.0.0.1:{port}")

    def test_node(self):
        node = self.program("node", "nodejs")
        port = free_port()
        (self.folder / "server.js").write_text(NODE)
        with self.process(port, node, "server.js", port):
            self.play(f"http://127.0.0.1:{port}")

    def test_go(self):
        go = self.program("go")
        port = free_port()
        (self.folder / "server.go").write_text(GO)
        subprocess.run([go, "build", "-o", "server", "server.go"], cwd=self.folder, check=True, timeout=200,
                       env={**os.environ, "GO111MODULE": "off", "GOFLAGS": "-p=1", "GOPROXY": "off"})
        with self.process(port, self.folder / "server", port):
            self.play(f"http://127.0.0.1:{port}")


if __name__ == "__main__":
    unittest.main()
