"""Etherpad as far as its protocol users need it, so that a test can have it break in the middle; and a second Easysync, of texts only,
which knows nothing of the one in the examples."""
import http.server
import json
import re
import threading
import urllib.parse

from websocket_server import CLOSE, FIN, TEXT, Peer, frame, right_answer

OPERATION = re.compile(r"(?:\*[0-9a-z]+)*(?:\|[0-9a-z]+)?([-+=])([0-9a-z]+)")
ATTRIBUTE = re.compile(r"\*([0-9a-z]+)")


def units_of(text):
    """A text with one character for each UTF-16 unit."""
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(data[at] | data[at + 1] << 8) for at in range(0, len(data), 2))


def text_of(units):
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def base_36(number):
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def unpack(changeset):
    """Its pieces: ("=", count), ("-", count), ("+", units)."""
    head, _, bank = changeset.partition("$")
    bank, pieces = units_of(bank), []
    for code, digits in OPERATION.findall(re.sub(r"^Z:[0-9a-z]+[<>][0-9a-z]+", "", head)):
        count = int(digits, 36)
        pieces.append((code, bank[:count] if code == "+" else count))
        if code == "+":
            bank = bank[count:]
    return pieces


def operations(code, units):
    """Of one piece: up to its last newline, and what follows."""
    after = len(units) - (units.rfind("\n") + 1)
    many, lines = len(units) - after, units.count("\n")
    return (f"|{base_36(lines)}{code}{base_36(many)}" if many else "") + (f"{code}{base_36(after)}" if after else "")


def pack(pieces, units):
    """The canonical changeset of pieces for this text, without attributes."""
    merged = []  # [kept, removed, inserted]
    at = 0
    for code, value in pieces:
        if code == "=" or not merged:
            if not merged or merged[-1][1] or merged[-1][2]:
                merged.append(["", "", ""])
        if code == "+":
            merged[-1][2] += value
        else:
            merged[-1]["=-".index(code)] += units[at:at + value]
            at += value
    if merged and not merged[-1][1] and not merged[-1][2]:
        merged.pop()
    removed, inserted = sum(len(each[1]) for each in merged), "".join(each[2] for each in merged)
    delta = len(inserted) - removed
    text = "".join(operations("=", kept) + operations("-", gone) + operations("+", new) for kept, gone, new in merged)
    return f"Z:{base_36(len(units))}{'<' if delta < 0 else '>'}{base_36(abs(delta))}{text}${text_of(inserted)}"


def apply(pieces, units):
    made, at = [], 0
    for code, value in pieces:
        if code == "+":
            made.append(value)
        else:
            if code == "=":
                made.append(units[at:at + value])
            at += value
    return "".join(made) + units[at:]


def follow(first, second):
    """The pieces of `second` after `first`, whose insertions come first."""
    first, second, made = list(first), list(second), []
    while first or second:
        one, other = (first[0] if first else None), (second[0] if second else None)
        if (one and one[0] == "+") or (other and other[0] == "+"):
            is_first = bool(one and one[0] == "+")
            if is_first and other and other[0] == "+":
                breaks = one[1].startswith("\n"), other[1].startswith("\n")
                is_first = breaks[1] if breaks[0] != breaks[1] else True
            made.append(("=", len(first.pop(0)[1])) if is_first else second.pop(0))
        elif not one:
            made.append(second.pop(0))
        elif not other:
            break
        else:
            count = min(one[1], other[1])
            for pieces, piece in ((first, one), (second, other)):
                pieces[0] = (piece[0], piece[1] - count)
                if not pieces[0][1]:
                    pieces.pop(0)
            if one[0] != "-":
                made.append((other[0], count))
    return made


class Pad:
    def __init__(self):
        self.texts, self.revisions = ["\n"], [("Z:1>0$", "")]  # as units; changesets with their authors
        self.users = []

    @property
    def head(self):
        return len(self.revisions) - 1

    def commit(self, base, changeset, author):
        """Adds a revision; an assertion fails if Etherpad would refuse the changeset."""
        pieces = unpack(changeset)
        assert pack(pieces, self.texts[base]) == ATTRIBUTE.sub("", changeset.partition("$")[0]) + "$" + changeset.partition("$")[2], \
            f"not canonical for revision {base}: {changeset}"
        for revision in range(base + 1, self.head + 1):
            pieces = follow(unpack(self.revisions[revision][0]), pieces)
        assert apply(pieces, self.texts[-1]).endswith("\n"), "a pad ends with a newline"
        self.revisions.append((pack(pieces, self.texts[-1]), author))
        self.texts.append(apply(pieces, self.texts[-1]))


class User:
    """A connection after its CLIENT_READY."""

    def __init__(self, peer, author, revision):
        self.peer, self.author, self.revision = peer, author, revision

    def send(self, message):
        self.peer.send(frame(FIN | TEXT, ("42" + json.dumps(["message", message])).encode()))

    def send_data(self, **data):
        self.send({"type": "COLLABROOM", "data": data})


