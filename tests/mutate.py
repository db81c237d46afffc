#!/usr/bin/env python3
"""Breaks single places of the code, one at a time, and says which of the breaks no test notices.

Works on a copy of the last commit. A break: a statement deleted, a condition negated, a comparison off by one,
`&&` for `||`, `+` for `-`, a division for a multiplication, a unit a thousand times too small, true for false.
One that compiles to the same object is not counted, nor is one that tests/equivalent.txt lists with the reason
why nobody can tell it from what it replaces.

A file is asked in turn: the unit tests of its folder, those of its part, the simulator (cores and links) or the
stories that read numbers off real reports (the agent's shell).
"""
import argparse
import hashlib
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
# What computes, counts, converts or decides. Left out: what only calls the kernel, a library or Lua.
CORES = ["coordinator/core", "agent/core", "proto/link"]
SHELL = ["agent/base", "agent/http", "agent/lua", "agent/script", "agent/shard"]
EQUIVALENT = ROOT / "tests/equivalent.txt"
STORIES = ["test_numbers.py", "test_seen.py"]
SLOW = {"test_http_engine", "test_http_lease", "test_shell_hostile"}  # seconds each, or a thread's processor time

STATEMENT = re.compile(r"^ {4,}([a-z(*][^={]*(=[^=].*|\(.*\)|\+\+|--)|return( [^;]*)?|break|continue);$")
DECLARATION = re.compile(r"^ +(assert|(const |struct |enum |bool |uint|int|size_t|char |SCOPED)[^=;]*( [a-z_]+( =|;)|\*))")
SWAPS = [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "), (" != ", " == "),
         (" && ", " || "), (" || ", " && "), (" + 1", ""), (" - 1", ""), ("true", "false"), ("false", "true"),
         (" + ", " - "), (" - ", " + "), (" * ", " / "), (" / ", " * "), (" += ", " -= "), (" -= ", " += "),
         ("NS_PER_MS", "NS_PER_US"), ("NS_PER_US", "1"), (" / 1000", " / 1000000"), (" * 1000", " * 1000000")]


def breaks_of(line):
    """Each way to break this line, as what stands there instead."""
    code = line.split(" /*")[0]
    if not code.startswith("    ") or code.lstrip().startswith(("/*", "*", "assert", "//")):
        return
    if STATEMENT.match(code) and not DECLARATION.match(code):
        yield re.match(" *", code).group() + ";"
    condition = re.match(r"^( +(?:\} else )?if )\((.*)\)( \{)$", code)
    if condition:
        yield "{}(!({})){}".format(*condition.groups())
    for old, new in SWAPS:
        for found in re.finditer(re.escape(old), code):
            yield code[: found.start()] + new + code[found.end() :]


def sources(folders):
    return [str(path.relative_to(ROOT)) for folder in folders for path in sorted((ROOT / folder).rglob("*.c"))]


def candidates(files):
    for name in files:
        for number, line in enumerate((ROOT / name).read_text().splitlines()):
            for broken in breaks_of(line):
                yield name, number, broken


def read_equivalent():
    """As (file, line, what stands there instead), both without indentation."""
    rows = [line.split(" | ") for line in EQUIVALENT.read_text().splitlines() if line and not line.startswith("#")]
    for row in rows:
        if len(row) != 4:
            sys.exit(f"{EQUIVALENT}: not FILE | LINE | INSTEAD | REASON: {' | '.join(row)}")
    return {(name, was.strip(), broken.strip()) for name, was, broken, _ in rows}


