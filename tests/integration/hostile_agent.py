"""An agent with a key that does what no agent of ours does: link and messages written by hand, and the means to measure the coordinator
meanwhile."""
import multiprocessing
import pathlib
import random
import statistics
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cluster"))
from zmq_peer import Peer, envelope, field, fields, hello, number  # noqa: E402

DEPLOYED, GLOBAL_DONE, OPERATIONS, FAILURE, STATISTICS, BUNDLE_WANTED, GAUGES, ARTIFACT, GOODBYE = 3, 4, 5, 7, 8, 10, 14, 15, 11
WELCOME, REFUSED, DEPLOY, GLOBAL, REPLIES = 16, 17, 18, 19, 22
(PAST, ENDED, READ, RELEASED, WAIT_WRITER, WAIT_READERS, BARRIER, DECLARE, WRITTEN, GET, GET_OR_MAKE, MADE, MAKING_FAILED, SET, CAS, INCR, DELETE,
 WAIT_SET, WAIT_CHANGED, WRITING) = range(1, 21)
REFUSED_OUTCOME = 5
NOBLOCK = 1
SNDTIMEO = 28


def text_value(size, letter=b"x"):
    """A string of the script, as encoded on the wire."""
    return b"s" + struct.pack(">I", size) + letter * size


def run(first, stride, count):
    return number(first) + number(stride) + number(count)


def operation(kind, workers, room=0, name=b"v", step=0, call=0, **more):
    """`workers`: one id, or the bytes of runs. `room`: one more than the room; 0 is the campaign."""
    parts = field(1, kind) + field(2, number(workers) if isinstance(workers, int) else workers)
    parts += (field(3, room) if room else b"") + (field(4, name) if name else b"") + (field(5, step) if step else b"")
    parts += field(7, call) if call else b""
    for place, value in {"timeout_ms": 9, "value": 12, "expected": 13, "text": 14}.items():
        if place in more:
            parts += field(value, more[place])
    if "first_ns" in more:
        parts += field(15, more["first_ns"]) + field(16, more["first_ns"])
    if "digest" in more:
        parts += field(19, more["digest"])
    return field(1, parts)


def histogram(bucket):
    return field(1, number(bucket + 1) + number(1)) + field(2, 1 << 62)


class HostileAgent:
    """`is_acknowledging`: acknowledges what it was sent."""

    def __init__(self, key, endpoint, name="bad"):
        self.peer = Peer(key, connect=endpoint, patience_s=20)
        self.peer.set(SNDTIMEO, 100)
        self.name, self.incarnation = name, random.getrandbits(63) | 1
        self.epoch = self.sequence = self.heard = self.echo = 0
        self.is_acknowledging = True
        self.campaign = self.workers = 0
        self.refusals, self.answers = [], 0
        self.first = 0

    def clock(self):
        return time.monotonic_ns()

    def send(self, message=b"", sequence=None, **other):
        """A numbered message; sequence 0 for an unnumbered one."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        parts = envelope(other.get("incarnation", self.incarnation), other.get("epoch", self.epoch), sequence, self.clock(),
                         other.get("echo", self.echo))
        acknowledged = self.heard if self.is_acknowledging else min(self.heard, 1)
        parts += field(4, other.get("acknowledged", acknowledged))
        try:
            self.peer.send(parts, message)
            return True
        except OSError:
            self.sequence -= 1 if sequence == self.sequence and sequence else 0
            return False

    def of_campaign(self, place, body):
        return field(1, self.campaign) + field(place, body)

    def receive(self, seconds=0.0):
        """Receives what is available."""
        end = time.monotonic() + seconds
        self.peer.set(27, max(1, int(seconds * 1000)))
        try:
            while True:
                parts = self.peer.receive()
                self.take(fields(parts[0]), parts[1] if len(parts) > 1 else b"")
                self.peer.set(27, 1)
                if time.monotonic() > end + 0.5:
                    return
        except TimeoutError:
            return

    def take(self, head, message):
        self.epoch = head.get(2, self.epoch)
        self.echo = max(self.echo, head.get(5, 0))
        sequence = head.get(3, 0)
        if sequence == 0:
            if message:
                self.refusals.append(fields(message).get(REFUSED))
            return
        if sequence != self.heard + 1:
            return
        self.heard = sequence
        if len(message) >= 65536:
            return  # cut by the buffer
        body = fields(message)
        self.answers += REPLIES in body
        if DEPLOY in body:
            self.campaign = body[1]
            self.deployed(fields(body[DEPLOY]))
        elif GLOBAL in body:
            self.send(self.of_campaign(GLOBAL_DONE, field(1, fields(body[GLOBAL]).get(1, 0)) + field(2, 1)))

    def deployed(self, deploy):
        numbers, at = [], deploy.get(3, b"")
        value = shift = 0
        for byte in at:
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                numbers.append(value)
                value = shift = 0
        runs = [tuple(numbers[i:i + 3]) for i in range(0, len(numbers), 3)] if len(numbers) > 1 else [(numbers[0], 1, 1)]
        self.runs = [item for item in runs if len(item) == 3]
        self.workers = sum(item[2] for item in self.runs)
        self.all = b"".join(run(*item) for item in self.runs)
        first, stride, count = max(self.runs, key=lambda item: item[2])
        self.one = [first + stride * i for i in range(min(count, 70000))]
        self.send(self.of_campaign(DEPLOYED, field(2, 1)))

    def join(self, seconds=20):
        end = time.monotonic() + seconds
        while self.heard == 0:
            self.send(hello(self.name), sequence=0)
            self.receive(0.3)
            if time.monotonic() > end:
                raise AssertionError(f"{self.name} was not let in: {self.refusals[-1:]}")

    def await_campaign(self, seconds=20):
        end = time.monotonic() + seconds
        while self.campaign == 0:
            self.receive(0.2)
            self.send(sequence=0)
            if time.monotonic() > end:
                raise AssertionError("no campaign came")

    def operations(self, *items):
        return self.of_campaign(OPERATIONS, b"".join(items))

    def flood(self, messages, seconds, **other):
        """Sends the messages again and again, as fast as possible; heartbeats keep it alive. Returns how many."""
        end = time.monotonic() + seconds
        sent = beat = 0
        while time.monotonic() < end:
            for message in messages:
                sent += self.send(message, **other)
                if time.monotonic() > end:
                    break
            if time.monotonic() - beat > 0.05:
                beat = time.monotonic()
                self.receive()
                self.send(sequence=0)
        return sent

    def linger(self, seconds):
        """Only heartbeats."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.receive(0.1)
            self.send(sequence=0)

    def close(self):
        self.peer.close()


