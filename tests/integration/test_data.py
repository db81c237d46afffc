"""Rows from files: each for one worker, also on many agents; when they run out; and large bundles."""
import json
import os
import pathlib
import tempfile
import unittest

from support import tutti

SCRIPT = """
local tutti = require "tutti"
local rows = tutti.data("%s"%s)
assert(#rows == %d)
tutti.scenario("take", function(worker)
  local row = rows:next(worker)
  assert(tutti.incr("row " .. row.n) == 1, "row " .. row.n .. " was given twice")
end)
tutti.global_teardown(function()
  local taken = 0
  for i = 1, #rows do taken = taken + (tutti.get_var("row " .. rows[i].n) or 0) end
  tutti.print("taken: " .. taken)
end)
"""


class Data(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.addCleanup(self.temporary.cleanup)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
        return path

    def play(self, script, *options):
        path = self.write("data.lua", script)
        report = self.folder / "report.json"
        result = tutti("run", path, "--json", report, *options, timeout=120)
        result.report = json.loads(report.read_text()) if report.exists() else None
        return result

    def test_each_row_goes_to_one_of_800_workers_on_4_agents(self):
        rows = 800 * 3
        self.write("rows.csv", "n,name\n" + "".join(f'{i},"name, {i}"\n' for i in range(rows)))
        result = self.play(SCRIPT % ("rows.csv", "", rows), "-w", 800, "-r", 3, "--agents", 4, "--shards", 2)
        self.assertEqual((result.code, result.steps["ok"]), (0, rows), result)
        self.assertIn(f"taken: {rows}", result.out)

    def test_when_the_rows_run_out_the_steps_fail(self):
        self.write("rows.jsonl", "".join(json.dumps({"n": i}) + "\n" for i in range(25)))
        result = self.play(SCRIPT % ("rows.jsonl", "", 25), "-w", 10, "-r", 4, "--agents", 2)
        self.assertEqual((result.code, result.steps["ok"], result.steps["failed"]), (1, 25, 15), result)
        self.assertIn("rows.jsonl: all 25 rows have been given out", result.report["errors"][0]["message"])
        self.assertIn("taken: 25", result.out)

    def test_or_they_come_again(self):
        self.write("rows.json", json.dumps([{"n": i} for i in range(4)]))
        script = SCRIPT.replace(" == 1,", " <= 5,")
        result = self.play(script % ("rows.json", ", { wrap = true }", 4), "-w", 10, "-r", 2, "--agents", 2)
        self.assertEqual((result.code, result.steps["ok"]), (0, 20), result)
        self.assertIn("taken: 20", result.out)

    def test_a_broken_file_stops_it_with_its_line(self):
        for name, content, says in (("rows.csv", "n,m\n1,2\n3\n", "rows.csv:3: 1 fields, the header has 2"),
                                    ("rows.csv", "n\n\"1\n2\n", "rows.csv:2: an unterminated quoted field"),
                                    ("rows.csv", b"\xff\xfen\0", "rows.csv:1: the byte 0xFF is not UTF-8"),
                                    ("rows.csv", b"n\0\n", "rows.csv:1: a zero byte"),
                                    ("rows.jsonl", '{"n":1}\n{"n"}\n', "rows.jsonl:2: "),
                                    ("rows.json", '[{"n":1},\n{"n":}]', "rows.json:2: "),
                                    ("rows.json", '{"n":1}', "rows.json: no rows")):
            with self.subTest(says):
                self.write(name, content)
                for command in ("run", "check"):
                    self.write("data.lua", SCRIPT % (name, "", 1))
                    result = tutti(command, self.folder / "data.lua")
                    self.assertEqual(result.code, 2, result)
                    self.assertEqual(len(result.err.splitlines()), 1, result)
                    self.assertIn(says, result.err)

    def test_a_large_bundle_arrives_whole(self):
        noise = os.urandom(20 << 20).hex()
        lines = [noise[at:at + 4000] for at in range(0, len(noise), 4000)]
        self.write("rows.csv", "n,noise\n" + "".join(f"{i},{line}\n" for i, line in enumerate(lines)))
        script = SCRIPT % ("rows.csv", "", len(lines)) + f'assert(rows[{len(lines)}].noise == "{lines[-1]}")\n'
        result = self.play(script, "-w", 20, "-r", 2, "--agents", 3)
        self.assertEqual((result.code, result.steps["ok"]), (0, 40), result)

    def test_too_large_a_bundle_is_refused(self):
        with open(self.write("rows.csv", "n\n"), "r+b") as file:
            file.truncate((64 << 20) + 1)
        result = self.play(SCRIPT % ("rows.csv", "", 1))
        self.assertEqual(result.code, 2, result)
        self.assertIn("64 MiB", result.err)


if __name__ == "__main__":
    unittest.main()
