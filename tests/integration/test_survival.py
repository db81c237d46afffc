"""Campaigns outlive the coordinator: kill -9 at any instant, another one goes on where it was."""
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from daemon import Agent, Coordinator, Events
from support import TUTTI, Process, environment, script, tutti, wait_until

class Restarted(unittest.TestCase):
    """A coordinator with a folder that outlives it, and agents that find the next one at the same address."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.state = pathlib.Path(self.folder) / "state"
        self.options = ["--state", self.state]
        self.more = {}
        self.coordinator = None
        self.addCleanup(self.end)

    def end(self):
        if self.coordinator is not None:
            self.coordinator.__exit__()
            self.coordinator = None

    def start(self, *options, **more):
        where = {}
        if self.coordinator is not None:
            where = {"listen": self.coordinator.endpoint, "http": f"127.0.0.1:{self.coordinator.port}"}
            self.end()
        self.coordinator = Coordinator(*self.options, *options, **where, **self.more, **more)
        self.env = environment(TUTTI_API=f"http://127.0.0.1:{self.coordinator.port}")
        return self.coordinator

    def start_agents(self, *options):
        names = ("a1", "a2", "a3")
        self.agents = [self.enterContext(Agent(self.coordinator.endpoint, name, *self.key_of(name), *options)) for name in names]
        self.coordinator.wait_agents(3)

    def key_of(self, _):
        return []

    def kill(self):
        self.coordinator.process.send_signal(signal.SIGKILL)
        self.coordinator.process.wait()

    def target(self):
        return self.enterContext(Process("target", "--port", 0)).read_until("http://").strip()

    def tutti(self, *arguments, **more):
        return tutti(*arguments, env=self.env, **more)

    def campaign(self, name, *options):
        return Process("start", script(name), "--wait", "--json", f"{self.folder}/report.json", *options, env=self.env)

    def report(self):
        with open(f"{self.folder}/report.json") as file:
            return json.load(file)


class Pad(Restarted):
    WORKERS, RUNS = 25, 150

    def check(self, result):
        self.assertEqual(result.code, 0, f"{result}\n{self.coordinator.log}")
        report = self.report()
        steps = self.WORKERS * self.RUNS
        self.assertEqual([report["steps"][how] for how in ("ok", "failed", "stopped")], [steps, 0, 0])
        self.assertEqual(report["requests"]["read the pad"]["count"], steps * 4 // 5)
        self.assertEqual(report["requests"]["write the pad"]["count"], steps // 5)
        waits = report["waits"]
        self.assertEqual((waits["pad.wait_for_writer"]["count"], waits["pad.wait_for_writer"]["ok"]), (steps * 4 // 5,) * 2)
        rounds = self.WORKERS // 5 * (self.RUNS - 1)
        self.assertEqual((waits["pad.wait_for_readers"]["count"], waits["pad.wait_for_readers"]["ok"]), (rounds,) * 2)
        self.assertEqual((report["verdict"], report["errors"]), ("passed", []))

    def play(self, seed, kills):
        dice = random.Random(seed)
        with self.campaign("pad", "-w", self.WORKERS, "-r", self.RUNS, "--room-size", 5, "--expect-agents", 3,
                           "--target", self.target()) as start:
            start.read_until("campaign 1")
            died = 0
            while start.process.poll() is None and died < kills:
                try:
                    start.process.wait(dice.choice((0.0, 0.05, 0.15, 0.3, 0.6)) * dice.random())
                    break
                except subprocess.TimeoutExpired:
                    pass
                self.kill()
                died += 1
                if dice.random() < 0.2:
                    time.sleep(dice.random() * 2)
                self.start()
            result = start.finish()
        self.assertGreater(died, 2)
        self.check(result)

    def test_killed_at_many_instants(self):
        self.start()
        self.start_agents()
        self.play(1, 20)


class WithKeys(Pad):
    RUNS = 60

    def test_killed_at_many_instants(self):
        keys = f"{self.folder}/keys"
        self.assertEqual(tutti("keygen", keys).code, 0)
        for name in ("a1", "a2", "a3"):
            self.assertEqual(tutti("keygen", keys, "--agent", name, cwd=self.folder).code, 0)
        self.options += ["--keys", keys]
        self.start()
        self.start_agents()
        self.play(2, 6)

    def test_a_key_revoked_while_nobody_was_there(self):
        keys = f"{self.folder}/keys"
        self.assertEqual(tutti("keygen", keys).code, 0)
        for name in ("a1", "a2", "a3"):
            self.assertEqual(tutti("keygen", keys, "--agent", name, cwd=self.folder).code, 0)
        self.options += ["--keys", keys]
        self.start()
        self.start_agents()
        campaign = self.coordinator.create("naps", expect_agents=3, workers=6, duration_ms=6000, on_loss="replace")
        self.coordinator.wait_until(lambda: self.coordinator.show(campaign)["steps"]["ok"] > 20, 20, "no steps")
        self.kill()
        self.assertEqual(tutti("keygen", keys, "--revoke", "a2").code, 0)
        self.start()
        self.coordinator.wait_for("agent a2 is lost: its key was revoked", 5)
        self.assertEqual(self.coordinator.report(campaign)["reason"],
                         "agent a2 (whose key was revoked) was lost; 2 of its 2 workers went on elsewhere")

    def key_of(self, name):
        return ["--key", f"{self.folder}/{name}.key"]


class Instants(Restarted):
    """One instant each."""

    def test_while_it_is_created(self):
        self.start()
        self.start_agents()
        target = self.target()
        dice = random.Random(3)
        for campaign in range(1, 5):
            with self.campaign("pad", "-w", 5, "-r", 3, "--target", target) as start:
                time.sleep(dice.random() * 0.6)  # under way somewhere between nothing and running
                self.kill()
                self.start()
                result = start.finish()
            if result.code == 3 and "no coordinator answers" in result.err:
                continue  # it came when nobody was there
            self.assertEqual(result.code, 0, f"{result}\n{self.coordinator.log}")
            self.assertEqual(self.report()["steps"]["ok"], 15)
        # Nobody asked twice for what was created once.
        campaigns = self.coordinator.get("/v1/campaigns").json["campaigns"]
        self.assertEqual([each["campaign"] for each in campaigns], list(range(1, len(campaigns) + 1)))
        self.assertLessEqual(len(campaigns), 4)
        self.assertEqual({each["verdict"] for each in campaigns}, {"passed"})

    def test_while_it_waits_for_its_agents(self):
        self.start()
        with self.campaign("pad", "-w", 5, "-r", 2, "--expect-agents", 3, "--target", self.target()) as start:
            start.read_until("campaign 1")
            self.kill()
            self.start()
            self.assertIn("campaign 1 goes on: it is created", self.coordinator.log)
            self.start_agents()
            self.assertEqual(start.finish().code, 0)

    def test_while_it_stops(self):
        self.start()
        self.start_agents()
        with self.campaign("waits", "-w", 6) as start:
            start.read_until("campaign 1")
            self.coordinator.wait_state(1, "running")
            self.assertEqual(self.tutti("stop", 1).code, 0)
            self.kill()
            self.start()
            result = start.finish()
        self.assertEqual(result.code, 3, result)
        self.assertEqual(self.report()["verdict"], "aborted")

    def test_for_longer_than_the_lease(self):
        self.start()
        self.start_agents()
        with self.campaign("pad", "-w", 10, "-r", 200, "--room-size", 5, "--expect-agents", 3, "--target", self.target()) as start:
            start.read_until("campaign 1")
            self.coordinator.wait_until(lambda: self.coordinator.show(1)["steps"]["ok"] > 20, 20, "no steps")
            self.kill()
            time.sleep(11)
            self.start()
            result = start.finish()
        self.assertEqual(result.code, 0, f"{result}\n{self.coordinator.log}")
        self.assertEqual(self.report()["steps"]["ok"], 2000)
        self.assertEqual([agent["state"] for agent in self.report()["agents"]], ["finished"] * 3)

    def test_it_is_quick(self):
        self.start()
        self.start_agents()
        with self.campaign("pad", "-w", 5, "-d", "60s", "--target", self.target()) as start:
            start.read_until("campaign 1")
            self.coordinator.wait_until(lambda: self.coordinator.show(1)["steps"]["ok"] > 20, 20, "no steps")
            self.kill()
            time.sleep(3)  # the agents' attempts are as rare as they become
            self.start()
            operations = self.coordinator.metrics()["tutti_operations_total"]
            began = time.monotonic()
            self.coordinator.wait_until(lambda: self.coordinator.metrics()["tutti_operations_total"] > operations + 100, 10, "nothing goes on")
            self.assertLess(time.monotonic() - began, 3)
            self.tutti("stop", 1)
            start.finish()

    def test_who_watches_goes_on_watching(self):
        self.start()
        self.start_agents()
        with self.campaign("pad", "-w", 5, "-d", "3s", "--target", self.target()) as start:
            start.read_until("campaign 1")
            with Process("watch", 1, "--json", env=self.env) as watch:
                watch.read_until("progress")
                self.kill()
                self.start()
                self.assertEqual(watch.finish().code, 0)
            self.assertEqual(start.finish().code, 0)


class Folder(Restarted):
    def test_only_one_coordinator_has_it(self):
        self.start()
        other = tutti("coordinator", "--state", self.state, "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0")
        self.assertEqual(other.code, 2, other)
        self.assertIn("in use by another coordinator", other.err)

    def test_reports_are_there_after_a_restart(self):
        self.start()
        self.start_agents()
        with self.campaign("pad", "-w", 5, "-r", 3, "--expect-agents", 3, "--target", self.target()) as start:
            self.assertEqual(start.finish().code, 0)
        before = self.tutti("report", 1, "--json", "-").out
        self.kill()
        self.start()
        self.assertEqual(json.loads(self.tutti("report", 1, "--json", "-").out), json.loads(before))
        self.assertRegex(self.tutti("status").out, r"(?m)^  1 +\S+pad.lua +passed +5 +3 ")
        self.assertIn("passed", self.tutti("status", 1).out)
        self.assertIn("15 ok", self.tutti("watch", 1).out)
        self.assertIn("has ended", self.tutti("stop", 1).out + self.tutti("stop", 1).err)
        self.coordinator.wait_agents(3)
        self.assertEqual(self.coordinator.create("pad", workers=5, runs=1, target="builtin"), 2)
        self.coordinator.report(2)

    def end_of_a_broken_journal(self, spoil, is_kept=lambda: True):
        self.start()
        self.start_agents()
        campaign = self.coordinator.create("pad", expect_agents=3, workers=5, duration_ms=60000, target="builtin")
        self.coordinator.wait_until(lambda: self.coordinator.show(campaign)["steps"]["ok"] > 20, 20, "no steps")
        wait_until(is_kept, 20, "nothing was kept")
        self.kill()
        spoil(self.state / "journal")
        self.start()
        shown = self.coordinator.show(campaign)
        self.assertEqual((shown["state"], shown["verdict"]), ("ended", "aborted"))
        self.coordinator.wait_agents(3)
        self.assertEqual(self.coordinator.create("pad", workers=5, runs=1, target="builtin"), campaign + 1)
        self.assertEqual(self.coordinator.report(campaign + 1)["verdict"], "passed")
        return self.coordinator.get(f"/v1/campaigns/{campaign}/report").json["reason"]

    def test_a_corrupt_journal(self):
        def spoil(path):
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
        self.assertIn("it is corrupt behind byte", self.end_of_a_broken_journal(spoil))

    def test_another_machine(self):
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip().encode()
        self.assertIn("corrupt", self.end_of_a_broken_journal(lambda path: path.write_bytes(path.read_bytes().replace(boot, boot[::-1]))))

    def test_no_journal_at_all(self):
        """What it has done so far is kept every few seconds."""
        def kept_steps():
            return json.loads((self.state / "reports" / "1.json").read_text())["report"]["steps"]["ok"]
        reason = self.end_of_a_broken_journal(lambda path: path.unlink(), lambda: kept_steps() > 0)
        self.assertIn("there was no journal", reason)
        self.assertGreater(kept_steps(), 0)

    def end_of_a_stale_journal(self, name, **options):
        """As a disk leaves it that could not be written to, nor the file be taken away: agents know better."""
        self.start()
        self.start_agents()
        campaign = self.coordinator.create(name, expect_agents=3, workers=5, duration_ms=600000, **options)

        def has_done(steps):
            self.coordinator.wait_until(lambda: self.coordinator.show(campaign)["steps"]["ok"] > steps, 20, "no steps")

        has_done(20)
        journal = self.state / "journal"
        before = journal.read_bytes()
        has_done(2 * self.coordinator.show(campaign)["steps"]["ok"])
        self.kill()
        journal.write_bytes(before)
        self.start()
        self.coordinator.wait_until(lambda: self.coordinator.show(campaign)["state"] == "ended", 10, "it goes on")
        self.assertEqual(self.coordinator.show(campaign)["verdict"], "aborted")
        self.assertRegex(self.coordinator.get(f"/v1/campaigns/{campaign}/report").json["reason"],
                         "its journal was an older one than agent a[123] knows of: what happened after it is lost")
        self.coordinator.wait_agents(3)
        self.assertEqual(self.coordinator.create("pad", workers=5, runs=1, target="builtin"), campaign + 1)
        self.assertEqual(self.coordinator.report(campaign + 1)["verdict"], "passed")

    def test_a_stale_journal_of_who_has_said_more(self):
        self.end_of_a_stale_journal("pad", target=self.target())

    def test_a_stale_journal_of_who_has_only_listened(self):
        self.end_of_a_stale_journal("naps")

    def test_a_torn_journal_is_cut_off(self):
        self.start()
        self.start_agents()
        with self.campaign("pad", "-w", 5, "-d", "3s", "--target", self.target()) as start:
            start.read_until("campaign 1")
            self.coordinator.wait_until(lambda: self.coordinator.show(1)["steps"]["ok"] > 20, 20, "no steps")
            self.kill()
            with open(self.state / "journal", "ab") as journal:
                journal.write(b"half")
            self.start()
            self.assertIn("its last block was not whole and was cut off", self.coordinator.log)
            self.assertEqual(start.finish().code, 0)


class FullDisk(Restarted):
    def fill(self, policy):
        """So small a journal is full soon."""
        self.start("--journal-max", "100K", "--on-journal-failure", policy)
        self.start_agents()
        with self.campaign("pad", "-w", 5, "-r", 400, "--target", self.target()) as start:
            start.read_until("campaign 1")
            self.coordinator.wait_for("the journal has failed: it would grow beyond the 102400 bytes of --journal-max")
            metrics = self.coordinator.metrics()
            status = self.tutti("status").out
            result = start.finish()
        self.assertEqual(self.coordinator.log.count("error coordinator: the journal has failed"), 1, self.coordinator.log)
        self.assertEqual((metrics["tutti_journal_failed"], metrics["tutti_journal_failures_total"]), (1, 1))
        self.assertIn("the journal has failed", status)
        self.assertEqual((self.state / "journal").exists(), False)
        return result

    def test_campaigns_go_on(self):
        self.assertEqual(self.fill("go-on").code, 0)
        self.assertEqual(self.coordinator.create("pad", workers=5, runs=1, target="builtin"), 2)
        self.coordinator.wait_for("the journal works again")
        self.coordinator.report(2)
        self.assertEqual(self.coordinator.metrics()["tutti_journal_failed"], 0)

    def test_or_campaigns_stop(self):
        result = self.fill("stop")
        self.assertEqual(result.code, 3, result)
        self.assertIn("the journal has failed", self.report()["reason"])

    def test_without_room_no_campaign_begins(self):
        self.start("--journal-max", "100", "--on-journal-failure", "stop")
        with self.campaign("pad", "-w", 5, "--target", "http://127.0.0.1:1") as start:
            result = start.finish()
        self.assertEqual(result.code, 3, result)
        self.assertIn("the journal has failed", result.err)


if __name__ == "__main__":
    unittest.main()
