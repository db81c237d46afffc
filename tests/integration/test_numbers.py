"""Numbers that a user reads: known causes, bounds on both sides, in the report as JSON and as text, at the API and in /metrics."""
import json
import os
import re
import signal
import time
import unittest

from daemon import Agent, Coordinator
from support import Run, environment, run, tutti
from threaded_server import HttpServer

STEPS = 4
WORKERS = 3
LATE_MS = 400  # tolerance for a busy machine
UNITS_MS = {"µs": 0.001, "ms": 1, "s": 1000}
NUMBER = r"([\d.,]+) (µs|ms|s)"


class Server(HttpServer):
    """Answers after 50 ms, with 10,000 bytes, and counts."""

    def __init__(self):
        self.count = 0
        super().__init__(self.answer)

    def answer(self, _):
        self.count += 1
        time.sleep(0.05)
        return b"x" * 10000


def milliseconds(number, unit):
    return float(number.replace(",", "")) * UNITS_MS[unit]


def row_of(text, name, count_of_times):
    """(integers, times in ms) of the table row that begins with this name."""
    line = next(line for line in text.splitlines() if re.match(rf"  {re.escape(name)} +\d", line))
    times = [milliseconds(*found) for found in re.findall(NUMBER, line)][:count_of_times]
    return [int(found) for found in re.sub(NUMBER, "", line)[len(name) + 2:].split() if found.isdigit()], times


# What is known of `numbers.lua`: (where in the report, the least, the most).
TIMES = (
    # 50 of the page, 80 of the pause, 120 and 60 of the edit, 150 of worker 1
    (("steps", "p50_ms"), 459, 459 + LATE_MS),
    (("requests", "page", "p50_ms"), 50, 50 + LATE_MS),
    (("requests", "page", "max_ms"), 50, 50 + 2 * LATE_MS),
    (("requests", "page", "min_ms"), 50, 50 + LATE_MS),
    (("requests", "page", "mean_ms"), 50, 50 + LATE_MS),
    (("requests", "page", "p90_ms"), 50, 50 + 2 * LATE_MS),
    (("requests", "page", "p999_ms"), 50, 50 + 2 * LATE_MS),
    (("requests", "page", "per_s"), 1, STEPS * WORKERS / 1.8),
    (("scenarios", "known", "p50_ms"), 459, 459 + LATE_MS),
    (("timings", "pause", "p50_ms"), 79, 80 + LATE_MS),
    (("timings", "pause", "max_ms"), 79, 80 + 2 * LATE_MS),
    (("waits", "pad.wait_for_writer", "p50_ms"), 150, 180 + LATE_MS),
    (("waits", "end.barrier", "p50_ms"), 145, 150 + LATE_MS),
    (("waits", "end.barrier", "p99_ms"), 145, 150 + 2 * LATE_MS),
    (("seen", "pad", "p50_ms"), 59, 60 + LATE_MS),
    (("seen", "pad", "max_ms"), 59, 60 + 2 * LATE_MS),
    (("release_spread_ms", "max"), 0.001, LATE_MS),
    (("start_spread_ms",), 0.001, LATE_MS),
)
COUNTS = (
    (("steps", "ok"), STEPS * WORKERS - 2),
    (("steps", "failed"), 2),
    (("requests", "page", "count"), STEPS * WORKERS),
    (("requests", "page", "failed"), 0),
    (("requests", "page", "ok"), STEPS * WORKERS),
    (("requests", "page", "statuses"), {"200": STEPS * WORKERS}),
    (("requests", "page", "bytes_in"), STEPS * WORKERS * 10000),
    (("requests", "page", "bytes_out"), 0),
    (("requests", "dead", "statuses"), {}),
    (("scenarios", "known", "ok"), STEPS * WORKERS - 2),
    (("scenarios", "known", "failed"), 2),
    (("scenarios", "known", "share"), 1),
    (("scenarios", "known", "weight_share"), 1),
    (("requests", "dead", "count"), STEPS),
    (("requests", "dead", "failed"), STEPS),
    (("timings", "pause", "count"), STEPS * WORKERS),
    (("timings", "pause", "failed"), 0),
    (("waits", "pad.wait_for_writer", "count"), STEPS * (WORKERS - 1)),
    (("waits", "pad.wait_for_writer", "ok"), STEPS * (WORKERS - 1)),
    (("waits", "pad.wait_for_readers", "count"), STEPS),
    (("waits", "end.barrier", "count"), STEPS * WORKERS),
    (("seen", "pad", "count"), STEPS * (WORKERS - 1)),
    (("convergence", "pad", "steps"), STEPS),
)


