"""All breaks of a file in one object: each is a branch that is taken if the environment names it.

A break lies in a *unit*: a statement, or an expression that decides or gives a value. The unit is written once as it
is and once for each of its breaks:

    if (MUTANT(7)) { ; } else if (MUTANT(8)) { x = a - b; } else { x = a + b; }

What lies in none (tables of constants, macros, labels of a switch) is left to the caller, which compiles it alone.
The text is to be included: as a system header, in which the compiler warns of nothing.
"""
import bisect
import re

from mutation.breaks import code_of

TOKEN = re.compile(r"""
    (?P<space>\s+|/\*.*?\*/|//[^\n]*)
  | (?P<hash>^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)
  | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<word>[A-Za-z_0-9][A-Za-z_0-9.]*)
  | (?P<sign>->|\+\+|--|<<=|>>=|<<|>>|[-+*/%&|^=!<>]=|&&|\|\||\.\.\.|.)
""", re.VERBOSE | re.MULTILINE | re.DOTALL)
OPEN = {"(": ")", "[": "]", "{": "}"}
TYPES = {"const", "static", "struct", "enum", "union", "unsigned", "signed", "bool", "char", "int", "long", "short",
         "double", "float", "void", "SCOPED", "volatile", "_Atomic", "register", "typedef"}

# What the compiler warns of after it has read the file, also in a system header.
LATE_WARNINGS = ["array-bounds", "dangling-pointer", "format-overflow", "format-truncation", "free-nonheap-object",
                 "maybe-uninitialized", "nonnull", "restrict", "return-local-addr", "stringop-overflow",
                 "stringop-overread", "stringop-truncation", "uninitialized", "use-after-free"]

# Nothing but itself: a file that is broken needs no header and no library for it.
PREAMBLE = """#pragma GCC system_header
{pragmas}
extern char *getenv(const char *); extern int strncmp(const char *, const char *, unsigned long); extern int atoi(const char *);
extern int snprintf(char *, unsigned long, const char *, ...); extern int open(const char *, int, ...); extern int ftruncate(int, long);
extern int close(int); extern void *mmap(void *, unsigned long, int, int, int, long);
static int mutant_chosen = -1; static unsigned char mutant_none[{count}]; static unsigned char *mutant_reached = mutant_none;
__attribute__((constructor)) static void mutant_choose(void) {{
    const char *chosen = getenv("MUTANT"); const char *into = getenv("MUTANT_REACHED"); char path[4096];
    if (chosen != (void *)0 && strncmp(chosen, "{file}:", {length}) == 0) {{ mutant_chosen = atoi(chosen + {length}); }}
    if (into == (void *)0) {{ return; }}
    snprintf(path, sizeof path, "%s/{flat}", into);
    int fd = open(path, 02 | 0100, 0600);
    if (fd < 0 || ftruncate(fd, {count}) != 0) {{ return; }}
    void *shared = mmap((void *)0, {count}, 3, 1, fd, 0);
    close(fd);
    if (shared != (void *)-1) {{ mutant_reached = shared; }}
}}
#define MUTANT(n) (mutant_reached[n] = 1, mutant_chosen == (n))
# 1 "{file}" 3
"""


class Token:
    __slots__ = ("text", "start", "end")

    def __init__(self, text, start, end):
        self.text = text
        self.start = start
        self.end = end


def tokens_of(text):
    return [Token(found.group(), found.start(), found.end()) for found in TOKEN.finditer(text)
            if found.lastgroup not in ("space", "hash")]


def is_balanced(text):
    expected = []
    for token in tokens_of(text):
        if token.text in OPEN:
            expected.append(OPEN[token.text])
        elif token.text in OPEN.values() and (not expected or expected.pop() != token.text):
            return False
    return not expected


class Unit:
    """text[start:end] of a function; what it is says how it is written with its breaks."""
    WRITE = {"condition": "(MUTANT({number}) ? !!({broken}) : ", "value": "(MUTANT({number}) ? ({broken}) : ",
             "effect": "(MUTANT({number}) ? (void)({broken}) : "}

    def __init__(self, kind, start, end, function):
        self.kind = kind
        self.start = start
        self.end = end
        self.function = function  # start and end of the function that it is in
        self.breaks = []  # (number, text)
        self.is_last_return = False

    def write(self, text, line):
        """Its lines, and for each line (from `line`) of a break its number."""
        was = text[self.start : self.end]
        if not self.breaks:
            return was, {}
        parts, lines = [], {}
        for number, broken in self.breaks:
            if self.kind == "statement":
                part = f"if (MUTANT({number})) {{\n{broken}\n}} else "
            else:
                part = "\n" + self.WRITE[self.kind].format(number=number, broken="\n" + broken + "\n") + "\n"
            begins = line + sum(one.count("\n") for one in parts)
            for at in range(begins, begins + part.count("\n") + (self.kind == "statement")):
                lines.setdefault(at, number)
            parts.append(part)
        if self.kind == "statement":
            return "".join(parts) + "{\n" + was + "\n}", lines
        last = {"condition": "!!({})", "value": "({})", "effect": "(void)({})"}[self.kind].format(was)
        return "".join(parts) + last + ")" * len(self.breaks), lines


