"""A peer on the wire that sends what the test wants: ZeroMQ through ctypes, and just enough protobuf for hello, welcome and refused."""
import ctypes
import ctypes.util
import pathlib
import re
import struct

DEALER, ROUTER = 5, 6
LINGER, RCVTIMEO, CURVE_SERVER, CURVE_PUBLICKEY, CURVE_SECRETKEY, CURVE_SERVERKEY, RCVMORE = 17, 27, 47, 48, 49, 50, 13
SNDMORE = 2
HELLO, WELCOME, REFUSED = 2, 16, 17
LIMITS = pathlib.Path(__file__).resolve().parents[2] / "proto" / "message" / "limits.h"
VERSION = int(re.search(r"define PROTOCOL_VERSION (\d+)u", LIMITS.read_text())[1])


def library():
    zmq = ctypes.CDLL(ctypes.util.find_library("zmq") or "libzmq.so.5", use_errno=True)
    zmq.zmq_ctx_new.restype = zmq.zmq_socket.restype = ctypes.c_void_p
    zmq.zmq_socket.argtypes = [ctypes.c_void_p, ctypes.c_int]
    zmq.zmq_setsockopt.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t]
    zmq.zmq_getsockopt.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    zmq.zmq_send.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    zmq.zmq_recv.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    for name in ("zmq_connect", "zmq_bind"):
        getattr(zmq, name).argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    for name in ("zmq_close", "zmq_ctx_term"):
        getattr(zmq, name).argtypes = [ctypes.c_void_p]
    return zmq


def read_key(path):
    """The words and values of a file of `tutti keygen`."""
    lines = (line.split(" ", 1) for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return dict(lines)


class Peer:
    """Either a DEALER with an agent's key that connects to `connect`, or a ROUTER with the coordinator's that listens on `bind`."""

    def __init__(self, key, connect=None, bind=None, patience_s=20):
        self.zmq = library()
        self.context = self.zmq.zmq_ctx_new()
        self.socket = self.zmq.zmq_socket(self.context, DEALER if connect else ROUTER)
        self.set(LINGER, 0)
        self.set(RCVTIMEO, int(patience_s * 1000))
        self.zmq.zmq_setsockopt(self.socket, CURVE_PUBLICKEY, key["public"].encode(), 41)
        self.zmq.zmq_setsockopt(self.socket, CURVE_SECRETKEY, key["secret"].encode(), 41)
        if connect:
            self.zmq.zmq_setsockopt(self.socket, CURVE_SERVERKEY, key["coordinator"].encode(), 41)
        else:
            self.set(CURVE_SERVER, 1)
        result = self.zmq.zmq_connect(self.socket, connect.encode()) if connect else self.zmq.zmq_bind(self.socket, bind.encode())
        if result != 0:
            raise OSError(ctypes.get_errno(), connect or bind)

    def set(self, option, value):
        self.zmq.zmq_setsockopt(self.socket, option, struct.pack("i", value), 4)

    def send(self, *parts):
        for place, part in enumerate(parts):
            if self.zmq.zmq_send(self.socket, part, len(part), SNDMORE if place + 1 < len(parts) else 0) < 0:
                raise OSError(ctypes.get_errno(), "zmq_send")

    def receive(self):
        parts, more = [], 1
        while more:
            buffer = ctypes.create_string_buffer(65536)
            size = self.zmq.zmq_recv(self.socket, buffer, len(buffer), 0)
            if size < 0:
                raise TimeoutError("nothing came")
            parts.append(buffer.raw[:size])
            flag, length = ctypes.c_int(), ctypes.c_size_t(4)
            self.zmq.zmq_getsockopt(self.socket, RCVMORE, ctypes.byref(flag), ctypes.byref(length))
            more = flag.value
        return parts

    def close(self):
        self.zmq.zmq_close(self.socket)
        self.zmq.zmq_ctx_term(self.context)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def number(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def field(place, value):
    """An integer as a varint, ("fixed", integer) as fixed64, bytes with their length."""
    if isinstance(value, tuple):
        return number(place << 3 | 1) + struct.pack("<Q", value[1])
    if isinstance(value, int):
        return number(place << 3) + number(value)
    return number(place << 3 | 2) + number(len(value)) + value


def fields(data):
    """{place: last value}"""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            found[key >> 3] = varint()
        elif key & 7 == 1:
            found[key >> 3] = struct.unpack("<Q", data[at:at + 8])[0]
            at += 8
        else:
            size = varint()
            found[key >> 3] = data[at:at + size]
            at += size
    return found


def envelope(incarnation, epoch=0, sequence=0, sent_ns=1, echoed_sent_ns=0):
    parts = field(1, ("fixed", incarnation)) + (field(2, ("fixed", epoch)) if epoch else b"")
    return parts + (field(3, sequence) if sequence else b"") + field(5, ("fixed", sent_ns)) + field(6, ("fixed", echoed_sent_ns))


def hello(name, lowest=VERSION, highest=VERSION):
    return field(HELLO, field(1, lowest) + field(2, highest) + field(4, name.encode()) + field(5, b"a-stranger") + field(6, 1)
                 + field(7, 1) + field(8, 1 << 30) + field(9, 1))


def welcome(version, epoch):
    return field(WELCOME, field(1, version) + field(2, ("fixed", epoch)) + field(3, 10000) + field(4, 1000))
