"""Which places of a source file are broken, and how: one line of it replaced by another."""
import re

STATEMENT = re.compile(r"^ {4,}([a-z(*][^={]*(=[^=].*|\(.*\)|\+\+|--)|return( [^;]*)?|break|continue);$")
DECLARATION = re.compile(r"^ +(assert|(const |struct |enum |bool |uint|int|size_t|char |SCOPED)[^=;]*( [a-z_]+( =|;)|\*))")
SWAPS = [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "), (" != ", " == "),
         (" && ", " || "), (" || ", " && "), (" + 1", ""), (" - 1", ""), ("true", "false"), ("false", "true"),
         (" + ", " - "), (" - ", " + "), (" * ", " / "), (" / ", " * "), (" += ", " -= "), (" -= ", " += "),
         ("NS_PER_MS", "NS_PER_US"), ("NS_PER_US", "1"), (" / 1000", " / 1000000"), (" * 1000", " * 1000000")]


def code_of(line):
    return line.split(" /*")[0]


def breaks_of(line):
    """Each way to break this line, as what stands there instead."""
    code = code_of(line)
    if not code.startswith("    ") or code.lstrip().startswith(("/*", "*", "assert", "//")):
        return
    if STATEMENT.match(code) and not DECLARATION.match(code):
        yield re.match(" *", code).group() + ";"
    condition = re.match(r"^( +(?:\} else )?if )\((.*)\)( \{)$", code)
    if condition:
        yield "{}(!({})){}".format(*condition.groups())
    for old, new in SWAPS:
        for found in re.finditer(re.escape(old), code):
            yield code[: found.start()] + new + code[found.end() :]


class Break:
    """One line (from 0) of `file`, and what stands there instead."""

    def __init__(self, file, line, was, instead):
        self.file = file
        self.line = line
        self.was = was
        self.instead = instead

    @property
    def key(self):
        return f"{self.line}|{self.instead}"

    def __str__(self):
        return f"{self.file}:{self.line + 1}: {self.was.strip()}  ->  {self.instead.strip()}"


def breaks_of_file(name, text):
    """Every break of a file, each once."""
    found = {}
    for number, line in enumerate(text.splitlines()):
        for instead in breaks_of(line):
            one = Break(name, number, line, instead)
            found.setdefault(one.key, one)
    return list(found.values())
