"""The fault proxy does what it says, on loopback."""
import socket
import threading
import time
import unittest

from fault_proxy import DOWN, UP, FaultProxy


class Echo:
    """Echoes what it receives."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()
        except OSError:
            pass

    def serve(self, connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass


class Proxy(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.listener.close)
        self.proxy = self.enterContext(FaultProxy(("127.0.0.1", 0), self.echo.address))

    def dial(self):
        connection = self.enterContext(socket.create_connection(self.proxy.address, 10))
        connection.settimeout(10)
        return connection

    def turn(self, connection, data=b"x"):
        """Seconds until all of it came back."""
        begun, got = time.monotonic(), b""
        connection.sendall(data)
        while len(got) < len(data):
            more = connection.recv(65536)
            self.assertTrue(more, "it ended")
            got += more
        self.assertEqual(got, data)
        return time.monotonic() - begun

    def silent(self, connection, data=b"x"):
        connection.sendall(data)
        connection.settimeout(0.3)
        self.assertRaises(TimeoutError, connection.recv, 1)
        connection.settimeout(10)

    def test_passes_on(self):
        self.turn(self.dial(), bytes(range(256)) * 4000)

    def test_delay(self):
        connection = self.dial()
        self.proxy.delay_s, self.proxy.jitter_s = 0.1, 0.1
        self.assertGreater(self.turn(connection), 0.2)
        self.turn(connection, b"in order" * 50000)

    def test_narrow(self):
        self.proxy.bytes_per_s = 200000
        self.assertGreater(self.turn(self.dial(), b"y" * 100000), 0.5)

    def test_held_one_way(self):
        for way in (UP, DOWN):
            connection = self.dial()
            self.turn(connection)
            self.proxy.held = {way}
            self.silent(connection)
            self.proxy.held = frozenset()
            self.assertEqual(connection.recv(1), b"x", "it comes after all")

    def test_swallowed(self):
        connection = self.dial()
        self.turn(connection)
        self.proxy.swallowed = {DOWN}
        self.silent(connection)
        self.proxy.swallowed = frozenset()
        connection.sendall(b"x")
        self.assertRaises(ConnectionResetError, connection.recv, 1)
        self.turn(self.dial())

    def test_reset(self):
        connection = self.dial()
        self.turn(connection)
        self.proxy.reset()
        self.assertRaises(ConnectionResetError, connection.recv, 1)
        self.proxy.is_closed = True
        self.assertRaises(OSError, lambda: self.turn(self.dial()))
        self.proxy.is_closed = False
        self.turn(self.dial())


if __name__ == "__main__":
    unittest.main()
