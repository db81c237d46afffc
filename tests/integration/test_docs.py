"""Runs every Lua block of the handbook whose first line says `-- tutti run …`, with just those options."""
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TUTTI = os.environ["TUTTI"]
BLOCK = re.compile(r"^```lua\n(-- tutti run\b([^\n]*)\n.*?)^```$", re.MULTILINE | re.DOTALL)


def examples():
    for page in sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]):
        text = page.read_text()
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            yield f"{page.name}:{line}", block.group(1), shlex.split(block.group(2))


class Handbook(unittest.TestCase):
    def test_every_example_runs(self):
        found = list(examples())
        self.assertGreaterEqual(len(found), 8)
        for where, script, options in found:
            with self.subTest(where), tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "example.lua"
                path.write_text(script)
                done = subprocess.run([TUTTI, "run", str(path), *options], capture_output=True, text=True, timeout=120)
                self.assertEqual(done.returncode, 0, f"{where}\n{done.stdout}\n{done.stderr}")

    def test_every_relative_link_leads_somewhere(self):
        for page in sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]):
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
                with self.subTest(f"{page.name}: {link}"):
                    self.assertTrue((page.parent / link).exists())

    def test_every_option_of_run_is_in_the_tables(self):
        listed = re.compile(r"^ +(?:-\w, )?--([a-z-]+)", re.MULTILINE)
        known = listed.findall(subprocess.run([TUTTI, "help", "run"], capture_output=True, text=True, check=True, timeout=60).stdout)
        page = (ROOT / "docs" / "running.md").read_text()
        documented = re.findall(r"^\| (?:`-\w`, )?`--([a-z-]+)", page, re.MULTILINE)
        self.assertGreater(len(known), 20)
        self.assertEqual(set(known) - {"help"}, set(documented) - {"on"})


if __name__ == "__main__":
    unittest.main()
