"""Users of Etherpad's own protocol, on a server that does what Etherpad does, and breaks in the middle."""
import pathlib
import re
import shutil
import tempfile
import time
import unittest

from fake_etherpad import FakeEtherpad
from support import EXAMPLES, run

# As long as a person waits; a test has no time for that.
PATIENCE = {"TIMEOUT_S = 30": "TIMEOUT_S = 6", "CAUGHT_UP_WITHIN_S = 10": "CAUGHT_UP_WITHIN_S = 2", "LONGEST_PAUSE_S = 5": "LONGEST_PAUSE_S = 0.4"}
CAME_BACK = re.compile(r"^\[(\d+)\] came back to .*, at revision \d+ after", re.MULTILINE)


def once(condition, act):
    """Does something after the first commit for which the condition holds."""
    done = []

    def hook(etherpad, pad, user):
        if not done and condition(etherpad):
            done.append(True)
            return act(etherpad, pad, user)
        return False
    return hook


def cut(etherpad, _pad, _user):
    etherpad.cut()
    return True


class PadUsers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tutti-pad-users-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.script = shutil.copytree(EXAMPLES / "etherpad", pathlib.Path(cls.folder.name, "etherpad")) / "socketio.lua"
        module = cls.script.parent / "pad_user.lua"
        text = module.read_text()
        for long, short in PATIENCE.items():
            assert text.count(long) == 1, long
            text = text.replace(long, short)
        module.write_text(text)

    def play(self, etherpad, *options, timeout=100):
        with etherpad:
            result = run(self.script, "--agents", 2, "--target", etherpad.address, *options, timeout=timeout)
        self.assertEqual(etherpad.failures, [], result)
        self.came_back = sorted(int(worker) for worker in CAME_BACK.findall(result.out))
        return result

    def expect_passed(self, result, steps):
        self.assertEqual((result.code, result.steps["ok"], result.steps["failed"]), (0, steps, 0), result)
        self.assertEqual({name: line["diverged"] for name, line in result.report["convergence"].items()}, {"line": 0, "pad": 0})

    def test_all_see_all_and_converge(self):
        for engine in (3, 4):
            with self.subTest(engine=engine):
                etherpad = FakeEtherpad(engine)
                result = self.play(etherpad, "-w", 15, "-r", 4)
                self.expect_passed(result, 60)
                self.assertEqual(etherpad.commits, sum(pad.head for pad in etherpad.pads.values()))
                self.assertGreaterEqual(etherpad.commits, 120, "each line is written in two pieces")
                self.assertEqual((result.report["seen"]["line"]["count"], self.came_back), (48, []))

    def test_edit_to_seen_is_the_servers_time(self):
        def hold(*_):
            time.sleep(0.05)
            return False
        result = self.play(FakeEtherpad(after_commit=hold), "-w", 2, "--room-size", 2, "-r", 6)
        self.expect_passed(result, 12)
        seen = result.report["seen"]["line"]
        self.assertEqual(seen["count"], 6)
        self.assertTrue(50 <= seen["p50_ms"] <= 170, seen) # the other's commit may be before it

    def test_after_a_broken_connection_all_come_back_and_nothing_is_lost(self):
        etherpad = FakeEtherpad(before_commit=once(lambda each: each.commits == 7, cut))
        result = self.play(etherpad, "-w", 5, "-r", 4)
        self.expect_passed(result, 20)
        self.assertEqual(self.came_back, [0, 1, 2, 3, 4])
        self.assertEqual(result.report["timings"]["come back"]["count"], 5)

    def test_a_changeset_that_was_accepted_unheard_is_not_sent_again(self):
        etherpad = FakeEtherpad(after_commit=once(lambda each: each.commits == 8, cut))
        result = self.play(etherpad, "-w", 5, "-r", 4)
        self.expect_passed(result, 20)
        self.assertEqual(self.came_back, [0, 1, 2, 3, 4])
        (pad,) = etherpad.pads.values()
        for line in range(5):
            self.assertEqual(pad.texts[-1].count(f"user {line} writes step 4"), 1)

    def test_a_server_that_has_lost_revisions_is_told(self):
        etherpad = FakeEtherpad(before_commit=once(lambda each: each.commits == 7, cut), is_forgetful=True)
        result = self.play(etherpad, "-w", 5, "-r", 1)
        self.assertEqual((result.code, result.steps["failed"], self.came_back), (1, 5, []), result)
        self.assertIn("Etherpad has come back, but says nothing about revision", str(result.report["errors"]))

    def test_a_server_that_does_not_come_back_is_told(self):
        def leave(etherpad, *_):
            etherpad.server.socket.close()
            return cut(etherpad, *_)
        etherpad = FakeEtherpad(before_commit=once(lambda each: each.commits == 3, leave))
        result = self.play(etherpad, "-w", 5, "-r", 1)
        self.assertEqual((result.code, result.steps["failed"], self.came_back), (1, 5, []), result)
        self.assertIn("broke, and could not be opened again 5 times: ", str(result.report["errors"]))

    def test_a_revision_that_is_left_out_is_noticed(self):
        etherpad = FakeEtherpad()
        etherpad.skips.add(6)
        result = self.play(etherpad, "-w", 5, "-r", 1)
        self.assertEqual(result.code, 1, result)
        self.assertIn("revision 7 came after 5: a revision was lost", str(result.report["errors"]))

    def test_a_refusal_is_told(self):
        def refuse(_etherpad, _pad, user):
            user.send({"disconnect": "badChangeset"})
            return True
        result = self.play(FakeEtherpad(before_commit=once(lambda each: each.commits == 3, refuse)), "-w", 5, "-r", 1)
        self.assertEqual(result.code, 1, result)
        self.assertIn("Etherpad ends the connection to", str(result.report["errors"]))
        self.assertIn("badChangeset", str(result.report["errors"]))

    def test_a_server_with_another_text_fails_the_campaign(self):
        class Confused(FakeEtherpad):
            def api_getText(self, pad):
                return {"text": "something else\n"}
        result = self.play(Confused(), "-w", 5, "-r", 1)
        self.assertEqual((result.code, result.report["convergence"]["pad"]["diverged"]), (1, 1), result)
        self.assertIn("the pad has another text", str(result.report["errors"]))

    def test_a_changeset_that_was_accepted_in_vain_is_noticed(self):
        class Forgetful(FakeEtherpad):
            def api_getRevisionsCount(self, pad):
                return {"revisions": self.pads[pad].head - 1}
        result = self.play(Forgetful(), "-w", 5, "-r", 1)
        self.assertEqual(result.code, 1, result)
        self.assertIn("changesets were accepted", str(result.report["errors"]))


if __name__ == "__main__":
    unittest.main()
