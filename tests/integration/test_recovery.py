"""Campaigns survive the coordinator: kill -9 at any instant, and another one continues where it was."""
import base64
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from daemon import Agent, Coordinator, Events, campaign
from support import ROOT, TUTTI, Process, environment, script, tutti, wait_until

sys.path.insert(0, str(ROOT / "tests" / "browser"))

from fake_driver import PICTURE, SOURCE, FakeDriver  # noqa: E402


class Restarted(unittest.TestCase):
    """A coordinator with a folder that survives it, and agents that find the next one at the same address."""

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
        return died

    def test_killed_at_many_instants(self):
        self.start()
        self.start_agents()
        self.play(1, 20)


class Renewed(Pad):
    """With a journal so small that new bases are written all the time: it is killed at every point of that."""

    MOST = 60000

    def kill(self):
        self.bases += self.coordinator.metrics()["tutti_journal_bases_total"]
        super().kill()
        for file in self.state.glob("journal*"):
            self.assertLess(file.stat().st_size, 4 * self.MOST)
        self.left |= {file.name for file in self.state.glob("journal*")}

    def start(self, *options, **more):
        return super().start("--journal-max", self.MOST, *options, **more)

    def setUp(self):
        super().setUp()
        self.bases, self.left = 0, set()

    def test_killed_at_many_instants(self):
        self.start()
        self.start_agents()
        died = self.play(4, 20)
        self.assertGreater(self.bases, died // 4)
        self.assertLessEqual(self.left, {"journal", "journal.base", "journal.new"})
        self.assertEqual(self.coordinator.metrics()["tutti_journal_failed"], 0)


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
                time.sleep(dice.random() * 0.6)  # anywhere between nothing and running
                self.kill()
                self.start()
                result = start.finish()
            if result.code == 3 and "no coordinator answers" in result.err:
                continue  # the request came while it was down
            self.assertEqual(result.code, 0, f"{result}\n{self.coordinator.log}")
            self.assertEqual(self.report()["steps"]["ok"], 15)
        # What was created once was not requested twice.
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
            time.sleep(3)  # the agents' attempts have their longest interval
            self.start()
            operations = self.coordinator.metrics()["tutti_operations_total"]
            began = time.monotonic()
            self.coordinator.wait_until(lambda: self.coordinator.metrics()["tutti_operations_total"] > operations + 100, 10, "nothing goes on")
            self.assertLess(time.monotonic() - began, 3)
            self.tutti("stop", 1)
            start.finish()

    def artifacts(self, campaign):
        answers = [self.coordinator.get(f"/v1/campaigns/{campaign}/artifacts/{number}") for number in range(1, 5)]
        return sorted((answer.status, answer.headers["Content-Type"], answer.body) for answer in answers)

    def test_what_failed_steps_have_left_is_still_there(self):
        self.start()
        self.start_agents()
        with FakeDriver() as driver:
            first = self.coordinator.create("fails-in-a-browser", 2, workers=2, runs=1, target=driver.url)
            self.coordinator.report(first)
            # A campaign that is alive when the process dies.
            second = self.coordinator.create("fails-in-a-browser", 2, workers=2, runs=2, target=driver.url, delay_ms=600000)
            self.coordinator.wait_until(lambda: self.coordinator.show(second)["steps"]["failed"] == 2, 20, "no steps failed")
            self.coordinator.wait_until(lambda: self.artifacts(second)[-1][0] == 200, 20, "nothing is left")
            before = self.artifacts(first)
            self.assertEqual([(status, body) for status, _, body in before],
                             sorted([(200, PICTURE), (200, SOURCE.encode())] * 2, key=lambda one: (one[0], one[1] != PICTURE)))
            for _ in range(2):
                self.kill()
                self.start()
                self.assertEqual(self.artifacts(first), before)
                self.assertEqual(self.artifacts(second), before)
                self.assertEqual(len(self.coordinator.get(f"/v1/campaigns/{first}/report").json["artifacts"]), 4)
            self.assertEqual(self.coordinator.get(f"/v1/campaigns/{first}/artifacts/5").status, 404)
            self.tutti("stop", second)
            self.coordinator.report(second)

    def test_what_is_none_of_ours_is_told_of_once(self):
        (self.state / "artifacts").mkdir(0o700, parents=True)
        self.state.chmod(0o700)
        (self.state / "artifacts" / "1-01.png").mkdir()
        (self.state / "artifacts" / "notes.txt").symlink_to("/etc/passwd")
        self.start()
        self.assertEqual(self.coordinator.log.count(f"2 files in {self.state}/artifacts are not an artifact of a failed step"), 1)

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
        self.assertRegex(self.tutti("status").out, r"(?m)^  1 +\S*pad.lua +passed +5 +3 ")
        self.assertIn("passed", self.tutti("status", 1).out)
        self.assertIn("15 ok", self.tutti("watch", 1).out)
        self.assertIn("has already ended", self.tutti("stop", 1).out + self.tutti("stop", 1).err)
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
        self.assertIn("it is corrupt after byte", self.end_of_a_broken_journal(spoil))

    def test_another_format(self):
        reason = self.end_of_a_broken_journal(lambda path: path.write_bytes(b"tutti journal 4\n" + path.read_bytes()))
        self.assertIn("it has format 4, and this build of tutti reads format 3", reason)

    def test_a_pipe_for_a_journal(self):
        """It does not wait for the other end."""
        def spoil(path):
            path.unlink()
            os.mkfifo(path)
            os.mkfifo(self.state / "reports" / "77.json")
        self.assertIn("/journal is not a regular file", self.end_of_a_broken_journal(spoil))
        self.assertEqual(self.coordinator.end(), 0)

    def test_a_link_for_a_journal(self):
        def spoil(path):
            path.rename(self.state / "elsewhere")
            path.symlink_to(self.state / "elsewhere")
        self.assertIn("/journal is not a regular file", self.end_of_a_broken_journal(spoil))

    def test_another_machine(self):
        """Its clock shows a completely different time, as after a reboot: time continues where it was."""
        self.start()
        self.start_agents()
        with self.campaign("pad", "-w", 10, "-d", "8s", "--room-size", 5, "--expect-agents", 3, "--target", self.target()) as start:
            start.read_until("campaign 1")
            began = time.monotonic()
            for offset in (5000000, 7, 900000000):
                self.coordinator.wait_until(lambda: self.coordinator.show(1)["steps"]["ok"] > 20, 20, "no steps")
                self.kill()
                self.start(prefix=("unshare", "--time", "--fork", "--kill-child", "--boottime", str(offset), "--monotonic", str(offset)))
                self.assertIn("its time continues by the calendar", self.coordinator.log)
                self.assertIn("campaign 1 goes on: it is running", self.coordinator.log)
                operations = self.coordinator.metrics()["tutti_operations_total"]
                self.coordinator.wait_until(lambda: self.coordinator.metrics()["tutti_operations_total"] > operations + 100, 10, "nothing goes on")
            result = start.finish()
            took = time.monotonic() - began
        self.assertEqual(result.code, 0, f"{result}\n{self.coordinator.log}")
        self.assertEqual(self.report()["steps"]["failed"], 0)
        self.assertTrue(7 < took < 16, took)
        self.assertTrue(7 < self.report()["duration_s"] < 12, self.report()["duration_s"])

    def test_no_journal_at_all(self):
        """What it has done so far is saved every few seconds."""
        def kept_steps():
            return json.loads((self.state / "reports" / "1.json").read_text())["report"]["steps"]["ok"]
        reason = self.end_of_a_broken_journal(lambda path: path.unlink(), lambda: kept_steps() > 0)
        self.assertIn("there was no journal", reason)
        self.assertGreater(kept_steps(), 0)

    def end_of_a_stale_journal(self, name, **options):
        """As left on a disk that could not be written to, nor the file be removed: the agents know better."""
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
                         "its journal is older than what agent a[123] knows: what happened since is lost")
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
            for foreign in (b"half", bytes(70000), random.Random(5).randbytes(70000), b"tutti journal 2\n" * 9):
                with open(self.state / "journal", "ab") as journal:
                    journal.write(foreign)
                self.start()
                cut = re.search(r"the last (\d+) bytes of the journal were cut off", self.coordinator.log)
                self.assertIsNotNone(cut, self.coordinator.log)
                # The kill itself may have cut the last write.
                self.assertTrue(len(foreign) <= int(cut.group(1)) < len(foreign) + 4096 * 16, cut.group(0))
                self.assertIn("campaign 1 goes on: it is running", self.coordinator.log)
                self.kill()
            self.start()
            self.assertEqual(start.finish().code, 0)

    def refused(self, words):
        result = tutti("coordinator", "--state", self.state, "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0", timeout=20)
        self.assertEqual(result.code, 2, result)
        self.assertIn(words, result.err)

    def test_a_folder_of_others(self):
        self.state.mkdir(0o700)
        for folder in (self.state, self.state / "reports", self.state / "artifacts"):
            folder.mkdir(0o700, exist_ok=True)
            folder.chmod(0o777)
            self.refused(f"the folder {folder} is writable by everybody (mode 0777)")
            folder.chmod(0o700)
            if os.geteuid() == 0:
                os.chown(folder, 65534, 65534)
                self.refused(f"the folder {folder} belongs to another user (uid 65534)")
                os.chown(folder, 0, 0)
        (self.state / "reports").rmdir()
        (self.state / "reports").symlink_to(self.folder)
        self.refused("reports cannot be opened")
        (self.state / "reports").unlink()
        self.state.chmod(0o750)
        self.start()
        self.assertIn(f"the folder {self.state} is open to others (mode 0750)", self.coordinator.log)

    def test_the_token_is_that_of_the_process_before(self):
        self.start()
        token, file = self.coordinator.token, self.state / "token"
        self.assertEqual((file.read_text().strip(), file.stat().st_mode & 0o777), (token, 0o600))
        self.kill()
        self.start()
        self.assertEqual(self.coordinator.token, token)
        for spoil in (lambda: file.write_text("ours\n"), lambda: (file.unlink(), file.symlink_to("/etc/passwd")),
                      lambda: (file.unlink(), os.mkfifo(file)), lambda: file.write_text("f" * 5000)):
            self.kill()
            spoil()
            self.start()
            self.assertRegex(self.coordinator.token, "^[0-9a-f]{64}$")
            self.assertEqual((file.is_symlink(), file.read_text().strip()), (False, self.coordinator.token))

    def test_no_link_is_written_through(self):
        victim = pathlib.Path(self.folder) / "victim"
        victim.write_text("mine")
        self.state.mkdir(0o700)
        (self.state / "reports").mkdir(0o700)
        for name in ("journal.new", "journal.base", "reports/1.json.new"):
            (self.state / name).symlink_to(victim)
        self.start("--journal-max", "60000")
        self.start_agents()
        with self.campaign("pad", "-w", 5, "-d", "2s", "--target", self.target()) as start:
            self.assertEqual(start.finish().code, 0)
        self.assertEqual(victim.read_text(), "mine")
        for path in (self.state / "journal", self.state / "reports" / "1.json"):
            self.assertEqual((path.is_symlink(), path.stat().st_mode & 0o777), (False, 0o600))


