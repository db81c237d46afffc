"""How long until the others see an edit, and whether they see the same: measured, reported, checked."""
import csv
import json
import tempfile
import unittest

from daemon import Agent, Coordinator
from support import run, tutti, wait_until


class Seen(unittest.TestCase):
    def test_time_from_edit_to_each_reader(self):
        result = run("seen", "-w", 3, "-r", 5, "--agents", 2)
        self.assertEqual((result.code, result.steps["ok"]), (0, 15), result)
        seen = result.report["seen"]["pad"]
        self.assertEqual(seen["count"], 10)
        self.assertGreaterEqual(seen["p50_ms"], 49)  # the writer takes 50 ms after writing()
        self.assertGreaterEqual(seen["max_ms"], 149)  # and one of the readers 100 ms more
        self.assertLess(seen["p50_ms"], 149)
        self.assertGreaterEqual(seen["spread_p50_ms"], 80)
        self.assertEqual((seen["last"], seen["before_edit"]), ({"1": 5}, 0))
        self.assertGreater(seen["clock_uncertainty_ms"], 0)
        self.assertLess(seen["clock_uncertainty_ms"], 20)
        self.assertEqual(result.report["convergence"]["pad"],
                         {"steps": 5, "diverged": 0, "reads": 10, "differed": 0, "examples": []})
        self.assertRegex(result.out, r"edit → seen +count .*\n +pad +10 .* worker 1 \(5 of 5\)")
        self.assertRegex(result.out, r"true to within [0-9.]+ [µm]s")
        self.assertIn("pad: in 5 of 5 steps all readers saw the same", result.out)

    def test_written_stands_in_for_writing(self):
        seen = run("pad", "-w", 5, "-r", 10, "--agents", 2).report["seen"]["pad"]
        self.assertEqual(seen["count"], 40)
        self.assertLess(seen["p50_ms"], 40)

    def test_who_sees_something_else_fails_the_campaign(self):
        result = run("seen", "-w", 6, "--room-size", 3, "-r", 5, "--agents", 2)
        self.assertEqual((result.code, result.verdict, result.steps["failed"]), (1, "failed", 0), result)
        self.assertEqual(result.report["reason"],
                         "readers saw different texts in 1 step, first at pad@3 in room 1: 1 of 2 differed from what was written")
        self.assertEqual(result.report["convergence"]["pad"], {
            "steps": 10, "diverged": 1, "reads": 20, "differed": 1,
            "examples": [{"room": 1, "step": 3, "reads": 2, "differed": 1, "from": "written", "workers": [4]}]})
        self.assertIn("step 3 of room 1: worker 4 saw something else than what was written", result.out)

    def test_unless_failures_are_allowed(self):
        result = run("seen", "-w", 6, "--room-size", 3, "-r", 5, "--agents", 2, "--fail", 0)
        self.assertEqual((result.code, result.verdict), (0, "passed"), result)
        self.assertEqual(result.report["convergence"]["pad"]["diverged"], 1)

    def test_a_page_says_when_it_had_it(self):
        result = run("seen-at", "-w", 2, "-r", 2, "--agents", 2, "--allow-system")
        self.assertEqual(result.code, 0, result)
        seen = result.report["seen"]["pad"]
        self.assertEqual(seen["count"], 2)
        self.assertEqual(seen["before_edit"], 0)
        self.assertGreaterEqual(seen["p50_ms"], 299)  # measured from when the writer's page had it
        self.assertLess(seen["max_ms"], 499)  # when the reader reported it, 0.5 s or more had passed

    def test_what_was_already_there_is_counted_apart(self):
        with tempfile.TemporaryDirectory() as folder:
            result = run("seen-at-once", "-w", 4, "-r", 3, "--agents", 2, "--csv", folder)
            with open(f"{folder}/summary.csv") as summary_file, open(f"{folder}/requests.csv") as requests_file:
                summary = dict(csv.reader(summary_file))
                rows = [row for row in csv.DictReader(requests_file) if row["kind"] == "seen"]
        self.assertEqual(result.code, 0, result)
        seen = result.report["seen"]["pad"]
        self.assertEqual((seen["count"], seen["at_once"], seen["last"]), (6, 3, {"2": 3}))
        self.assertLess(seen["max_ms"], 499)
        self.assertEqual(set(seen["browsers"]), {"chromium", "firefox"})
        chromium, firefox = seen["browsers"]["chromium"], seen["browsers"]["firefox"]
        self.assertEqual((chromium["count"], chromium["at_once"], firefox["count"], firefox["at_once"]), (3, 3, 3, 0))
        self.assertGreaterEqual(chromium["p50_ms"], 195)
        self.assertLess(firefox["p50_ms"], 195)
        self.assertEqual(result.report["convergence"]["pad"]["reads"], 9)
        self.assertRegex(result.out, r"by browser .*\n +pad \((chromium|firefox)\) +3 .*\n +pad \((chromium|firefox)\) +3 ")
        self.assertIn("  3 already there when the reader began to look, and in no number above", result.out)
        self.assertEqual((summary["sightings"], summary["sightings_at_once"]), ("6", "3"))
        (row,) = rows
        self.assertEqual((row["name"], row["count"], row["ok"], row["mean_ms"]), ("pad", "6", "", ""))
        self.assertEqual((float(row["p50_ms"]), float(row["max_ms"])), (seen["p50_ms"], seen["max_ms"]))


