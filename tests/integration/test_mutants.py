"""The mutation tester: all breaks of a file in one object behave as each of them does by itself."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from mutation.breaks import breaks_of_file
from mutation.ledger import Ledger
from mutation.schemata import Schemata

SAMPLE = r"""
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct pair {
    int first;
    bool is_odd;
};

static const int table[] = {1 + 2, 3};
static int notes;

static void note(int amount)
{
    notes += amount;
}

static int sum(int count, int most)
{
    int total = 0;
    for (int i = 0; i < count; i++) {
        if (i == 3 && most > 0) {
            continue;
        }
        total += i * 2;
    }
    do {
        total -= 1;
    } while (total > most &&
             most >= 0);
    return total;
}

static struct pair pair_of(int value)
{
    struct pair pair = {.first = value - 1, .is_odd = value % 2 != 0};
    switch (value % 3) {
    case 0:
        note(1);
        break;
    case 1: {
        bool is_large = value > 10 || value < -10;
        note(is_large ? 5 : 2);
        break;
    }
    default:
        pair.first = value / 2;
    }
    if (pair.first > 4) {
        pair.is_odd = true;
    } else if (pair.is_odd) {
        return (struct pair){.first = table[1]};
    }
    return pair;
}

int main(void)
{
    for (int i = -3; i < 15; i++) {
        struct pair pair = pair_of(i);
        printf("%d %d %d\n", pair.first, pair.is_odd, sum(i, 7));
    }
    printf("%d\n", notes);
    return 0;
}
"""


def compile_and_run(folder, text, **variables):
    """What it prints, or None if the compiler refuses it or warns."""
    (folder / "one.c").write_text(text)
    done = subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-o", folder / "one", folder / "one.c"], capture_output=True)
    return run(folder / "one", **variables) if done.returncode == 0 else None


def run(program, **variables):
    try:
        done = subprocess.run(["sh", "-c", f"ulimit -t 1; exec {program}"], env={**os.environ, **variables}, capture_output=True, timeout=20)
    except subprocess.TimeoutExpired:
        return "too long", b""
    return done.returncode, done.stdout


class Mutants(unittest.TestCase):
    def test_a_break_among_others_is_the_break_alone(self):
        breaks = breaks_of_file("sample.c", SAMPLE)
        schemata = Schemata("sample.c", SAMPLE, breaks)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "sample.broken").write_text(schemata.write()[0])
            (folder / "all.c").write_text(f'#include "{folder}/sample.broken"\n')
            subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-o", folder / "all", folder / "all.c"], check=True)
            self.assertEqual(run(folder / "all"), compile_and_run(folder, SAMPLE))
            for number in schemata.placed:
                lines = SAMPLE.splitlines()
                lines[breaks[number].line] = breaks[number].instead
                alone = compile_and_run(folder, "\n".join(lines) + "\n")
                if alone is not None and alone[0] == 0:
                    self.assertEqual(run(folder / "all", MUTANT=f"sample.c:{number}"), alone, str(breaks[number]))
        self.assertGreater(len(schemata.placed), 30)
        self.assertEqual([breaks[number].was.strip() for number in schemata.left], [])

    def test_what_a_compiler_refuses_is_not_counted(self):
        text = "static int twice(int one)\n{\n    int other = one;\n    other += one;\n    return other;\n}\n"
        breaks = breaks_of_file("sample.c", text)
        schemata = Schemata("sample.c", text, breaks)
        self.assertEqual([breaks[number].was.strip() for number in schemata.refused], ["return other;"])

    def test_which_places_are_reached_is_recorded(self):
        text = "int main(void)\n{\n    int one = 1;\n    if (one > 1) {\n        one = one + 3;\n    }\n    return one - 1;\n}\n"
        breaks = breaks_of_file("a/b.c", text)
        schemata = Schemata("a/b.c", text, breaks)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "b.broken").write_text(schemata.write()[0])
            self.assertEqual(compile_and_run(folder, f'#include "{folder}/b.broken"\n', MUTANT_REACHED=name), (0, b""))
            reached = (folder / "a+b.c").read_bytes()
        lines = {breaks[number].line for number in schemata.placed if reached[number]}
        self.assertEqual(lines, {3, 6})

    def test_a_ledger_goes_on_where_it_ended(self):
        one, other = breaks_of_file("sample.c", SAMPLE)[:2]
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "ledger.jsonl"
            ledger = Ledger(path)
            ledger.add("hash", one, "noticed", "test_x", "tests")
            ledger.add("hash", other, "survived", "", "tests")
            ledger.file.close()
            again = Ledger(path)
            again.file.close()
        self.assertTrue(again.is_settled("hash", one, {"other tests"}))
        self.assertTrue(again.is_settled("hash", other, {"tests"}))
        self.assertFalse(again.is_settled("hash", other, {"other tests"}))
        self.assertFalse(again.is_settled("other hash", one, {"tests"}))


if __name__ == "__main__":
    unittest.main()
