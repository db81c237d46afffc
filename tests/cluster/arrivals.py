"""A target that records what it received, when and from whom, and is slow in every way that a target can be."""
import asyncio
import dataclasses
import pathlib
import random
import socket
import ssl
import struct
import subprocess
import time

from loop_server import LoopServer

CHUNK_BYTES = 65536
SLOW_CHUNK_S = 0.3
LONGEST_ANSWER_S = 20.0


@dataclasses.dataclass
class Arrival:
    at: float
    source: str  # the address of the agent's host
    what: str  # open, request, bytes, cut
    detail: str

    def __str__(self):
        return f"{self.at:.3f} {self.source}: {self.what} {self.detail}"


class Arrivals(LoopServer):
    """`http`, `door`, `tls`: ports, the first two alike; names are looked up at `address`, port 53. Paths: /now/…, answered at once; /late/…, after up to 20 s;
    /upload/…, read slowly until `is_quick`; /expect/…, with a 100 that comes too late; others likewise at once."""

    def __init__(self, address, folder):
        self.address = address
        self.records = []
        self.is_quick = False
        self.random = random.Random(1)
        self.context = self.certificate(pathlib.Path(folder))
        self.listeners = [socket.create_server((address, 0), backlog=1000) for _ in range(3)]
        self.http, self.door, self.tls = (listener.getsockname()[1] for listener in self.listeners)
        self.names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.names.bind((address, 53))
        self.start()

    def certificate(self, folder):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=target", "-days", "2", "-keyout", folder / "tls.key",
                        "-out", folder / "tls.pem"], check=True, capture_output=True, timeout=60)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.pem", folder / "tls.key")
        return context

    async def begin(self):
        servers = [await asyncio.start_server(serve, sock=listener)
                   for serve, listener in zip((self.serve, self.serve, self.shake_hands), self.listeners)]
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: Names(self), sock=self.names)
        return servers

    def note(self, writer, what, detail=""):
        peer = writer.get_extra_info("peername")
        self.records.append(Arrival(time.monotonic(), peer[0] if peer else "?", what, detail))

    def pause(self):
        return asyncio.sleep(self.random.uniform(0.5, LONGEST_ANSWER_S))

    async def serve(self, reader, writer):
        self.note(writer, "open", "http")
        path = "?"
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
                path = head.split(" ", 2)[1]
                self.note(writer, "request", path)
                await self.answer(path, head, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            self.note(writer, "cut", path)
        except asyncio.CancelledError:
            pass  # we are closing
        finally:
            writer.transport.abort()

    async def answer(self, path, head, reader, writer):
        if path.startswith("/late/"):
            await self.pause()
        if "100-continue" in head:
            self.loop.call_later(5, writer.write, b"HTTP/1.1 100 Continue\r\n\r\n")
        length = next((int(line.split(":")[1]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0)
        while length > 0:
            if path.startswith("/upload/") and not self.is_quick:
                await asyncio.sleep(SLOW_CHUNK_S)
            data = await reader.read(min(CHUNK_BYTES, length))
            if not data:
                raise asyncio.IncompleteReadError(b"", length)
            length -= len(data)
            self.note(writer, "bytes", path)
        if path.startswith(("/upload/", "/expect/")):
            self.note(writer, "whole", path)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()

    async def shake_hands(self, reader, writer):
        """The first flight is answered late; what arrives then is recorded."""
        self.note(writer, "open", "tls")
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = self.context.wrap_bio(into, out, server_side=True)
        try:
            while data := await reader.read(CHUNK_BYTES):
                self.note(writer, "bytes", "tls")
                into.write(data)
                try:
                    server.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                await self.pause()
                writer.write(out.read())
        except (OSError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    def since(self, source, at, *whats):
        return [record for record in list(self.records) if record.source == source and record.at > at and record.what in whats]

    def close(self):
        super().close()
        self.names.close()


class Names(asyncio.DatagramProtocol):
    """Resolves every name to us; some answers are late."""

    def __init__(self, arrivals):
        self.arrivals = arrivals

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        self.arrivals.loop.call_later(self.arrivals.random.uniform(0.5, LONGEST_ANSWER_S), self.answer, data, peer)

    def answer(self, data, peer):
        question = data[12:]
        end = question.index(0) + 5
        is_ipv4 = struct.unpack("!H", question[end - 4:end - 2])[0] == 1
        head = data[:2] + struct.pack("!HHHHH", 0x8180, 1, int(is_ipv4), 0, 0)
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 0, 4) + socket.inet_aton(self.arrivals.address) if is_ipv4 else b""
        self.transport.sendto(head + question[:end] + record, peer)
