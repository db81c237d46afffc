"""What an agent with a key can do to the coordinator: nothing that others notice. It is refused, left unread or lost, and the log says so."""
import os
import pathlib
import tempfile
import time
import unittest

from daemon import Agent, Coordinator
from hostile_agent import (ARTIFACT, BARRIER, BUNDLE_WANTED, CAS, DECLARE, ENDED, FAILURE, GAUGES, GET, GET_OR_MAKE, GOODBYE, INCR, MADE, PAST, READ,
                           RELEASED, SET, STATISTICS, WAIT_CHANGED, WAIT_READERS, WAIT_SET, WAIT_WRITER, WRITING, WRITTEN, HostileAgent, Memory, Probe,
                           histogram, operation, run, text_value)
from support import tutti
from zmq_peer import field, hello, number, read_key

WORKERS = 200000
MEMORY_MOST = 256 << 20
ROUND_TRIP_MS = 50
IS_MEASURED = not os.environ.get("SANITIZER")  # its memory use is not ours, and everything takes several times as long
SECONDS = float(os.environ.get("HOSTILE_SECONDS", "3" if IS_MEASURED else "1"))
ROOM = 1  # the campaign has one


class HostileAgents(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="tutti-hostile-")))
        self.assertEqual(tutti("keygen", "keys", cwd=self.folder).code, 0)
        for name in ("good", "bad", "probe"):
            self.assertEqual(tutti("keygen", "keys", "--agent", name, cwd=self.folder).code, 0)
        self.coordinator = self.enterContext(Coordinator("--keys", str(self.folder / "keys"), cwd=self.folder))
        self.enterContext(Agent(self.coordinator.endpoint, "good", "--key", str(self.folder / "good.key"), "--capacity", "10"))
        self.coordinator.wait_agents(1)
        self.bad = HostileAgent(read_key(self.folder / "bad.key"), self.coordinator.endpoint)
        self.addCleanup(self.bad.close)
        self.bad.join()
        self.campaign = self.coordinator.create("naps", expect_agents=2, workers=WORKERS + 10, duration_ms=120000)
        self.bad.await_campaign()
        self.assertEqual(self.bad.workers, WORKERS)
        self.probe = Probe(read_key(self.folder / "probe.key"), self.coordinator.endpoint, self.coordinator.pid)
        self.memory = Memory(self.coordinator.pid)
        self.addCleanup(self.probe.end)
        self.memory.start()
        self.bad.linger(0.3)
        self.probe.take()

    def attack(self, messages, seconds=SECONDS, **other):
        """Floods with them, and measures the effect on others."""
        self.bad.flood(messages, seconds, **other)
        self.judge()

    def judge(self, said=None):
        middle, most_of, longest, *clock = self.probe.take()
        metrics = self.coordinator.metrics()
        refused = metrics.get('tutti_agent_refused_messages{agent="bad"}', -1)
        unread = metrics.get('tutti_agent_unread_messages{agent="bad"}', -1)
        print(f"{self.id().rpartition('.')[2]:45} {self.memory.most >> 20:5} MiB  worked in a round trip {middle:6.1f} {most_of:6.1f} "
              f"{longest:6.1f} ms, by the clock " + " ".join(f"{value:6.1f}" for value in clock) + f" ms  refused {refused:.0f}, unread {unread:.0f}", flush=True)
        self.assertIsNone(self.coordinator.process.poll())
        if IS_MEASURED:
            self.assertLess(self.memory.most, MEMORY_MOST)
            self.assertLess(most_of, ROUND_TRIP_MS)
        self.assertLess(len([line for line in self.coordinator.lines if "agent bad" in line]), 40, "it is not said again and again")
        if said:
            self.coordinator.wait_for(said)
        self.memory.is_ended = True

    def one(self, at):
        return self.bad.one[at % len(self.bad.one)]

    def test_the_same_large_value_to_each(self):
        self.bad.send(self.bad.operations(operation(SET, self.one(0), value=text_value(65000), call=1)))
        self.attack([self.bad.operations(*(operation(GET, self.one(2000 * k + i), call=1) for i in range(2000))) for k in range(33)])

    def test_65536_gets_in_one_message(self):
        self.bad.send(self.bad.operations(operation(SET, self.one(0), value=text_value(65000), call=1)))
        self.attack([self.bad.operations(*(operation(GET, self.one(i), call=1) for i in range(65536)))])

    def test_large_values_that_are_never_acknowledged(self):
        self.bad.is_acknowledging = False
        for k in range(500):
            self.bad.send(self.bad.operations(operation(SET, self.one(k), name=b"v%d" % k, value=text_value(65000), call=1)))
        self.attack([self.bad.operations(*(operation(GET, self.one(i), name=b"v%d" % (i % 500), call=2) for i in range(2000)))], 2 * SECONDS)
        self.coordinator.wait_for("agent bad is not read until it acknowledges more")

    def test_values_that_change_while_they_are_read(self):
        self.bad.is_acknowledging = False
        self.attack([self.bad.operations(operation(SET, self.one(k), value=text_value(65000, b"%d" % (k % 10)), call=1),
                                         operation(GET, self.one(k + 1), call=1)) for k in range(100)])

    def test_waits_for_a_change_of_a_large_value(self):
        self.bad.send(self.bad.operations(operation(SET, self.one(0), value=text_value(60000), call=1)))
        self.attack([self.bad.operations(*(operation(WAIT_CHANGED, self.one(10 * k + i), expected=text_value(60000), call=1) for i in range(10)))
                     for k in range(2000)])

    def test_60000_reads_that_name_all_workers(self):
        self.attack([self.bad.operations(*[operation(READ, self.bad.all, ROOM, b"pad", 1)] * 60000)])

    def test_reads_that_name_all_workers_one_by_one(self):
        self.attack([self.bad.operations(operation(READ, self.bad.all, ROOM, b"pad%d" % k, 1)) for k in range(2000)])

    def test_reads_at_instants_with_digests(self):
        self.attack([self.bad.operations(operation(READ, self.bad.all, ROOM, b"pad%d" % k, 1, first_ns=1 + k, digest=bytes([k % 256] * 16)))
                     for k in range(2000)])

    def test_runs_of_one_worker(self):
        runs = b"".join(run(self.one(i), 1, 1) for i in range(60000))
        self.attack([self.bad.operations(operation(READ, runs, ROOM, b"pad%d" % k, 1)) for k in range(20)])

    def test_all_past_many_steps(self):
        for k in range(1, 800):
            self.bad.send(self.bad.operations(operation(READ, self.one(0), ROOM, b"pad", k)))
        self.attack([self.bad.operations(operation(PAST, self.bad.all, 0, b"", k)) for k in range(1, 800)])

    def test_notifiers_by_the_million(self):
        self.attack([self.bad.operations(*(operation(DECLARE, self.one(1000 * k + i), ROOM, b"n%d-%d" % (k, i), 1, call=1) for i in range(1000)))
                     for k in range(100)])

    def test_payloads(self):
        self.attack([self.bad.operations(*(operation(WRITTEN, self.one(15 * k + i), ROOM, b"n%d-%d" % (k, i), 1, call=1, value=text_value(65000))
                                           for i in range(15))) for k in range(200)])

    def test_waits_at_payloads(self):
        for k in range(60):
            self.bad.send(self.bad.operations(*(operation(WRITTEN, self.one(i), ROOM, b"n%d" % (15 * k + i), 1, call=1, value=text_value(65000))
                                                for i in range(15))))
        self.attack([self.bad.operations(*(operation(WAIT_WRITER, self.one(900 * k + i), ROOM, b"n%d" % i, 1) for i in range(900)))
                     for k in range(70)])

    def test_variables_by_the_million(self):
        self.attack([self.bad.operations(*(operation(kind, self.one(1000 * k + i), name=b"v%d-%d" % (k, i), call=1, value=b"t", expected=b"n")
                                           for i in range(1000)))
                     for k, kind in enumerate([GET, SET, CAS, INCR, GET_OR_MAKE, MADE, WAIT_SET] * 15)])

    def test_timeouts_all_at_once(self):
        self.attack([self.bad.operations(*(operation(WAIT_READERS, self.one(1000 * k + i), ROOM, b"\x01" * 200 + b"%d-%d" % (k, i), 1, timeout_ms=1)
                                           for i in range(1000))) for k in range(70)])

    def test_writers_that_nobody_waits_to_be(self):
        self.bad.send(self.bad.operations(operation(PAST, self.bad.all, 0, b"", 1)))
        self.attack([self.bad.operations(*(operation(WAIT_WRITER, self.one(1000 * k + i), ROOM, b"w%d-%d" % (k, i), 1) for i in range(1000)))
                     for k in range(70)])

    def test_workers_of_others(self):
        theirs = [worker for worker in range(40) if worker not in self.bad.one][:10]
        self.assertTrue(theirs)
        self.attack([self.bad.operations(*(operation(SET, theirs[i % len(theirs)], value=b"t", call=i + 1) for i in range(500)))])
        self.coordinator.wait_for("it acts for workers that are not its own")
        self.assertGreater(self.bad.answers, 0)

    def test_rooms_that_there_are_not(self):
        self.attack([self.bad.operations(*(operation(BARRIER, self.one(i), 7 + i, b"gate", 1) for i in range(500)))])
        self.coordinator.wait_for("there is no room")
        self.assertGreater(self.bad.answers, 0)

    def test_too_many_calls_of_one_worker(self):
        self.attack([self.bad.operations(*(operation(GET, self.one(0), call=i + 1) for i in range(2000)))])
        self.coordinator.wait_for("more than 16 calls at the same time")
        self.assertGreater(self.bad.answers, 0)

    def test_values_that_are_none(self):
        self.attack([self.bad.operations(operation(SET, self.one(0), value=b"?", call=1), operation(GET, self.one(1), call=1))])
        self.coordinator.wait_for("operation 0")
        self.assertGreater(self.bad.answers, 0)

    def test_endless_artifacts(self):
        piece = field(1, 0) + field(2, self.one(0)) + field(3, 1) + field(4, 1 << 20) + field(6, b"x" * 262144)
        self.attack([self.bad.of_campaign(ARTIFACT, piece + (field(5, at * 262144) if at else b"")) for at in range(4)])

    def test_endless_names_with_large_histograms(self):
        self.attack([self.bad.of_campaign(STATISTICS, b"".join(
            field(6, field(1, b"r%d-%d" % (k, i)) + field(3, 1) + field(5, histogram(50000))) for i in range(15))) for k in range(200)])

    def test_errors(self):
        self.attack([self.bad.of_campaign(STATISTICS, b"".join(field(8, field(1, b"%d-%d " % (k, i) + b"e" * 1900) + field(2, 1)) for i in range(400)))
                     for k in range(60)])

    def test_failures_of_each_with_a_text(self):
        self.attack([self.bad.operations(*(operation(PAST, self.one(1000 * k + i), 0, b"", 1, text=b"%d-%d " % (k, i) + b"e" * 900) for i in range(1000)))
                     for k in range(70)])

    def test_sightings(self):
        self.attack([self.bad.operations(
            operation(WRITING, self.one(k), ROOM, b"pad%d" % k, 1, first_ns=k + 1),
            *(operation(READ, self.one(i), ROOM, b"pad%d" % k, 1, first_ns=k + 2, digest=number(i).ljust(16, b"d")) for i in range(1000))) for k in range(100)])

    def test_releases_and_ends(self):
        self.attack([self.bad.operations(operation(RELEASED, self.bad.all, 0, b"", first_ns=5)), self.bad.operations(operation(ENDED, self.bad.all, 0, b""))])

    def test_chunks_that_are_not_its_own(self):
        self.attack([self.bad.of_campaign(BUNDLE_WANTED, field(1, b"0" * 64) + field(2, 262144 * k)) for k in range(100)])

    def test_failures_and_gauges(self):
        gauges = field(GAUGES, field(1, 1000) + b"".join(field(9, field(1, 1)) for _ in range(256)))
        self.attack([gauges, self.bad.of_campaign(FAILURE, field(1, self.one(0)) + field(3, b"e" * 2000))])

    def test_hellos_of_a_member(self):
        for k in range(100):
            self.bad.send(self.bad.operations(operation(SET, self.one(k), name=b"v%d" % k, value=text_value(65000), call=1)))
        self.bad.is_acknowledging = False
        self.bad.send(self.bad.operations(*(operation(GET, self.one(i), name=b"v%d" % i, call=2) for i in range(100))))
        self.attack([hello("bad")], sequence=0)

    def test_giant_hellos(self):
        self.attack([hello("bad") + field(2, field(5, b"h" * 900000))], sequence=0, incarnation=4711)

    def test_heartbeats(self):
        self.attack([b""], sequence=0)

    def test_echoes_of_what_was_never_sent(self):
        self.attack([b""], sequence=0, echo=1 << 62)

    def test_sequences_again(self):
        self.attack([self.bad.operations(operation(INCR, self.one(0), value=b"t", call=1))], sequence=1)

    def test_sequences_ahead(self):
        self.attack([b"\xff" * 1000000], sequence=1 << 40)

    def test_acknowledgements_of_what_was_never_sent(self):
        self.attack([b""], sequence=0, acknowledged=1 << 40)
        self.coordinator.wait_for("an envelope that does not belong to its link")

    def test_wrong_incarnations_and_epochs(self):
        self.attack([hello("bad")], sequence=0, incarnation=99, epoch=7)

    def test_bytes_of_the_largest_size(self):
        self.attack([os.urandom(1 << 20)[:1048000]])

    def test_many_items_of_nothing(self):
        self.attack([self.bad.of_campaign(6, b"") + field(22, b"\x0a\x00" * 500000), self.bad.operations(b"\x0a\x00" * 500000)])

    def test_joining_and_leaving(self):
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            self.bad.send(field(GOODBYE, b""))
            self.bad.receive(0.02)
            self.bad.incarnation += 1
            self.bad.sequence = self.bad.heard = self.bad.epoch = self.bad.echo = 0
            self.bad.send(hello("bad"), sequence=0)
            self.bad.receive(0.02)
        self.judge()


if __name__ == "__main__":
    unittest.main()