class Api(unittest.TestCase):
    def test_report_live_numbers_and_metrics(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"), Agent(coordinator.endpoint, "a2"):
            coordinator.wait_agents(2)
            number = coordinator.create("seen", 2, workers=3, runs=100000)

            def has_seen():
                return coordinator.show(number)["seen"].get("pad", {}).get("count", 0) > 10
            wait_until(has_seen, 20, "nothing seen")
            metrics = coordinator.metrics()
            name = f'{{campaign="{number}",notifier="pad"'
            self.assertGreaterEqual(metrics[f'tutti_campaign_seen_seconds{name},quantile="0.5"}}'], 0.049)
            self.assertGreater(metrics[f"tutti_campaign_sightings_total{name}}}"], 10)
            self.assertEqual(metrics[f"tutti_campaign_sightings_at_once_total{name}}}"], 0)
            self.assertEqual(metrics[f"tutti_campaign_diverged_steps_total{name}}}"], 0)
            coordinator.post(f"/v1/campaigns/{number}/stop")
            report = coordinator.report(number)
            self.assertGreater(report["convergence"]["pad"]["steps"], 3)
            api = f"http://127.0.0.1:{coordinator.port}"
            told = tutti("report", number, "--api", api)
            self.assertRegex(told.out, r"edit → seen .*often last\n +pad .*worker 1 \(")
            self.assertEqual(json.loads(tutti("report", number, "--api", api, "--json", "-").out)["seen"], report["seen"])

    def test_browsers_in_metrics(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"):
            coordinator.wait_agents(1)
            number = coordinator.create("seen-at-once", 1, workers=4, runs=100000)
            wait_until(lambda: coordinator.show(number)["seen"].get("pad", {}).get("at_once", 0) > 2, 20, "nothing was there at once")
            metrics = coordinator.metrics()
            name = f'{{campaign="{number}",notifier="pad"'
            self.assertGreater(metrics[f"tutti_campaign_sightings_at_once_total{name}}}"], 2)
            self.assertGreater(metrics[f'tutti_campaign_browser_sightings_total{name},browser="firefox"}}'], 2)
            shown = metrics[f'tutti_campaign_browser_seen_seconds{name},browser="chromium",quantile="0.5"}}']
            self.assertGreaterEqual(shown, 0.195)
            coordinator.post(f"/v1/campaigns/{number}/stop")
            report = coordinator.report(number)
            api = f"http://127.0.0.1:{coordinator.port}"
            self.assertEqual(json.loads(tutti("report", number, "--api", api, "--json", "-").out)["seen"], report["seen"])


if __name__ == "__main__":
    unittest.main()