class Parser:
    """Finds the units of a file. Knows as much C as this source uses; what it does not know becomes no unit."""

    def __init__(self, text):
        self.text = text
        self.tokens = tokens_of(text)
        self.units = []
        self.function = None
        self.closing = {}
        self.match_brackets()
        self.find_functions()

    def match_brackets(self):
        waiting = []
        for at, token in enumerate(self.tokens):
            if token.text in OPEN:
                waiting.append(at)
            elif token.text in OPEN.values() and waiting:
                self.closing[waiting.pop()] = at

    def find_functions(self):
        at = 0
        begins = 0
        while at < len(self.tokens):
            text = self.tokens[at].text
            if text == "{" and at > 0 and self.tokens[at - 1].text == ")":
                ends = self.closing[at]
                self.function = (self.tokens[begins].start, self.tokens[ends].end)
                self.block(at)
                self.mark_last_return(ends)
                at = begins = ends + 1
            elif text in OPEN:
                at = self.closing[at] + 1
            else:
                at += 1
                if text == ";":
                    begins = at

    def mark_last_return(self, ends):
        last = self.units[-1] if self.units else None
        if last is not None and last.kind == "statement" and self.text[last.start :].startswith("return"):
            last.is_last_return = self.tokens[ends - 1].end == last.end

    def unit(self, kind, first, last):
        """Of the tokens first to last, both included."""
        if first <= last:
            self.units.append(Unit(kind, self.tokens[first].start, self.tokens[last].end, self.function))

    def block(self, at):
        ends = self.closing[at]
        at += 1
        while at < ends:
            at = self.statement(at)
        return ends + 1

    def statement(self, at):
        text = self.tokens[at].text
        after = self.tokens[at + 1].text
        if text == "{":
            return self.block(at)
        if text in ("if", "while", "switch"):
            ends = self.closing[at + 1]
            self.unit("value" if text == "switch" else "condition", at + 2, ends - 1)
            return self.rest_of_if(self.statement(ends + 1)) if text == "if" else self.statement(ends + 1)
        if text == "for":
            return self.loop(at + 1)
        if text == "do":
            at = self.statement(at + 1)
            ends = self.closing[at + 1]
            self.unit("condition", at + 2, ends - 1)
            return ends + 2
        if text in ("case", "default") or (after == ":" and text.isidentifier()):
            while self.tokens[at].text != ":":
                at += 1
            return at + 1
        return self.simple(at)

    def rest_of_if(self, at):
        return self.statement(at + 1) if self.tokens[at].text == "else" else at

    def until(self, at, signs, ends=None):
        """The first of these signs from here on that is in no brackets."""
        while self.tokens[at].text not in signs and at != ends:
            at = self.closing[at] + 1 if self.tokens[at].text in OPEN else at + 1
        return at

    def loop(self, opens):
        closes = self.closing[opens]
        first = self.until(opens + 1, ";")
        second = self.until(first + 1, ";")
        if self.is_declaration(opens + 1):
            self.declaration(opens + 1, first)
        else:
            self.unit("effect", opens + 1, first - 1)
        self.unit("condition", first + 1, second - 1)
        self.unit("effect", second + 1, closes - 1)
        return self.statement(closes + 1)

    def simple(self, at):
        ends = self.until(at, (";", "{"))
        if self.tokens[ends].text == "{" and self.tokens[at].text != "return" and self.closing.get(at + 1) == ends - 1:
            return self.block(ends)  # of a macro that loops
        ends = self.until(at, ";")
        if self.is_declaration(at):
            self.declaration(at, ends)
        else:
            self.unit("statement", at, ends)
        return ends + 1

    def is_declaration(self, at):
        text = self.tokens[at].text
        if text in TYPES or text.endswith("_t"):
            return True
        if not text.isidentifier() or text == "return":
            return False
        at += 1
        while self.tokens[at].text in ("*", "const"):
            at += 1
        return self.tokens[at].text.isidentifier() and self.tokens[at + 1].text in ("=", ";", "[", ",")

    def declaration(self, at, ends):
        if self.tokens[at].text in ("static", "typedef") or self.tokens[at].text == "enum" and self.tokens[at + 2].text == "{":
            return
        while at < ends:
            at = self.until(at, ("=", ";"))
            if self.tokens[at].text != "=":
                return
            begins = at + 1
            at = self.until(begins, (",", ";"))
            self.value(begins, at - 1)

    def value(self, first, last):
        if self.tokens[first].text != "{":
            self.unit("value", first, last)
            return
        ends = self.closing[first]
        at = first + 1
        while at < ends:
            after = self.until(at, ",", ends)
            begins = at
            if self.tokens[at].text in (".", "["):
                begins = self.until(at, "=", after) + 1
            if begins < after:
                self.value(begins, after - 1)
            at = after + 1


