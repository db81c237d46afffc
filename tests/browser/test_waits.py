"""Waiting in the page on real browsers: seen when it changed, by the page's own clock."""
import unittest

from browsers import Driver, chromedriver, geckodriver, needs_chromium, needs_firefox, pages, run


class Waits(unittest.TestCase):
    def every_wait(self, browser, *command):
        with Driver(*command) as driver, pages(driver.url, browser) as server:
            result = run("waits", "-w", 1, "--single-run", "--target", server.url)
            self.assertEqual((result.code, result.steps["ok"], result.steps["failed"]), (0, 10, 0), result)
            timings = result.report["timings"]
            self.assertIn("browser wait_for_text", timings)
            self.assertIn("browser wait_for_text (polled)", timings)
            self.assertIn("browser wait_until (polled)", timings)

    @needs_chromium
    def test_on_chromium(self):
        self.every_wait("chromium", chromedriver(), "--port=0")

    @needs_firefox
    def test_on_firefox(self):
        self.every_wait("firefox", geckodriver(), "--port=0")


if __name__ == "__main__":
    unittest.main()