class Bundles(Restarted):
    """The files of a campaign's script stand beside the journal, and as long as the campaign lives."""

    def files(self):
        return sorted((self.state / "bundles").iterdir())

    def run_one(self):
        self.start()
        self.start_agents()
        self.run = self.coordinator.create("waits", expect_agents=3, workers=5)
        self.coordinator.wait_state(self.run, "running")

    def test_they_stay_as_long_as_a_campaign_names_them(self):
        self.run_one()
        [bundle] = self.files()
        self.assertRegex(bundle.name, r"^[0-9a-f]{64}$")
        self.assertEqual((bundle.stat().st_mode & 0o777, bundle.read_bytes()), (0o600, script("waits").read_bytes()))
        self.assertNotIn(bundle.read_bytes(), (self.state / "journal").read_bytes())
        other = self.coordinator.create("waits", expect_agents=9, deadline_ms=60000, workers=5)
        self.coordinator.post(f"/v1/campaigns/{other}/stop", {})
        self.coordinator.wait_state(other, "ended")
        self.assertEqual(self.files(), [bundle])
        (self.state / "bundles" / ("0" * 64)).write_text("of a campaign that ended as the coordinator died")
        (self.state / "bundles" / "temporary-7").write_text("half a bundle")
        (self.state / "bundles" / "mine").write_text("of somebody")
        self.kill()
        self.start()
        self.assertEqual(self.files(), [bundle, self.state / "bundles" / "mine"])
        self.coordinator.post(f"/v1/campaigns/{self.run}/stop", {})
        self.coordinator.report(self.run)
        wait_until(lambda: self.files() == [self.state / "bundles" / "mine"], 10, "the bundle has stayed")

    def test_agents_that_come_after_the_restart_get_them(self):
        self.start()
        campaign = self.coordinator.create("pad", expect_agents=3, deadline_ms=60000, workers=5, runs=2, target="builtin")
        self.kill()
        self.start()
        self.start_agents()
        self.assertEqual(self.coordinator.report(campaign)["verdict"], "passed", self.coordinator.log)

    def end_of_a_spoilt_bundle(self, spoil):
        """It ends with a reason, another campaign goes on."""
        self.run_one()
        [bundle] = self.files()
        other = self.coordinator.create("pad", expect_agents=9, deadline_ms=60000, workers=5)
        spoil(bundle)
        self.kill()
        self.start()
        report = self.coordinator.report(self.run, 20)
        self.assertEqual((report["verdict"], self.coordinator.show(other)["state"]), ("aborted", "created"))
        self.assertIn(f"the coordinator was restarted, and its bundle {bundle} is lost: ", report["reason"])
        self.coordinator.wait_agents(3)
        again = self.coordinator.create("pad", workers=5, runs=1, target="builtin")
        self.assertEqual(self.coordinator.report(again)["verdict"], "passed")
        return report["reason"]

    def test_one_that_is_missing(self):
        self.assertIn("No such file", self.end_of_a_spoilt_bundle(lambda bundle: bundle.unlink()))

    def test_one_that_was_changed(self):
        self.assertIn("it has been changed", self.end_of_a_spoilt_bundle(lambda bundle: bundle.write_bytes(bundle.read_bytes().replace(b"tutti", b"TUTTI", 1))))

    def test_a_link_in_the_place_of_one(self):
        def spoil(bundle):
            bundle.rename(self.state / "elsewhere")
            bundle.symlink_to(self.state / "elsewhere")
        self.assertIn("Invalid argument", self.end_of_a_spoilt_bundle(spoil))


