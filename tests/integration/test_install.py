"""What `cmake --install` puts where: the manual, completion, units; and what the Debian package is made of."""
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from support import ROOT, TUTTI, environment, tutti

BUILD = pathlib.Path(TUTTI).parent
DEBIAN = ROOT / "deploy" / "debian"
VERSION = re.search(r"project\(tutti VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, **more)


def commands():
    return re.findall(r"^  ([a-z]+) ", tutti("help").out.partition("Commands:")[2].partition("\n\n")[0], re.MULTILINE)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory(prefix="tutti-install-")
        cls.addClassCleanup(cls.place.cleanup)
        done = run("cmake", "--install", BUILD, "--prefix", cls.place.name)
        assert done.returncode == 0, done.stderr
        cls.root = pathlib.Path(cls.place.name)
        cls.share = cls.root / "share"

    def test_the_program_runs_from_there(self):
        done = run(self.root / "bin" / "tutti", "version", env=environment())
        self.assertEqual(done.stdout, f"tutti {VERSION}\n")

    def test_each_command_has_a_page(self):
        names = commands()
        self.assertGreater(len(names), 15)
        pages = {path.name for path in (self.share / "man" / "man1").iterdir()}
        self.assertEqual(pages, {"tutti.1.gz"} | {f"tutti-{name}.1.gz" for name in names})

    def test_each_option_is_on_its_page(self):
        for name in commands():
            page = gzip.open(self.share / "man" / "man1" / f"tutti-{name}.1.gz", "rt").read()
            for option in re.findall(r"^ +(?:-\w, )?--([a-z0-9-]+)", tutti("help", name).out.partition("Options:")[2], re.MULTILINE):
                self.assertIn("\\-\\-" + option.replace("-", "\\-") + "\\fR", page, name)

    @unittest.skipUnless(shutil.which("groff"), "needs groff")
    def test_pages_are_set_without_a_warning(self):
        for path in sorted((self.share / "man" / "man1").iterdir()):
            done = subprocess.run(["groff", "-man", "-ww", "-z", "-K", "utf8", "-Tutf8"], input=gzip.open(path).read(), capture_output=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, b""), path.name)

    def test_completion(self):
        for path in ("bash-completion/completions/tutti", "zsh/vendor-completions/_tutti", "fish/vendor_completions.d/tutti.fish"):
            self.assertIn("scale", (self.share / path).read_text())
        self.assertEqual(run("bash", "-n", self.share / "bash-completion/completions/tutti").returncode, 0)

    def test_units_name_the_place_that_was_configured(self):
        for unit in ("tutti-coordinator.service", "tutti-agent@.service"):
            text = (self.root / "lib" / "systemd" / "system" / unit).read_text()
            self.assertRegex(text, r"(?m)^ExecStart=/usr/local/bin/tutti ")
            self.assertEqual(text, (ROOT / "deploy" / "systemd" / unit).read_text())

    def test_examples_and_docs(self):
        doc = self.share / "doc" / "tutti"
        self.assertEqual(tutti("check", doc / "examples" / "pad.lua").code, 0)
        self.assertTrue((doc / "docs" / "running.md").exists() and (doc / "CHANGELOG.md").exists())


class Package(unittest.TestCase):
    def test_its_scripts_are_shell(self):
        for name in ("postinst", "prerm", "postrm"):
            self.assertEqual(run("sh", "-n", DEBIAN / name).returncode, 0, name)
            self.assertTrue(os.access(DEBIAN / name, os.X_OK), name)

    def test_its_configuration_is_kept(self):
        listed = (DEBIAN / "conffiles").read_text().split()
        self.assertEqual(sorted(pathlib.Path(line).name for line in listed), ["agent.env", "coordinator.conf"])
        for line in listed:
            self.assertTrue((ROOT / "deploy" / "systemd" / pathlib.Path(line).name).exists(), line)

    def test_the_version_is_the_same_everywhere(self):
        self.assertTrue((DEBIAN / "changelog").read_text().startswith(f"tutti ({VERSION}) "))
        self.assertRegex((ROOT / "CHANGELOG.md").read_text(), rf"(?m)^## \[{re.escape(VERSION)}\]")
        tag = run("git", "describe", "--tags", "--abbrev=0", "--match", "v*", cwd=ROOT)
        if tag.returncode == 0:
            self.assertEqual(tag.stdout.strip(), f"v{VERSION}")

    def test_the_newest_release_says_what_it_speaks(self):
        newest = (ROOT / "CHANGELOG.md").read_text().partition("\n## [")[2].partition("\n## [")[0]
        spoken = re.search(r"define PROTOCOL_VERSION (\d+)u", (ROOT / "proto/message/limits.h").read_text())[1]
        kept = re.search(r"define EVENT_LOG_FORMAT (\d+)u", (ROOT / "coordinator/core/journal/event_log.h").read_text())[1]
        self.assertIn(f"Protocol {spoken}, journal {kept}.", newest)


if __name__ == "__main__":
    unittest.main()
