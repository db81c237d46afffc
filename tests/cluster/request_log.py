"""A proxy for the target that records each request: when it arrived, from which host, and for what."""
import asyncio
import dataclasses
import datetime
import re
import socket
import time

from loop_server import LoopServer

CHUNK_BYTES = 65536
REQUEST = re.compile(rb"(GET|PUT|POST|DELETE|HEAD) (\S+) HTTP/1\.1\r\n")
LOST = re.compile(r"^(\S+) \w+ coordinator: agent (\S+) is lost", re.MULTILINE)
JOINED = re.compile(r"^(\S+) \w+ coordinator: agent (\S+) has joined", re.MULTILINE)
# Between the coordinator's clock reading, ours, and the wire.
GRACE_S = 0.1


@dataclasses.dataclass
class Request:
    at: float  # wall clock
    source: str
    path: str

    def __str__(self):
        return f"{self.at:.3f} {self.source}: {self.path}"


class RequestLog(LoopServer):
    """Listens at `address`, passes everything on to `target`, both (host, port)."""

    def __init__(self, address, target):
        self.target = target
        self.requests = []
        self.listener = socket.create_server((address, 0), backlog=1000)
        self.port = self.listener.getsockname()[1]
        self.start()

    async def begin(self):
        return [await asyncio.start_server(self.serve, sock=self.listener)]

    async def serve(self, reader, writer):
        source = writer.get_extra_info("peername")[0]
        far_reader, far_writer = await asyncio.open_connection(*self.target)
        back = asyncio.ensure_future(self.carry(far_reader, writer))
        try:
            while data := await reader.read(CHUNK_BYTES):
                now = time.time()
                self.requests += [Request(now, source, found[2].decode(errors="replace")) for found in REQUEST.finditer(data)]
                far_writer.write(data)
                await far_writer.drain()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            back.cancel()
            far_writer.transport.abort()
            writer.transport.abort()

    async def carry(self, reader, writer):
        try:
            while data := await reader.read(CHUNK_BYTES):
                writer.write(data)
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass

    def after_loss(self, cluster):
        """Requests of agents that had been declared lost: until they have joined again, and for good where they belong to a campaign of
        before that."""
        log = "\n".join(one.log for one in cluster.coordinators)
        joins = [(instant(at), name) for at, name in JOINED.findall(log)]
        faults = []
        for at, name in LOST.findall(log):
            lost, address = instant(at), cluster.network[name].address
            # A process that takes the place of a killed one joins as that is declared lost.
            joined = min((when for when, who in joins if who == name and when >= lost), default=float("inf"))
            requests = [request for request in list(self.requests) if request.source == address]
            known = {campaign_of(request) for request in requests if request.at <= lost + GRACE_S}
            faults += [f"agent {name}, lost at {lost:.3f}, joined again at {joined:.3f}: {request}" for request in requests
                       if request.at > lost + GRACE_S and (request.at < joined or campaign_of(request) in known)]
        return faults


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def campaign_of(request):
    """Of a pad of scripts/traced.lua, /pad/CAMPAIGN-ROOM."""
    return request.path.rpartition("/")[2].partition("-")[0]
