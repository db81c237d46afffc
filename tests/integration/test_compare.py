"""tutti compare: reports of real runs beside each other, changed by what is known; its exit codes, its outputs, bad files."""
import copy
import json
import pathlib
import random
import tempfile
import unittest

from daemon import Agent, Coordinator
from support import environment, run, tutti

SECONDS = 30


def varied(report, seed, factor=1.0, noise=0.05, failed=0.0):
    """The report with a series of SECONDS whose latencies are drawn around `factor` times what they were."""
    lot = random.Random(seed)
    made = copy.deepcopy(report)
    made["duration_s"] = SECONDS + 1
    counts = [100] * SECONDS + [3]
    off = [1 + lot.gauss(0, noise) for _ in counts]
    series = made["series"]
    series["points"] = len(counts)
    latencies = {"p50_ms": 10 * factor, "p95_ms": 20 * factor, "p99_ms": 40 * factor}
    columns = {"count": counts, "failed": [round(count * failed) for count in counts], "bytes_in": counts, "bytes_out": counts,
               **{key: [round(value * one, 3) for one in off] for key, value in latencies.items()}, "max_ms": [50 * factor] * len(counts)}
    series["requests"] = {"quick": columns}
    series["total"]["requests"] = columns
    mean = sum(off) / len(off)
    numbers = {"count": sum(counts), "failed": sum(columns["failed"]), **{key: value * mean for key, value in latencies.items()}}
    made["http"].update(numbers)
    made["requests"] = {"quick": {**numbers, "per_s": sum(counts) / made["duration_s"], "ok": numbers["count"] - numbers["failed"]}}
    return made