class FullDisk(Restarted):
    # As the kernel refuses writes when the disk is full: here for any file of more than 100 KiB.
    LIMITED = ("sh", "-c", "trap '' XFSZ; ulimit -f 200; exec \"$@\"", "sh")

    def fill(self, policy):
        self.start("--on-journal-failure", policy, prefix=self.LIMITED)
        self.start_agents()
        with self.campaign("pad", "-w", 5, "-r", 400, "--target", self.target()) as start:
            start.read_until("campaign 1")
            self.coordinator.wait_for(f"the journal has failed: {self.state} cannot be written to: File too large")
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

    def test_a_bundle_without_room_is_refused(self):
        """Nothing else is: what the campaign would do is not known after a restart."""
        for policy in ("go-on", "stop"):
            self.state = pathlib.Path(self.folder) / policy
            self.options = ["--state", self.state]
            self.start("--on-journal-failure", policy, prefix=self.LIMITED)
            wish = campaign("pad", 1, 60000)
            wish["files"].append({"path": "data", "content": base64.b64encode(bytes(200 * 1024)).decode()})
            answer = self.coordinator.post("/v1/campaigns", wish)
            self.assertEqual((answer.status, answer.json["error"]), (503, "its bundle cannot be stored: File too large"))
            self.assertEqual((self.coordinator.get("/v1/campaigns").json["campaigns"], list((self.state / "bundles").iterdir())), ([], []))
            self.assertEqual(self.coordinator.post("/v1/campaigns", campaign("pad", 9, 60000)).status, 201)
            self.assertEqual(self.coordinator.metrics()["tutti_journal_failures_total"], 0)
            self.coordinator.end()

    def test_or_campaigns_stop(self):
        result = self.fill("stop")
        self.assertEqual(result.code, 3, result)
        self.assertIn("the journal has failed", self.report()["reason"])

    def test_the_guard_is_no_end(self):
        """A journal of maximum size is replaced by a new base, as often as necessary."""
        self.start("--journal-max", "100K")
        self.start_agents()
        with self.campaign("pad", "-w", 5, "-r", 400, "--target", self.target()) as start:
            self.assertEqual(start.finish().code, 0)
        metrics = self.coordinator.metrics()
        self.assertEqual(metrics["tutti_journal_failures_total"], 0, self.coordinator.log)
        self.assertGreater(metrics["tutti_journal_bases_total"], 2)
        self.assertGreater(metrics["tutti_journal_written_bytes_total"], 150000)

    def test_where_not_even_a_base_has_room(self):
        self.start("--journal-max", "2K", "--on-journal-failure", "stop")
        self.start_agents()
        with self.campaign("pad", "-w", 5, "-r", 400, "--target", self.target()) as start:
            result = start.finish()
        self.assertEqual(result.code, 3, result)
        self.assertIn("it would grow beyond the 2048 bytes of --journal-max", self.report()["reason"])

    def test_without_room_no_campaign_begins(self):
        self.start("--journal-max", "100", "--on-journal-failure", "stop")
        with self.campaign("pad", "-w", 5, "--target", "http://127.0.0.1:1") as start:
            result = start.finish()
        self.assertEqual(result.code, 3, result)
        self.assertIn("the journal has failed", result.err)


if __name__ == "__main__":
    unittest.main()
