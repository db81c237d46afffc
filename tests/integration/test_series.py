"""What a campaign counts second by second: it adds up, says when nothing happened, and survives the coordinator."""
import collections
import csv
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree

from support import TUTTI, environment, run, script, tutti
from test_recovery import Restarted
from threaded_server import HttpServer


class Standing(HttpServer):
    """Answers at once, but for two seconds, from 1.5 s after its first request on, not at all."""

    def __init__(self):
        self.first = None
        super().__init__(self.answer)

    def answer(self, _):
        now = time.monotonic()
        self.first = self.first or now
        if 1.5 <= now - self.first < 3.5:
            time.sleep(self.first + 3.5 - now)
        return b""


def add_up(test, report):
    """Every point of the series against the totals of the report."""
    series = report["series"]
    for name, request in report["requests"].items():
        row = series["requests"][name]
        for key in ("count", "failed", "bytes_in", "bytes_out"):
            test.assertEqual(sum(row[key]), request[key], (name, key))
        test.assertEqual(max(value for value in row["max_ms"] if value is not None), request["max_ms"], name)
    total = series["total"]
    test.assertEqual(sum(total["requests"]["count"]), sum(request["count"] for request in report["requests"].values()))
    for key in ("ok", "failed", "stopped", "lost"):
        test.assertEqual(sum(total["steps"][key]), report["steps"][key], key)
    for name, scenario in report["scenarios"].items():
        for key in ("ok", "failed", "stopped"):
            test.assertEqual(sum(series["scenarios"][name][key]), scenario[key], (name, key))
    test.assertEqual(sum(total["waits"]["count"]), sum(wait["count"] for wait in report["waits"].values()))
    test.assertEqual({name: sum(row["count"]) for name, row in series["waits"].items()},
                     {name: wait["count"] for name, wait in report["waits"].items()})
    test.assertEqual({name: (sum(row["count"]), sum(row["failed"])) for name, row in series["groups"].items()},
                     {name: (row["count"], row["failed"]) for name, row in report["groups"].items()})
    test.assertEqual({name: (sum(row["ok"]), sum(row["failed"])) for name, row in series["checks"].items()},
                     {name: (row["passed"], row["failed"]) for name, row in report["checks"].items()})
    test.assertEqual(sum(total["checks"]["ok"]), sum(row["passed"] for row in report["checks"].values()))
    tags = {f"{row['tag']}={row['value']}" if row["value"] else row["tag"]: row for row in report["tags"]
            if row["kind"] == "request" and "name" not in row}
    test.assertEqual({name: (sum(row["count"]), sum(row["failed"])) for name, row in series["tags"].items()},
                     {name: (row["count"], row["failed"]) for name, row in tags.items()})
    for name, row in tags.items():
        test.assertEqual(max(value for value in series["tags"][name]["max_ms"] if value is not None), row["max_ms"], name)
    test.assertEqual(sum(total["seen"]["count"]), sum(seen["count"] for seen in report["seen"].values()))
    lengths = {len(column) for row in total.values() for column in row.values()}
    test.assertEqual(lengths, {series["points"]})


class OfARun(unittest.TestCase):
    def test_it_adds_up(self):
        result = run("series", "-w", 10, "-d", 4, "--room-size", 5, "--agents", 2, "--target", "builtin")
        self.assertEqual(result.code, 0, result)
        series = result.report["series"]
        add_up(self, result.report)
        self.assertEqual(series["point_s"], 1)
        self.assertIn(series["points"], (4, 5, 6), series)
        self.assertEqual(series["total"]["load"]["workers"][1:3], [10, 10])
        self.assertGreater(sum(series["total"]["load"]["agents_cpu_s"]), 0)
        self.assertGreater(sum(series["total"]["seen"]["count"]), 0)
        # Each second in between has about as much as the others.
        whole = series["total"]["steps"]["ok"][1:3]
        self.assertLess(max(whole), 2 * min(whole), series["total"]["steps"])

    def test_a_target_that_stands_still(self):
        with Standing() as target:
            result = run("asks", "-w", 4, "-d", 5, "--target", target.address)
        self.assertEqual(result.code, 0, result)
        add_up(self, result.report)
        requests = result.report["series"]["requests"]["ask"]
        self.assertEqual(requests["count"][2], 0, requests)
        self.assertIsNone(requests["p95_ms"][2], requests)
        self.assertGreater(requests["max_ms"][3], 1500, requests)
        self.assertLess(requests["p95_ms"][0], 1000, requests)
        self.assertEqual(result.report["series"]["total"]["load"]["workers"][1:4], [4, 4, 4])


