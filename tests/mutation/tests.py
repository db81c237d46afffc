"""The tests that may notice a break: which places each of them reaches, how long it takes, how often it noticed."""
import collections
import math
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

# Seconds of a program of unit tests above which its tests are asked one by one.
ASKED_ONE_BY_ONE = 0.15
CHUNK = 100  # seeds


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Test:
    def __init__(self, name, command, variables=None, is_steady=True):
        self.name = name
        self.command = [str(word) for word in command]
        self.variables = variables or {}
        self.is_steady = is_steady  # else it depends on the real clock: what it notices is asked twice
        self.seconds = 0.0  # of processor time
        self.waits = 0.0  # from begin to end
        self.reached = {}  # file: bytes, one a break
        self.asked = collections.Counter()  # by file
        self.noticed = collections.Counter()

    def run(self, folder, variables, limit):
        """Whether it passes, and what it printed. The limit is of processor time, since others may work here too."""
        with subprocess.Popen(self.command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, **self.variables, **variables}, start_new_session=True) as process:
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (math.ceil(limit), math.ceil(limit)))
            try:
                printed = process.communicate(timeout=10 * (limit + self.waits))[0]
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return False, "takes too long"
        return process.returncode == 0, printed.decode(errors="replace")

    def limit(self):
        return 1 + 5 * self.seconds

    def reaches(self, file, number):
        reached = self.reached.get(file, b"")
        return number < len(reached) and reached[number] != 0

    def look(self, folder):
        """Runs it on what is not broken: seconds, and what it reaches. None, or what it printed when it failed."""
        for _ in range(3):
            with tempfile.TemporaryDirectory() as into:
                begins, cpu_begins = time.monotonic(), processor_seconds()
                passes, printed = self.run(folder, {"MUTANT_REACHED": into}, 300)
                self.waits = time.monotonic() - begins
                self.seconds = processor_seconds() - cpu_begins
                self.reached = {path.name.replace("+", "/"): path.read_bytes() for path in pathlib.Path(into).iterdir()}
            if passes:
                return None
        return printed

    def look_or_exit(self, folder):
        printed = self.look(folder)
        if printed is not None:
            sys.exit(f"{self.name} fails on what is not broken:\n{printed[-3000:]}")

    def reaches_any(self):
        return any(any(places) for places in self.reached.values())

    def notices(self, folder, file, number):
        self.asked[file] += 1
        for _ in range(1 if self.is_steady else 2):
            if self.run(folder, {"MUTANT": f"{file}:{number}"}, self.limit())[0]:
                return False
        self.noticed[file] += 1
        return True

    def cost(self, file):
        """Seconds for each break of the file that it notices, as far as is known."""
        return (self.seconds + self.waits / 10 + 0.005) * (1 + self.asked[file]) / (1 + self.noticed[file])


def tests_of_program(name, program, filter_library, folder, is_steady):
    """The program as one test, or as one for each of its functions if it is slow. None if it reaches nothing that is broken."""
    whole = Test(name, [program], is_steady=is_steady)
    whole.look_or_exit(folder)
    if not whole.reaches_any():
        return []
    if whole.seconds < ASKED_ONE_BY_ONE:
        return [whole]
    preload = {"LD_PRELOAD": str(filter_library)}
    printed = Test(name, [program], {**preload, "MUTANT_LIST": "1"}).run(folder, {}, 60)[1]
    functions = [line.split()[1] for line in printed.splitlines() if line.startswith("MUTANT_LIST ")]
    tests = [Test(f"{name}:{function}", [program], {**preload, "MUTANT_TEST": function}, is_steady) for function in functions]
    passes = all(test.look(folder) is None for test in tests)  # alone, and with a library that it does not expect
    return tests if tests and passes else [whole]


def tests_of_simulator(program, seeds, folder):
    tests = [Test("simulate --stories", [program, "--stories", "tests/simulation/stories"])]
    tests += [Test(f"simulate --first {first}", [program, "--seeds", CHUNK, "--first", first]) for first in range(1, seeds, CHUNK)]
    for test in tests:
        test.look_or_exit(folder)
    return tests
