"""tutti on a terminal of its own, and what the cells of that terminal show."""
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from fcntl import ioctl

from support import TUTTI, environment, processes_of_session

sys.path.append("/usr/lib/python3/dist-packages")  # python3-pyte, whichever python3 this is
import pyte  # noqa: E402

ROWS = 24


class Terminal:
    def __init__(self, *arguments, columns=80, rows=ROWS, **more):
        self.master, slave = pty.openpty()
        self.screen = pyte.HistoryScreen(columns, rows, history=10000, ratio=.5)
        self.stream = pyte.ByteStream(self.screen)
        self.size(columns, rows)
        self.process = subprocess.Popen([TUTTI, *map(str, arguments)], stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True, env=environment(**{"TERM": "xterm", "LC_ALL": "C.UTF-8", **more}),
                                        preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.shown = b""

    def size(self, columns, rows=ROWS):
        ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def read(self, seconds, until=None):
        """`until`: bytes that it has written, or a function that looks at this. Returns whether that came to be."""
        end = time.monotonic() + seconds
        while True:
            if until is not None and (until(self) if callable(until) else until in self.shown):
                return True
            if time.monotonic() > end:
                return False
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    piece = os.read(self.master, 65536)
                except OSError:
                    return False
                if not piece:
                    return False
                self.shown += piece
                self.stream.feed(piece.replace("\u200d".encode(), b""))  # pyte drops what follows a joiner

    def settle(self, quiet=0.7, seconds=30):
        """Reads until it has written nothing for a while."""
        end = time.monotonic() + seconds
        before = -1
        while before != len(self.shown) and time.monotonic() < end:
            before = len(self.shown)
            self.read(quiet)

    @property
    def rows(self):
        """The rows of the screen, without the blanks at their ends."""
        return [row.rstrip() for row in self.screen.display]

    @property
    def above(self):
        """The rows that have scrolled off, oldest first."""
        return ["".join(row[column].data for column in range(self.screen.columns)).rstrip() for row in self.screen.history.top]

    def row(self, label):
        """What follows a label at the beginning of a row; None if there is none."""
        for row in self.rows:
            if row.startswith(label):
                return row[len(label):].strip()
        return None

    def type(self, keys):
        os.write(self.master, keys)

    def finish(self, seconds=30):
        self.read(seconds)
        code = self.process.wait(5)
        left = processes_of_session(self.process.pid)
        assert not left, f"it left processes behind: {left}"
        return code, self.shown.decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in processes_of_session(self.process.pid):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.master)