class Prober:
    """An agent that has joined and requests the acknowledgement of the same message again and again."""

    def __init__(self, key, endpoint, pid):
        self.pid, self.times = pid, []
        self.agent = HostileAgent(key, endpoint, "probe")
        self.agent.join()
        self.gauges = field(GAUGES, field(1, 1000) + field(9, field(1, 1)))
        self.agent.send(self.gauges)

    def work(self):
        """Processor time of the coordinator's main thread so far, in seconds: on a shared machine, only that is its own doing."""
        try:
            with open(f"/proc/{self.pid}/task/{self.pid}/schedstat") as file:
                return int(file.read().split()[0]) / 1e9
        except OSError:
            return 0

    def ask(self):
        began, worked = time.monotonic(), self.work()
        self.agent.send(self.gauges, sequence=1)
        self.agent.peer.set(27, 10000)
        try:
            parts = self.agent.peer.receive()
            self.agent.take(fields(parts[0]), parts[1] if len(parts) > 1 else b"")
        except TimeoutError:
            pass
        self.times.append((self.work() - worked, time.monotonic() - began))
        time.sleep(0.004)

    def take(self):
        times, self.times = self.times, []
        if len(times) < 2:
            return (10000.0,) * 6
        return tuple(1000 * value for of_one in zip(*times) for value in spread(of_one))


def spread(values):
    values = sorted(values)
    return statistics.median(values), values[int(len(values) * 0.99) - 1], values[-1]


def probe(pipe, key, endpoint, pid):
    prober = Prober(key, endpoint, pid)
    pipe.send("joined")
    while True:
        prober.ask()
        if pipe.poll():
            pipe.recv()
            pipe.send(prober.take())


class Probe:
    """Such an agent, in a process of its own."""

    def __init__(self, key, endpoint, pid):
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=probe, args=(other, key, endpoint, pid), daemon=True)
        self.process.start()
        self.pipe.recv()

    def take(self):
        """How long the coordinator worked during the round trips since the last time, in milliseconds: the median, the 99th percentile, the
        longest; and the same three of their lengths by the clock."""
        self.pipe.send("take")
        return self.pipe.recv()

    def end(self):
        self.process.kill()
        self.process.join()


class Memory(threading.Thread):
    """The peak resident size of a process."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.is_ended = pid, 0, False

    def run(self):
        while not self.is_ended:
            try:
                with open(f"/proc/{self.pid}/statm") as file:
                    self.most = max(self.most, int(file.read().split()[1]) * 4096)
            except OSError:
                return
            time.sleep(0.01)
