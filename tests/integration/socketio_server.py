"""A Socket.IO server for tests: Engine.IO 3 and 4, WebSocket, polling and the upgrade between them, written by the
specifications. Clients tell it what to do by events: to echo, to ask, to leave, or to send any packet, right or wrong."""
import base64
import binascii
import json
import socket
import struct
import threading
import time
import urllib.parse

from threaded_server import ThreadedServer
from websocket_server import BINARY, CLOSE, FIN, PING, PONG, TEXT, Peer, frame, right_answer

SEPARATOR = "\x1e"


def units(text):
    """As JavaScript counts."""
    return len(text.encode("utf-16-le")) // 2


def encode_payload(version, packets):
    texts = [packet if isinstance(packet, str) else ("b4" if version == 3 else "b") + base64.b64encode(packet).decode() for packet in packets]
    return "".join(f"{units(text)}:{text}" for text in texts) if version == 3 else SEPARATOR.join(texts)


def decode_payload(version, body):
    if version == 4:
        texts = body.split(SEPARATOR)
    else:
        texts, wide = [], body.encode("utf-16-le")
        while wide:
            colon = wide.index(":".encode("utf-16-le"))
            count = int(wide[:colon].decode("utf-16-le"))
            texts.append(wide[colon + 2:colon + 2 + 2 * count].decode("utf-16-le"))
            assert units(texts[-1]) == count
            wide = wide[colon + 2 + 2 * count:]
    prefix = "b4" if version == 3 else "b"
    return [base64.b64decode(text[len(prefix):], validate=True) if text.startswith("b") else text for text in texts]


class Session:
    def __init__(self, server, version, sid, query):
        self.server, self.version, self.sid, self.query = server, version, sid, query
        self.changed = threading.Condition()
        self.outbox, self.peer, self.is_over, self.why = [], None, False, None
        self.namespaces, self.rooms, self.partial, self.asked = set(), set(), None, None
        self.last_pong = time.monotonic()
        self.connection = None

    # Out

    def send(self, *packets):
        """Packets of the engine: texts with their type, or bytes."""
        with self.changed:
            if self.peer is None:
                self.outbox.extend(packets)
                self.changed.notify_all()
                return
            for packet in packets:
                self.write(packet)

    def write(self, packet):
        try:
            if isinstance(packet, str):
                self.peer.send(frame(FIN | TEXT, packet.encode()))
            else:
                self.peer.send(frame(FIN | BINARY, (b"\x04" if self.version == 3 else b"") + packet))
        except OSError:
            pass

    def emit(self, namespace, *values, id=None, kind=2):
        text, found = self.server.encode(namespace, kind, id, list(values))
        self.send("4" + text, *found)

    def cut(self):
        """The connection breaks, without a word."""
        self.end("cut")
        if self.connection:
            self.connection.close_hard()

    def end(self, why):
        with self.changed:
            if self.is_over:
                return
            self.is_over, self.why = True, why
            self.changed.notify_all()
        self.server.ended.append((self.sid, why))
        self.server.sessions.pop(self.sid, None)

    def close(self):
        self.send("1")
        with self.changed:
            self.changed.wait_for(lambda: not self.outbox, 5)
        if self.peer:
            try:
                self.peer.send(frame(FIN | CLOSE, struct.pack(">H", 1000)))
            except OSError:
                pass
        self.end("closed")

    # In

    def take(self, packet):
        if isinstance(packet, bytes):
            return self.take_bytes(packet)
        kind, rest = packet[:1], packet[1:]
        if kind == "1":
            self.end("client left")
        elif kind == "2":
            self.server.pings += 1
            if not self.server.is_mute:
                self.send("3" + rest)
        elif kind == "3":
            self.last_pong = time.monotonic()
        elif kind == "4":
            assert self.partial is None, "a packet in place of an attachment"
            self.take_packet(rest)
        else:
            raise AssertionError(f"packet {packet!r}")

    def take_packet(self, text):
        kind, rest, attachments, namespace, id = int(text[0]), text[1:], 0, "/", None
        if kind in (5, 6):
            digits, _, rest = rest.partition("-")
            attachments = int(digits)
        if rest.startswith("/"):
            namespace, _, rest = rest.partition(",")
        digits = len(rest) - len(rest.lstrip("0123456789"))
        if digits:
            id, rest = int(rest[:digits]), rest[digits:]
        data = json.loads(rest) if rest else None
        if attachments:
            self.partial = (kind - 3, namespace, id, data, attachments, [])
        else:
            self.server.on_packet(self, kind, namespace, id, data)

    def take_bytes(self, data):
        kind, namespace, id, values, attachments, buffers = self.partial
        buffers.append(data)
        if len(buffers) == attachments:
            self.partial = None
            self.server.on_packet(self, kind, namespace, id, put_together(values, buffers))

    def heart(self):
        while not self.is_over:
            time.sleep(self.server.interval)
            if self.server.is_mute or self.is_over:
                continue
            asked = time.monotonic()
            self.send("2")
            while self.last_pong < asked and not self.is_over:
                time.sleep(0.01)
                if time.monotonic() > asked + self.server.timeout:
                    self.server.ended.append((self.sid, "ping timeout"))
                    self.cut()


