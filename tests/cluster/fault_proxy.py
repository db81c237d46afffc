"""A TCP proxy that does to connections what networks do: delay, jitter, low bandwidth, silence one way or both, swallowed bytes, resets."""
import asyncio
import random
import socket
import struct

from loop_server import LoopServer

UP, DOWN = "up", "down"  # from the client, and to it
CHUNK_BYTES = 16384


class FaultProxy(LoopServer):
    """Listens at `address` and passes on to `target`, both (host, port). The attributes may be set at any time:
    delay_s and jitter_s of each chunk and way, bytes_per_s of each way and connection (None: no limit), held: ways on which nothing is
    read or passed on until it is let go, swallowed: ways on which everything is read and lost; such a connection is beyond help, and
    reset when that ends. is_closed: who dials is reset at once."""

    def __init__(self, address, target, seed=1):
        self.target = target
        self.random = random.Random(seed)
        self.delay_s = self.jitter_s = 0.0
        self.bytes_per_s = None
        self.held, self.swallowed = frozenset(), frozenset()
        self.is_closed = False
        self.connections = set()
        self.accepted = 0
        self.listener = socket.create_server(address, backlog=100)
        self.address = self.listener.getsockname()
        self.start()

    async def begin(self):
        return [await asyncio.start_server(self.serve, sock=self.listener)]

    async def serve(self, reader, writer):
        self.accepted += 1
        if self.is_closed:
            abort(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            abort(writer)
            return
        connection = Connection(self, writer, far_writer)
        self.connections.add(connection)
        ways = [asyncio.ensure_future(connection.carry(UP, reader, far_writer)), asyncio.ensure_future(connection.carry(DOWN, far_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # we are closing; a task of asyncio's that looks at us minds it
        for way in ways:
            way.cancel()
        connection.abort()
        self.connections.discard(connection)

    def do(self, function):
        """Runs it in the thread of the proxy, and waits for it."""
        async def call():
            function()
        asyncio.run_coroutine_threadsafe(call(), self.loop).result(10)

    def reset(self):
        """Every connection there is ends with a reset."""
        self.do(lambda: [connection.abort() for connection in list(self.connections)])

    def cut(self):
        for connection in list(self.connections):
            connection.abort()


class Connection:
    def __init__(self, proxy, near, far):
        self.proxy, self.near, self.far = proxy, near, far
        self.has_swallowed = False

    def abort(self):
        abort(self.near)
        abort(self.far)

    async def carry(self, way, reader, writer):
        """Ends when either side has."""
        waiting = asyncio.Queue(64)
        deliverer = asyncio.ensure_future(self.deliver(way, waiting, writer))
        try:
            await self.collect(way, reader, waiting)
            await waiting.put(None)
            await deliverer
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            deliverer.cancel()

    async def collect(self, way, reader, waiting):
        proxy, due, free = self.proxy, 0.0, 0.0
        while True:
            while way in proxy.held:
                await asyncio.sleep(0.01)
            data = await reader.read(CHUNK_BYTES)
            if not data:
                return
            if way in proxy.swallowed:
                self.has_swallowed = True
            if self.has_swallowed and way in proxy.swallowed:
                continue
            if self.has_swallowed:
                return
            now = proxy.loop.time()
            if proxy.bytes_per_s:
                free = max(free, now) + len(data) / proxy.bytes_per_s
            due = max(due, free, now + proxy.delay_s + proxy.random.random() * proxy.jitter_s)
            await waiting.put((due, data))

    async def deliver(self, way, waiting, writer):
        proxy = self.proxy
        while (item := await waiting.get()) is not None:
            await asyncio.sleep(max(0.0, item[0] - proxy.loop.time()))
            while way in proxy.held:
                await asyncio.sleep(0.01)
            writer.write(item[1])
            await writer.drain()


def abort(writer):
    """With a reset instead of a regular close."""
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
