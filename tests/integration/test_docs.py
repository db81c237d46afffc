"""The handbook: its examples run, its links lead somewhere, its lines fit, and docs/contributing.md names what is there."""
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TUTTI = os.environ["TUTTI"]
WIDEST = 120
FENCE = re.compile(r"^ *```")
LINK = re.compile(r"\]\(([^)#:]*)(?:#([^)]*))?\)")
FILE_NAME = re.compile(r"`([\w.-]+(?:/[\w.-]+)+)`")
LIBRARY = re.compile(r"tutti_library\((\w+)\s+SOURCES[^)]*?(?:\bLINKS([^)]*?))?(?:\bPRIVATE_LINKS[^)]*?)?\)")
BLOCK = re.compile(r"^```lua\n(-- tutti run\b([^\n]*)\n.*?)^```$", re.MULTILINE | re.DOTALL)


def pages():
    return sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def folder_readmes():
    listed = subprocess.run(["git", "ls-files", "*/README.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if not name.startswith("docs/") and (ROOT / name).exists()]


def examples():
    """Every Lua block whose first line says `-- tutti run …`, with its options."""
    for page in pages():
        text = page.read_text()
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            yield f"{page.name}:{line}", block.group(1), shlex.split(block.group(2))


def anchors(page):
    """Of the headings, as GitHub makes them, and of `<a id="…">`."""
    text = page.read_text()
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings} | set(re.findall(r'<a id="([^"]+)">', text))


def prose(page):
    """Lines with their numbers, but for code, tables and headings."""
    is_code = False
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if FENCE.match(line):
            is_code = not is_code
        elif not is_code and not line.startswith(("|", "#", "    ")):
            yield number, line


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
        for page in pages():
            for link, anchor in LINK.findall(page.read_text()):
                with self.subTest(f"{page.name}: {link}#{anchor}"):
                    target = page.parent / link if link else page
                    self.assertTrue(target.exists())
                    if anchor:
                        self.assertIn(anchor, anchors(target))

    def test_lines_of_prose_fit(self):
        for page in [*pages(), *folder_readmes()]:
            for number, line in prose(page):
                with self.subTest(f"{page.relative_to(ROOT)}:{number}"):
                    self.assertLessEqual(len(line), WIDEST)


class Contributing(unittest.TestCase):
    TEXT = (ROOT / "docs" / "contributing.md").read_text()

    def test_files_that_it_names_exist(self):
        named = {name for name in FILE_NAME.findall(self.TEXT) if not re.search(r"[A-Z]{4}|^build/", name)}
        self.assertGreater(len(named), 60)
        for name in sorted(named):
            with self.subTest(name):
                self.assertTrue((ROOT / name).exists())

    def test_it_has_each_folder_above_those_that_use_it(self):
        rows = re.findall(r"^\| `([\w/]+)` \| .* \| `", self.TEXT, re.MULTILINE)
        links = {}
        for layer in ("common", "proto", "coordinator", "agent", "target", "cli"):
            for lists in (ROOT / layer).rglob("CMakeLists.txt"):
                for name, words in LIBRARY.findall(re.sub(r"#.*", "", lists.read_text())):
                    path = str(lists.parent.relative_to(ROOT))
                    links[path] = [word for word in words.split() if word.startswith("tutti_")]
        self.assertEqual(sorted(rows), sorted(links), "docs/contributing.md, The house")
        place = {"tutti_" + path.replace("/", "_"): rows.index(path) for path in links}
        for path, used in links.items():
            for name in used:
                with self.subTest(f"{path} uses {name}"):
                    self.assertLess(place[name], rows.index(path))

    def test_notes_in_folders_are_short_and_true(self):
        notes = folder_readmes()
        self.assertGreater(len(notes), 10)
        for note in notes:
            with self.subTest(str(note.relative_to(ROOT))):
                self.assertLessEqual(len(note.read_text().splitlines()), 10)
                for name in re.findall(r"`([\w/]+\.(?:c|h|inc|proto|md))`", note.read_text()):
                    self.assertTrue((note.parent / name).exists() or (ROOT / name).exists(), name)

    def test_every_option_of_run_is_in_the_tables(self):
        listed = re.compile(r"^ +(?:-\w, )?--([a-z-]+)", re.MULTILINE)
        known = listed.findall(subprocess.run([TUTTI, "help", "run"], capture_output=True, text=True, check=True, timeout=60).stdout)
        page = (ROOT / "docs" / "running.md").read_text()
        documented = re.findall(r"^\| (?:`-\w`, )?`--([a-z-]+)", page, re.MULTILINE)
        self.assertGreater(len(known), 20)
        self.assertEqual(set(known) - {"help"}, set(documented) - {"on"})


if __name__ == "__main__":
    unittest.main()
