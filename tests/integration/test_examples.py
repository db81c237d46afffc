"""Every example runs as described in its first lines, also larger and on more agents."""
import unittest

from support import EXAMPLES, run, tutti


class Examples(unittest.TestCase):
    def test_pad(self):
        result = run("pad")
        self.assertEqual((result.code, result.steps["ok"]), (0, 50), result)

    def test_pad_as_published(self):
        self.assertEqual(run("pad-as-published").code, 1)

    def test_auction(self):
        for options in ((), ("-w", 60, "-r", 5, "--agents", 4)):
            with self.subTest(options):
                result = run("auction", *options)
                self.assertEqual((result.code, result.steps["failed"]), (0, 0), result)
                self.assertRegex(result.out, r"sold to worker \d+ for " + str(100 + result.steps["ok"]))

    def test_accounts(self):
        result = run("accounts")
        self.assertEqual((result.code, result.steps["ok"]), (0, 30), result)
        self.assertIn("10 accounts, 30 searches", result.out)

    def test_rush(self):
        result = run("rush", "--agents", 4)
        self.assertEqual((result.code, result.steps["ok"]), (0, 500), result)
        self.assertEqual(result.report["waits"]["door.barrier"]["ok"], 500)
        self.assertLess(result.report["release_spread_ms"]["p50"], 500)

    def test_chat(self):
        for options in ((), ("-w", 100, "-r", 8, "--agents", 4)):
            with self.subTest(options):
                result = run("chat", "--target", "builtin", *options)
                self.assertEqual((result.code, result.steps["failed"]), (0, 0), result)
                chat = result.report["websockets"]["chat"]
                self.assertEqual(chat["opened"], result.report["workers"])
                self.assertEqual(chat["messages_out"], 3 * result.steps["ok"])
                self.assertEqual(chat["messages_in"], 10 * chat["messages_out"])

    def test_socketio(self):
        for options in ((), ("-w", 100, "-r", 8, "--agents", 4)):
            with self.subTest(options):
                result = run("socketio", "--target", "builtin", *options)
                self.assertEqual((result.code, result.steps["failed"]), (0, 0), result)
                self.assertEqual(result.report["websockets"]["chat"]["closed_by_us"], result.report["workers"])
                self.assertEqual(result.report["timings"]["chat say"]["count"], 3 * result.steps["ok"])

    def test_cursor(self):
        result = run("cursor", "--target", "builtin", "-w", 12, "--room-size", 4, "-r", 4, "--agents", 3)
        self.assertEqual((result.code, result.steps["ok"]), (0, 48), result)
        cursors, seen = result.report["websockets"]["cursors"], result.report["seen"]["cursor"]
        self.assertEqual((cursors["messages_out"], cursors["messages_in"]), (30 * 48, 4 * 30 * 48))
        self.assertEqual((seen["count"], seen["before_edit"]), (3 * 4 * 3, 0))
        self.assertTrue(0 < seen["p50_ms"] < 200, seen)
        self.assertEqual(result.report["convergence"]["cursor"]["diverged"], 0)
        self.assertTrue(3.8 <= result.report["duration_s"] <= 20, result.report["duration_s"])
        self.assertEqual(result.report["timings"]["next movement"]["count"], 4 * 30 * 48)

    def test_llm(self):
        result = run("llm")
        self.assertEqual((result.code, result.steps["ok"]), (0, 20), result)
        first, between = (result.report["timings"][f"answer {which} event"] for which in ("first", "next"))
        self.assertEqual((first["count"], between["count"]), (20, 780))
        self.assertTrue(149 <= first["p50_ms"] <= 550 and 9 <= between["p50_ms"] <= 200, (first, between))

    def test_check(self):
        for path in [*sorted(EXAMPLES.glob("*.lua")), EXAMPLES / "etherpad" / "api.lua", EXAMPLES / "etherpad" / "socketio.lua"]:
            with self.subTest(path.name):
                self.assertEqual(tutti("check", path).code, 0)


if __name__ == "__main__":
    unittest.main()
