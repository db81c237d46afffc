#!/usr/bin/env python3
"""The parts of docs/ that list the options of a campaign, made from the rows of proto/message/campaign_options.inc.

    python3 tests/option_docs.py PROGRAM           exits 1 and names the page where one is not what the rows say
    python3 tests/option_docs.py PROGRAM --write   writes them; `ninja -C build/dev option-docs` does that

PROGRAM is option_rows of the build. What it prints goes between the two lines that say `options begin` and `options end`.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PART = re.compile(r"(?P<begin>^[^\n]*\boptions begin\b[^\n]*\n)(?P<part>.*?)(?P<end>^[^\n]*\boptions end\b[^\n]*$)", re.MULTILINE | re.DOTALL)


def rows_of(program):
    return json.loads(subprocess.run([program], capture_output=True, text=True, check=True, timeout=60).stdout)


def escaped(text):
    return text.replace("|", "\\|")


def table(rows):
    """Markdown: how each option is written, its default, what it means."""
    yield "| option | default | meaning |"
    yield "|---|---|---|"
    for row in rows:
        if "name" not in row:
            continue
        value = row.get("argument") or "|".join(row.get("choices", ()))
        letter = f"`-{row['letter']}`, " if "letter" in row else ""
        words = f"`--{row['name']}{' ' + value if value else ''}`"
        yield f"| {letter}{escaped(words)} | {escaped(row.get('default', ''))} | {escaped(row['help'])} |".replace("|  |", "| |")


def default_of(row):
    if row["type"] in ("flag", "count"):
        return {"default": False if row["type"] == "flag" else 0}
    if "default" not in row:
        return {}
    if row["type"] in ("choice", "bytes"):
        return {"default": row["default"]}
    return {"default": row["default_ms"] if row["type"] == "duration" else int(row["default"])}


def schema_of(row):
    kind = row["type"]
    types = {"flag": "boolean", "real": "number", "bytes": "string", "choice": "string"}
    schema = {"type": types.get(kind, "integer")}
    if kind == "bytes":
        schema["maxLength"] = row["maximum"]
    elif kind == "choice":
        schema["enum"] = row["choices"]
    elif kind != "flag":
        schema["minimum"] = row["minimum"]
        if row["maximum"] > 0:
            schema["maximum"] = row["maximum"]
    return {**schema, **default_of(row), "description": row["help"]}


def flow(value):
    """YAML on one line, words without quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {json.dumps(item, ensure_ascii=False) if key == 'description' else flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def schemas(rows):
    """YAML: the properties of the options in the API."""
    for row in rows:
        if "key" in row:
            key = '"on"' if row["key"] == "on" else row["key"]  # YAML takes the word for true
            yield f"        {key}: {flow(schema_of(row))}"


PAGES = {"docs/running.md": table, "docs/openapi.yaml": schemas}


def page_of(name, rows):
    """The text of the page as it is, and as it should be."""
    text = (ROOT / name).read_text()
    part = "\n".join(PAGES[name](rows)) + "\n"
    # A table of Markdown has an empty line before and after it.
    part = f"\n{part}\n" if name.endswith(".md") else part
    wanted, count = PART.subn(lambda found: found["begin"] + part + found["end"], text)
    assert count == 1, f"{name}: {count} parts between options begin and options end"
    return text, wanted


def main():
    rows = rows_of(sys.argv[1])
    is_writing = "--write" in sys.argv[2:]
    stale = []
    for name in PAGES:
        text, wanted = page_of(name, rows)
        if text != wanted:
            stale.append(name)
            if is_writing:
                (ROOT / name).write_text(wanted)
                print(f"{name} written")
    if stale and not is_writing:
        sys.exit(f"{', '.join(stale)}: not what campaign_options.inc says; see docs/contributing.md, Add a campaign option")


if __name__ == "__main__":
    main()
