"""A copy of the source in which files carry all of their breaks, built for a quick look and for a look with sanitizers."""
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

from mutation.schemata import Schemata

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUICK = ["-DCMAKE_C_FLAGS_DEBUG=-O1", "-DCMAKE_EXE_LINKER_FLAGS=-fsanitize=leak"]
CHECKED = ["-DCMAKE_C_FLAGS_DEBUG=-O1 -g", "-DTUTTI_SANITIZE=address,undefined"]
BROKEN = ".broken"  # what is added to the name of a file for the one that carries its breaks
TRIES = 20  # each takes out what the compiler refused


def hash_of(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


WRITER = "".join((ROOT / "tests/mutation" / name).read_text() for name in ("breaks.py", "schemata.py"))


def listed_files():
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def write_if_other(path, data):
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


class Copy:
    def __init__(self, folder, jobs):
        self.folder = folder
        self.source = folder / "source"
        self.jobs = jobs
        self.commands = {}
        self.sync()
        self.configure("quick", QUICK)
        self.build_or_exit("quick", ["build.ninja"])  # which files there are
        self.read_commands()

    def build_folder(self, build):
        return self.source / "build" / build

    def sync(self):
        """Brings the copy up to the working tree. A file that carries the breaks of the same text stays."""
        names = set(listed_files())
        for name in names:
            path = self.source / name
            data = (ROOT / name).read_bytes()
            if name.endswith(".c") and path.exists() and path.read_bytes().startswith(self.mark(name, data.decode())):
                continue
            write_if_other(path, data)
            path.chmod((ROOT / name).stat().st_mode)
        for path in list(self.source.rglob("*")):
            name = str(path.relative_to(self.source)).removesuffix(BROKEN)
            if path.is_file() and name not in names and not name.startswith("build/"):
                path.unlink()

    @staticmethod
    def mark(name, text):
        return f"/* broken: {name} {hash_of(text + WRITER)} */".encode()

    def configure(self, build, flags):
        if not (self.build_folder(build) / "build.ninja").exists():
            subprocess.run(["cmake", "-G", "Ninja", "-S", self.source, "-B", self.build_folder(build), "-DCMAKE_BUILD_TYPE=Debug", *flags],
                           check=True, stdout=subprocess.DEVNULL)

    def configure_checked(self):
        self.configure("checked", CHECKED)

    def read_commands(self):
        for row in json.loads((self.build_folder("quick") / "compile_commands.json").read_text()):
            name = os.path.relpath(row["file"], self.source)
            self.commands.setdefault(name, (row["directory"], shlex.split(row["command"])))

    def targets(self):
        known = subprocess.run(["ninja", "-C", self.build_folder("quick"), "-t", "targets", "all"], check=True, capture_output=True, text=True).stdout
        return set(re.findall(r"^bin/(\w+):", known, re.MULTILINE))

    def build(self, build, targets):
        done = subprocess.run(["ninja", "-C", self.build_folder(build), "-j", str(self.jobs), *targets], capture_output=True, text=True)
        return done.returncode == 0

    def build_or_exit(self, build, targets):
        if not self.build(build, targets):
            sys.exit(f"does not build: ninja -C {self.build_folder(build)} {' '.join(targets)}")

    def compile_alone(self, name, text):
        """The assembly of the text by the flags of the build, or None if the compiler refuses it or warns."""
        directory, command = self.commands[name]
        command = command[: command.index("-o")] + ["-x", "c", "-S", "-o", "-", "-"]
        command = [word for word in command if word != "ccache" and not word.endswith("/ccache")]
        done = subprocess.run(command, cwd=directory, input=f'#line 1 "{self.source / name}"\n{text}'.encode(), capture_output=True)
        return done.stdout if done.returncode == 0 else None

    def write_plain(self, name, text):
        write_if_other(self.source / name, text.encode())

    def write_broken(self, name, text, breaks):
        """Puts all breaks into the file that compile. Returns the Schemata."""
        schemata = Schemata(name, text, breaks)
        for _ in range(TRIES):
            written, lines = schemata.write()
            write_if_other(self.source / f"{name}{BROKEN}", written.encode())
            errors = self.compile_errors(name)
            if not errors:
                write_if_other(self.source / name, self.mark(name, text) + f'\n#include "{name}{BROKEN}"\n'.encode())
                return schemata
            refused = {lines[line] for line in errors if line in lines}
            schemata.remove(refused)
            if not refused:
                units = {id(unit): unit for line in errors if (unit := schemata.unit_lines.get(line)) is not None and unit.breaks}
                for unit in units.values():
                    schemata.give_up(unit)
                if not units:
                    break
        sys.exit(f"{name}: its breaks do not compile together, lines {sorted(errors)} of what is written for them")

    def compile_errors(self, name):
        directory, command = self.commands[name]
        command = command[: command.index("-o")] + ["-fsyntax-only", "-x", "c", "-"]
        command = [word for word in command if word != "ccache" and not word.endswith("/ccache")]
        done = subprocess.run(command, cwd=directory, input=f'#include "{name}{BROKEN}"\n'.encode(), capture_output=True)
        if done.returncode == 0:
            return set()
        found = re.findall(rf"^{re.escape(name)}:(\d+):\d+: (?:fatal )?error", done.stderr.decode(), re.MULTILINE)
        return {int(line) for line in found} or {0}
