#!/usr/bin/env python3
"""Prints the figures of the structure: duplicate static names within a library, braceless conditions, circles between folders, and sizes.

    python3 tests/structure.py         one line per figure; exits with 1 if one that has to be 0 is not
"""
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LAYERS = ("common", "proto", "coordinator", "agent", "target", "cli")
COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
STATIC = re.compile(r"^static\b(?:[^;{}()]|\([^()]*\)(?=\s*[a-z]))*?\b(\w+)\(", re.MULTILINE)
CONTROL = re.compile(r"\b(?:if|while|for)\s*(?=\()|\belse\b(?!\s*if\b)|\bdo\b")
LINKS = re.compile(r"tutti_library\((\w+)([^)]*)\)")


def code_of(path):
    """The file without comments and contents of strings, of the same length."""
    return COMMENT_OR_STRING.sub(lambda found: re.sub(r"[^\n]", " ", found.group(0)), path.read_text())


def after_parenthesis(code, at):
    depth = 0
    while True:
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        at += 1
        if depth == 0:
            return at


def braceless(code):
    """Line numbers of the conditions and loops whose body is not in braces."""
    for found in CONTROL.finditer(code):
        line_start = code.rfind("\n", 0, found.start()) + 1
        if code[line_start:found.start()].lstrip().startswith("#"):
            continue
        at = found.end()
        if code[at:at + 1] == "(":
            at = after_parenthesis(code, at)
        rest = code[at:].lstrip()
        # The end of a do … while is a statement of its own.
        if rest[:1] == "{" or (found.group(0).startswith("while") and code[:found.start()].rstrip().endswith("}")):
            continue
        if rest[:1] == "\\":
            continue
        yield code.count("\n", 0, found.start()) + 1


def circles():
    links = {}
    for layer in LAYERS:
        for lists in (ROOT / layer).rglob("CMakeLists.txt"):
            for name, words in LINKS.findall(re.sub(r"#.*", "", lists.read_text())):
                links[name] = [word for word in words.split() if word.startswith("tutti_")]
    found, done = [], set()

    def visit(name, path):
        if name in path:
            found.append(path[path.index(name):] + [name])
        elif name not in done:
            for other in links.get(name, []):
                visit(other, path + [name])
            done.add(name)

    for name in links:
        visit(name, [])
    return found


def main():
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    files = [pathlib.Path(name) for name in listed if (ROOT / name).is_file()]
    statics, bare, lengths = collections.defaultdict(set), [], []
    for path in files:
        code = code_of(ROOT / path)
        bare += [f"{path}:{line}" for line in braceless(code)]
        if path.parts[0] in LAYERS and path.suffix == ".c":
            lengths.append(code.count("\n"))
            for name in STATIC.findall(code):
                statics[path.parts[0], name].add(str(path))
    twice = {name: where for name, where in statics.items() if len(where) > 1}
    around = circles()
    for (layer, name), where in sorted(twice.items()):
        print(f"  {layer}: {name} in {', '.join(sorted(where))}")
    for place in bare[:40]:
        print(f"  braceless: {place}")
    for circle in around:
        print(f"  circle: {' -> '.join(circle)}")
    lengths.sort()
    print(f"circles between folders                 {len(around)}")
    print(f"static names twice in a layer           {len(twice)}")
    print(f"conditions and loops without braces     {len(bare)}")
    print(f"source files                            {len(lengths)}, lines p50 {lengths[len(lengths) // 2]}, p90 {lengths[len(lengths) * 9 // 10]}, max {lengths[-1]}")
    return 1 if around or twice or bare else 0


if __name__ == "__main__":
    sys.exit(main())
