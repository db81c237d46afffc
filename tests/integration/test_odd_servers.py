"""Answers as odd servers give them, to both engines: what a script gets of each, or the kind of its error."""
import pathlib
import socket
import tempfile
import threading
import time
import unittest
import zlib

from support import run
from threaded_server import accept_all

PACKER = zlib.compressobj(9, zlib.DEFLATED, 31)
GZIP = PACKER.compress(b"packed " * 20) + PACKER.flush()


def sized(body=b"ok", extra=b"", line=b"HTTP/1.1 200 OK"):
    return line + b"\r\n" + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


def head(*lines, line=b"HTTP/1.1 200 OK"):
    return line + b"\r\n" + b"".join(field + b"\r\n" for field in lines) + b"\r\n"


CHUNKED = b"Transfer-Encoding: chunked"
PROTOCOL, RESET = "protocol", "reset"
# These go on after what ends the answer. Sent slowly, the rest may be taken for the answer to the next request, by whatever client.
NOT_SLOWLY = {"two-at-once", "204-with-body"}

# name: (the answer, what a script gets of it with the native engine, and with curl where that differs). The server closes after it.
ANSWERS = {
    "no-reason": (sized(line=b"HTTP/1.1 200"), "200 ok"),
    "bare-lf": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "200 ok"),
    "lower-case": (b"http/1.1 200 ok\r\ncontent-length: 2\r\n\r\nok", PROTOCOL),
    "http-1.0": (sized(line=b"HTTP/1.0 200 OK"), "200 ok"),
    "http-1.0-to-end": (head(line=b"HTTP/1.0 200 OK") + b"ok", "200 ok"),
    "to-end": (head() + b"ok", "200 ok"),
    "http-2": (sized(line=b"HTTP/2 200 OK"), PROTOCOL),
    "http-0.9": (b"ok", PROTOCOL),
    "http-1.5": (sized(line=b"HTTP/1.5 200 OK"), "200 ok", PROTOCOL),
    "status-999": (sized(line=b"HTTP/1.1 999 Odd"), "999 ok"),
    "status-99": (sized(line=b"HTTP/1.1 99 Odd"), PROTOCOL),
    "status-2000": (sized(line=b"HTTP/1.1 2000 Odd"), PROTOCOL),
    "chunks": (head(CHUNKED) + b"1\r\no\r\n01;a=\"b\"\r\nk\r\n0\r\n\r\n", "200 ok"),
    "trailer": (head(CHUNKED) + b"2\r\nok\r\n0\r\nX-Later: yes\r\n\r\n", "200 ok"),
    "chunk-without-end": (head(CHUNKED) + b"2\r\nok\r\n", RESET),
    "chunk-cut": (head(CHUNKED) + b"9\r\nok", RESET),
    "chunk-no-number": (head(CHUNKED) + b"xyz\r\nok\r\n0\r\n\r\n", PROTOCOL),
    "chunk-minus": (head(CHUNKED) + b"-2\r\nok\r\n0\r\n\r\n", PROTOCOL),
    "chunk-0x": (head(CHUNKED) + b"0x2\r\nok\r\n0\r\n\r\n", PROTOCOL),
    "chunk-huge": (head(CHUNKED) + b"fffffffffffffffff\r\nok\r\n0\r\n\r\n", PROTOCOL),
    "chunk-too-long": (head(CHUNKED) + b"2\r\nok, and more\r\n0\r\n\r\n", PROTOCOL),
    "length-too-long": (head(b"Content-Length: 9") + b"ok", RESET),
    "length-twice": (head(b"Content-Length: 2", b"Content-Length: 2") + b"ok", PROTOCOL),
    "length-differs": (head(b"Content-Length: 2", b"Content-Length: 9") + b"ok", PROTOCOL),
    "length-list": (head(b"Content-Length: 2, 2") + b"ok", PROTOCOL),
    "length-minus": (head(b"Content-Length: -2") + b"ok", PROTOCOL),
    "length-plus": (head(b"Content-Length: +2") + b"ok", PROTOCOL),
    "length-word": (head(b"Content-Length: two") + b"ok", PROTOCOL),
    "length-empty": (head(b"Content-Length:") + b"ok", PROTOCOL),
    "length-huge": (head(b"Content-Length: 99999999999999999999") + b"ok", PROTOCOL),
    "both": (head(b"Content-Length: 2", CHUNKED) + b"2\r\nok\r\n0\r\n\r\n", PROTOCOL),
    "coding-unknown": (head(b"Transfer-Encoding: cow") + b"ok", PROTOCOL),
    "coding-identity": (head(b"Transfer-Encoding: identity", b"Content-Length: 2") + b"ok", PROTOCOL),
    "folded": (head(b"X-Long: a", b"  b", b"Content-Length: 2") + b"ok", PROTOCOL),
    "space-before-colon": (head(b"X-Name : a", b"Content-Length: 2") + b"ok", PROTOCOL),
    "no-colon": (head(b"what is this", b"Content-Length: 2") + b"ok", PROTOCOL),
    "no-name": (head(b": a", b"Content-Length: 2") + b"ok", PROTOCOL),
    "zero-byte": (head(b"X-Name: a\0b", b"Content-Length: 2") + b"ok", PROTOCOL),
    "bare-cr": (head(b"X-Name: a\rb", b"Content-Length: 2") + b"ok", PROTOCOL),
    "latin-1": (head(b"X-Name: caf\xe9", b"Content-Length: 2") + b"ok", "200 ok"),
    "many-headers": (head(*(b"X-%d: y" % i for i in range(900)), b"Content-Length: 2") + b"ok", "200 ok"),
    "large-head": (head(*(b"X-%d: %s" % (i, b"y" * 1000) for i in range(70)), b"Content-Length: 2") + b"ok", PROTOCOL),
    "100-before": (head(line=b"HTTP/1.1 100 Continue") + sized(), "200 ok"),
    "103-before": (head(b"Link: </a>", line=b"HTTP/1.1 103 Early Hints") + sized(), "200 ok"),
    "100-only": (head(line=b"HTTP/1.1 100 Continue"), RESET),
    "101-unasked": (head(b"Upgrade: h2c", b"Connection: upgrade", line=b"HTTP/1.1 101 Switching Protocols"), PROTOCOL),
    "204-with-body": (sized(line=b"HTTP/1.1 204 No Content"), "204 "),
    "304-with-length": (head(b"Content-Length: 9", line=b"HTTP/1.1 304 Not Modified"), "304 "),
    "205": (sized(b"", line=b"HTTP/1.1 205 Reset Content"), "205 "),
    "two-at-once": (sized() + sized(b"another"), "200 ok"),
    "gzip": (sized(GZIP, b"Content-Encoding: gzip\r\n"), "200 " + "packed " * 20),
    "gzip-not": (sized(b"not packed at all", b"Content-Encoding: gzip\r\n"), PROTOCOL),
    "gzip-cut": (sized(GZIP[:-12], b"Content-Encoding: gzip\r\n"), PROTOCOL),
    "gzip-and-more": (sized(GZIP + b"tail", b"Content-Encoding: gzip\r\n"), PROTOCOL),
    "coding-of-a-cow": (sized(b"moo", b"Content-Encoding: cow\r\n"), "200 moo"),
    "ssh": (b"SSH-2.0-OpenSSH_9.2p1\r\n", PROTOCOL),
    "tls-alert": (b"\x15\x03\x01\x00\x02\x02\x46", PROTOCOL),
    "head-cut": (b"HTTP/1.1 200 OK\r\nContent-Le", RESET),
    "line-cut": (b"HTTP/1.1 2", RESET),
    "nothing": (b"", RESET),
    "redirect-nowhere": (sized(line=b"HTTP/1.1 302 Found"), "302 ok"),
    "redirect-ftp": (sized(extra=b"Location: ftp://127.0.0.1/\r\n", line=b"HTTP/1.1 302 Found"), "redirects"),
    "redirect-round": (sized(extra=b"Location: /redirect-round\r\n", line=b"HTTP/1.1 302 Found"), "redirects"),
    "redirect-odd": (sized(extra=b"Location: ./../no-reason#here\r\n", line=b"HTTP/1.1 301 Moved"), "200 ok"),
}

