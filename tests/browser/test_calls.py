"""Every call of tutti.browser on real browsers, judged by what the page reports."""
import unittest

from browsers import Driver, chromedriver, geckodriver, needs_chromium, needs_firefox, pages, run
from support import wait_until


class Calls(unittest.TestCase):
    def every_call(self, browser, *command):
        with Driver(*command) as driver, pages(driver.url, browser) as server:
            result = run("calls", "-w", 1, "--single-run", "--target", server.url)
            self.assertEqual((result.code, result.steps["failed"]), (0, 0), result)
            self.assertGreaterEqual(result.steps["ok"], 17)
            self.assertNotIn("POST", " ".join(result.report["requests"]), "commands are no requests of the script")
            self.assertIn("browser click", result.report["timings"])
            wait_until(lambda: not driver.descendants(), 10, "the browser is not closed at the end of the worker")

    @needs_chromium
    def test_on_a_driver_of_the_agents_own(self):
        for allowed in ((), ("--allow-system",)):
            with self.subTest(allowed), pages("", "chromium") as server:
                result = run("calls", "-w", 1, "--single-run", "--target", server.url, *allowed)
                self.assertEqual((result.code, result.steps["failed"]), (0, 0), result)

    @needs_chromium
    def test_a_sandboxed_script_reads_no_files_of_the_agent(self):
        with pages("", "chromium") as server:
            result = run("guarded", "-w", 1, "-r", 1, "--target", server.url)
            self.assertEqual((result.code, result.steps["ok"]), (0, 1), result)

    @needs_chromium
    def test_on_chromium(self):
        self.every_call("chromium", chromedriver(), "--port=0")

    @needs_firefox
    def test_on_firefox(self):
        self.every_call("firefox", geckodriver(), "--port=0")


if __name__ == "__main__":
    unittest.main()
