#!/usr/bin/env python3
"""Plays the Etherpad scene with tutti and, where they are installed, with Molotov and Arsenic, in turns; prints what a round of it costs.

  examples/etherpad/start.sh                                                             # in another window
  python3.11 -m venv ~/.cache/tutti/molotov                                              # Arsenic 21.8 is not for 3.12
  ~/.cache/tutti/molotov/bin/pip install molotov==2.6 arsenic==21.8 'setuptools<70'
  tests/bench/scene/scene.py http://127.0.0.1:9001 [--browser firefox] [--delay 1] [--turns 3] [tutti article lean]

All that a run starts has its folder in TMPDIR; so its processes are known by it, whatever their parents. Etherpad is none of them."""
import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TUTTI = ROOT / "build" / "release" / "tutti"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "tutti"
MOLOTOV = CACHE / "molotov" / "bin" / "molotov"
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
USERS = 5
LIMIT_S = 240
# Those that tutti gives its browsers, for all alike.
ARGUMENTS = {
    "chromium": "--headless=new --hide-scrollbars --mute-audio --no-sandbox --disable-dev-shm-usage --no-first-run --no-default-browser-check"
                " --disable-background-networking --disable-component-update --disable-sync --disable-background-timer-throttling"
                " --disable-backgrounding-occluded-windows --disable-renderer-backgrounding",
    "firefox": "-headless",
}


class Pads:
    def __init__(self, address):
        self.address = address

    def ask(self, function, **fields):
        query = urllib.parse.urlencode({"apikey": "tuttitest", **fields})
        with urllib.request.urlopen(f"{self.address}/api/1.2.15/{function}?{query}", timeout=20) as answer:
            return json.load(answer)["data"]

    def names(self):
        return set(self.ask("listAllPads")["padIDs"])

    def step(self, pad):
        steps = re.findall(r"^step (\d+)$", self.ask("getText", padID=pad)["text"], re.MULTILINE)
        return int(steps[-1]) if steps else 0


def processes(folder):
    """Of the run whose temporary folder this is: pid and command line."""
    mark = os.fsencode(folder)
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = pathlib.Path("/proc", entry, "cmdline").read_bytes()
            if mark in command or mark in pathlib.Path("/proc", entry, "environ").read_bytes():
                yield entry, command
        except OSError:
            pass


def kind_of(command):
    name = os.path.basename(command.split(b"\0")[0].split(b" ")[0]).decode()
    if b"--type=renderer" in command or b"-contentproc" in command:
        return "pages"
    return name if name in ("tutti", "chromedriver", "geckodriver") else "load generator" if name.startswith("python") else "browser"


def processor_seconds(folder):
    """By kind of process, those who have ended and were waited for included."""
    spent = collections.Counter()
    for entry, command in processes(folder):
        try:
            fields = pathlib.Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        spent[kind_of(command)] += sum(map(int, fields[11:15])) / TICKS_PER_S
    return spent


def memory_mib(folder):
    total = 0
    for entry, _ in processes(folder):
        try:
            found = re.search(r"^Pss: +(\d+)", pathlib.Path("/proc", entry, "smaps_rollup").read_text(), re.MULTILINE)
            total += int(found.group(1)) if found else 0
        except OSError:
            pass
    return total / 1024


class Turn:
    """One run of the scene by `who`, looked at from outside."""

    def __init__(self, who, options, pads):
        self.who, self.options, self.pads = who, options, pads
        self.steps = options.until + 2

    def command(self, folder):
        common = ["-w", str(USERS), "-r", str(self.steps), "--delay", str(self.options.delay)]
        environment = {**os.environ, "TMPDIR": folder, "TUTTI_BROWSER": self.options.browser}
        if self.who == "tutti":
            self.pad = None
            return [TUTTI, "run", ROOT / "examples/etherpad/browsers.lua", "--agents", "2", "--target", self.pads.address,
                    "--json", f"{folder}/report.json", *common], environment
        self.pad = f"article-{time.time_ns():x}"
        self.pads.ask("createPad", padID=self.pad)
        environment.update(PAD=f"{self.pads.address}/p/{self.pad}", STEPS=str(self.steps), BROWSER=self.options.browser, LOOK=self.who,
                           ARGUMENTS=ARGUMENTS[self.options.browser], SEEN=f"{folder}/seen",
                           PATH=f"{CACHE}/geckodriver/bin:{environment['PATH']}")
        return [MOLOTOV, *common, "-c", HERE / "article.py"], environment

    def find_pad(self, before):
        if self.pad is None:
            new = self.pads.names() - before
            self.pad = new.pop() if new else None
        return self.pad

    def follow(self, process, folder, before):
        """At the first steps that are at least those of interest: step, instant, processor time; and what memory it has at the last."""
        began, marks, memory = time.monotonic(), {}, 0
        while process.poll() is None and time.monotonic() < began + LIMIT_S:
            step = self.pads.step(self.pad) if self.find_pad(before) else 0
            for wanted in (1, self.options.since, self.options.until):
                if step >= wanted and wanted not in marks:
                    marks[wanted] = (step, time.monotonic(), processor_seconds(folder))
                    memory = memory_mib(folder) if wanted == self.options.until else 0
            time.sleep(0.02)
        process.kill()
        if self.options.until not in marks:
            raise SystemExit(f"{self.who} did not get to step {self.options.until}: {process.wait()}")
        return marks[1][1] - began, marks[self.options.since], marks[self.options.until], memory

    def seen_ms(self, folder):
        if self.who == "tutti":
            seen = json.loads(pathlib.Path(folder, "report.json").read_text())["seen"]["etherpad"]
            return seen["p50_ms"], seen["p95_ms"], seen["max_ms"]
        times = sorted(float(line) * 1000 for line in pathlib.Path(folder, "seen").read_text().split())
        return statistics.median(times), times[int(len(times) * 0.95)], times[-1]

    def play(self):
        folder = tempfile.mkdtemp(prefix="scene-", dir="/tmp")
        before = self.pads.names()
        command, environment = self.command(folder)
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        up, (first, began, before), (last, ended, after), memory = self.follow(process, folder, before)
        process.wait()
        rounds = last - first
        spent = {kind: (after[kind] - before[kind]) / rounds for kind in after}
        seen = self.seen_ms(folder)
        shutil.rmtree(folder, ignore_errors=True)
        parts = ", ".join(f"{kind} {share:.3f}" for kind, share in sorted(spent.items(), key=lambda item: -item[1]) if share >= 0.0005)
        print(f"{self.who:8} {self.options.browser:8}  {sum(spent.values()):.3f} s a round ({parts})\n"
              f"         rounds of {(ended - began) / rounds * 1000:.0f} ms; first line after {up:.1f} s; {memory / USERS:.0f} MiB a user; "
              f"edit → seen p50 {seen[0]:.0f}, p95 {seen[1]:.0f}, max {seen[2]:.0f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("address", help="of the Etherpad")
    parser.add_argument("who", nargs="*", default=["tutti", "article", "lean"])
    parser.add_argument("--browser", choices=ARGUMENTS, default="chromium")
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--since", type=int, default=10, help="the round from which on it counts")
    parser.add_argument("--until", type=int, default=40)
    parser.add_argument("--turns", type=int, default=1)
    options = parser.parse_intermixed_args()
    if not MOLOTOV.exists():
        print(f"no {MOLOTOV}: tutti alone")
        options.who = ["tutti"]
    for _ in range(options.turns):
        for who in options.who:
            Turn(who, options, Pads(options.address)).play()


if __name__ == "__main__":
    main()
