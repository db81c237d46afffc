"""An error in each fixture ends as it should, is reported with its line, and hangs nothing."""
import unittest

from support import run

# A fixture that runs once for all workers fails all; a worker whose teardown fails has done its work.
EXPECTED = {
    "global_setup": 1,
    "setup": 1,
    "setup_session": 1,
    "scenario_picker": 1,
    "teardown_session": 0,
    "teardown": 0,
    "global_teardown": 1,
    "events": 0,
}


class Fixtures(unittest.TestCase):
    def test_error_in_each(self):
        for fixture, code in EXPECTED.items():
            with self.subTest(fixture):
                result = run(f"broken-{fixture.replace(' ', '_')}", "-w", 4, "-r", 2, timeout=30)
                self.assertEqual(result.code, code, result)
                told = result.out + result.err
                self.assertIn(f"no {fixture} today", told)
                self.assertIn(f"broken-{fixture}.lua:4", told)
                self.assertLess(result.report["duration_s"], 10)

    def test_a_worker_that_never_gets_ready(self):
        result = run("hangs-in-a-setup", "-w", 4, "-r", 2, "--setup-timeout", "500ms", timeout=30)
        self.assertEqual(result.code, 1, result)
        self.assertIn("setup: did not end within 500 ms (--setup-timeout)", result.out)
        self.assertEqual([result.report["steps"][how] for how in ("ok", "failed", "stopped")], [6, 1, 0])
        self.assertLess(result.report["duration_s"], 10)


if __name__ == "__main__":
    unittest.main()
