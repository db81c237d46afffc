"""Reads what the workers of scripts/traced.lua have printed, and reports where a promise of the coordination was broken.

A trace is the output of one agent process: lines `trace INSTANT CAMPAIGN ROOM WORKER STEP WHAT DETAIL`, the instant by the one
clock of this machine, taken before a call for what begins and after it for what has ended. So, whatever the order in which things
really happened in between: what is seen to be wrong was wrong."""
import collections
import dataclasses
import re

LINE = re.compile(r"trace (\d+\.\d+) (\w+) (\d+) (\d+) (\d+) (\w+) (.*)")
READING = ("got", "page", "read")
OUTCOMES = ("ok", "timeout", "short", "deadlock", "stopped")

# Without a ramp-up all workers have begun by then.
AT_ONCE_S = 1.0


@dataclasses.dataclass
class Event:
    at: float
    campaign: str
    room: int
    worker: int
    step: int
    what: str
    detail: str
    trace: "Trace" = dataclasses.field(repr=False)

    def __str__(self):
        return f"{self.at:.6f} {self.trace.name}: worker {self.worker}, step {self.step}: {self.what} {self.detail}"


class Trace:
    """The lines of one agent process. `is_doubtful`: it was killed, or may have been declared lost, or cut off: what it did last need
    not have become known, and its waits need not have ended. `shift` is how far its clock is ahead, in seconds. What it told later
    than `until` is left out."""

    def __init__(self, name, text, is_doubtful=False, shift=0.0, until=None):
        self.name, self.is_doubtful = name, is_doubtful
        lines = text.split("\n")[:-1]  # an incomplete line was cut off by a kill
        found = (LINE.search(line) for line in lines)
        events = (Event(float(m[1]) - shift, m[2], int(m[3]), int(m[4]), int(m[5]), m[6], m[7], self) for m in found if m)
        self.events = [event for event in events if until is None or event.at <= until]


