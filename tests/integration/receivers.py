"""What tutti sends points to, for the tests: an HTTP receiver that can misbehave, a socket for statsd, and strict readers of what comes."""
import collections
import http.server
import json
import re
import socket
import struct
import threading
import time


class Receiver:
    """An HTTP server that keeps what is posted to it. `behaviour` of each request in turn, the last one for ever: "take", a status,
    "hang", "reset", "slow", or a function that tells from the body."""

    def __init__(self, *behaviour):
        self.behaviour = list(behaviour) or ["take"]
        self.posts, self.taken = [], []
        self.released = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.answer(self, body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that gave up

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def answer(self, handler, body):
        self.posts.append((handler.path, dict(handler.headers), body))
        what = self.behaviour[0] if len(self.behaviour) == 1 else self.behaviour.pop(0)
        what = what(body) if callable(what) else what
        if what == "hang":
            self.released.wait(60)
        elif what == "slow":
            self.released.wait(1.5)
        elif what == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.close_connection = True
            handler.connection.close()
            return
        if what in ("take", "slow"):
            self.taken.append((handler.path, dict(handler.headers), body))
        status = what if isinstance(what, int) else 204
        text = b"" if status == 204 else b"not now\n"
        handler.send_response(status)
        if status == 307:
            handler.send_header("Location", "http://127.0.0.1:9/elsewhere")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


class Datagrams:
    """A UDP socket of statsd."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def all(self):
        self.socket.settimeout(0.2)
        datagrams = []
        try:
            while True:
                datagrams.append(self.socket.recv(65536))
        except TimeoutError:
            return datagrams

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


STATSD = re.compile(rb"([A-Za-z0-9_.\-\x80-\xff()<>%\[\]]+):(-?\d+(?:\.\d+)?(?:e[+-]\d+)?)\|(c|g)")


def read_statsd(datagrams):
    """Sums of the counters, and the last value of each gauge."""
    counters, gauges = collections.Counter(), {}
    for datagram in datagrams:
        assert 0 < len(datagram) <= 1432, len(datagram)
        for line in datagram.split(b"\n"):
            found = STATSD.fullmatch(line)
            assert found, line
            name, value = found.group(1).decode(), float(found.group(2))
            if found.group(3) == b"c":
                counters[name] += value
            else:
                gauges[name] = value
    return counters, gauges


def split_unescaped(text, separator):
    """As the line protocol does: a backslash escapes a comma, an equals sign or a space."""
    parts, part, i = [], "", 0
    while i < len(text):
        if text[i] == "\\" and i + 1 < len(text) and text[i + 1] in ",= ":
            part += text[i : i + 2]
            i += 2
        elif text[i] == separator:
            parts.append(part)
            part, i = "", i + 1
        else:
            part += text[i]
            i += 1
    return [*parts, part]


def unescape(text):
    return re.sub(r"\\([,= ])", r"\1", text)


def read_field(text):
    if re.fullmatch(r"-?\d+i", text):
        return int(text[:-1])
    if text in ("true", "false"):
        return text == "true"
    assert re.fullmatch(r"-?\d+(\.\d+)?(e[+-]\d+)?", text), text
    return float(text)


def read_influx(text):
    """{(measurement, tags, time): fields}: a later line of the same point replaces it, as in the database."""
    points = {}
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        head, fields, time_ns = split_unescaped(line, " ")
        measurement, *tags = split_unescaped(head, ",")
        assert re.fullmatch(r"\w+", measurement), line
        pairs = [split_unescaped(tag, "=") for tag in tags]
        assert all(len(pair) == 2 and pair[0] and pair[1] for pair in pairs), line
        values = [split_unescaped(field, "=") for field in split_unescaped(fields, ",")]
        assert values and all(len(pair) == 2 for pair in values), line
        assert re.fullmatch(r"\d{19}", time_ns), line
        key = (measurement, frozenset((name, unescape(value)) for name, value in pairs), int(time_ns))
        points[key] = {name: read_field(value) for name, value in values}
    return points


def read_varint(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def unsnap(data):
    """The block format of snappy."""
    size, at = read_varint(data, 0)
    out = bytearray()
    while at < len(data):
        tag = data[at]
        kind, at = tag & 3, at + 1
        if kind == 0:
            length = tag >> 2
            if length >= 60:
                extra = length - 59
                length = int.from_bytes(data[at : at + extra], "little")
                at += extra
            length += 1
            out += data[at : at + length]
            at += length
            continue
        if kind == 1:
            length, offset, at = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | data[at], at + 1
        else:
            width = 2 if kind == 2 else 4
            length, offset, at = (tag >> 2) + 1, int.from_bytes(data[at : at + width], "little"), at + width
        assert 0 < offset <= len(out)
        for _ in range(length):
            out.append(out[-offset])
    assert len(out) == size
    return bytes(out)


def read_fields(data):
    """Those of a message of protobuf."""
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        if key & 7 == 0:
            value, at = read_varint(data, at)
        elif key & 7 == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        else:
            assert key & 7 == 2, key
            size, at = read_varint(data, at)
            value, at = data[at : at + size], at + size
            assert len(value) == size
        yield key >> 3, value


def read_remote_write(body):
    """{(name, labels): (value, time in ms)}"""
    samples = {}
    for field, series in read_fields(unsnap(body)):
        assert field == 1, field
        labels, values = [], []
        for inner, value in read_fields(series):
            pair = dict(read_fields(value))
            if inner == 1:
                labels.append((pair[1].decode(), pair[2].decode()))
            else:
                values.append((pair.get(1, 0.0), pair[2]))
        names = [name for name, _ in labels]
        assert names == sorted(set(names)) and names[0] == "__name__", labels
        assert all(value for _, value in labels), labels
        (value,) = values
        key = (labels[0][1], frozenset(labels[1:]))
        assert key not in samples, key
        samples[key] = value
    return samples


def read_otlp(body):
    """{(name, attributes): point}, after a look at each field, its type and its unit."""
    points = {}
    root = json.loads(body)
    assert set(root) == {"resourceMetrics"}, root
    (resource,) = root["resourceMetrics"]
    assert set(resource) == {"resource", "scopeMetrics"}, resource
    attributes = {item["key"]: item["value"]["stringValue"] for item in resource["resource"]["attributes"]}
    assert attributes["service.name"] == "tutti", attributes
    (scope,) = resource["scopeMetrics"]
    for metric in scope["metrics"]:
        kind = ({"sum", "gauge", "histogram"} & set(metric)).pop()
        assert set(metric) == {"name", "description", "unit", kind}, metric
        data = metric[kind]
        if kind != "gauge":
            assert data["aggregationTemporality"] == 2, data
        assert data.get("isMonotonic", False) == (kind == "sum"), data
        for point in data["dataPoints"]:
            key = (metric["name"], frozenset((item["key"], item["value"]["stringValue"]) for item in point["attributes"]))
            assert key not in points, key
            assert re.fullmatch(r"\d{19}", point["timeUnixNano"]), point
            if kind == "histogram":
                assert set(point) == {"attributes", "startTimeUnixNano", "timeUnixNano", "count", "sum", "bucketCounts", "explicitBounds"}, point
                assert len(point["bucketCounts"]) == len(point["explicitBounds"]) + 1, point
                assert point["explicitBounds"] == sorted(point["explicitBounds"]), point
                assert sum(map(int, point["bucketCounts"])) == int(point["count"]), point
            elif kind == "sum":
                assert isinstance(point["asInt"], str) and int(point["asInt"]) >= 0, point
                assert point["startTimeUnixNano"] <= point["timeUnixNano"], point
            else:
                assert isinstance(point["asDouble"], (int, float)), point
            points[key] = {**point, "unit": metric["unit"]}
    return points


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()