class AsFiles(unittest.TestCase):
    """The same report as CSV, JUnit and Markdown."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.paths = ("--csv", self.folder / "csv", "--markdown", self.folder / "report.md", "--junit", self.folder / "report.xml")

    def rows(self, name):
        with open(self.folder / "csv" / name, newline="") as file:
            rows = list(csv.reader(file, strict=True))
        self.assertEqual({len(row) for row in rows}, {len(rows[0])}, f"{name} has as many fields in each line")
        self.assertEqual(len(set(rows[0])), len(rows[0]), "each column has a heading of its own")
        return [dict(zip(rows[0], row)) for row in rows[1:]]

    def check_series(self, series):
        """Each number of each row is that of the JSON report, and there is nothing else."""
        left = {("total", key, ""): columns for key, columns in series["total"].items()}
        for key in ("requests", "timings", "scenarios", "waits", "tags", "groups", "checks", "messages", "websockets"):
            left.update({("name", key, name): columns for name, columns in series[key].items()})
        counted = collections.Counter()
        for row in self.rows("series.csv"):
            where = ("name" if row["name"] else "total", row["group"], row["name"])
            point = counted[where]
            counted[where] += 1
            self.assertEqual((int(row["second"]), int(row["seconds"])), (point * series["point_s"], series["point_s"]))
            told = {key: value for key, value in row.items() if key not in ("second", "seconds", "group", "name") and value != ""}
            expected = {key: values[point] for key, values in left[where].items() if values[point] is not None}
            self.assertEqual(set(told), set(expected), where)
            for key, value in expected.items():
                self.assertAlmostEqual(float(told[key]), value, delta=abs(value) / 1e6, msg=(where, key))
        self.assertEqual(counted, {where: series["points"] for where in left})

    def check(self, report):
        summary = {row["key"]: row["value"] for row in self.rows("summary.csv")}
        self.assertEqual((summary["verdict"], int(summary["steps_ok"])), (report["verdict"], report["steps"]["ok"]))
        self.assertEqual(int(summary["requests"]), sum(request["count"] for request in report["requests"].values()))
        for row in self.rows("requests.csv"):
            known = report[{"request": "requests", "timing": "timings", "scenario": "scenarios", "group": "groups", "seen": "seen"}[row["kind"]]][row["name"]]
            keys = ("count", "p50_ms", "p95_ms", "p99_ms", "max_ms") if row["kind"] == "seen" else ("ok", "failed", "per_s", "p50_ms", "p999_ms", "max_ms", "stddev_ms")
            for key in keys:
                self.assertAlmostEqual(float(row[key]), known[key], delta=abs(known[key]) / 1e6, msg=(row, key))
        self.check_series(report["series"])
        series = [row for row in self.rows("series.csv") if row["group"] == "requests"]
        for name, request in report["requests"].items():
            self.assertEqual(sum(int(row["count"]) for row in series if row["name"] == name), request["count"])
        suite = xml.etree.ElementTree.parse(self.folder / "report.xml").getroot().find("testsuite")
        cases = {(case.get("classname"), case.get("name")): case.find("failure") for case in suite.iter("testcase")}
        self.assertEqual(len(cases), int(suite.get("tests")))
        self.assertEqual(sum(failure is not None for failure in cases.values()), int(suite.get("failures")))
        self.assertEqual(cases[("tutti.campaign", "verdict")] is None, report["verdict"] == "passed")
        self.assertIn(("tutti.scenario", "pad"), cases)
        self.assertIn(f": {report['verdict']}\n", (self.folder / "report.md").read_text())

    def test_of_a_run(self):
        summary = self.folder / "summary.md"
        summary.write_text("before\n")
        result = run("series", "-w", 5, "-d", 2, "--target", "builtin", *self.paths, "--threshold", "http.failed < 1%",
                     env=environment(GITHUB_STEP_SUMMARY=str(summary)))
        self.assertEqual(result.code, 1, result)
        self.check(result.report)
        self.assertEqual(summary.read_text(), "before\n" + (self.folder / "report.md").read_text())
        self.assertIn("tutti.threshold", (self.folder / "report.xml").read_text())

    def test_what_cannot_be_written(self):
        for option, path in (("--csv", "/proc/no"), ("--csv", "/dev/null"), ("--markdown", "/no/where.md"), ("--junit", "/tmp")):
            result = tutti("run", script("series"), "-w", 5, option, path)
            self.assertEqual(result.code, 2, result)
            self.assertEqual(result.out, "")
            self.assertRegex(result.err, rf"^tutti: run: {option}: .*{path}.*\n$")
        self.folder.joinpath("csv").mkdir()
        process = subprocess.run(["prlimit", "--fsize=1000", TUTTI, "run", script("series"), "-w", "5", "-d", "1", "--target", "builtin", "-q",
                                  *map(str, self.paths)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, env=environment())
        self.assertEqual(process.returncode, 3, process.stderr)
        self.assertIn("cannot be written: File too large", process.stderr)
        left = os.listdir(self.folder / "csv")
        self.assertIn("summary.csv", left)
        self.assertNotIn("series.csv", left, "nothing is there by half")


class OfACoordinatorThatIsKilled(Restarted):
    def series(self, campaign):
        return self.coordinator.get(f"/v1/campaigns/{campaign}/series")

    def test_it_continues_and_is_kept(self):
        self.start()
        self.start_agents()
        campaign = self.coordinator.create("series", 3, workers=15, room_size=5, duration_ms=7000, target=self.target())
        self.coordinator.wait_until(lambda: self.coordinator.show(campaign)["elapsed_s"] > 2.5, 20, "it does not run")
        live = self.coordinator.show(campaign)
        self.assertIn(live["window_s"], (1, 2, 3), live)
        self.assertGreater(live["requests_per_s"], 20, live)
        before = self.series(campaign).json
        self.kill()
        self.start()
        self.coordinator.wait_agents(3)
        report = self.coordinator.report(campaign)
        self.assertEqual(report["verdict"], "passed", report)
        kept = self.series(campaign)
        after = kept.json
        add_up(self, {**report, "series": after})
        self.assertEqual(after["requests"]["read"]["count"][:1], before["requests"]["read"]["count"][:1])
        files = AsFiles()
        files.folder = pathlib.Path(self.folder)
        printed = self.tutti("report", campaign, "--csv", files.folder / "csv", "--junit", files.folder / "report.xml",
                             "--markdown", files.folder / "report.md")
        self.assertEqual(printed.code, 0, printed)
        files.check({**report, "series": after})
        self.assertEqual(self.tutti("report", campaign, "--junit", "/no/where.xml").code, 3)
        printed = self.tutti("report", campaign, "--json", "-")
        self.assertEqual(json.loads(printed.out)["series"], after)
        # Only the archive has it now.
        self.coordinator.end(signal.SIGTERM)
        self.start()
        self.assertEqual(self.coordinator.get(f"/v1/campaigns/{campaign}/artifacts/1").status, 404)
        self.assertEqual(self.series(campaign).body, kept.body)
        self.assertEqual(self.series(campaign + 1).status, 404)


if __name__ == "__main__":
    unittest.main()
