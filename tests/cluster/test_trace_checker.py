"""The trace checker finds errors: a good trace, and the same with one thing broken in each."""
import unittest

from trace_checker import Trace, check

# Two steps of a room of three on two agents: 0 and 2 on a1, 1 on a2. Worker 0 writes step 1, worker 1 step 2.
GOOD = """
a1 1.00 0 0 here a1 0 3
a1 1.01 2 0 here a1 2 3
a2 1.02 1 0 here a2 1 3
a1 2.00 0 1 begin -
a1 2.01 2 1 begin -
a2 2.02 1 1 begin -
a1 2.03 0 1 making -
a1 2.04 0 1 made c
a1 2.10 2 1 wait writer
a2 2.11 1 1 wait writer
a1 2.20 0 1 write c-0-1-0
a1 2.21 0 1 written c-0-1-0
a1 2.30 2 1 woke writer ok
a1 2.31 2 1 got c-0-1-0
a2 2.32 1 1 woke writer ok
a2 2.33 1 1 got c-0-1-0
a1 2.34 2 1 page c-0-1-0
a1 2.35 2 1 read -
a2 2.36 1 1 page c-0-1-0
a2 2.37 1 1 read -
a2 2.38 1 1 counting -
a2 2.39 1 1 counted 1
a1 2.40 2 1 counting -
a1 2.41 2 1 counted 2
a2 2.45 1 1 end -
a2 3.00 1 2 begin -
a1 3.01 0 2 begin -
a1 3.02 2 2 begin -
a2 3.10 1 2 wait readers
a2 3.11 1 2 woke readers ok
a2 3.12 1 2 passed 1 2 2
a2 3.13 1 2 write c-0-2-1
a1 3.20 0 2 arrive -
a1 3.21 2 2 arrive -
a2 3.22 1 2 arrive -
a1 3.30 0 2 through 1 3
a1 3.31 2 2 through 2 3
a2 3.32 1 2 through 3 3
"""


def traces(text=GOOD, doubtful=(), shift=None):
    lines = {"a1": [], "a2": []}
    for line in text.strip().splitlines():
        agent, at, worker, step, what, detail = line.split(" ", 5)
        lines[agent].append(f"[{worker}] trace {float(at):.6f} c 0 {worker} {step} {what} {detail}\n")
    shift = shift or {}
    return [Trace(name, "".join(all), name in doubtful, shift.get(name, 0.0)) for name, all in lines.items()]


def broken(*changes, without=()):
    """The good trace with lines replaced (`old`, `new`), or added (None, `new`), or left out."""
    text = GOOD
    for old, new in changes:
        if old is None:
            text += new + "\n"
        else:
            assert old in text, old
            text = text.replace(old, new)
    for line in without:
        assert line in text, line
        text = text.replace(line + "\n", "")
    return text


