"""A real Etherpad for tests: examples/etherpad/start.sh, installed once into a cache outside the tree."""
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import unittest

from support import EXAMPLES, environment, processes_of_session

INSTALLED_WITHIN_S = 240


class Etherpad:
    """Runs one while the context lasts, and yields its address; skips the test if it cannot be installed. `pads`: a folder that
    keeps them, `port`: where the last one was, for one that is started after it."""

    def __init__(self, port=0, pads=""):
        self.port, self.pads = port, pads

    def __enter__(self):
        for program in ("node", "npm"):
            if shutil.which(program) is None:
                raise unittest.SkipTest(f"needs {program} to run a real Etherpad")
        self.process = subprocess.Popen([EXAMPLES / "etherpad" / "start.sh", "", str(self.port), self.pads], stdin=subprocess.DEVNULL, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                                        env=environment())
        limit = threading.Timer(INSTALLED_WITHIN_S, self.end)
        limit.start()
        address = self.process.stdout.readline().strip()
        limit.cancel()
        if not address:
            self.end()
            why = self.process.stderr.read()
            self.__exit__()
            raise unittest.SkipTest(f"no Etherpad could be installed or started: {why}")
        return address

    def kill(self):
        """Ends the server itself at once, as a crash would."""
        for pid in processes_of_session(self.process.pid):
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "node":
                os.kill(pid, signal.SIGKILL)
        self.process.wait(20)

    def end(self):
        self.process.send_signal(signal.SIGTERM)

    def __exit__(self, *_):
        self.end()
        try:
            self.process.wait(20)
        finally:
            for pid in processes_of_session(self.process.pid):
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()
            self.process.stderr.close()
