"""A WebDriver without a browser, which answers as badly as a test asks it to."""
import base64
import http.server
import json
import socket
import struct
import threading
import urllib.parse

from browsers import Server

PICTURE = b"\x89PNG\r\n\x1a\n of a page"
SOURCE = "<p>how it stood ☃</p>"

# By the text of the selector that a script looks for.
STATUS = {"invalid session id": 404, "no such element": 404, "no such window": 404, "unknown command": 404, "unknown method": 405,
          "invalid argument": 400, "element click intercepted": 400, "insecure certificate": 400, "invalid selector": 400}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def read(self):
        size = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(size).decode()
        self.server.seen.append((self.command, self.path, self.body, self.headers.get("Authorization")))

    def give(self, value, code=200, **more):
        self.raw(json.dumps({"value": value, **more}).encode(), code)

    def raw(self, body, code=200, kind="application/json"):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def error(self, name, message="on purpose", **more):
        self.give({"error": name, "message": message, "stacktrace": "#0 here\n#1 there", **more}, STATUS.get(name, 500))

    def do_POST(self):
        self.read()
        if self.path.endswith("/session"):
            return self.server.new_session(self)
        if self.path.endswith("/element"):
            return self.find(json.loads(self.body)["value"])
        if self.path.endswith("/execute/async") and self.server.is_old:
            return self.error("unknown command")
        if self.path.endswith("/execute/async"):
            self.server.hanging.release()
            self.server.released.wait(60)
            return self.give(None)
        if self.path.endswith("/execute/sync") and json.loads(self.body)["script"] == "return document.readyState":
            return self.error("timeout", "renderer") if self.server.is_hung else self.give("complete")
        if self.path.endswith("/execute/sync"):
            return self.give(self.server.found.pop(0))
        return self.give(None)

    def do_GET(self):
        self.read()
        if self.path == "/driver":
            return self.raw(f"chromium {self.server.url}".encode())
        if self.server.hangs_at and self.path.endswith(self.server.hangs_at):
            self.server.hanging.release()
            self.server.released.wait(60)
        if self.path.endswith("/screenshot") and self.server.picture is None:
            return self.error("unable to capture screen")
        if self.path.endswith("/screenshot"):
            return self.give(base64.b64encode(self.server.picture).decode())
        if self.path.endswith("/source"):
            return self.give(self.server.source)
        return self.give("a title")

    def do_DELETE(self):
        self.read()
        if self.server.deletes_slowly:
            self.server.released.wait(60)
        return self.give(None)

    def find(self, what):
        kind, _, rest = what.partition(":")
        getattr(self, "answer_" + kind)(rest)

    def answer_error(self, name):
        self.error(name)

    def answer_long(self, _):
        self.error("unknown error", "long " * 100_000)

    def answer_lines(self, _):
        self.error("javascript error", "javascript error: first\n  second\n  third", data={"text": "what it said"})

    def answer_old(self, _):
        self.give({"message": "an old driver"}, 200, status=7, sessionId="1")

    def answer_html(self, _):
        self.raw(b"<html>502 Bad Gateway</html>", 502, "text/html")

    def answer_empty(self, _):
        self.raw(b"")

    def answer_text(self, body):
        self.raw(body.encode())

    def answer_bytes(self, _):
        self.raw(bytes(range(256)))

    def answer_deep(self, _):
        self.raw(b'{"value":' + b"[" * 100_000 + b"]" * 100_000 + b"}")

    def answer_element(self, identifier):
        self.give({"element-6066-11e4-a52e-4f735466cecf": identifier})

    def answer_reset(self, _):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def answer_cut(self, _):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"value": "half of')
        self.close_connection = True

    def answer_huge(self, _):
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 30))
        self.end_headers()
        piece = b" " * (1 << 20)
        for _ in range(1 << 10):
            self.wfile.write(piece)

    def answer_hangs(self, _):
        self.server.is_hung = True
        self.error("timeout", "renderer")

    def answer_slow(self, _):
        self.server.released.wait(60)

    def log_message(self, *_):
        pass


class FakeDriver(Server):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.found = [], []
        self.picture, self.source = PICTURE, SOURCE
        self.is_old = self.deletes_slowly = self.is_hung = False
        self.hangs_at = None
        self.hanging, self.released = threading.Semaphore(0), threading.Event()
        self.session = {"sessionId": "a/b c?", "capabilities": {"timeouts": {"script": 30000, "pageLoad": 5000, "implicit": 0}}}

    def new_session(self, handler):
        if isinstance(self.session, bytes):
            handler.raw(self.session)
        elif "name" in self.session:
            handler.error(**self.session)
        else:
            handler.give(self.session)

    def requests(self, method):
        return [(urllib.parse.unquote(path), body) for seen, path, body, _ in self.seen if seen == method]

    def __exit__(self, *_):
        self.released.set()
        super().__exit__()