class Checker:
    """`is_over`: no campaign runs any more. `outcomes`: how waits may have ended here. `fails_by_waits`: nothing else may have failed a
    step, the target was always there. `again`: campaigns whose workers begin the step in which their agent was lost once more."""

    def __init__(self, traces, sync_timeout_s=60.0, is_over=True, outcomes=OUTCOMES, fails_by_waits=False, again=()):
        self.traces, self.sync_timeout_s, self.is_over = traces, sync_timeout_s, is_over
        self.outcomes, self.fails_by_waits, self.again = outcomes, fails_by_waits, again
        self.events = sorted((event for trace in traces for event in trace.events), key=lambda event: event.at)
        self.faults = []
        self.repeated = self.find_repeated()

    def fault(self, text):
        self.faults.append(text)

    def find_repeated(self):
        """Steps that were begun once more elsewhere, as their campaign wants: what they read and write comes after its time."""
        repeated = set()
        for (campaign, worker, step), events in self.grouped(lambda e: (e.campaign, e.worker, e.step), "begin").items():
            repeated.update((id(event.trace), campaign, worker, step) for event in events[1:] if campaign in self.again)
        return repeated

    def is_repeated(self, event):
        return (id(event.trace), event.campaign, event.worker, event.step) in self.repeated

    def grouped(self, key, *whats):
        groups = collections.defaultdict(list)
        for event in self.events:
            if not whats or event.what in whats:
                groups[key(event)].append(event)
        return groups

    def check(self):
        for check in (self.check_ids, self.check_steps, self.check_fails, self.check_seats, self.check_waits, self.check_writers, self.check_reads,
                      self.check_texts, self.check_counter, self.check_factory, self.check_barriers):
            check()
        return self.faults

    def check_ids(self):
        """A worker runs in one place at a time: it may have moved away from a lost agent, and not come back."""
        for (campaign, worker), events in self.grouped(lambda e: (e.campaign, e.worker)).items():
            left = []
            for before, event in zip(events, events[1:]):
                if event.trace is before.trace:
                    continue
                left.append(before.trace)
                if event.trace in left:
                    self.fault(f"{campaign}: worker {worker} is in two places: {before} and {event}")
                elif not before.trace.is_doubtful:
                    self.fault(f"{campaign}: worker {worker} has left {before.trace.name}, which was not lost: {event}")

    def check_steps(self):
        """No step begins twice, and none before the previous one is over; with `again`, only after a loss."""
        for (campaign, worker), events in self.grouped(lambda e: (e.campaign, e.worker), "begin").items():
            for before, event in zip(events, events[1:]):
                may_repeat = campaign in self.again and event.trace is not before.trace and before.trace.is_doubtful
                if event.step <= before.step and not may_repeat:
                    self.fault(f"{campaign}: worker {worker} goes back from step {before.step} to {event.step}: {event}")

    def check_fails(self):
        """A step fails if one of its waits did."""
        if not self.fails_by_waits:
            return
        for (_, campaign, worker), events in self.grouped(lambda e: (id(e.trace), e.campaign, e.worker)).items():
            for before, event in zip(events, events[1:]):
                if event.what == "fail" and (before.what != "woke" or before.detail.endswith(" ok")):
                    self.fault(f"{campaign}: a step that failed without a reason: {event}, after {before}")

    def check_seats(self):
        agents = {trace.name.partition(".")[0] for trace in self.traces if trace.events}
        for (campaign, room), events in self.grouped(lambda e: (e.campaign, e.room), "here").items():
            first = {}
            size = int(events[0].detail.split()[2])
            begun = min(event.at for event in events)
            for event in events:
                # One that comes later may have moved there from an agent that was killed before its first word.
                if event.at < begun + AT_ONCE_S:
                    first.setdefault(event.worker, event.detail.split()[0])
            most, name = max((count, name) for name, count in collections.Counter(first.values()).items())
            if most > -(-size // len(agents)):
                self.fault(f"{campaign}: {most} of the {size} seats of room {room} are on agent {name}, of {len(agents)} agents")

    def check_waits(self):
        """Each has one end, with an expected outcome, and not too late."""
        for (_, campaign, worker), events in self.grouped(lambda e: (id(e.trace), e.campaign, e.worker), "wait", "woke").items():
            waiting = None
            for event in events:
                if event.what == "wait":
                    waiting = event
                    continue
                name, _, outcome = event.detail.partition(" ")
                if waiting is None or waiting.detail != name:
                    self.fault(f"{campaign}: worker {worker} woke from no wait: {event}")
                elif outcome not in self.outcomes:
                    self.fault(f"{campaign}: worker {worker} woke with {outcome}: {event}")
                elif event.at - waiting.at > self.sync_timeout_s + 5 and not event.trace.is_doubtful:
                    self.fault(f"{campaign}: worker {worker} has waited for {event.at - waiting.at:.1f} s: {event}")
                waiting = None
            if waiting is not None and self.is_over and not waiting.trace.is_doubtful:
                self.fault(f"{campaign}: a wait without an end: {waiting}")

    def check_writers(self):
        """No worker still reads a text when a writer has passed its readers."""
        passed = {}
        for event in self.events:
            if event.what == "passed":
                step = int(event.detail.split()[0])
                passed.setdefault((event.campaign, event.room, step), event)
            elif event.what in READING and not self.is_repeated(event):
                writer = passed.get((event.campaign, event.room, event.step))
                if writer is not None:
                    self.fault(f"{event.campaign}: a writer passed its readers: {writer}; and then {event}")

    def check_reads(self):
        """Readers are counted, each once."""
        reads = self.grouped(lambda e: (e.campaign, e.room, e.step), "read")
        for event in self.events:
            if event.what != "passed":
                continue
            step, count, of = map(int, event.detail.split())
            before = [read for read in reads[event.campaign, event.room, step] if read.at < event.at]
            known = {read.worker for read in before if not read.trace.is_doubtful}
            if count < len(known):
                self.fault(f"{event.campaign}: a read was lost: {event}, but {sorted(known)} have read")
            if count > len({read.worker for read in before}):
                self.fault(f"{event.campaign}: a read was counted twice: {event}, but {sorted(read.worker for read in before)} have read")
            if count > of:
                self.fault(f"{event.campaign}: more reads than readers: {event}")

    def check_texts(self):
        """A reader sees the text of its own campaign, room and step, which its writer had begun to write before."""
        written, once_more = {}, {}
        for event in self.events:
            if event.what == "write":
                written.setdefault(event.detail, event)
                if self.is_repeated(event):
                    once_more.setdefault(event.detail, event)
        for event in self.events:
            if event.what not in ("got", "page"):
                continue
            late = once_more.get(event.detail)
            if event.what == "page" and (self.is_repeated(event) or (late is not None and late.at < event.at)):
                continue
            if event.detail.split("-")[:3] != [event.campaign, str(event.room), str(event.step)]:
                self.fault(f"{event.campaign}: a text of another step: {event}")
            elif event.detail not in written or written[event.detail].at > event.at:
                self.fault(f"{event.campaign}: a text that nobody had written: {event}")

    def check_counter(self):
        """tutti.incr gives each sum once, and a later call a higher one. None is lost or applied twice."""
        for campaign, events in self.grouped(lambda e: e.campaign, "counting", "counted").items():
            began, counted = {}, []
            for event in events:
                if event.what == "counting":
                    began[id(event.trace), event.worker, event.step] = event
                else:
                    counted.append((int(event.detail), event))
            for total, times in collections.Counter(total for total, _ in counted).items():
                if times > 1:
                    self.fault(f"{campaign}: the sum {total} was given {times} times")
            if counted and max(counted, key=lambda item: item[0])[0] > len(began):
                self.fault(f"{campaign}: an increment was applied twice: {max(counted)[0]} of {len(began)} calls")
            self.check_order(campaign, began, counted)

    def check_order(self, campaign, began, counted):
        ended = sorted(((event.at, total) for total, event in counted))
        highest, place = 0, 0
        calls = (((id(e.trace), e.worker, e.step), total, e) for total, e in counted)
        for begin, total, event in sorted(((began[call].at, total, e) for call, total, e in calls if call in began), key=lambda item: item[0]):
            while place < len(ended) and ended[place][0] < begin:
                highest = max(highest, ended[place][1])
                place += 1
            if total <= highest:
                self.fault(f"{campaign}: {highest} had been given already: {event}")

    def check_factory(self):
        for campaign, events in self.grouped(lambda e: e.campaign, "making", "made").items():
            sound = [event for event in events if event.what == "making" and not event.trace.is_doubtful]
            if len(sound) > 1:
                self.fault(f"{campaign}: a factory ran in {len(sound)} workers: {sound[0]} and {sound[1]}")
            for event in events:
                if event.what == "made" and event.detail != campaign:
                    self.fault(f"{campaign}: a variable of another campaign: {event}")

    def check_barriers(self):
        """No worker passes before all that will arrive have arrived, and ranks are in order of arrival."""
        groups = self.grouped(lambda e: (e.campaign, e.room, e.step), "arrive", "through")
        for (campaign, room, step), events in groups.items():
            events = [event for event in events if not self.is_repeated(event)]
            first = next((event for event in events if event.what == "through"), None)
            late = [event for event in events if first is not None and event.what == "arrive" and event.at > first.at]
            if late:
                self.fault(f"{campaign}: a barrier opened before all had arrived: {first}; and then {late[0]}")
            ranks = [event.detail.split()[0] for event in events if event.what == "through"]
            if len(set(ranks)) < len(ranks):
                self.fault(f"{campaign}: two have the same rank at the barrier of room {room}, step {step}")


def check(traces, **more):
    return Checker(traces, **more).check()
