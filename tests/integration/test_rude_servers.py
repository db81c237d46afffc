"""Servers that refuse, reset, stall, send nonsense or never stop sending: a failed step with its reason, and a run that ends."""
import socket
import struct
import unittest

from support import run
from threaded_server import ThreadedServer

ENGINES = ("native", "curl")


def reset(connection):
    connection.recv(1000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang_up(connection):
    connection.recv(1000)
    connection.close()


def stall(connection):
    connection.recv(1000)


def stall_in_the_middle(connection):
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of")


def nonsense(connection):
    connection.recv(1000)
    connection.sendall(b"\x00\xff\x00 this is no HTTP\r\n" * 100)
    connection.close()


def gigabyte(connection):
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    piece = b"x" * (1 << 20)
    for _ in range(1024):
        connection.sendall(piece)


def headers_without_end(connection):
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-More: " + b"y" * 1000 + b"\r\n")


class RudeServers(unittest.TestCase):
    def one_failed_step(self, url, says, engine):
        result = run("get", "-w", 2, "-r", 1, "--target", url, "--http-engine", engine, timeout=40)
        self.assertEqual((result.code, result.verdict), (1, "failed"), result)
        self.assertEqual((result.steps["ok"], result.steps["failed"]), (0, 2), result)
        message = result.report["errors"][0]["message"]
        self.assertRegex(message.lower(), says, result)
        self.assertIn("get.lua:5", message)
        self.assertLess(result.report["duration_s"], 20)
        (request,) = result.report["requests"].values()
        self.assertEqual((request["count"], request["failed"]), (2, 2), result)

    def test_refuses(self):
        with socket.create_server(("127.0.0.1", 0)) as once:
            port = once.getsockname()[1]
        for engine in ENGINES:
            with self.subTest(engine):
                self.one_failed_step(f"http://127.0.0.1:{port}/", "connect|refused", engine)

    def behaviours(self, engine):
        for behave, says in ((reset, "reset"), (hang_up, "empty|closed|reset|nothing"), (stall, "time"), (stall_in_the_middle, "time"),
                             (nonsense, "http|protocol|reset|weird"), (gigabyte, "large|exceed|maximum|max"),
                             (headers_without_end, "large|header|exceed|protocol")):
            with self.subTest(behave.__name__), ThreadedServer(behave) as server:
                self.one_failed_step(f"http://127.0.0.1:{server.port}/" + ("large" if behave is gigabyte else ""), says, engine)

    def test_behaviours_native(self):
        self.behaviours("native")

    def test_behaviours_curl(self):
        self.behaviours("curl")


if __name__ == "__main__":
    unittest.main()
