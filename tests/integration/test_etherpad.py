"""The scene on a real Etherpad: through its HTTP API, with many users, and with five browsers."""
import json
import re
import tempfile
import unittest
import urllib.request

from etherpad import Etherpad
from place import Place
from support import Run, processes_of_session, run, wait_until
from webdrivers import geckodriver, needs_chromium, needs_firefox

API = "etherpad/api"
PROTOCOL = "etherpad/socketio"
TOGETHER = "etherpad/together"
CAME_BACK = re.compile(r"^\[(\d+)\] came back to .*, at revision \d+ after", re.MULTILINE)
USERS = 5
STEPS = 4


def ask(address, function, **fields):
    query = "&".join(f"{name}={value}" for name, value in {"apikey": "tuttitest", **fields}.items())
    with urllib.request.urlopen(f"{address}/api/1.2.15/{function}?{query}", timeout=20) as answer:
        return json.load(answer)["data"]


class Scene(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.etherpad = Etherpad()
        cls.address = cls.etherpad.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.etherpad.__exit__()
        left = processes_of_session(cls.etherpad.process.pid)
        assert not left, f"Etherpad left processes behind: {left}"

    def test_two_hundred_users_of_forty_pads(self):
        result = run(API, "-w", 200, "-r", 5, "--agents", 4, "--target", self.address, timeout=200)
        self.assertEqual((result.code, result.steps["ok"], result.steps["failed"]), (0, 1000, 0), result)
        requests = result.report["requests"]
        self.assertEqual({name: (request["count"], request["failed"]) for name, request in requests.items()},
                         {"createPad": (40, 0), "setText": (200, 0), "getText": (800, 0)})
        self.assertEqual(result.report["waits"]["etherpad.wait_for_writer"]["ok"], 800)
        seen, convergence = result.report["seen"]["etherpad"], result.report["convergence"]["etherpad"]
        self.assertEqual(seen["count"], 800)
        self.assertLessEqual(seen["p50_ms"], seen["max_ms"])
        self.assertEqual((convergence["steps"], convergence["diverged"], convergence["reads"]), (200, 0, 800))

    def test_what_etherpad_refuses_is_told(self):
        result = run(API, "-w", 5, "-r", 1, "--target", self.address + "/nowhere")
        self.assertEqual(result.code, 1, result)
        self.assertIn("Etherpad answered 404", str(result.report["errors"]))

    def test_users_of_its_own_protocol_converge(self):
        result = run(PROTOCOL, "-w", 25, "-r", 4, "--agents", 2, "--target", self.address, timeout=120)
        self.assertEqual((result.code, result.steps["ok"], result.steps["failed"]), (0, 100, 0), result)
        report = result.report
        self.assertEqual(report["convergence"]["line"], {**report["convergence"]["line"], "steps": 20, "diverged": 0, "reads": 80})
        self.assertEqual(report["convergence"]["pad"], {**report["convergence"]["pad"], "steps": 20, "diverged": 0, "reads": 80})
        seen, pad = report["seen"]["line"], report["websockets"]["pad"]
        self.assertEqual((seen["count"], seen["before_edit"]), (80, 0))
        self.assertGreater(seen["p50_ms"], 0.1)
        self.assertEqual((pad["opened"], pad["failed"], pad["lost"]), (25, 0, 0))

    def ask(self, function, **fields):
        return ask(self.address, function, **fields)

    @needs_chromium
    def test_five_users_each_with_a_chromium(self):
        self.five_users("chromium")

    @needs_chromium
    def test_browsers_and_users_of_the_protocol_converge(self):
        result = run(TOGETHER, "-w", 10, "-r", 3, "--agents", 2, "--target", self.address, timeout=150)
        self.assertEqual((result.code, result.steps["ok"], result.steps["failed"]), (0, 30, 0), result)
        report = result.report
        self.assertEqual(report["timings"]["browser start"]["count"], 2)
        self.assertEqual(report["websockets"]["pad"]["opened"], 8)
        self.assertEqual((report["seen"]["line"]["count"], report["convergence"]["pad"]["diverged"]), (24, 0))

    @needs_firefox
    def test_five_users_each_with_a_firefox(self):
        self.five_users("firefox", TUTTI_GECKODRIVER=geckodriver())

    def five_users(self, browser, **variables):
        before = set(self.ask("listAllPads")["padIDs"])
        authors = set()

        def have_all_come():
            for pad in set(self.ask("listAllPads")["padIDs"]) - before:
                authors.update(user["id"] for user in self.ask("padUsers", padID=pad)["padUsers"])
            return len(authors) >= USERS

        with Place() as place:
            with Run("etherpad/browsers", "-w", USERS, "-r", STEPS, "--agents", 2, "--delay", "1", "--target", self.address,
                     env=place.environment(TUTTI_BROWSER=browser, **variables)) as running:
                wait_until(have_all_come, 120, f"only {len(authors)} users are on the pad")
                result = running.finish(timeout=120)
            place.expect_nothing()
        self.assertEqual((result.code, result.steps["ok"], result.steps["failed"]), (0, USERS * STEPS, 0), result)
        self.assertEqual(len(authors), USERS, "each browser is an author of its own")
        self.assertEqual(result.report["timings"]["browser start"]["count"], USERS)
        seen = result.report["seen"]["etherpad"]
        self.assertEqual((seen["count"], seen["at_once"]), ((USERS - 1) * STEPS, 0), "all look before it is typed")
        self.assertEqual(seen["before_edit"], 0)
        self.assertGreater(seen["p50_ms"], 0)
        (pad,) = set(self.ask("listAllPads")["padIDs"]) - before
        self.assertEqual(self.ask("getText", padID=pad)["text"].split("\n")[:STEPS],
                         [f"step {step}" for step in range(1, STEPS + 1)], "the last round has come through too")


class Crash(unittest.TestCase):
    def test_users_of_its_own_protocol_come_back_and_nothing_is_lost(self):
        """The server is killed. What it had accepted is in its file: Etherpad writes that first. A user waits for 17 s; if the server
        takes longer, that step fails, which says why, and the user comes back in a later one."""
        users, steps = 10, 10

        def heads(address):
            return [ask(address, "getRevisionsCount", padID=pad)["revisions"] for pad in ask(address, "listAllPads")["padIDs"]]

        with tempfile.TemporaryDirectory() as pads:
            first = Etherpad(pads=pads)
            with first as address, Run(PROTOCOL, "-w", users, "-r", steps, "--agents", 2, "--fail", 0, "--target", address) as running:
                wait_until(lambda: len(heads(address)) == 2 and min(heads(address)) > 20, 60, "nobody writes")
                first.kill()
                with Etherpad(int(address.rpartition(":")[2]), pads):
                    result = running.finish(timeout=150)
        self.assertEqual((result.code, result.steps["ok"] + result.steps["failed"]), (0, users * steps), result)
        for error in result.report["errors"]:
            self.assertIn("broke, and could not be opened again 5 times", error["message"])
        self.assertEqual(sorted(map(int, CAME_BACK.findall(result.out))), list(range(users)), result)
        self.assertEqual(result.report["websockets"]["pad"]["lost"], users)
        self.assertEqual({name: line["diverged"] for name, line in result.report["convergence"].items()}, {"line": 0, "pad": 0})


if __name__ == "__main__":
    unittest.main()