class Compare(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.report = run("get", "-w", 2, "-r", 2, "--target", "builtin").report

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, name, report):
        path = self.folder / name
        path.write_text(report if isinstance(report, str) else json.dumps(report))
        return path

    def compare(self, *arguments, code=0, env=None):
        result = tutti("compare", *arguments, env=env)
        self.assertEqual(result.code, code, result)
        return result

    def test_a_run_is_the_same_as_itself(self):
        path = self.folder / "a.json"
        path.write_text(json.dumps(self.report))
        result = self.compare(path, path, "--fail-if", "p95 > +0%", "--fail-if", "failed > +0%")
        self.assertTrue(result.out.strip().startswith("same: all "), result)
        self.assertIn("p95 > +0%: ok: http.p95 ±0.00 %", result.out)

    def test_what_is_slower_is_worse_and_what_varies_is_not(self):
        base, again = self.write("base.json", varied(self.report, 1)), self.write("again.json", varied(self.report, 2))
        slow = self.write("slow.json", varied(self.report, 3, factor=1.3, failed=0.05))
        self.assertIn("same: all", self.compare(base, again, "--fail-if", "p95 > +1%").out)
        result = self.compare(base, slow, "--fail-if", "rate < -5%; request[quick].p95 > +10%", "--fail-if", "failed > +1%", code=1)
        self.assertTrue(result.out.strip().startswith("worse: http.failed +5.00 points, http.p50 +"), result)
        self.assertIn("\n  rate < -5%: ok: http.rate ", result.out)
        self.assertRegex(result.out, r"request\[quick\].p95 > \+10%: failed: request\[quick\].p95 \+(2|3)\d\.\d %")
        self.assertRegex(result.out, r"\n  failed > \+1%: failed: http.failed \+5.00 points")
        self.compare(base, slow)
        self.assertIn("better: http.failed", self.compare(slow, base, "--fail-if", "p95 > +10%").out)
        # A 30 % change is nothing where seconds differ twofold.
        wild = [self.write(f"wild{i}.json", varied(self.report, i, factor=1 + 0.3 * i, noise=0.7)) for i in range(2)]
        self.assertIn("p95 > +5%: within noise", self.compare(*wild, "--fail-if", "p95 > +5%").out)

    def test_runs_that_differ_from_each_other(self):
        base = [self.write(f"a{i}.json", varied(self.report, i, factor=1 + 0.1 * i, noise=0.01)) for i in range(3)]
        new = [self.write(f"b{i}.json", varied(self.report, i, factor=1.1 + 0.1 * i, noise=0.01)) for i in range(3)]
        self.assertIn("worse", self.compare(base[0], new[0]).out)
        self.assertIn("same: all", self.compare(*base, ":", *new, "--fail-if", "p95 > +1%").out)
        slow = [self.write(f"c{i}.json", varied(self.report, i, factor=2 + 0.1 * i, noise=0.01)) for i in range(3)]
        self.compare(*base, ":", *slow, "--fail-if", "p95 > +50%", code=1)

    def test_json_markdown_and_the_summary_of_a_step(self):
        base, slow = self.write("base.json", varied(self.report, 1)), self.write("slow.json", varied(self.report, 2, factor=2))
        page, summary = self.folder / "compare.md", self.folder / "summary.md"
        summary.write_text("before\n")
        result = self.compare(base, slow, "--json", "-", "--markdown", page, "--fail-if", "p95 > +10%", code=1,
                              env=environment(GITHUB_STEP_SUMMARY=str(summary)))
        told = json.loads(result.out)
        self.assertEqual((told["verdict"], told["level"], told["tolerance"]), ("worse", 0.99, 0.02))
        self.assertEqual(told["fail_if"], [{"condition": "p95 > +10%", "outcome": "failed", "is_failed": True}])
        row = next(row for row in told["rows"] if row["name"] == "quick")
        self.assertAlmostEqual(row["p95_ms"]["change"], 1, delta=0.1)
        self.assertAlmostEqual(row["p95_ms"]["base"], 20, delta=1)
        self.assertLess(row["p95_ms"]["p_value"], 1e-6)
        self.assertEqual(row["per_s"]["verdict"], "same")
        self.assertIn("| request\\[quick\\].p95 | ", page.read_text())
        self.assertEqual(summary.read_text(), "before\n" + page.read_text())

    def test_bad_files_are_named_with_the_reason(self):
        good = self.write("good.json", self.report)
        running = {**self.report, "verdict": None}
        for name, content, words in (("cut.json", json.dumps(self.report)[:500], "line 1: "), ("list.json", "[1]", "is not a report"),
                                     ("other.json", '{"a": 1}', "is not a report"), ("running.json", running, "has not ended"),
                                     ("deep.json", "[" * 100000, "line 1: "), ("empty.json", "", "line 1: ")):
            bad = self.write(name, content)
            for order in ((good, bad), (bad, good)):
                result = self.compare(*order, code=2)
                self.assertEqual(len(result.err.splitlines()), 1, result)
                self.assertIn(f"compare: {bad}: ", result.err)
                self.assertIn(words, result.err)
        self.assertIn("No such file", self.compare(good, self.folder / "none.json", code=2).err)
        self.assertIn("it is a folder", self.compare(good, self.folder, code=2).err)

    def test_bad_usage(self):
        good = self.write("good.json", self.report)
        for arguments, words in (((), "which runs?"), ((good,), "which runs?"), ((good, ":"), "which runs?"), ((":", good), "which runs?"),
                                 ((good, good, good), "Put a : between"), ((good, good, "--fail-if", "p95 > 10%"), "--fail-if: "),
                                 ((good, good, "--level", "10%"), "--level: "), ((good, good, "--tolerance", "-1%"), "--tolerance: ")):
            result = self.compare(*arguments, code=2)
            self.assertIn(words, result.err)
            self.assertEqual(result.out, "")

    def test_what_cannot_be_written_is_lost_and_the_rest_is_shown(self):
        good = self.write("good.json", self.report)
        result = self.compare(good, good, "--markdown", self.folder / "none" / "a.md", code=3)
        self.assertIn("same: all", result.out)
        self.assertIn("a.md cannot be written", result.err)

    def test_campaigns_of_a_coordinator(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"):
            coordinator.wait_agents(1)
            env = environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}")
            ended = [coordinator.create("quick", 1, workers=2, runs=2) for _ in range(2)]
            for campaign in ended:
                self.assertEqual(coordinator.report(campaign)["verdict"], "passed")
            result = self.compare(*ended, "--fail-if", "steps.failed > +0%", env=env)
            self.assertIn("steps.failed > +0%: ok", result.out)
            self.assertIn("steps.count", result.out)
            self.assertIn("4711", self.compare(ended[0], 4711, code=2, env=env).err)


if __name__ == "__main__":
    unittest.main()
