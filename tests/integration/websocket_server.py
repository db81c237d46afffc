"""A WebSocket server, frame by frame, for tests: as polite or as rude as each test has it."""
import base64
import hashlib
import struct

from threaded_server import ThreadedServer

SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG, FIN, RSV1 = 1, 2, 8, 9, 10, 0x80, 0x40


def frame(first, payload=b""):
    """As a server writes it: not masked."""
    size = len(payload)
    if size <= 125:
        return bytes((first, size)) + payload
    return bytes((first, 126)) + struct.pack(">H", size) + payload if size <= 65535 else bytes((first, 127)) + struct.pack(">Q", size) + payload


def close_frame(code, reason=b""):
    return frame(FIN | CLOSE, struct.pack(">H", code) + reason)


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key.encode() + SUFFIX).digest()).decode()


class Peer:
    """One connection, after its handshake."""

    def __init__(self, connection, path, fields):
        self.connection, self.path, self.fields = connection, path, fields
        self.left = b""

    def take(self, size):
        while len(self.left) < size:
            more = self.connection.recv(1 << 16)
            if not more:
                raise ConnectionError("the client ended the connection")
            self.left += more
        taken, self.left = self.left[:size], self.left[size:]
        return taken

    def read(self):
        """The next frame: its first byte and its payload; it has to be masked."""
        first, second = self.take(2)
        assert second & 0x80, "a client masks its frames"
        size = second & 0x7F
        if size == 126:
            size, = struct.unpack(">H", self.take(2))
            assert size > 125
        elif size == 127:
            size, = struct.unpack(">Q", self.take(8))
            assert size > 65535
        mask = self.take(4)
        payload = self.take(size)
        wide = int.from_bytes(payload, "big") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        return first, wide.to_bytes(size, "big")

    def send(self, data):
        self.connection.sendall(data)


class WebSocketServer(ThreadedServer):
    """Shakes hands, then passes each connection to `behave(peer)`; `answer(path, fields)` may give another answer to the
    handshake than the right one, as bytes."""

    def __init__(self, behave, answer=None, tls=None):
        self.answer, self.tls, self.failures = answer, tls, []
        super().__init__(behave)

    @property
    def url(self):
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def shake_hands(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(4096)
            if not more:
                raise ConnectionError
            head += more
        lines = head.decode().split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        path = lines[0].split(" ")[1]
        answer = self.answer(path, fields) if self.answer else None
        if answer is None:
            answer = right_answer(fields)
        if not answer:
            raise ConnectionError
        connection.sendall(answer)
        return Peer(connection, path, fields)

    def serve(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self.open.append(connection)
            self.behave(self.shake_hands(connection))
        except OSError:
            pass
        except AssertionError as failure:
            self.failures.append(failure)
        finally:
            connection.close()


def right_answer(fields, more=""):
    return (f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_of(fields['sec-websocket-key'])}\r\n{more}\r\n").encode()


def echo(peer):
    """As it should be."""
    while True:
        first, payload = peer.read()
        opcode = first & 0xF
        if opcode == CLOSE:
            peer.send(frame(first, payload))
            return
        if opcode == PING:
            peer.send(frame(FIN | PONG, payload))
        elif opcode in (TEXT, BINARY):
            peer.send(frame(first, payload))
