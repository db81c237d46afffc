"""Who came last to barriers and notifiers, and how long the others waited for it: with known causes, on two agents."""
import pathlib
import tempfile
import unittest

from support import run

ROUND = """worker:barrier("line") -- all of them begin together
    if worker.id == 2 then tutti.sleep(0.1) end
    worker:barrier("rush")
    local round = worker:notifier("pad")
    if worker.id == 3 then
      tutti.sleep(0.05)
      round:written("text")
      round:wait_for_readers()
    else
      round:wait_for_writer()
      if worker.id == 1 then tutti.sleep(0.2) end
      round:one_read()
    end"""


class Last(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="tutti-last-")))

    def play(self, body, *options, code=0):
        path = self.folder / "script.lua"
        path.write_text('local tutti = require "tutti"\ntutti.scenario("s", function(worker)\n' + body + "\nend)\n")
        result = run(path, *options)
        self.assertEqual(result.code, code, result)
        return result

    @staticmethod
    def by_name(result):
        return {f"{row['name']}.{row['kind']}": row for row in result.report["last"]}

    def test_each_of_them_is_seen(self):
        result = self.play(ROUND, "-w", "4", "-r", "5", "--agents", "2", "--markdown", self.folder / "report.md")
        last = self.by_name(result)
        self.assertLessEqual({"rush.barrier", "pad.wait_for_writer", "pad.wait_for_readers"}, set(last))
        for name, worker, waited_s in (("rush.barrier", 2, 5 * (2 * 0.1 + 0.1)), ("pad.wait_for_writer", 3, 5 * 3 * 0.05), ("pad.wait_for_readers", 1, 5 * 0.2)):
            with self.subTest(name):
                row = last[name]
                self.assertEqual((row["times"], row["workers"][0]["worker"], row["workers"][0]["times"]), (5, worker, 5), row)
                self.assertTrue(waited_s * 0.85 <= row["waited_s"] <= waited_s * 1.9, (row, waited_s))
                self.assertEqual([agent["agent"] for agent in row["agents"]], [row["workers"][0]["agent"]])
                self.assertNotIn("others", row)
        self.assertEqual(len({last[name]["workers"][0]["agent"] for name in ("rush.barrier", "pad.wait_for_writer")}), 2)
        self.assertRegex(result.out, r"(?m)^  rush\.barrier +5 +1\.\d+ s  worker 2 \(agent-\d, 5 of 5\)$")
        self.assertRegex((self.folder / "report.md").read_text(), r"\| pad\.wait_for_readers \| 5 \| [^|]+ \| worker 1 \(agent-\d, 5 of 5\)")

    def test_one_that_fails_before_it_comes_is_last(self):
        result = self.play("""if worker.id == 1 then tutti.sleep(0.2) error("no stock") end
            worker:barrier("rush")""", "-w", "3", "-r", "3", "--fail", "0")
        row = self.by_name(result)["rush.barrier"]
        self.assertEqual([(worker["worker"], worker["times"]) for worker in row["workers"]], [(1, 3)])
        self.assertTrue(1.1 <= row["waited_s"] <= 2, row)

    def test_the_first_of_them_is_not_cut(self):
        """A row is at most 80 columns wide; the time of the first worker is whole all the same."""
        body = """local round = worker:notifier("the pad of the room")
            local writer = worker.step % 2
            if worker.id == writer then
              tutti.sleep(0.02)
              round:written("text")
            else
              round:wait_for_writer()
            end"""
        out = self.play(body, "-w", "4", "-r", "4").out
        rows = [line for line in out.splitlines() if "worker " in line and " of 4, " in line]
        self.assertEqual(len(rows), 1, out)
        self.assertRegex(rows[0], r"  worker [01] \(agent-\d, 2 of 4, [\d.]+ (ms|s)\), ")
        self.assertLessEqual(len(rows[0]), 80)

    def test_nobody_is_last_alone(self):
        result = self.play('worker:barrier("rush") tutti.sleep(0.01)', "-w", "1", "-r", "3")
        self.assertEqual(result.report["last"], [])
        self.assertNotIn("last to come", result.out)

    def test_a_variable_that_is_numbered_is_one_row_of_waits_and_no_request_has_the_wait(self):
        """What a worker waits for others is a wait, never a part of a request that it makes."""
        body = """local http = require "tutti.http"
            if worker.id == 0 then tutti.sleep(0.1) tutti.set_var("turn-" .. worker.step, 1) else tutti.wait_var("turn-" .. worker.step) end
            http.get("/", { name = "home" })"""
        report = self.play(body, "-w", "3", "-r", "4", "--target", "builtin").report
        self.assertEqual(list(report["waits"]), ["turn-N.wait_var"])
        self.assertEqual(report["waits"]["turn-N.wait_var"]["count"], 8)
        self.assertGreater(report["waits"]["turn-N.wait_var"]["p50_ms"], 90)
        self.assertLess(report["requests"]["home"]["max_ms"], 90)


if __name__ == "__main__":
    unittest.main()
