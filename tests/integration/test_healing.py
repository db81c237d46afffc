"""A choreography heals itself: what one failure costs, and what it does not."""
import unittest

from support import run


class Healing(unittest.TestCase):
    def test_a_reader_that_fails_costs_its_own_step(self):
        result = run("reader-fails", "-w", 5, "-r", 10)
        self.assertEqual(result.code, 1, result)
        self.assertEqual(result.verdict, "failed")
        self.assertEqual((result.steps["ok"], result.steps["failed"]), (49, 1), result)
        (error,) = result.report["errors"]
        self.assertIn("reader 1 stumbles", error["message"])
        self.assertIn("reader-fails.lua:5", error["message"])
        self.assertEqual((error["count"], error["worker"], error["step"]), (1, 1, 3))

    def test_a_writer_that_fails_costs_its_room_one_round(self):
        result = run("writer-fails", "-w", 5, "-r", 10)
        self.assertEqual(result.code, 1, result)
        self.assertEqual((result.steps["ok"], result.steps["failed"]), (45, 5), result)
        self.assertEqual(result.report["waits"]["pad.wait_for_writer"]["short"], 4)
        self.assertLess(result.report["duration_s"], 5, "the readers were told at once")
        told = [error for error in result.report["errors"] if error["worker"] != 4]
        self.assertTrue(told and all("the writer stumbles" in error["message"] for error in told), result)

    def test_fail_0_makes_both_pass(self):
        for name in ("reader-fails", "writer-fails"):
            with self.subTest(name):
                result = run(name, "-w", 5, "-r", 10, "--fail", 0)
                self.assertEqual((result.code, result.verdict), (0, "passed"), result)

    def test_many_rooms_each_heal(self):
        result = run("writer-fails", "-w", 50, "-r", 6, "--room-size", 5, "--agents", 3)
        self.assertEqual((result.steps["ok"], result.steps["failed"]), (250, 50), result)


class Thresholds(unittest.TestCase):
    def test_number_of_failed_steps(self):
        for limit, code in ((5, 1), (6, 0)):
            with self.subTest(limit):
                result = run("fails-half", "-w", 1, "-r", 10, "--fail", limit)
                self.assertEqual((result.code, result.steps["failed"]), (code, 5), result)

    def test_share_of_failed_steps(self):
        for limit, code in (("50%", 1), ("60%", 0)):
            with self.subTest(limit):
                result = run("fails-half", "-w", 2, "-r", 10, "--fail", limit)
                self.assertEqual((result.code, result.steps["failed"]), (code, 10), result)

    def test_exception_stops_everything_at_the_first_failure(self):
        result = run("fails-half", "-w", 4, "-r", 100000, "--agents", 2, "-x")
        self.assertEqual(result.code, 1, result)
        self.assertEqual(result.verdict, "failed")
        self.assertLess(result.seconds, 30)


if __name__ == "__main__":
    unittest.main()
