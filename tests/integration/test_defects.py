"""What hung or was wrong in the published scene has to end here, in time and with the right verdict."""
import unittest

from support import run


class Defects(unittest.TestCase):
    def test_four_workers_where_the_script_wants_a_fifth(self):
        result = run("no-fifth", "-w", 4, "-r", 3)
        self.assertEqual((result.code, result.verdict), (1, "deadlocked"), result)
        self.assertRegex(result.err, r"workers 0.3 wait for the\s+writer of pad@1")
        self.assertLess(result.report["duration_s"], 2)

    def test_ramp_up_longer_than_the_duration(self):
        result = run("scene-right", "-w", 5, "--ramp-up", 8, "-d", 1)
        self.assertEqual((result.code, result.verdict), (1, "failed"), result)
        self.assertIn("ramp-up", result.report["reason"])
        self.assertLess(result.report["duration_s"], 4, result)

    def test_ramp_up_as_long_as_the_duration(self):
        result = run("scene-right", "-w", 5, "--ramp-up", 2, "-d", 2)
        self.assertEqual((result.code, result.verdict), (0, "passed"), result)
        self.assertGreater(result.steps["ok"], 10, result)
        self.assertLess(result.report["duration_s"], 5, result)

    def test_the_duration_ends_a_scene_without_a_failure(self):
        result = run("slow-reader", "-w", 5, "-d", 1, "--agents", 2)
        self.assertEqual((result.code, result.verdict), (0, "passed"), result)
        self.assertEqual(result.steps["failed"], 0)
        self.assertGreater(result.steps["ok"], 5)

    def test_one_reader_reading_twice(self):
        result = run("reads-twice", "-w", 4, "-r", 5)
        self.assertEqual((result.code, result.steps["ok"]), (0, 20), result)

    def test_six_workers_with_one_slow(self):
        result = run("slow-reader", "-w", 6, "-r", 10)
        self.assertEqual((result.code, result.steps["ok"]), (0, 60), result)

    def test_a_worker_that_ends_early(self):
        result = run("ends-early", "-w", 5, "-r", 5, "--fail", 0)
        self.assertEqual(result.code, 0, result)
        self.assertLess(result.report["duration_s"], 10)
        self.assertEqual((result.steps["ok"], result.steps["failed"]), (20, 1), result)

    def test_a_signal_on_an_earlier_step(self):
        result = run("late-signal", "-w", 5, "-r", 4)
        self.assertEqual((result.code, result.steps["failed"]), (1, 1), result)
        self.assertEqual(result.report["errors"][0]["step"], 2)

    def test_the_writers_teardown_waits_for_its_last_round(self):
        result = run("last-round", "-w", 5, "-r", 2, "--agents", 2)
        self.assertEqual((result.code, result.steps["ok"]), (0, 10), result)

    def test_ids_and_factories_are_those_of_the_whole_campaign(self):
        result = run("identities", "-w", 40, "-r", 3, "--agents", 4)
        self.assertEqual((result.code, result.steps["ok"]), (0, 120), result)


if __name__ == "__main__":
    unittest.main()