class Schemata:
    """The file with its breaks. `left` are those that it has no place for, `refused` those that no compiler takes."""

    def __init__(self, name, text, breaks):
        self.name = name
        self.text = text
        self.breaks = breaks
        self.units = sorted(Parser(text).units, key=lambda unit: unit.start)
        self.starts = [unit.start for unit in self.units]
        self.begins = [0]
        for line in text.splitlines(keepends=True):
            self.begins.append(self.begins[-1] + len(line))
        self.left = []
        self.refused = []
        for number, one in enumerate(breaks):
            self.place(number, one)

    def place(self, number, one):
        code = code_of(one.was)
        start = 0
        while start < min(len(code), len(one.instead)) and code[start] == one.instead[start]:
            start += 1
        tail = 0
        while tail < min(len(code), len(one.instead)) - start and code[-1 - tail] == one.instead[-1 - tail]:
            tail += 1
        begin = self.begins[one.line]
        start, end, new = begin + start, begin + len(code) - tail, one.instead[start : len(one.instead) - tail]
        at = bisect.bisect_right(self.starts, start) - 1
        unit = self.units[at] if at >= 0 else None
        if unit is None or end > unit.end:
            is_part = one.instead.strip() == ";"  # of a declaration that is used, or of something that lacks its end then
            (self.refused if is_part else self.left).append(number)
            return
        broken = self.text[unit.start : start] + new + self.text[end : unit.end]
        if not is_balanced(broken) or self.leaves_something_unused(unit, broken):
            self.refused.append(number)
        else:
            unit.breaks.append((number, broken))

    def leaves_something_unused(self, unit, broken):
        """Whether the compiler warns: no value returned, or a parameter, variable or function that nobody uses."""
        if unit.kind != "statement" or broken.strip() != ";":
            return False
        was = self.text[unit.start : unit.end]
        if unit.is_last_return and was != "return;":
            return True
        first, last = unit.function
        function = self.text[first:last]
        for word in set(re.findall(r"(?<![.>\w])[a-z_]\w*", was)):
            uses = rf"(?<![.\w])(?<!->){word}\b"
            if len(re.findall(uses, function)) == 2 and re.search(rf"[\w*] ?\*?{word}\b[^(]*?[,;=)\[]", function) and word not in was.split("=")[0].split():
                return True
            if re.search(rf"^static [^\n;]*\b{word}\(", self.text, re.MULTILINE) and len(re.findall(rf"\b{word}\b", self.text)) == 2:
                return True
        return False

    def write(self):
        """The text, and which line of it (from 1, as the compiler counts) belongs to which break."""
        flat = self.name.replace("/", "+")
        pragmas = "\n".join(f'#pragma GCC diagnostic ignored "-W{warning}"' for warning in LATE_WARNINGS)
        preamble = PREAMBLE.format(pragmas=pragmas, count=max(len(self.breaks), 1), file=self.name, length=len(self.name) + 1, flat=flat)
        parts, lines, at, line = [], {}, 0, 1
        self.unit_lines = {}
        for unit in self.units:
            between = self.text[at : unit.start]
            line += between.count("\n")
            written, of_unit = unit.write(self.text, line)
            lines.update(of_unit)
            for number in range(line, line + written.count("\n") + 1):
                self.unit_lines[number] = unit
            parts += [between, written]
            line += written.count("\n")
            at = unit.end
        return preamble + "".join(parts) + self.text[at:], lines

    def remove(self, numbers):
        """Takes out breaks that the compiler refused."""
        for unit in self.units:
            unit.breaks = [(number, broken) for number, broken in unit.breaks if number not in numbers]
        self.refused += sorted(numbers)

    def give_up(self, unit):
        """Leaves the breaks of a unit that cannot be written so."""
        self.left += [number for number, _ in unit.breaks]
        unit.breaks = []

    @property
    def placed(self):
        return sorted(number for unit in self.units for number, _ in unit.breaks)
