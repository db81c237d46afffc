"""The live screen of `tutti run` and `tutti watch`, read from the cells of a terminal."""
import json
import os
import pathlib
import re
import signal
import tempfile
import time
import unittest

from fake_api import PROGRESS, FakeApi, event, report
from support import script
from terminal import Terminal

EVENTS = ("GET", "/v1/campaigns/7/events")
LABELS = ("requests ", "p95 ", "agents ", "thresholds ", "waits ")
BARS = "▁▂▃▄▅▆▇█"
RUN = ("run", script("late-writer"), "-w", 4, "-d", 60, "--agents", 2)


def crowd(kind, name, workers, oldest_s, first_step=3, last_step=3):
    return {"kind": kind, "name": name, "first_step": first_step, "last_step": last_step, "workers": workers, "oldest_s": oldest_s}


def threshold(text, outcome, reached):
    return {"threshold": text, "outcome": outcome, "value": 1.0, "unit": "", "reached": reached, "missed_at_s": None}


def progress(second, **more):
    """What the coordinator says in this second: 100 requests in each, then 200."""
    requests = 100 * second + 100 * max(0, second - 5)
    return {**PROGRESS, "script": "tests/pad.lua", "elapsed_s": second + 0.1, "steps": {"ok": 1000 + second, "failed": 2, "stopped": 0},
            "requests_total": requests, "window_s": 10.0, "requests_per_s": 123.4, "failed_per_s": 0.0, "p95_ms": 12.0 if second < 8 else 24.0,
            "agents": [{"name": f"agent-{number}", "host": "h", "workers": 3, "workers_running": 2 + number, "state": "running"} for number in (1, 2)],
            "thresholds": [threshold("http.p95 < 20ms", "missed", "24 ms"), threshold("steps.failed < 5", "met", "2"), threshold("seen.p99 < 1s", "pending", "")],
            "waiting_for": [crowd("wait_for_writer", "pad", 4, 1.25), crowd("barrier", "start", 2, 0.061, 2, 5)], **more}


class Watch:
    """tutti watch on a terminal, of a coordinator that says this and then waits."""

    def __init__(self, *events, ends=False, **more):
        def stream(handler):
            parts = [part for said in events for part in (event("progress", said), lambda: time.sleep(0.02))]
            handler.stream(*parts, *([event("ended", report())] if ends else [lambda: self.api.over.wait(30)]))

        self.api = FakeApi({EVENTS: [stream], ("GET", "/v1/campaigns/7/series"): [(200, more.pop("series")) if "series" in more else (404, {"error": "none"})]})
        self.arguments = more.pop("arguments", ())
        self.more = more

    def __enter__(self):
        self.api.__enter__()
        self.terminal = Terminal("watch", 7, "--api", self.api.url, *self.arguments, **self.more)
        return self.terminal

    def __exit__(self, *_):
        self.terminal.__exit__()
        self.api.__exit__()


def shown_block(terminal):
    """The rows from the head to the last of the live screen."""
    rows = terminal.rows
    heads = [place for place, row in enumerate(rows) if re.match(r"\d+:\d\d  ", row)]
    if not heads:
        return []
    block = []
    for row in rows[heads[-1]:]:
        if not row:
            break
        block.append(row)
    return block


