"""The Easysync module of the Etherpad example computes what Etherpad's own does, and obeys the laws of its algebra."""
import pathlib
import shutil
import tempfile
import unittest

from support import EXAMPLES, SCRIPTS, run

MODULES = ("document", "easysync", "pool", "units")


class Easysync(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tutti-easysync-")
        self.addCleanup(self.folder.cleanup)
        self.place = pathlib.Path(self.folder.name)
        for name in MODULES:
            shutil.copy(EXAMPLES / "etherpad" / f"{name}.lua", self.place)
        for name in ("changesets.lua", "changesets.jsonl"):
            shutil.copy(SCRIPTS / name, self.place)

    def test_its_results_are_etherpads_and_random_ones_converge(self):
        result = run(self.place / "changesets.lua", timeout=100)
        self.assertEqual((result.code, result.steps["ok"], result.steps["failed"]), (0, 3, 0), result)

    def broken(self, line, other):
        """What the story says when a line of the module is another."""
        path = self.place / "easysync.lua"
        text = path.read_text()
        self.assertEqual(text.count(line), 1, line)
        path.write_text(text.replace(line, other))
        return run(self.place / "changesets.lua", "-r", 1)

    def test_a_wrong_rule_for_ties_is_noticed(self):
        result = self.broken("return not reverse", "return reverse")
        self.assertEqual((result.code, result.steps["failed"]), (1, 1), result)
        self.assertIn("what follows is", result.report["errors"][0]["message"])

    def test_a_wrong_count_of_lines_is_noticed(self):
        result = self.broken("last.chars, last.lines, run.rest = last.chars + run.rest + op.chars, last.lines + op.lines, 0",
                             "last.chars, last.lines, run.rest = last.chars + run.rest + op.chars, last.lines, 0")
        self.assertEqual((result.code, result.steps["failed"]), (1, 1), result)


if __name__ == "__main__":
    unittest.main()