def look_up(report, path):
    for name in path:
        report = report[name]
    return report


class Variables(unittest.TestCase):
    def test_those_that_a_script_numbers_are_one_row(self):
        report = run("turns", "-w", 2, "-r", 30).report
        self.assertEqual({name: wait["count"] for name, wait in report["waits"].items()}, {"turn-N of Na.wait_var": 30})


class Known(unittest.TestCase):
    def check(self, report):
        for path, least, most in TIMES:
            with self.subTest(path):
                value = look_up(report, path)
                self.assertGreaterEqual(value, least)
                self.assertLess(value, most)
        for path, count in COUNTS:
            with self.subTest(path):
                self.assertEqual(look_up(report, path), count)

    def check_text(self, text, report):
        """The text agrees with the JSON, to the digits that it shows."""
        columns = ("p50_ms", "p95_ms", "p99_ms", "max_ms")
        for part, names in (("requests", columns), ("timings", columns), ("waits", ("p50_ms", "p99_ms")), ("seen", columns)):
            for name, row in report[part].items():
                with self.subTest(part=part, name=name):
                    counts, times = row_of(text, name, len(names))
                    self.assertEqual(counts[0], row["count"])
                    if part in ("requests", "timings"):
                        self.assertEqual(counts[1], row["failed"])
                    for shown, column in zip(times, names, strict=True):
                        self.assertAlmostEqual(shown, row[column], delta=max(0.001, row[column] * 0.01))
        steps, duration_s = report["steps"], report["duration_s"]
        found = re.search(r"\n  time +" + NUMBER + r"\n  steps +([\d,]+) ok, ([\d,]+) failed(?:, \d+ stopped)? +\(([\d.,]+) steps/s\)", text)
        self.assertIsNotNone(found, text)
        self.assertAlmostEqual(milliseconds(*found.groups()[:2]), duration_s * 1000, delta=duration_s * 10)
        self.assertEqual((int(found.group(3)), int(found.group(4))), (steps["ok"], steps["failed"]))
        self.assertAlmostEqual(float(found.group(5)), (steps["ok"] + steps["failed"]) / duration_s, delta=0.1)
        found = re.search(r"\n  spread .*: p50 " + NUMBER + ", max " + NUMBER, text)
        self.assertAlmostEqual(milliseconds(*found.groups()[2:]), report["release_spread_ms"]["max"], delta=0.5)

    def test_a_run(self):
        with Server() as server:
            begun = time.monotonic()
            result = run("numbers", "-w", WORKERS, "-r", STEPS, "--agents", 2, "--target", server.address, "--fail", 0)
            took_s = time.monotonic() - begun
            self.assertEqual(result.code, 0, result)
            self.assertEqual(server.count, STEPS * WORKERS)
        self.check(result.report)
        self.check_text(result.out, result.report)
        duration_s = result.report["duration_s"]
        self.assertGreaterEqual(duration_s, STEPS * 0.459)
        self.assertLess(duration_s, took_s)
        self.assertEqual(result.report["errors"][0]["count"], 2)

    def test_a_campaign_at_a_coordinator(self):
        with Server() as server, Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"), Agent(coordinator.endpoint, "a2"):
            coordinator.wait_agents(2)
            number = coordinator.create("numbers", 2, workers=WORKERS, runs=STEPS + 1, target=server.address, fail_steps=0)

            def stands_still():
                live = coordinator.show(number)["steps"]
                return live["ok"] + live["failed"] == STEPS * WORKERS
            coordinator.wait_until(stands_still, 40, "steps are missing")
            time.sleep(1.5)  # counts of agents arrive within a second
            live = coordinator.show(number)
            self.assertEqual((live["steps"]["ok"], live["steps"]["failed"]), (STEPS * WORKERS - 2, 2))
            self.assertGreaterEqual(live["seen"]["pad"]["p50_ms"], 59)
            self.assertLess(live["seen"]["pad"]["p50_ms"], 60 + LATE_MS)
            metrics = coordinator.metrics()
            of_campaign = f'{{campaign="{number}"'
            self.assertEqual(metrics[f'tutti_campaign_steps_total{of_campaign},result="ok"}}'], STEPS * WORKERS - 2)
            self.assertEqual(metrics[f'tutti_campaign_steps_total{of_campaign},result="failed"}}'], 2)
            self.assertEqual(metrics[f"tutti_campaign_requests_total{of_campaign}}}"], STEPS * WORKERS + STEPS)
            seen = metrics[f'tutti_campaign_seen_seconds{of_campaign},notifier="pad",quantile="0.5"}}']
            self.assertGreaterEqual(seen, 0.059)
            self.assertLess(seen, 0.06 + LATE_MS / 1000)
            self.assertEqual(metrics[f'tutti_campaign_sightings_total{of_campaign},notifier="pad"}}'], STEPS * (WORKERS - 1))
            self.assertEqual(metrics["tutti_workers_running"], WORKERS)
            self.assertEqual(sum(metrics[f'tutti_agent_workers_running{{agent="{name}"}}'] for name in ("a1", "a2")), WORKERS)

            coordinator.post(f"/v1/campaigns/{number}/stop", {"at_once": True})
            report = coordinator.report(number)
            self.check(report)
            env = environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}")
            series = coordinator.get(f"/v1/campaigns/{number}/series").json
            self.assertEqual(json.loads(tutti("report", number, "--json", "-", env=env).out), {**report, "series": series})
            self.check_text(tutti("report", number, env=env).out, report)


