"""Every call of tutti.browser on real Chromium, judged by what the page reports."""
import unittest

from browsers import Driver, chromedriver, pages, run
from support import wait_until


@unittest.skipUnless(chromedriver(), "chromium and chromedriver are not installed: apt-get install chromium chromium-driver")
class Chromium(unittest.TestCase):
    def test_every_call(self):
        with Driver(chromedriver(), "--port=0") as driver, pages(driver.url) as server:
            result = run("calls", "-w", 1, "--single-run", "--target", server.url)
            self.assertEqual((result.code, result.steps["failed"]), (0, 0), result)
            self.assertGreaterEqual(result.steps["ok"], 17)
            self.assertNotIn("POST", " ".join(result.report["requests"]), "commands are no requests of the script")
            wait_until(lambda: not driver.descendants(), 5, "the browser is not closed at the end of the worker")


if __name__ == "__main__":
    unittest.main()
