"""Waiting in the page on real Chromium: seen when it changed, by the page's own clock."""
import unittest

from browsers import Driver, chromedriver, pages, run


@unittest.skipUnless(chromedriver(), "chromium and chromedriver are not installed: apt-get install chromium chromium-driver")
class Waits(unittest.TestCase):
    def test_every_wait(self):
        with Driver(chromedriver(), "--port=0") as driver, pages(driver.url) as server:
            result = run("waits", "-w", 1, "--single-run", "--target", server.url)
            self.assertEqual((result.code, result.steps["ok"], result.steps["failed"]), (0, 9, 0), result)
            timings = result.report["timings"]
            self.assertIn("browser wait_for_text", timings)
            self.assertIn("browser wait_for_text (polled)", timings)
            self.assertIn("browser wait_until (polled)", timings)


if __name__ == "__main__":
    unittest.main()