class FakeEtherpad:
    """`before_commit(etherpad, pad, user)` and `after_commit(…)` may do something else than a good server does: True: and nothing
    more. `skips`: revisions that are not sent to anybody."""

    def __init__(self, engine=3, before_commit=None, after_commit=None, is_forgetful=False):
        self.engine, self.before_commit, self.after_commit = engine, before_commit, after_commit
        self.is_forgetful = is_forgetful  # says nothing to those who come back
        self.pads, self.authors, self.skips, self.commits, self.failures = {}, {}, set(), 0, []
        self.lock = threading.RLock()
        etherpad = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                if "Upgrade" in self.headers:
                    self.close_connection = True
                    self.connection.sendall(right_answer({"sec-websocket-key": self.headers["Sec-WebSocket-Key"]}))
                    etherpad.serve(Peer(self.connection, self.path, {}))
                elif self.path.startswith("/socket.io/"):
                    greeting = "0" + json.dumps(etherpad.greeting())
                    self.answer(greeting if etherpad.engine == 4 else f"{len(greeting)}:{greeting}2:40")
                else:
                    self.answer("<!doctype html>")

            def do_POST(self):
                fields = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                function = getattr(etherpad, "api_" + self.path.rpartition("/")[2])
                with etherpad.lock:
                    self.answer(json.dumps({"code": 0, "message": "ok", "data": function(fields["padID"])}))

            def answer(self, text):
                self.send_response(200)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.cut()
        self.server.server_close()

    def api_createPad(self, pad):
        self.pads.setdefault(pad, Pad())

    def api_getText(self, pad):
        return {"text": text_of(self.pads[pad].texts[-1])}

    def api_getRevisionsCount(self, pad):
        return {"revisions": self.pads[pad].head}

    def greeting(self):
        return {"sid": "abc", "upgrades": [], "pingInterval": 25000, "pingTimeout": 20000}

    def cut(self):
        """Breaks all connections, without a word."""
        with self.lock:
            for pad in self.pads.values():
                for user in pad.users:
                    try:
                        user.peer.connection.shutdown(2)
                    except OSError:
                        pass
                pad.users.clear()

    def serve(self, peer):
        assert f"EIO={self.engine}" in peer.path, peer.path
        peer.send(frame(FIN | TEXT, ("0" + json.dumps(self.greeting())).encode()))
        if self.engine == 3:
            peer.send(frame(FIN | TEXT, b"40"))
        user = None
        try:
            while True:
                first, payload = peer.read()
                packet = payload.decode()
                if first == FIN | CLOSE:
                    peer.send(frame(first, payload))
                    return
                if packet == "40" and self.engine == 4:
                    peer.send(frame(FIN | TEXT, b'40{"sid":"def"}'))
                elif packet.startswith("42"):
                    name, message = json.loads(packet[2:])
                    assert name == "message" and message["component"] == "pad", packet
                    with self.lock:
                        if message["type"] == "CLIENT_READY":
                            user = self.enter(peer, message)
                            pad = self.pads[message["padId"]]
                        else:
                            self.take(pad, user, message["data"])
        except (OSError, AssertionError) as failure:
            if isinstance(failure, AssertionError):
                self.failures.append(failure)
                peer.connection.shutdown(2)
        finally:
            with self.lock:
                for pad in self.pads.values():
                    if user in pad.users:
                        pad.users.remove(user)
                        for other in pad.users:
                            other.send_data(type="USER_LEAVE", userInfo={"userId": user.author})

    def enter(self, peer, message):
        assert message["protocolVersion"] == 2 and message["token"].startswith("t."), message
        pad = self.pads[message["padId"]]
        author = self.authors.setdefault(message["token"], f"a.{len(self.authors)}")
        user = User(peer, author, message.get("client_rev", pad.head))
        if message.get("reconnect"):
            self.catch_up(pad, user)
        else:
            user.send({"type": "CLIENT_VARS", "data": {"userId": author, "collab_client_vars": {
                "rev": pad.head, "initialAttributedText": {"text": text_of(pad.texts[-1]), "attribs": ""}, "apool": {"numToAttrib": {}, "nextNum": 0}}}})
        for other in pad.users:
            other.send_data(type="USER_NEWINFO", userInfo={"userId": author, "colorId": 1, "name": None})
            user.send_data(type="USER_NEWINFO", userInfo={"userId": other.author, "colorId": 1, "name": None})
        pad.users.append(user)
        return user

    def catch_up(self, pad, user):
        if self.is_forgetful:
            return
        if user.revision == pad.head:
            user.send_data(type="CLIENT_RECONNECT", noChanges=True, newRev=pad.head)
        for revision in range(user.revision + 1, pad.head + 1):
            changeset, author = pad.revisions[revision]
            user.send_data(type="CLIENT_RECONNECT", headRev=pad.head, newRev=revision, changeset=changeset, author=author,
                           apool={"numToAttrib": {}, "nextNum": 0})
        # Like Etherpad, it does not note what it has sent here, and sends it again with the next revision.

    def take(self, pad, user, data):
        assert data["type"] == "USER_CHANGES", data
        attributes = data["apool"]["numToAttrib"]
        for number in ATTRIBUTE.findall(data["changeset"].partition("$")[0]):
            assert attributes[str(int(number, 36))] == ["author", user.author], "in the name of another"
        if self.before_commit and self.before_commit(self, pad, user):
            return
        pad.commit(data["baseRev"], data["changeset"], user.author)
        self.commits += 1
        if self.after_commit and self.after_commit(self, pad, user):
            return
        for other in pad.users:
            while other.revision < pad.head:
                other.revision += 1
                changeset, author = pad.revisions[other.revision]
                if other.revision in self.skips:
                    continue
                if author == other.author:
                    other.send_data(type="ACCEPT_COMMIT", newRev=other.revision)
                else:
                    other.send_data(type="NEW_CHANGES", newRev=other.revision, changeset=changeset, author=author,
                                    apool={"numToAttrib": {}, "nextNum": 0})
