"""What the integration tests share: running tutti in a session of its own, and checking that nothing of it is left."""
import codecs
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = pathlib.Path(__file__).resolve().parent / "scripts"
EXAMPLES = ROOT / "examples"
TUTTI = os.environ["TUTTI"]
TIMEOUT_S = 60
# Where coordinators of this test leave their tokens, and commands of this test find them.
RUNTIME = tempfile.TemporaryDirectory(prefix="tutti-runtime-")


def environment(**more):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TUTTI_")}
    clean.pop("NO_COLOR", None)
    clean.pop("RUNTIME_DIRECTORY", None)
    return {**clean, "XDG_RUNTIME_DIR": RUNTIME.name, **more}


def token_of(port):
    """The token that the coordinator with its API at this port has left; None if it has left none."""
    path = pathlib.Path(RUNTIME.name, "tutti", f"api-{port}.token")
    return path.read_text().strip() if path.exists() else None


def processes_of_session(session):
    """Ids of all processes of a session, except zombies."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry))
    return found


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s: {what}")
        time.sleep(0.01)


def write_secret(path, text):
    """Accessible by its owner alone, or tutti would refuse it."""
    path.touch(0o600)
    path.write_text(text)


class Result:
    def __init__(self, code, out, err, seconds, report):
        self.code, self.out, self.err, self.seconds, self.report = code, out, err, seconds, report

    def __str__(self):
        return f"exit code {self.code} after {self.seconds:.1f} s\n--- stdout\n{self.out}\n--- stderr\n{self.err}"

    @property
    def verdict(self):
        return self.report["verdict"]

    @property
    def steps(self):
        return self.report["steps"]


class Lines:
    """What a stream of a process has said so far. It reads the descriptor itself: communicate() does so too, and would lose
    the lines that a text stream has read ahead."""

    def __init__(self, stream):
        self.stream = stream
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.text = ""
        self.seen = 0

    def until(self, wanted):
        """The next line that contains `wanted`; None if the stream ends first."""
        while True:
            while (end := self.text.find("\n", self.seen)) >= 0:
                line, self.seen = self.text[self.seen:end + 1], end + 1
                if wanted in line:
                    return line
            more = os.read(self.stream.fileno(), 65536)
            if not more:
                return None
            self.text += self.decoder.decode(more)


class Process:
    """A tutti that is still running."""

    def __init__(self, *arguments, env=None, cwd=None, prefix=(), program=TUTTI, stdout=subprocess.PIPE):
        """`prefix`: a command that executes the program, such as `ip netns exec NAME`."""
        self.started = time.monotonic()
        self.process = subprocess.Popen([*prefix, program, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=stdout,
                                        stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
                                        env=env or environment(), cwd=cwd)
        self.pid = self.process.pid
        self.out = Lines(self.process.stdout)

    def read_until(self, text):
        """Reads lines of standard output until one contains `text`."""
        line = self.out.until(text)
        if line is None:
            raise AssertionError(f"it ended without saying {text!r}:\n{self.out.text}\n{self.process.stderr.read()}")
        return line

    def finish(self, timeout=TIMEOUT_S):
        try:
            out, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"it did not end within {timeout} s\n{self.out.text}{out}\n{err}") from None
        out = self.out.text + (out or "")
        left = processes_of_session(self.pid)
        self.kill()
        if left:
            raise AssertionError(f"it left processes behind: {left}\n{out}\n{err}")
        return Result(self.process.returncode, out, err, time.monotonic() - self.started, None)

    def kill(self):
        for pid in processes_of_session(self.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.close()
        self.process.wait()

    def close(self):
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def tutti(*arguments, timeout=TIMEOUT_S, env=None, cwd=None):
    with Process(*arguments, env=env, cwd=cwd) as process:
        return process.finish(timeout)


# The steps alone judge a run whose requests are meant to fail.
BY_ITS_STEPS = ("--threshold", "steps.failed = 0; steps.count > 0")


def script(name):
    """The path of one of our scripts or examples; a path is returned unchanged."""
    if isinstance(name, pathlib.Path):
        return name
    path = SCRIPTS / f"{name}.lua"
    return path if path.exists() else EXAMPLES / f"{name}.lua"


class Run(Process):
    """`tutti run` of one of our scripts or examples, with its report as JSON."""

    def __init__(self, name, *options, **more):
        self.folder = tempfile.TemporaryDirectory()
        self.json = pathlib.Path(self.folder.name) / "report.json"
        super().__init__("run", script(name), "--json", self.json, *options, **more)

    def finish(self, timeout=TIMEOUT_S):
        result = super().finish(timeout)
        if self.json.exists():
            result.report = json.loads(self.json.read_text())
        return result

    def __exit__(self, *all):
        super().__exit__(*all)
        self.folder.cleanup()


def run(name, *options, timeout=TIMEOUT_S, **more):
    with Run(name, *options, **more) as process:
        return process.finish(timeout)
