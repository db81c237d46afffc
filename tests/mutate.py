#!/usr/bin/env python3
"""Breaks single places of the code, one at a time, and says which of the breaks no test notices.

Works on a copy of the working tree. A break: a statement deleted, a condition negated, a comparison off by one,
`&&` for `||`, `+` for `-`, a division for a multiplication, a unit a thousand times too small, true for false.
One that compiles to the same object is not counted, nor is one that the compiler refuses or warns of, nor one that
tests/equivalent.txt lists with the reason why nobody can tell it from what it replaces.

All breaks of a file are compiled once, into one object; an environment variable chooses one. A break is shown to the
tests that reach it, the cheapest that notice most first: the unit tests of its core or layer, and the simulator (cores and
links) or the stories that read numbers off real reports (the agent's shell). What survives is shown to them again under
AddressSanitizer and UndefinedBehaviorSanitizer.

What became of each break is kept in DIR/ledger.jsonl of --work: a run that was interrupted goes on, and a later one
tries only what changed. --report prints it.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mutation.breaks import breaks_of_file
from mutation.copy import ROOT, Copy, hash_of, listed_files
from mutation.ledger import Ledger, print_table
from mutation.tests import Test, tests_of_program, tests_of_simulator

# What computes, counts, converts or decides. Left out: what only calls the kernel, a library or Lua.
CORES = ["proto/link", "agent/core", "coordinator/core"]
SHELL = ["agent/base", "agent/http", "agent/lua", "agent/net", "agent/script", "agent/shard"]
EQUIVALENT = ROOT / "tests/equivalent.txt"
STORIES = ["numbers", "seen"]
WITHOUT_SANITIZERS = " without sanitizers"
CHECKED_SEEDS = 100
CHECKED_WITHIN = 0.3  # seconds: tests that take longer under the sanitizers are not asked again
COMPILES_WITHIN = 0.2  # seconds: before a test that takes longer the compiler is asked what it says


def is_below(name, folders):
    return any(name.startswith(folder + "/") for folder in folders)


def sources(folder):
    return [str(path.relative_to(ROOT)) for path in sorted((ROOT / folder).rglob("*.c"))]


def read_equivalent():
    """As (file, line, what stands there instead), both without indentation."""
    rows = [line.split(" | ") for line in EQUIVALENT.read_text().splitlines() if line and not line.startswith("#")]
    for row in rows:
        if len(row) != 4:
            sys.exit(f"{EQUIVALENT}: not FILE | LINE | INSTEAD | REASON: {' | '.join(row)}")
    return {(name, was.strip(), instead.strip()) for name, was, instead, _ in rows}


def hash_of_tests():
    return hash_of("".join(f"{name} {hash_of((ROOT / name).read_text(errors='replace'))}\n"
                           for name in sorted(listed_files()) if name.startswith("tests/") and name.endswith((".c", ".h", ".txt", ".lua", ".py"))
                           and not name.startswith(("tests/mutation/", "tests/mutate.py", "tests/equivalent.txt"))))


class Run:
    def __init__(self, copy, ledger, options):
        self.copy = copy
        self.ledger = ledger
        self.options = options
        self.tests_hash = hash_of_tests() + (WITHOUT_SANITIZERS if options.without_sanitizers else "")
        self.lock = threading.Lock()
        self.schemata = {}
        self.hashes = {}
        self.unbroken = {}  # file: what it compiles to
        self.numbers = {}  # (file, key): number in the schemata
        self.filter_library = copy.folder / "cmocka_filter.so"

    # What is asked

    def programs_below(self, layer):
        known = self.copy.targets()
        found = (path.stem for path in sorted((self.copy.source / "tests/unit" / layer).rglob("test_*.c")))
        return [name for name in found if name in known]

    def tests_for(self, layer, names):
        """Looks at the tests of the files `names` of a layer (a core, or "agent": the shell)."""
        is_shell = any(is_below(name, SHELL) for name in names)
        programs = self.programs_below(layer)
        self.copy.build_or_exit("quick", [*programs, "tutti" if is_shell else "simulate"])
        binaries = self.copy.build_folder("quick") / "bin"
        tests = []
        for program in programs:
            tests += tests_of_program(program, binaries / program, self.filter_library, self.copy.source, is_steady=not is_shell)
        if not is_shell:
            tests += tests_of_simulator(binaries / "simulate", self.options.seeds, self.copy.source)
        else:
            tests += self.stories("quick", "")
        return tests

    def stories(self, build, sanitizer):
        paths = {"TUTTI": str(self.copy.build_folder(build) / "tutti"), "SANITIZER": sanitizer, "PYTHONDONTWRITEBYTECODE": "1"}
        tests = [Test(f"story {story}", [sys.executable, f"tests/integration/test_{story}.py"], paths, is_steady=False) for story in STORIES]
        for test in tests:
            test.look_or_exit(self.copy.source)
        return tests

    # What becomes of a break

    def settle(self, one, outcome, by=""):
        with self.lock:
            self.ledger.add(self.hashes[one.file], one, outcome, by, self.tests_hash)
            if outcome == "survived":
                print(f"survived: {one}", flush=True)

    def is_seen_by_compiler(self, one):
        """'same', 'invalid' or None."""
        text = (ROOT / one.file).read_text()
        lines = text.splitlines(keepends=True)
        lines[one.line] = one.instead + "\n"
        broken = self.copy.compile_alone(one.file, "".join(lines))
        if broken is None:
            return "invalid"
        if one.file not in self.unbroken:
            self.unbroken[one.file] = self.copy.compile_alone(one.file, text)
        return "same" if broken == self.unbroken[one.file] else None

    def is_settled_by_compiler(self, one):
        outcome = self.is_seen_by_compiler(one)
        if outcome is not None:
            self.settle(one, outcome)
        return outcome is not None

    def first_look(self, one, tests):
        """Settles it, unless it survives: then it is returned."""
        number = self.numbers[(one.file, one.key)]
        stem = f"test_{pathlib.Path(one.file).stem}"
        asked = [test for test in tests if test.reaches(one.file, number) and test.seconds <= self.options.longest]
        is_known_to_compiler = False
        for test in sorted(asked, key=lambda test: test.cost(one.file) / (5 if test.name.split(":")[0] == stem else 1)):
            if test.seconds > COMPILES_WITHIN and not is_known_to_compiler:
                is_known_to_compiler = True
                if self.is_settled_by_compiler(one):
                    return None
            if test.notices(self.copy.source, one.file, number):
                self.settle(one, "noticed", test.name)
                return None
        return None if not is_known_to_compiler and self.is_settled_by_compiler(one) else one

    def checked_tests_for(self, layer, is_shell):
        """The tests under the sanitizers, built and looked at when the first break survives without."""
        if self.checked is None:
            self.copy.configure_checked()
            programs = self.programs_below(layer)
            self.copy.build_or_exit("checked", [*programs, *([] if is_shell else ["simulate"])])
            binaries = self.copy.build_folder("checked") / "bin"
            self.checked = [Test(program, [binaries / program], is_steady=not is_shell) for program in programs]
            for test in self.checked:
                test.look_or_exit(self.copy.source)
            if not is_shell:
                self.checked += tests_of_simulator(binaries / "simulate", CHECKED_SEEDS, self.copy.source)
        return self.checked

    def second_look(self, survivors, layer):
        """Under the sanitizers."""
        checked = self.checked_tests_for(layer, any(is_below(one.file, SHELL) for one in survivors))

        def judge(one):
            number = self.numbers[(one.file, one.key)]
            quick = (test for test in checked if test.seconds < CHECKED_WITHIN)
            for test in sorted(quick, key=lambda test: test.cost(one.file)):
                if test.reaches(one.file, number) and test.notices(self.copy.source, one.file, number):
                    return self.settle(one, "noticed", test.name + " (sanitizers)")
            return self.settle(one, "survived")

        self.in_parallel(judge, survivors)

    def try_alone(self, one, tests):
        """A break that has no place among the others: compiled and linked by itself."""
        if not self.is_settled_by_compiler(one):
            text = (ROOT / one.file).read_text()
            lines = text.splitlines(keepends=True)
            lines[one.line] = one.instead + "\n"
            self.copy.write_plain(one.file, "".join(lines))
            outcome, by = "survived", ""
            for test in sorted(tests, key=lambda test: test.cost(one.file)):
                if one.file not in test.reached:
                    continue
                target = pathlib.Path(test.command[0]).name if test.command[0] != sys.executable else "tutti"
                if not self.copy.build("quick", [target]):
                    outcome = "invalid"
                    break
                if not test.run(self.copy.source, {}, test.limit())[0]:
                    outcome, by = "noticed", test.name
                    break
            self.settle(one, outcome, by)

    def in_parallel(self, judge, breaks):
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            return list(pool.map(judge, breaks))

    # Whole files

    def prepare(self, names):
        for name in names:
            text = (ROOT / name).read_text()
            breaks = breaks_of_file(name, text)
            self.hashes[name] = hash_of(text)
            self.schemata[name] = self.copy.write_broken(name, text, breaks)
            self.numbers.update({(name, one.key): number for number, one in enumerate(breaks)})

    def judge_all(self, layer, chosen):
        self.checked = None
        names = sorted({one.file for one in chosen})
        self.prepare(names)
        alone, together = [], []
        for one in chosen:
            number = self.numbers[(one.file, one.key)]
            schemata = self.schemata[one.file]
            if number in schemata.refused:
                self.settle(one, "invalid")
            else:
                (alone if number in schemata.left else together).append(one)
        tests = self.tests_for(layer, names)
        print(f"{layer}: {len(together)} breaks, {len(alone)} alone, {len(tests)} tests that take "
              f"{sum(test.seconds for test in tests):.1f} s", file=sys.stderr, flush=True)
        tried = {one for one in together if self.ledger.outcome(self.hashes[one.file], one) is not None}
        for is_tried in (False, True):  # what survived earlier comes last
            for name in names:
                self.judge_file(layer, tests, [one for one in together if one.file == name and (one in tried) == is_tried])
        for name in names:
            for one in (one for one in alone if one.file == name):
                self.try_alone(one, tests)
            self.copy.write_plain(name, (ROOT / name).read_text())

    def judge_file(self, layer, tests, breaks):
        survivors = [one for one in self.in_parallel(lambda one: self.first_look(one, tests), breaks) if one is not None]
        if survivors and self.options.without_sanitizers:
            for one in survivors:
                self.settle(one, "survived")
        elif survivors:
            print(f"{survivors[0].file}: {len(survivors)} are shown to the sanitizers", file=sys.stderr, flush=True)
            self.second_look(survivors, layer)


def layer_of(name):
    """The folder of unit tests that are asked about a file, and what is built and judged together."""
    return next((core for core in CORES if is_below(name, [core])), name.split("/")[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th break (default: all)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="from the N-th of these on")
    parser.add_argument("--count", type=int, default=None, metavar="N", help="so many of these")
    parser.add_argument("--sample", type=int, default=None, metavar="N", help="so many of them by lot (see --lot)")
    parser.add_argument("--lot", type=int, default=1, metavar="N", help="which lot (default: 1)")
    parser.add_argument("--seeds", type=int, default=1500, metavar="N", help="simulated seeds each (default: 1500)")
    parser.add_argument("--jobs", "-j", type=int, default=os.cpu_count(), metavar="N", help="so many at once (default: one a processor)")
    parser.add_argument("--work", type=pathlib.Path, metavar="DIR", help="keep the copy and the ledger here, for the next time")
    parser.add_argument("--longest", type=float, default=float("inf"), metavar="SECONDS", help="ask no test that takes longer")
    parser.add_argument("--without-sanitizers", action="store_true", help="do not build with sanitizers what survived without")
    parser.add_argument("--report", action="store_true", help="try nothing: print what the ledger knows, and what survived")
    parser.add_argument("files", nargs="*", default=[*CORES, *SHELL], metavar="FILE", help="or folder (default: the cores and the agent's shell)")
    options = parser.parse_args()
    last = None if options.count is None else options.first + options.count
    files = [name for given in options.files for name in ([given] if given.endswith(".c") else sources(given.rstrip("/")))]
    texts = {name: (ROOT / name).read_text() for name in files}
    chosen = [one for name, text in texts.items() for one in breaks_of_file(name, text)]
    if options.sample is not None:
        chosen = sorted(random.Random(options.lot).sample(chosen, min(options.sample, len(chosen))), key=lambda one: (one.file, one.line))
    chosen = chosen[:: options.every][options.first : last]
    known = read_equivalent()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.work or pathlib.Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        ledger = Ledger(folder / "ledger.jsonl")
        hashes = {name: hash_of(text) for name, text in texts.items()}

        def outcome_of(one):
            is_known = (one.file, one.was.strip(), one.instead.strip()) in known
            return "equivalent" if is_known else ledger.outcome(hashes[one.file], one)

        if options.report:
            for one in chosen:
                if outcome_of(one) == "survived":
                    print(f"survived: {one}")
        else:
            try_all(folder, ledger, options, [one for one in chosen if outcome_of(one) != "equivalent"], hashes)
        print_table([(os.path.dirname(one.file), outcome_of(one)) for one in chosen])
        return 1 if any(outcome_of(one) == "survived" for one in chosen) else 0


def try_all(folder, ledger, options, chosen, hashes):
    accepted = {hash_of_tests()}
    if options.without_sanitizers:
        accepted.add(hash_of_tests() + WITHOUT_SANITIZERS)
    pending = collections.defaultdict(list)
    for one in chosen:
        if not ledger.is_settled(hashes[one.file], one, accepted):
            pending[layer_of(one.file)].append(one)
    if not pending:
        return
    copy = Copy(folder, options.jobs)
    run = Run(copy, ledger, options)
    subprocess.run(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", run.filter_library, ROOT / "tests/mutation/cmocka_filter.c", "-ldl", "-lcmocka"], check=True)
    for layer, breaks in pending.items():
        begins = time.monotonic()
        run.judge_all(layer, breaks)
        seconds = time.monotonic() - begins
        print(f"{layer}: {len(breaks)} breaks in {seconds:.0f} s, {seconds / len(breaks):.2f} s each", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