def put_together(value, buffers):
    if isinstance(value, dict):
        if value.get("_placeholder") is True:
            return buffers[value["num"]]
        return {key: put_together(inner, buffers) for key, inner in value.items()}
    return [put_together(inner, buffers) for inner in value] if isinstance(value, list) else value


def take_apart(value, found):
    if isinstance(value, bytes):
        found.append(value)
        return {"_placeholder": True, "num": len(found) - 1}
    if isinstance(value, dict):
        return {key: take_apart(inner, found) for key, inner in value.items()}
    return [take_apart(inner, found) for inner in value] if isinstance(value, list) else value


class Connection:
    """An HTTP connection, whose requests come one after the other."""

    def __init__(self, connection):
        self.socket, self.left = connection, b""

    def fill(self):
        more = self.socket.recv(1 << 16)
        if not more:
            raise ConnectionError
        self.left += more

    def request(self):
        while b"\r\n\r\n" not in self.left:
            self.fill()
        head, _, self.left = self.left.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        method, target, _ = lines[0].split(" ")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        size = int(fields.get("content-length", "0"))
        while len(self.left) < size:
            self.fill()
        body, self.left = self.left[:size], self.left[size:]
        path, _, query = target.partition("?")
        return method, path, dict(urllib.parse.parse_qsl(query, keep_blank_values=True)), fields, body

    def answer(self, status, body, more=""):
        body = body.encode()
        self.socket.sendall(f"HTTP/1.1 {status} X\r\nContent-Type: text/plain; charset=UTF-8\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def is_gone(self):
        try:
            return self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False

    def close_hard(self):
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        try:
            self.socket.shutdown(2)
        except OSError:
            pass


class SocketIOServer(ThreadedServer):
    """`version`: the Engine.IO that it speaks. `first`, if given, replaces the packets with which a session begins."""

    def __init__(self, version, interval=25, timeout=20, first=None, upgrades=("websocket",), max_payload=1000000):
        self.version, self.interval, self.timeout, self.first, self.upgrades = version, interval, timeout, first, upgrades
        self.max_payload = max_payload
        self.is_mute, self.refuses, self.serial, self.pings = False, False, 0, 0
        self.sessions, self.failures, self.ended, self.seen, self.requests = {}, [], [], [], []
        super().__init__(None)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def encode(self, namespace, kind, id, values):
        found = []
        data = take_apart(values, found)
        text = f"{kind + 3}{len(found)}-" if found else str(kind)
        return text + (namespace + "," if namespace != "/" else "") + ("" if id is None else str(id)) + json.dumps(data), found

    # Transports

    def new_session(self, query):
        self.serial += 1
        session = Session(self, self.version, f"sid{self.serial}", query)
        self.sessions[session.sid] = session
        if self.version == 4:
            threading.Thread(target=session.heart, daemon=True).start()
        return session

    def opening(self, session, has_upgrade):
        if self.first is not None:
            return list(self.first)
        fields = {"sid": session.sid, "upgrades": list(self.upgrades) if has_upgrade else [], "pingInterval": int(self.interval * 1000),
                  "pingTimeout": int(self.timeout * 1000), "maxPayload": self.max_payload}
        packets = ["0" + json.dumps(fields)]
        if self.version == 3:
            session.namespaces.add("/")
            packets.append("40")
        return packets

    def serve(self, accepted):
        connection = Connection(accepted)
        try:
            while True:
                method, path, query, fields, body = connection.request()
                self.requests.append((method, path, query, fields))
                if self.refuses:
                    connection.answer(503, "not now")
                elif path != "/socket.io/" or query.get("EIO") != str(self.version):
                    connection.answer(400, '{"code":5,"message":"Unsupported protocol version"}')
                elif fields.get("upgrade", "").lower() == "websocket":
                    self.serve_websocket(connection, query, fields)
                    return
                elif "sid" not in query:
                    self.begin_polling(connection, query)
                elif query["sid"] not in self.sessions:
                    connection.answer(400, '{"code":1,"message":"Session ID unknown"}')
                elif method == "POST":
                    self.take_post(connection, self.sessions[query["sid"]], fields, body)
                else:
                    self.poll(connection, self.sessions[query["sid"]])
        except OSError:
            pass
        except (AssertionError, ValueError, KeyError, binascii.Error) as failure:
            self.failures.append(failure)
        finally:
            accepted.close()

    def begin_polling(self, connection, query):
        assert query["transport"] == "polling" and (self.version == 4 or query["b64"] == "1")
        session = self.new_session(query)
        session.is_posting = session.is_polled = False
        connection.answer(200, encode_payload(self.version, self.opening(session, True)), "Set-Cookie: io=" + session.sid + "; Path=/\r\n")

    def take_post(self, connection, session, fields, body):
        assert fields["content-type"].startswith("text/plain") and f"io={session.sid}" in fields["cookie"]
        assert not session.is_posting, "two POST at once"
        assert len(body) <= self.max_payload, "a payload larger than maxPayload"
        session.is_posting = True
        session.connection = connection
        for packet in decode_payload(self.version, body.decode()):
            session.take(packet)
        session.is_posting = False
        connection.answer(200, "ok")

    def poll(self, connection, session):
        assert not session.is_polled, "two GET at once"
        session.is_polled, session.connection = True, connection
        with session.changed:
            while not (session.outbox or session.is_over or connection.is_gone()):
                session.changed.wait(0.02)
            if connection.is_gone():
                threading.Thread(target=session.end, args=("poll broken off",)).start()
                raise ConnectionError
            packets, session.outbox = session.outbox, []
            session.changed.notify_all()
        session.is_polled = False
        if session.is_over and session.why == "cut":
            raise ConnectionError
        connection.answer(200, encode_payload(self.version, packets or ["6"]))

    def serve_websocket(self, connection, query, fields):
        connection.socket.sendall(right_answer(fields))
        peer = Peer(connection.socket, "/", fields)
        peer.left = connection.left
        session = self.sessions.get(query.get("sid"))
        if session is None:
            session = self.new_session(query)
            session.connection, session.peer = connection, peer
            for packet in self.opening(session, False):
                session.write(packet)
        elif not self.probe(peer, session):
            return
        session.connection = connection
        try:
            self.read(peer, session)
        finally:
            session.end("transport closed")

    def probe(self, peer, session):
        if peer.read() != (FIN | TEXT, b"2probe"):
            return False
        peer.send(frame(FIN | TEXT, b"3probe"))
        session.send("6")
        if peer.read() != (FIN | TEXT, b"5"):
            return False
        with session.changed:
            session.peer = peer
            waiting, session.outbox = [packet for packet in session.outbox if packet != "6"], []
            for packet in waiting:
                session.write(packet)
        self.seen.append("upgraded")
        return True

    def read(self, peer, session):
        while not session.is_over:
            first, payload = peer.read()
            opcode = first & 0xF
            if opcode == CLOSE:
                self.seen.append(("close", struct.unpack(">H", payload[:2])[0]))
                peer.send(frame(FIN | CLOSE, payload[:2]))
                return
            if opcode == PING:
                peer.send(frame(FIN | PONG, payload))
            elif opcode == TEXT:
                session.take(payload.decode())
            elif opcode == BINARY:
                assert self.version == 4 or payload[:1] == b"\x04"
                session.take(payload if self.version == 4 else payload[1:])

    # What it does

    def on_packet(self, session, kind, namespace, id, data):
        if kind == 0:
            self.on_connect(session, namespace, data)
        elif kind == 1:
            session.namespaces.discard(namespace)
            self.seen.append(("left", namespace))
        elif kind == 3:
            assert id == session.asked
            session.emit(namespace, "answered", *data)
        else:
            assert kind == 2 and namespace in session.namespaces, (kind, namespace)
            getattr(self, "do_" + data[0])(session, namespace, id, data[1:])

    def on_connect(self, session, namespace, data):
        namespace, _, query = namespace.partition("?")
        token = dict(urllib.parse.parse_qsl(query)).get("token") if self.version == 3 else (data or {}).get("token")
        name = "" if namespace == "/" else namespace + ","
        if namespace not in ("/", "/admin") or (namespace == "/admin" and token != "right"):
            why = "not authorized" if namespace == "/admin" else "Invalid namespace"
            session.send(f"44{name}" + (json.dumps(why) if self.version == 3 else json.dumps({"message": why, "data": {"code": 7}})))
            return
        session.namespaces.add(namespace)
        session.send(f"40{name}" + ("" if self.version == 3 else json.dumps({"sid": session.sid + namespace})))

    def do_echo(self, session, namespace, id, values):
        session.emit(namespace, *values, id=id, kind=3) if id is not None else session.emit(namespace, "echo", *values)

    def do_silence(self, session, namespace, id, values):
        pass

    def do_ask(self, session, namespace, id, values):
        session.asked = 7
        session.emit(namespace, "question", *values, id=7)

    def do_join(self, session, namespace, id, values):
        session.rooms.add(values[0])
        session.emit(namespace, len(session.rooms), id=id, kind=3)

    def do_say(self, session, namespace, id, values):
        for other in list(self.sessions.values()):
            if values[0] in other.rooms:
                other.emit(namespace, "said", *values[1:])
        session.emit(namespace, "ok", id=id, kind=3)

    def do_flood(self, session, namespace, id, values):
        for number in range(values[0]):
            session.emit(namespace, values[1], number)

    def do_raw(self, session, namespace, id, values):
        session.send(*[bytes.fromhex(value[1]) if isinstance(value, list) else value for value in values])

    def do_kick(self, session, namespace, id, values):
        session.namespaces.discard(namespace)
        session.send("41" if namespace == "/" else f"41{namespace},")

    def do_close(self, session, namespace, id, values):
        session.close()

    def do_cut(self, session, namespace, id, values):
        session.cut()
