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

    def test_a_bare_debian_can_build_it(self):
        script = (ROOT / "deploy/package.sh").read_text()
        known = run("sh", "-c", ". deploy/packages.sh; echo $package_packages", cwd=ROOT).stdout.split()
        self.assertIn("file", known, "CPack wants it for SHLIBDEPS, and build-essential does not bring it")
        self.assertIn("install_missing $build_packages $package_packages\n", script)

    def test_its_configuration_is_kept(self):
        listed = (DEBIAN / "conffiles").read_text().split()
        installed = re.findall(r"install\(FILES (.*) DESTINATION (/etc/\S+?)(?: RENAME (\S+))?\)", (ROOT / "cmake/package.cmake").read_text())
        places = {f"{folder}/{renamed or pathlib.Path(path).name}" for paths, folder, renamed in installed for path in paths.split()}
        self.assertEqual(set(listed), places)
        self.assertEqual(places, {"/etc/tutti/agent.env", "/etc/tutti/coordinator.conf", "/etc/needrestart/conf.d/tutti.conf"})

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


# Stands for systemctl: what it is asked goes to a file, and it knows a coordinator, and agents by their state.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>"$STAGE/asked"
case "$*" in
    *is-active*) [ -e "$STAGE/pid" ] ;;
    *MainPID*) cat "$STAGE/pid" ;;
    kill*) echo 12 >"$STAGE/pid"; mv "$STAGE/refused" "$STAGE/failed" ;;
    list-units*=failed*) cat "$STAGE/failed" ;;
    list-units*=active*) cat "$STAGE/active" ;;
    restart*) echo "$2 loaded active running" >>"$STAGE/active" ;;
esac
"""


class Scripts(unittest.TestCase):
    """The scripts of the package, in a folder that stands for / (DPKG_ROOT), with commands that only write down their words."""

    def setUp(self):
        self.stage = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="tutti-scripts-")))
        self.root = self.stage / "root"
        self.units = self.root / "etc/systemd/system"
        for folder in ("run/systemd/system", "etc/systemd/system/multi-user.target.wants", "etc/tutti", "var/lib/tutti/reports"):
            (self.root / folder).mkdir(parents=True)
        commands = self.stage / "bin"
        commands.mkdir()
        for name, text in ({"systemctl": SYSTEMCTL} | dict.fromkeys(("chown", "adduser", "deluser", "getent", "install", "sleep"), "#!/bin/sh\n")).items():
            (commands / name).write_text(text)
            (commands / name).chmod(0o755)
        for name in ("asked", "failed", "active", "refused"):
            (self.stage / name).touch()
        self.environment = {"PATH": f"{commands}:{os.environ['PATH']}", "DPKG_ROOT": str(self.root), "STAGE": str(self.stage)}

    def play(self, script, *words):
        done = run(DEBIAN / script, *words, env=self.environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""), script)
        return done.stdout

    def asked(self):
        return (self.stage / "asked").read_text()

    def enable(self, unit, of):
        (self.units / "multi-user.target.wants" / unit).symlink_to(f"/lib/systemd/system/{of}")

    def left(self):
        return sorted(str(path.relative_to(self.units)) for path in self.units.rglob("*") if path.is_symlink() or path.is_file())

    def test_the_first_install_starts_nothing(self):
        self.assertEqual(self.play("postinst", "configure", ""), "")
        self.assertEqual(self.asked(), "--system daemon-reload\n")

    def test_an_upgrade_leaves_the_coordinator_to_its_journal_and_agents_alone(self):
        (self.stage / "pid").write_text("11\n")
        (self.stage / "active").write_text("tutti-agent@a.service loaded active running\n")
        said = self.play("postinst", "configure", "0.1.0")
        self.assertIn("kill --signal=SIGKILL tutti-coordinator.service\n", self.asked())
        self.assertNotRegex(self.asked(), r"(?m)^(stop|restart)")
        self.assertEqual(said, "tutti: tutti-agent@a.service keeps the old program until: systemctl restart tutti-agent@a.service\n")

    def test_agents_that_the_new_coordinator_refuses_are_started_again(self):
        (self.stage / "pid").write_text("11\n")
        (self.stage / "active").write_text("tutti-agent@b.service loaded active running\n")
        (self.stage / "refused").write_text("tutti-agent@a.service loaded failed failed\n")
        said = self.play("postinst", "configure", "0.1.0")
        asked = self.asked()
        self.assertLess(asked.index("kill "), asked.index("--state=failed"), "they are refused only by the new one")
        self.assertEqual(re.findall(r"(?m)^restart (.*)", asked), ["tutti-agent@a.service"])
        self.assertEqual(re.findall(r"tutti: (\S+)", said), ["tutti-agent@b.service"])

    def test_an_upgrade_where_nothing_runs_starts_nothing(self):
        self.assertEqual(self.play("postinst", "configure", "0.1.0"), "")
        self.assertNotRegex(self.asked(), r"(?m)^(stop|restart|kill|start)")

    def test_only_removing_stops(self):
        self.play("prerm", "upgrade", "0.1.1")
        self.assertEqual(self.asked(), "")
        self.play("prerm", "remove")
        self.assertEqual(self.asked(), "stop tutti-coordinator.service\nstop tutti-agent@*.service\n", "campaigns end before agents leave")

    def test_a_purge_leaves_nothing(self):
        self.enable("tutti-coordinator.service", "tutti-coordinator.service")
        self.enable("tutti-agent@host-7.service", "tutti-agent@.service")
        for folder in ("tutti-agent@.service.d", "tutti-agent@host-7.service.d", "tutti-coordinator.service.d"):
            (self.units / folder).mkdir()
            (self.units / folder / "key.conf").touch()
        self.play("postrm", "remove")
        self.assertEqual(len(self.left()), 5)
        self.assertTrue((self.root / "var/lib/tutti").exists() and (self.root / "etc/tutti").exists())
        self.play("postrm", "purge")
        self.assertEqual(self.left(), [])
        self.assertFalse((self.root / "var/lib/tutti").exists() or (self.root / "etc/tutti").exists())
        self.assertIn("reset-failed", self.asked())

    def test_a_purge_leaves_what_is_not_its_own(self):
        self.enable("other.service", "other.service")
        (self.units / "tutti-agent@.service").write_text("[Service]\n")
        self.enable("tutti-agent@a.service", "tutti-agent@.service")
        (self.units / "tutti-agent@.service.d").mkdir()
        (self.units / "tutti-agent@.service.d/key.conf").touch()
        self.enable("tutti-coordinator.service", "tutti-coordinator.service")
        before = self.left()
        self.play("postrm", "purge")
        self.assertEqual(self.left(), [path for path in before if "coordinator" not in path])


if __name__ == "__main__":
    unittest.main()