class Delay(unittest.TestCase):
    def test_it_is_kept_between_steps_and_is_no_part_of_them(self):
        result = run("delays", "-w", 1, "-r", 4, "-s", "kept")
        self.assertEqual((result.code, result.steps["ok"]), (0, 4), result)
        self.assertGreaterEqual(result.report["duration_s"], 4 * 0.1 + 3 * 0.2 - 0.01)
        self.assertLess(result.report["duration_s"], 4 * 0.1 + 4 * 0.2 + 1)
        self.assertGreaterEqual(result.report["steps"]["p50_ms"], 99)
        self.assertLess(result.report["steps"]["p99_ms"], 99 + LATE_MS / 2)

    def test_the_option_stands_in_for_that_of_the_scenario(self):
        result = run("quick", "-w", 1, "-r", 3, "--delay", "300ms")
        self.assertEqual((result.code, result.steps["ok"]), (0, 3), result)
        self.assertGreaterEqual(result.report["duration_s"], 2 * 0.3)
        self.assertLess(result.report["duration_s"], 3 * 0.3 + 1)

    def test_none_follows_a_failed_step(self):
        result = run("delays", "-w", 1, "-r", 3, "-s", "failing")
        self.assertEqual(result.steps["failed"], 3, result)
        self.assertLess(result.report["duration_s"], 4)

    def test_nobody_waits_for_one_that_stops(self):
        for scenario in ("resting", "undeterred"):  # within the delay, and within a step that ends well all the same
            with self.subTest(scenario), Run("delays", "-w", 2, "-r", 2, "-s", scenario) as process:
                process.read_until("2 workers")
                begun = time.monotonic()
                os.kill(process.pid, signal.SIGINT)
                result = process.finish(60)
                self.assertEqual((result.code, result.steps["ok"]), (130, 2), result)
                self.assertLess(time.monotonic() - begun, 12)


if __name__ == "__main__":
    unittest.main()