class Copy:
    def __init__(self, folder, seeds):
        self.folder = folder
        self.seeds = seeds
        if not (folder / "build" / "build.ninja").exists():
            archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
            subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
            flags = ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O1", "-DTUTTI_SANITIZE=address"]
            subprocess.run(["cmake", "-G", "Ninja", "-S", ".", "-B", "build", *flags], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        known = subprocess.run(["ninja", "-C", "build", "-t", "targets", "all"], cwd=self.folder, capture_output=True, text=True).stdout
        self.known = set(re.findall(r"^bin/(\w+):", known, re.MULTILINE))
        if not self.build(["simulate", "tutti", *self.tests_below("coordinator/core"), *self.tests_below("agent"), *self.tests_below("proto")]):
            sys.exit(f"{folder}: what is not broken does not build")

    def tests_below(self, folder):
        found = (path.stem for path in sorted((ROOT / "tests/unit" / folder).rglob("test_*.c")))
        return [name for name in found if name in self.known and name not in SLOW]

    def tests_of(self, name):
        """The unit tests to ask: those named like the file, those of its folder, those of its part."""
        part = next(part for part in (*CORES, "agent", "coordinator", "proto") if name.startswith(part + "/"))
        folder = self.tests_below(os.path.dirname(name))
        named = [test for test in folder if test == f"test_{pathlib.Path(name).stem}"]
        first = named or folder
        return first, [test for test in [*folder, *self.tests_below(part)] if test not in first]

    def build(self, targets):
        return subprocess.run(["ninja", "-C", "build", *targets], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def object_of(self, name):
        [found] = self.folder.glob(f"build/{name.split('/')[0]}/**/{pathlib.Path(name).name}.o")
        return found

    def passes(self, *command, seconds=30, **variables):
        try:
            done = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  timeout=seconds, env={**os.environ, **variables})
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def stories_pass(self):
        paths = {"TUTTI": str(self.folder / "build/tutti"), "SANITIZER": "address", "PYTHONDONTWRITEBYTECODE": "1"}
        return all(self.passes(sys.executable, f"tests/integration/{story}", seconds=120, **paths) for story in STORIES)

    def simulator_passes(self):
        return (self.passes("build/bin/simulate", "--stories", "tests/simulation/stories")
                and self.passes("build/bin/simulate", "--seeds", str(self.seeds), "--first", "1", seconds=300))

    def judge(self, name, before):
        """What becomes of it as it stands now: 'same', 'invalid', 'noticed' or 'survived'."""
        is_shell = any(name.startswith(folder + "/") for folder in SHELL)
        for tests in self.tests_of(name):
            if not self.build([str(self.object_of(name).relative_to(self.folder / "build")), *tests]):
                return "invalid"
            if hashlib.sha256(self.object_of(name).read_bytes()).digest() == before:
                return "same"
            if not all(self.passes(f"build/bin/{test}") for test in tests):
                return "noticed"
        if not self.build(["tutti" if is_shell else "simulate"]):
            return "invalid"
        return "survived" if (self.stories_pass() if is_shell else self.simulator_passes()) else "noticed"

    def try_break(self, name, number, broken):
        path = self.folder / name
        kept = path.read_text()
        before = hashlib.sha256(self.object_of(name).read_bytes()).digest()
        lines = kept.splitlines()
        lines[number] = broken
        path.write_text("\n".join(lines) + "\n")
        try:
            return self.judge(name, before)
        finally:
            path.write_text(kept)
            self.build([str(self.object_of(name).relative_to(self.folder / "build"))])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th break (default: all)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="from the N-th of these on")
    parser.add_argument("--count", type=int, default=None, metavar="N", help="so many of these")
    parser.add_argument("--sample", type=int, default=None, metavar="N", help="so many of them by lot (see --lot)")
    parser.add_argument("--lot", type=int, default=1, metavar="N", help="which lot (default: 1)")
    parser.add_argument("--seeds", type=int, default=1500, metavar="N", help="simulated seeds each (default: 1500)")
    parser.add_argument("--work", type=pathlib.Path, metavar="DIR", help="keep the copy here, for the next time")
    parser.add_argument("files", nargs="*", default=[*CORES, *SHELL], metavar="FILE", help="or folder (default: the cores and the agent's shell)")
    options = parser.parse_args()
    last = None if options.count is None else options.first + options.count
    files = [name for given in options.files for name in ([given] if given.endswith(".c") else sources([given]))]
    known = read_equivalent()
    chosen = list(candidates(files))
    if options.sample is not None:
        chosen = sorted(random.Random(options.lot).sample(chosen, min(options.sample, len(chosen))))
    chosen = chosen[:: options.every][options.first : last]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.work or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        copy = Copy(folder.resolve(), options.seeds)
        outcomes = dict.fromkeys(["noticed", "survived", "equivalent", "same", "invalid"], 0)
        for name, number, broken in chosen:
            was = (ROOT / name).read_text().splitlines()[number].strip()
            outcome = "equivalent" if (name, was, broken.strip()) in known else copy.try_break(name, number, broken)
            outcomes[outcome] += 1
            if outcome == "survived":
                print(f"survived: {name}:{number + 1}: {was}  ->  {broken.strip()}", flush=True)
    told = outcomes["noticed"] + outcomes["survived"]
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
          + f"; {100 * outcomes['survived'] / max(told, 1):.1f} % survived", flush=True)
    return 1 if outcomes["survived"] > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
