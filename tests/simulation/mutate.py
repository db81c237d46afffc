#!/usr/bin/env python3
"""Breaks single places of the coordination, one at a time, and reports the breaks that no test notices.

Works on a copy of the last commit. A break: a statement deleted, a condition negated, a comparison off by one,
`&&` for `||`, a `+ 1` left out, true for false. One that compiles to the same object is not counted.
"""
import argparse
import hashlib
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = """coordinator/core/sync/notifier.c coordinator/core/sync/barrier.c coordinator/core/sync/deadlock.c coordinator/core/sync/wait.c
coordinator/core/sync/variable.c coordinator/core/rooms/short_reasons.c coordinator/core/rooms/wait_summary.c coordinator/core/rooms/room.c
coordinator/core/rooms/room_steps.c coordinator/core/rooms/rooms.c coordinator/core/rooms/rooms_begin.c coordinator/core/rooms/rooms_meet.c
coordinator/core/rooms/rooms_progress.c coordinator/core/rooms/rooms_search.c coordinator/core/rooms/rooms_settle.c
coordinator/core/rooms/rooms_timeout.c coordinator/core/rooms/rooms_variable.c proto/link/link.c""".split()
# Tests that notice most breaks, run before all others are built, for files without a test of the same name.
QUICK = {"coordinator": ["test_notifier", "test_notifier_readers", "test_barrier", "test_deadlock", "test_rooms_search",
                         "test_variable", "test_variable_maker", "test_model", "test_rooms", "test_rooms_progress",
                         "test_rooms_loss"],
         "proto": ["link_test", "link_timing_test", "link_clock_test", "link_network_test"],
         "agent": ["test_runner", "test_runner_call", "test_runner_life", "test_runner_rooms", "test_runner_scale", "test_runner_steps"]}

STATEMENT = re.compile(r"^ {4,}([a-z(*][^={]*(=[^=].*|\(.*\)|\+\+|--)|return( [^;]*)?|break|continue);$")
DECLARATION = re.compile(r"^ +(assert|(const |struct |enum |bool |uint|int|size_t|char |SCOPED)[^=;]*( [a-z_]+( =|;)|\*))")
SWAPS = [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "), (" != ", " == "),
         (" && ", " || "), (" || ", " && "), (" + 1", ""), (" - 1", ""), ("true", "false"), ("false", "true")]


def breaks_of(line):
    """Each way to break this line, as its replacement."""
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


def candidates(files):
    for name in files:
        for number, line in enumerate((ROOT / name).read_text().splitlines()):
            for broken in breaks_of(line):
                yield name, number, broken


class Copy:
    def __init__(self, folder, seeds):
        self.folder = folder
        self.seeds = seeds
        if not (folder / "build" / "build.ninja").exists():
            archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
            subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
            flags = ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O1", "-DTUTTI_SANITIZE=address"]
            subprocess.run(["cmake", "-G", "Ninja", "-S", ".", "-B", "build", *flags], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        self.tests = self.find_tests()
        if not self.build(["simulate", *self.tests]):
            sys.exit(f"{folder}: what is not broken does not build")

    def find_tests(self):
        known = subprocess.run(["ninja", "-C", "build", "-t", "targets", "all"], cwd=self.folder, capture_output=True, text=True).stdout
        names = set(re.findall(r"^bin/(\w+):", known, re.MULTILINE))
        parts = ("coordinator", "proto", "agent")
        of_core = [path.stem for part in parts for path in sorted((ROOT / "tests/unit" / part).glob("*test*.c"))]
        slow = {"test_server", "test_server_keys", "socket_stall_test", "socket_rude_test", "test_http_engine", "test_drivers"}
        return [name for name in of_core if name in names and name not in slow and "shell" not in name]

    def quick_of(self, name):
        stem = pathlib.Path(name).stem
        return [test for test in (f"test_{stem}", f"{stem}_test") if test in self.tests] or QUICK[name.split("/")[0]]

    def build(self, targets):
        return subprocess.run(["ninja", "-C", "build", *targets], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def object_of(self, name):
        [found] = self.folder.glob(f"build/{name.split('/')[0]}/**/{pathlib.Path(name).name}.o")
        return found

    def passes(self, *command, seconds=30):
        try:
            done = subprocess.run(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def judge(self, name, before):
        """The result for the current break: 'same', 'invalid', 'noticed' or 'survived'."""
        quick = self.quick_of(name)
        if not self.build(quick):
            return "invalid"
        if hashlib.sha256(self.object_of(name).read_bytes()).digest() == before:
            return "same"
        if not all(self.passes(f"build/bin/{test}") for test in quick):
            return "noticed"
        if not self.build(["simulate", *self.tests]):
            return "invalid"
        if not self.passes("build/bin/simulate", "--stories", "tests/simulation/stories"):
            return "noticed"
        if not all(self.passes(f"build/bin/{test}") for test in self.tests if test not in quick):
            return "noticed"
        if not self.passes("build/bin/simulate", "--seeds", str(self.seeds), "--first", "1", seconds=300):
            return "noticed"
        return "survived"

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
    parser.add_argument("--seeds", type=int, default=1500, metavar="N", help="simulated seeds each (default: 1500)")
    parser.add_argument("--work", type=pathlib.Path, metavar="DIR", help="keep the copy here, for the next time")
    parser.add_argument("files", nargs="*", default=FILES, metavar="FILE")
    options = parser.parse_args()
    last = None if options.count is None else options.first + options.count
    chosen = list(candidates(options.files))[:: options.every][options.first : last]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.work or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        copy = Copy(folder.resolve(), options.seeds)
        outcomes = dict.fromkeys(["noticed", "survived", "same", "invalid"], 0)
        for name, number, broken in chosen:
            outcome = copy.try_break(name, number, broken)
            outcomes[outcome] += 1
            if outcome == "survived":
                was = (ROOT / name).read_text().splitlines()[number].strip()
                print(f"survived: {name}:{number + 1}: {was}  ->  {broken.strip()}", flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()))
    return 1 if outcomes["survived"] > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