class Numbers(unittest.TestCase):
    def watched(self, *events, rows=24, columns=80, **more):
        """The live screen after the last of these."""
        last = events[-1]
        head = "{}:{:02}  ".format(*divmod(int(last["elapsed_s"]), 60))
        # An event that comes while the one before is being written is not shown, so the last one is said until it is.
        with Watch(*events, *[last] * 20, columns=columns, rows=rows, **more) as terminal:
            shown = terminal.read(20, lambda it: any(row.startswith(head) for row in it.rows))
            terminal.settle()
            self.assertTrue(shown, terminal.rows)
            block = shown_block(terminal)
            for row, cells in zip(terminal.screen.display, terminal.screen.buffer.values()):
                self.assertEqual(row[-1], " ", "the last column stays free")
            self.assertEqual(terminal.screen.cursor.x, 0)
            return block, terminal.shown

    def test_they_are_those_of_the_coordinator(self):
        block, _ = self.watched(*[progress(second) for second in range(1, 11)])
        self.assertEqual(block[0], "0:10  5 workers  1,010 ok  2 failed  pad.lua")
        self.assertRegex(block[1], rf"^requests    .*[{BARS}]  123/s  most 200/s$")
        self.assertRegex(block[2], rf"^p95         .*[{BARS}]  24\.0 ms  most 24\.0 ms$")
        self.assertEqual(block[3], "agents      2: agent-1 3, agent-2 4")
        self.assertEqual(block[4:7], ["thresholds  missed   http.p95 < 20ms  now 24 ms",
                                      "            pending  seen.p99 < 1s",
                                      "            met      steps.failed < 5  now 2"])
        self.assertEqual(block[7:], ["waits       4 for the writer of pad@3, oldest 1.25 s",
                                     "            2 for barrier start@2–5, oldest 61.0 ms"])

    def test_the_last_minute(self):
        for columns, width in ((80, 30), (99, 30), (100, 60), (200, 60)):
            with self.subTest(columns):
                block, _ = self.watched(*[progress(second) for second in range(1, 62)], columns=columns)
                chart = block[1][12:12 + width]
                self.assertEqual(len(block[1][:12 + width + 2].rstrip()), 12 + width, block)
                # 100 a second to the fifth, 200 a second from then on, and the newest is right. The first second is not known.
                each = 60 // width
                self.assertEqual(chart[-(60 - 6) // each:], "█" * ((60 - 6) // each), block)
                self.assertIn(chart[1], "▄▅", block)

    def test_a_watcher_that_comes_late_sees_the_last_minute(self):
        points = 200
        series = {"point_s": 1, "points": points, "total": {"requests": {"count": [50] * 170 + [100] * 30, "p95_ms": [10] * 185 + [20] * 15}}}
        block, _ = self.watched(progress(200), progress(201), series=series, columns=120)
        # From the 142nd second on; the last point may be incomplete, and 200 more requests come in the 201st.
        self.assertEqual(block[1][12:72], "▃" * 29 + "▅" * 29 + " █", block)
        self.assertEqual(block[2][12:72], "▄" * 44 + "▇" * 14 + " █", block)
        halves = {"point_s": 2, "points": 101, "total": {"requests": {"count": [100] * 86 + [200] * 15, "p95_ms": [10] * 101}}}
        block, _ = self.watched(progress(200), progress(201), series=halves, columns=120)
        self.assertEqual(block[1][12:72], "▃" * 31 + "▅" * 28 + "█", block)

    def test_requests_that_fail(self):
        block, _ = self.watched(*[progress(second, failed_per_s=2.5) for second in range(1, 4)])
        self.assertRegex(block[1], r"  123/s, 2\.5 failed/s$")

    def test_without_requests_steps_are_drawn(self):
        calm = {"requests_total": 0, "requests_per_s": 0, "p95_ms": 0, "thresholds": [], "waiting_for": []}
        block, _ = self.watched(*[progress(second, **calm) for second in range(1, 8)])
        self.assertRegex(block[1], rf"^steps       .*[{BARS}]  1\.0/s  most 1\.0/s$")
        self.assertEqual([row.split()[0] for row in block], ["0:07", "steps", "agents"])

    def test_lost_agents_come_first(self):
        agents = [{"name": f"agent-{number}", "host": "h", "workers": 3, "workers_running": 0, "state": "lost" if number == 30 else "running"} for number in range(1, 41)]
        block, shown = self.watched(progress(1), progress(2, agents=agents))
        self.assertRegex(block[3], r"^agents      39, 1 lost: agent-30 lost, agent-1 0, .*…$")
        self.assertLess(len(block[3]), 80)
        self.assertIn(b"\x1b[31magents", shown)

    def test_more_than_there_is_room_for(self):
        many = {"thresholds": [threshold(f"steps.failed < {number}", "met" if number < 7 else "missed", "0") for number in range(9)],
                "waiting_for": [crowd("barrier", f"b{number}", 9 - number, 1.0) for number in range(8)]}
        block, _ = self.watched(progress(1), progress(2, **many))
        self.assertEqual(block[4:], ["thresholds  missed   steps.failed < 7  now 0", "            missed   steps.failed < 8  now 0", "            met      steps.failed < 0  now 0",
                                     "            6 more", "waits       9 for barrier b0@3, oldest 1.00 s", "            8 for barrier b1@3, oldest 1.00 s",
                                     "            7 for barrier b2@3, oldest 1.00 s", "            5 more"])
        block, _ = self.watched(progress(1), progress(2, **many), rows=10)
        self.assertLessEqual(len(block), 8, "a low terminal shows less")
        self.assertEqual(block[0][:4], "0:02")

    def test_hostile_names(self):
        names = {"ideographs": "会議室" * 100, "control": "\x1b[2J\x1b[31m\x07\r\n\tx" * 20, "right to left": "\u202eabc" * 50, "long": "n" * 10000, "combining": "e\u0301" * 200,
                 "emoji": "👩‍👩‍👧" * 40}
        for columns in (80, 200):
            for what, name in names.items():
                with self.subTest(what, columns=columns):
                    said = {"script": f"x/{name}", "thresholds": [threshold(name, "missed", name[:30])], "waiting_for": [crowd("barrier", name, 4, 2.0)],
                            "agents": [{"name": name, "host": "h", "workers": 1, "workers_running": 1, "state": "running"}]}
                    block, shown = self.watched(progress(1, **said), progress(2, **said), columns=columns)
                    self.assertEqual([row.split()[0] for row in block], ["0:02", "requests", "p95", "agents", "thresholds", "waits"], "no row has become two")
                    self.assertRegex(block[5], r"^waits       4 for barrier .*, oldest 2\.00 s$")
                    self.assertNotIn(b"\x1b[2J", shown)

    def test_ascii(self):
        block, shown = self.watched(*[progress(second, thresholds=[threshold("größer < 1µs", "met", "3 µs")]) for second in range(1, 11)], LC_ALL="C")
        self.assertTrue(shown.isascii(), shown)
        self.assertRegex(block[1], r"^requests    .*[_.:=+*#-]  123/s  most 200/s$")
        self.assertEqual(block[4], "thresholds  met      gr??er < 1us  now 3 us")
        self.assertIn("barrier start@2-5", block[6])


class Resized(unittest.TestCase):
    def test_a_watcher_draws_again_though_nothing_is_said(self):
        with Watch(*[progress(1)] * 5, columns=200) as terminal:
            self.assertTrue(terminal.read(20, lambda it: it.row("waits ")), terminal.rows)
            terminal.settle()
            terminal.size(80)
            seen = len(terminal.shown)
            self.assertTrue(terminal.read(5, lambda it: b"waits" in it.shown[seen:]), terminal.rows)
            terminal.settle()
            self.assertEqual([row.split()[0] for row in shown_block(terminal)], ["0:01", "requests", "p95", "agents", "thresholds", "pending", "met", "waits", "2"])
            terminal.size(60)
            self.assertTrue(terminal.read(5, lambda it: not it.row("agents ")), terminal.rows)


class Instead(unittest.TestCase):
    """Where one line is shown, as before there was a live screen."""

    LINE = re.compile(r"^0:02  5 workers  1,002 ok  2 failed  last 10 s: 123 requests/s")

    def test_one_line(self):
        for name, more in (("no-live", {"arguments": ("--no-live",), "columns": 160}), ("narrow", {"columns": 79}), ("low", {"columns": 160, "rows": 7})):
            with self.subTest(name), Watch(*[progress(1)] * 3, *[progress(2)] * 40, **more) as terminal:
                self.assertTrue(terminal.read(20, lambda it: any(self.LINE.match(row) for row in it.rows)), terminal.rows)
                terminal.settle()
                self.assertEqual(sum(row != "" for row in terminal.rows), 1, terminal.rows)

    def test_a_dumb_terminal(self):
        with Watch(*[progress(second) for second in range(1, 30)], ends=True, TERM="dumb") as terminal:
            code, shown = terminal.finish()
        self.assertEqual(code, 0)
        self.assertNotIn("\x1b", shown)
        self.assertNotIn("thresholds", shown)


class Running(unittest.TestCase):
    def test_its_numbers_are_those_of_the_report(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "report.json")
            with Terminal("run", script("lingers"), "-w", 6, "-r", 3, "--agents", 2, "--target", "builtin", "--threshold", "steps.failed == 0", "--json", path) as terminal:
                self.assertTrue(terminal.read(30, lambda it: any("  18 ok  " in row for row in shown_block(it))), terminal.rows)
                terminal.read(1)
                block = shown_block(terminal)
                code, shown = terminal.finish()
            said = json.loads(path.read_text())
        self.assertEqual(code, 0, shown)
        self.assertEqual(int(re.search(r"  ([\d,]+) ok  ", block[0])[1]), said["steps"]["ok"], block)
        self.assertEqual(int(re.search(r"  (\d+) failed  ", block[0])[1]), said["steps"]["failed"], block)
        self.assertEqual(said["steps"]["ok"], 18)
        self.assertIn("lingers.lua", block[0])
        self.assertRegex("\n".join(block), r"\nagents      2: agent-1 0, agent-2 0\n")
        self.assertRegex("\n".join(block), r"\nthresholds  met      steps.failed == 0  now 0")
        for worker in range(6):
            self.assertEqual(sum(row == f"[{worker}] worker {worker} has looked" for row in terminal.above + terminal.rows), 3, "what the script prints scrolls above")
        self.assertEqual(shown_block(terminal), [], "and nothing of it is left at the end")

    def test_lines_scroll_above_it(self):
        with Terminal(*RUN) as terminal:
            self.assertTrue(terminal.read(30, b"line 40\r\n"), terminal.rows)
            terminal.read(0.3)
            rows = terminal.above + terminal.rows
            block = shown_block(terminal)
            lines = [row for row in rows if "line " in row]
            self.assertEqual(lines[:40], [f"[0] line {number}" for number in range(1, 41)], "each once, in order, whole")
            self.assertEqual(sum(row.startswith("agents ") for row in rows), 1, rows)
            self.assertRegex(block[-1], r"^waits       3 for the writer of text@1, oldest \d+\.?\d* s$")
            self.assertEqual([row.split()[0] for row in block], [block[0].split()[0], "steps", "agents", "waits"])

    def test_resize(self):
        with Terminal(*RUN, columns=200) as terminal:
            self.assertTrue(terminal.read(30, lambda it: it.row("waits ")), terminal.rows)
            for columns in (100, 80, 140):
                with self.subTest(columns):
                    terminal.size(columns)
                    seen = len(terminal.shown)
                    self.assertTrue(terminal.read(3, lambda it: b"waits" in it.shown[seen:]), terminal.rows)
                    terminal.read(1.2)
                    terminal.read(2, lambda it: it.row("waits "))
                    block = shown_block(terminal)
                    self.assertEqual([row.split()[0] for row in block[1:]], ["steps", "agents", "waits"], terminal.rows)
                    self.assertEqual(sum(row.startswith("agents ") for row in terminal.rows), 1, terminal.rows)
                    self.assertTrue(all(row[-1] == " " for row in terminal.screen.display), terminal.rows)
            terminal.size(60)
            self.assertTrue(terminal.read(5, lambda it: not it.row("agents ")), terminal.rows)
            terminal.size(90)
            self.assertTrue(terminal.read(5, lambda it: it.row("agents ")), terminal.rows)

    def test_control_c_leaves_nothing_of_it(self):
        with Terminal(*RUN) as terminal:
            self.assertTrue(terminal.read(30, lambda it: it.row("waits ")), terminal.rows)
            terminal.type(b"\x03")
            code, shown = terminal.finish()
        self.assertEqual(code, 130, shown)
        for row in terminal.above + terminal.rows:
            self.assertFalse(row.startswith(("agents      2", "waits       ")), shown)
        self.assertIn("interrupted", shown)

    def test_a_crash_leaves_the_terminal_as_it_was(self):
        for number in (signal.SIGKILL, signal.SIGSEGV):
            with self.subTest(number), Terminal(*RUN) as terminal:
                self.assertTrue(terminal.read(30, lambda it: it.row("waits ")), terminal.rows)
                os.kill(terminal.process.pid, number)
                terminal.process.wait(20)
                terminal.read(1)
                cursor = terminal.screen.cursor
                self.assertFalse(cursor.hidden)
                self.assertEqual((cursor.x, terminal.rows[cursor.y]), (0, ""), "the shell's prompt has a line of its own")
                self.assertEqual((cursor.attrs.fg, cursor.attrs.bold), ("default", False))
                self.assertNotIn(b"\x1b[?", terminal.shown, "no mode of the terminal is changed")

    def test_control_z_gives_the_terminal_back(self):
        with Terminal(*RUN) as terminal:
            self.assertTrue(terminal.read(30, lambda it: it.row("waits ")), terminal.rows)
            terminal.type(b"\x1a")
            self.assertTrue(terminal.read(5, lambda it: not it.row("waits ") and not it.row("agents ")), terminal.rows)
            terminal.stream.feed(b"[1]+  Stopped   tutti run\r\n$ fg\r\n")
            os.kill(terminal.process.pid, signal.SIGCONT)
            self.assertTrue(terminal.read(5, lambda it: it.row("waits ")), terminal.rows)
            self.assertIn("$ fg", terminal.above + terminal.rows, "what the shell said stays")


if __name__ == "__main__":
    unittest.main()
