"""Every error that a WebDriver may answer with, and every answer that is none: against one that the test plays."""
import json
import re
import signal
import unittest

from browsers import Run, run
from fake_driver import FakeDriver


class Answers(unittest.TestCase):
    def test_errors_and_broken_answers(self):
        with FakeDriver() as driver:
            result = run("fake", "-w", 1, "--single-run", "--target", driver.url)
            self.assertEqual((result.code, result.steps["ok"], result.steps["failed"]), (0, 6, 0), result)
            self.assertIn(("/session/a/b c?/element/../../x?y#z/click", "{}"), driver.requests("POST"))
            raw = [path for _, path, _, _ in driver.seen if path.endswith("/click")]
            self.assertEqual(raw, ["/session/a%2Fb%20c%3F/element/..%2F..%2Fx%3Fy%23z/click"])

    def test_a_session_that_cannot_be_started(self):
        starts = [({"name": "session not created", "message": "no chrome here\nmore"}, "session not created: no chrome here"),
                  (b"<html>", "the answer is not from a WebDriver"), ({}, "it has no session id"), ({"sessionId": ""}, "it has no session id")]
        for session, says in starts:
            with self.subTest(says), FakeDriver() as driver:
                driver.session = session
                result = run("fake-start", "-w", 1, "-r", 1, "--target", driver.url)
                self.assertEqual((result.code, result.verdict), (1, "failed"), result)
                self.assertIn(says, result.report["errors"][0]["message"])
                self.assertRegex(result.report["errors"][0]["message"], r"^fake-start.lua:7: open chromium at ")
                self.assertEqual(driver.requests("DELETE"), [])

    def test_what_is_asked_for(self):
        with FakeDriver() as driver:
            result = run("fake-capabilities", "-w", 1, "-r", 1, "--target", driver.url)
            self.assertEqual(result.code, 0, result)
            sessions = [(path, json.loads(body)["capabilities"]["alwaysMatch"], who) for method, path, body, who in driver.seen
                        if method == "POST"]
        (hub, chromium, ada), (_, firefox, eve), (_, webkit, nobody), (_, mobile, _) = sessions
        self.assertEqual((hub, ada, eve, nobody), ("/wd/hub/session", "Basic YWRhOnNlY3JldA==", "Basic ZXZlOng6eQ==", None))
        self.assertEqual(chromium["browserName"], "chrome")
        self.assertNotIn("--headless=new", chromium["goog:chromeOptions"]["args"])
        self.assertFalse(any(arg.startswith("--user-data-dir") for arg in chromium["goog:chromeOptions"]["args"]))
        self.assertEqual((firefox["browserName"], firefox["moz:firefoxOptions"]["args"], firefox["timeouts"]),
                         ("firefox", ["-headless", "-devtools"], {"script": 5000}))
        self.assertEqual((webkit["browserName"], webkit["webkitgtk:browserOptions"]), ("MiniBrowser", {"args": ["--automation"]}))
        options = mobile["goog:chromeOptions"]
        self.assertEqual((mobile["acceptInsecureCerts"], options["mobileEmulation"], options["binary"], options["args"][-2:]),
                         (True, {"deviceName": "Pixel 7"}, "/b", ["--lang=de", "--x"]))
        self.assertIn("--headless=new", options["args"])
        self.assertEqual([path for path, _ in driver.requests("DELETE")],
                         ["/session/a/b c?"] * 3 + ["/wd/hub/session/a/b c?"], "closed at the end, the youngest first")

    def mixed(self, *options):
        with FakeDriver() as driver:
            result = run("fake-mixed", "-r", 1, "--target", driver.url, *options)
            self.assertEqual(result.code, 0, result)
        return result, {int(worker): name for worker, name in re.findall(r"(\d+) has (\w+)", result.out)}

    def test_the_seats_of_a_room_take_browsers_in_turn(self):
        result, has = self.mixed("-w", 6, "--room-size", 3, "--browser", "chromium,firefox")
        self.assertEqual(has, {0: "chromium", 1: "firefox", 2: "chromium", 3: "chromium", 4: "firefox", 5: "chromium"})
        counts = {(row["value"], row["name"]): row["count"] for row in result.report["tags"] if row["tag"] == "browser"}
        self.assertEqual((counts["chromium", "browser start"], counts["firefox", "browser start"], counts["firefox", "browser title"]), (4, 2, 2))
        self.assertEqual(result.report["timings"]["browser start"]["count"], 6)

    def test_one_that_is_named_twice_has_twice_as_many(self):
        _, has = self.mixed("-w", 3, "--room-size", 1, "--browser", "firefox,firefox,chromium")
        self.assertEqual(has, {0: "firefox", 1: "firefox", 2: "chromium"}, "in rooms of one, by the worker")
        result, has = self.mixed("-w", 2, "--browser", "firefox")
        self.assertEqual((has, result.report["tags"]), ({0: "firefox", 1: "firefox"}, []))

    def test_values_are_those_of_json(self):
        with FakeDriver() as driver:
            driver.found = [{"id": 9007199254740993, "third": 0.1 + 0.2, "none": None, "list": [], "object": {}}, None]
            result = run("fake-values", "-w", 1, "-r", 1, "--target", driver.url)
            self.assertEqual(result.code, 0, result)
            sent = [body for _, path, body, _ in driver.seen if path.endswith("/execute/sync")]
        self.assertEqual([re.search(r'"args":(\[.*\])', body).group(1) for body in sent],
                         ["[9007199254740993,0.30000000000000004,[],[],{},[null],[]]", "[[],{}]"])

    def test_polling_where_there_is_no_other_way(self):
        with FakeDriver() as driver:
            driver.is_old = True
            driver.found = [{"pending": True}, {"pending": True, "shown": "not"}, {"at": 1700000000500, "text": "here"}]
            result = run("fake-polled", "-w", 1, "-r", 1, "--target", driver.url)
            self.assertEqual(result.code, 0, result)
            self.assertEqual(result.report["timings"]["browser wait_for_text (polled)"]["count"], 1)

    def stopped(self, driver, deadline_s):
        with Run("fake-hangs", "-w", 2, "-r", 1, "--target", driver.url) as running:
            for _ in range(2):
                self.assertTrue(driver.hanging.acquire(timeout=20), "both workers wait for their driver")
            running.process.send_signal(signal.SIGINT)
            result = running.finish()
        self.assertEqual((result.code, result.verdict), (130, "aborted"), result)
        self.assertLess(result.seconds, deadline_s)
        self.assertEqual(len(driver.requests("DELETE")), 2, "the sessions are closed although the script has not")
        return result

    def test_a_stop_ends_a_command_at_once(self):
        with FakeDriver() as driver:
            result = self.stopped(driver, 10)
            self.assertEqual(result.steps["stopped"], 2)

    def test_a_driver_that_does_not_let_go(self):
        with FakeDriver() as driver:
            driver.deletes_slowly = True
            result = self.stopped(driver, 20)
            self.assertIn("at the end of the worker: close: the driver has not answered within 5 s", json.dumps(result.report["errors"]))


if __name__ == "__main__":
    unittest.main()