class TraceChecker(unittest.TestCase):
    def finds(self, words, text, doubtful=(), **more):
        faults = check(traces(text, doubtful), **more)
        self.assertTrue(any(words in fault for fault in faults), f"{words!r} is not among {faults}")

    def passes(self, text=GOOD, doubtful=(), **more):
        self.assertEqual(check(traces(text, doubtful), **more), [])

    def test_a_good_one(self):
        self.passes()

    def test_a_clock_that_is_ahead(self):
        text = "".join(f"a2 {float(line.split(' ', 2)[1]) + 3:.2f} {line.split(' ', 2)[2]}\n" if line.startswith("a2") else line + "\n"
                       for line in GOOD.strip().splitlines())
        self.assertNotEqual(check(traces(text)), [])
        self.assertEqual(check(traces(text, shift={"a2": 3.0})), [])

    def test_a_writer_that_passed_its_readers(self):
        self.finds("passed its readers", broken(("a2 2.37 1 1 read", "a2 3.15 1 1 read")))
        self.finds("passed its readers", broken((None, "a1 3.14 2 1 page c-0-1-0")))
        self.finds("passed its readers", broken((None, "a1 3.14 2 1 got c-0-1-0")), doubtful=("a1",))

    def test_a_read_that_was_lost(self):
        self.finds("a read was lost", broken(("passed 1 2 2", "passed 1 1 2")))
        self.passes(broken(("passed 1 2 2", "passed 1 1 2")), doubtful=("a1",))

    def test_a_read_that_was_counted_twice(self):
        self.finds("counted twice", broken(without=["a1 2.35 2 1 read -"]))
        self.finds("more reads than readers", broken(("passed 1 2 2", "passed 1 3 2")))

    def test_a_wait_without_an_end(self):
        lost = broken(without=["a2 3.11 1 2 woke readers ok", "a2 3.12 1 2 passed 1 2 2", "a2 3.13 1 2 write c-0-2-1"])
        self.finds("a wait without an end", lost)
        self.passes(lost, doubtful=("a2",))
        self.passes(lost, is_over=False)
        self.finds("has waited for", broken(("a2 3.11 1 2 woke readers ok", "a2 3.11 1 2 woke readers ok")), sync_timeout_s=-5)
        self.finds("woke with error", broken(("woke readers ok", "woke readers error")))
        self.finds("woke from no wait", broken((None, "a1 4.00 2 2 woke barrier ok")))

    def test_a_text_of_another_step(self):
        self.finds("a text of another step", broken(("2.34 2 1 page c-0-1-0", "2.34 2 1 page c-0-2-1")))
        self.finds("a text of another step", broken(("2.31 2 1 got c-0-1-0", "2.31 2 1 got d-0-1-0")))
        self.finds("nobody had written", broken(("2.20 0 1 write", "2.32 0 1 write")))

    def test_ids_in_two_places(self):
        self.finds("which was not lost", broken((None, "a1 4.00 1 3 begin -")))
        self.passes(broken((None, "a1 4.00 1 3 begin -")), doubtful=("a2",))
        self.finds("is in two places", broken((None, "a1 4.00 1 3 begin -"), (None, "a2 4.01 1 3 wait incr")), doubtful=("a2",))

    def test_a_step_that_comes_twice(self):
        self.finds("goes back", broken((None, "a1 4.00 1 2 begin -")), doubtful=("a2",))
        self.passes(broken((None, "a1 4.00 1 2 begin -")), doubtful=("a2",), again=["c"])
        self.finds("goes back", broken((None, "a1 4.00 1 2 begin -")), again=["c"])
        self.finds("goes back", broken((None, "a2 4.00 1 2 begin -")), doubtful=("a2",), again=["c"])

    def test_what_is_read_in_a_step_begun_again(self):
        """It comes after its time: the writer has passed, the pad shows a later text."""
        late = [(None, "a2 4.00 2 1 begin -"), (None, "a2 4.01 2 1 got c-0-1-0"), (None, "a2 4.02 2 1 page c-0-2-1")]
        self.passes(broken(*late), doubtful=("a1",), again=["c"])
        self.finds("passed its readers", broken(*late), doubtful=("a1",))
        self.finds("another step", broken(*late), doubtful=("a1",))
        self.finds("another step", broken(*late[:1], (None, "a2 4.01 2 1 got c-0-2-1")), doubtful=("a1",), again=["c"])

    def test_what_is_written_in_a_step_begun_again(self):
        """Others see the old text once more, and not before."""
        late = [(None, "a2 4.00 0 1 begin -"), (None, "a2 4.01 0 1 write c-0-1-0"), (None, "a1 4.02 2 2 page c-0-1-0")]
        self.passes(broken(*late), doubtful=("a1",), again=["c"])
        self.finds("another step", broken(*late), doubtful=("a1",))
        self.finds("another step", broken(*late[:2], (None, "a1 3.99 2 2 page c-0-1-0")), doubtful=("a1",), again=["c"])

    def test_a_step_that_fails_without_a_reason(self):
        failed = broken((None, "a1 4.00 2 2 fail something"))
        self.finds("without a reason", failed, fails_by_waits=True)
        self.passes(failed)
        waited = broken((None, "a1 4.00 2 2 wait writer"), (None, "a1 4.01 2 2 woke writer short"), (None, "a1 4.02 2 2 fail short"))
        self.passes(waited, fails_by_waits=True)
        self.finds("woke with short", waited, outcomes=("ok",))

    def test_seats_on_one_agent(self):
        self.finds("seats of room 0 are on agent a1", broken(("a2 1.02 1 0 here a2 1 3", "a1 1.02 1 0 here a1 1 3")))
        self.passes(broken(without=["a2 1.02 1 0 here a2 1 3"]))

    def test_sums(self):
        self.finds("was given 2 times", broken(("counted 2", "counted 1")))
        self.finds("had been given already", broken(("counted 2", "counted 3"), ("2.39 1 1 counted 1", "2.39 1 1 counted 2"),
                                                    ("2.41 2 1 counted 3", "2.41 2 1 counted 1")))
        self.finds("applied twice", broken(("counted 2", "counted 3")))

    def test_factories(self):
        self.finds("a factory ran in 2", broken((None, "a2 4.00 1 2 making -")))
        self.passes(broken((None, "a2 4.00 1 2 making -")), doubtful=("a1",))
        self.finds("a variable of another campaign", broken(("made c", "made d")))

    def test_barriers(self):
        self.finds("before all had arrived", broken(("a2 3.22 1 2 arrive", "a2 3.305 1 2 arrive")))
        self.finds("the same rank", broken(("through 2 3", "through 1 3")))

    def test_one_that_ends_early(self):
        self.assertEqual(len(Trace("a1", "[0] trace 1.0 c 0 0 1 begin -\n[0] trace 1.5 c 0 0 1 end -\n", until=1.2).events), 1)

    def test_a_line_that_was_cut_off(self):
        self.assertEqual(len(Trace("a1", "[0] trace 1.0 c 0 0 1 begin -\n[0] trace 1.1 c 0 0 1 wri").events), 1)


if __name__ == "__main__":
    unittest.main()