SCRIPT = """
local tutti, http = require "tutti", require "tutti.http"
tutti.scenario("odd", function()
  for name in ("%s"):gmatch("%%S+") do
    local ok, r = pcall(http.get, tutti.target .. "/" .. name, { follow = true, timeout = 5, name = "odd" })
    tutti.print("<" .. name .. "|" .. (ok and r.status .. " " .. r.body or r.kind) .. ">")
  end
end)
"""


class Server:
    """Answers the paths of ANSWERS; `is_slow`: byte by byte."""

    def __init__(self, is_slow):
        self.is_slow = is_slow
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=accept_all, args=(self.listener, self.serve), daemon=True).start()

    def serve(self, connection):
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    request += piece
                answer = ANSWERS[request.split(b" ")[1][1:].decode()][0]
                pieces = [answer[i:i + 1] for i in range(len(answer))] if self.is_slow and len(answer) < 300 else [answer]
                for piece in pieces:
                    connection.sendall(piece)
                    if len(pieces) > 1:
                        time.sleep(0.0005)
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(10)
                connection.recv(1)
        except OSError:
            pass

    def __enter__(self):
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class OddServers(unittest.TestCase):
    maxDiff = None

    def got(self, engine, is_slow):
        names = [name for name in ANSWERS if not (is_slow and name in NOT_SLOWLY)]
        with tempfile.TemporaryDirectory() as folder, Server(is_slow) as target:
            path = pathlib.Path(folder, "odd.lua")
            path.write_text(SCRIPT % " ".join(names))
            result = run(path, "-w", 1, "-r", 1, "--target", target, "--http-engine", engine, timeout=120)
            self.assertEqual(result.code, 0, result)
            found = dict(piece.split(">")[0].split("|", 1) for piece in result.out.split("<")[1:] if "|" in piece)
            return {name: found.get(name) for name in names}

    def check(self, engine):
        wanted = {name: row[2] if engine == "curl" and len(row) > 2 else row[1] for name, row in ANSWERS.items()}
        for is_slow in (False, True):
            with self.subTest(is_slow=is_slow):
                got = self.got(engine, is_slow)
                self.assertEqual({name: got[name] for name in got if got[name] != wanted[name]},
                                 {name: wanted[name] for name in got if got[name] != wanted[name]})

    def test_native(self):
        self.check("native")

    def test_curl(self):
        self.check("curl")


if __name__ == "__main__":
    unittest.main()
