"""The scene on a real Etherpad: through its HTTP API, with many users."""
import unittest

from etherpad import Etherpad
from support import processes_of_session, run

API = "etherpad/api"


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

    def test_what_etherpad_refuses_is_told(self):
        result = run(API, "-w", 5, "-r", 1, "--target", self.address + "/nowhere")
        self.assertEqual(result.code, 1, result)
        self.assertIn("Etherpad answered 404", str(result.report["errors"]))


if __name__ == "__main__":
    unittest.main()
