"""A folder for temporary files by which a test identifies every browser process and folder of a run."""
import os
import pathlib
import tempfile

from support import environment, wait_until

GONE_S = 5


class Place:
    """A private TMPDIR, by which everything that belongs to a run is identified."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="td", dir="/tmp")
        self.path = self.folder.name
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def environment(self, **more):
        return environment(TMPDIR=self.path, **more)

    def processes(self, word=b""):
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/environ", "rb") as environ, open(f"/proc/{entry}/cmdline", "rb") as command:
                    line = command.read()
                    if (self.path.encode() in environ.read() or self.path.encode() in line) and word in line:
                        found.append(int(entry))
            except OSError:
                pass
        return found

    def folders(self):
        return [str(path) for path in pathlib.Path(self.path).glob("tutti-browsers-*/*")]

    def expect_nothing(self):
        wait_until(lambda: not self.processes() and not self.folders(), GONE_S, "processes or folders are left")
