"""What docs/ names exists, and what exists is named there: Lua functions, metrics, routes, exit codes, keys of the report."""
import pathlib
import re
import tempfile
import unittest

import yaml

from daemon import Agent, Coordinator, campaign
from support import ROOT, tutti

PAGES = {page.name: page.read_text() for page in sorted((ROOT / "docs").glob("*.md"))}
ALL = "\n".join(PAGES.values())
# What a row says once for all of its metrics: `tutti_agent_cpu_cores`, `_loop_busy_ratio`.
BEGINNINGS = ("tutti_campaign_websocket", "tutti_agent", "tutti_live", "tutti_journal")
MODULES = sorted({match for match in re.findall(r'"(tutti(?:\.\w+)?)"', (ROOT / "agent/lua/lua_api.c").read_text())} | {"tutti.json"})
NAMES = """for _, name in ipairs { MODULES } do
  for key, value in pairs(require(name)) do
    if type(key) == "string" then io.write("name ", name, " ", key, "\\n") end
  end
end
local tutti = require "tutti"
tutti.scenario("nothing", function() end)
"""


def inline_code(text):
    """What stands in `backticks`, outside of blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))


class LuaNames(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        listed = ", ".join(f'"{module}"' for module in MODULES)
        (folder / "names.lua").write_text(NAMES.replace("MODULES", listed))
        result = tutti("check", folder / "names.lua", "--allow-system")
        self.assertEqual(result.code, 0, result)
        self.names = {tuple(line.split()[1:]) for line in result.out.splitlines() if line.startswith("name ")}
        self.assertGreater(len(self.names), 60)

    def test_what_a_script_can_call_is_described(self):
        spans = inline_code(ALL)
        missing = []
        for module, name in sorted(self.names):
            alias = module.rpartition(".")[2]
            whole = re.compile(rf"\b{alias}\.{name}\b")
            if not any(whole.search(span) or re.match(rf"{name}\b", span) for span in spans):
                missing.append(f"{alias}.{name}")
        self.assertEqual(missing, [], "exist, but docs/ do not name them")

    def test_what_is_described_can_be_called(self):
        aliases = {module.rpartition(".")[2]: module for module in MODULES}
        called = {found for span in inline_code(ALL) for found in re.findall(r"(?<![\w.:])(\w+)\.([a-z_0-9]+)\s*[({]", span)}
        unknown = [f"{alias}.{name}" for alias, name in sorted(called) if alias in aliases and (aliases[alias], name) not in self.names]
        self.assertEqual(unknown, [], "docs/ name them, but they do not exist")

    def test_what_a_script_can_call_is_annotated_for_editors(self):
        annotated = set()
        for path in (ROOT / "cli" / "skeleton" / "lua" / "annotations").glob("*.lua"):
            text = path.read_text()
            module = re.search(r"^---@meta (\S+)", text)[1]
            alias = module.rpartition(".")[2]
            annotated |= {(module, name) for name in re.findall(rf"^function {alias}\.(\w+)", text, re.MULTILINE)}
            fields = re.search(rf"^---@class {re.escape(module)}\n((?:---@field .*\n)*)", text, re.MULTILINE)[1]
            annotated |= {(module, name) for name in re.findall(r"---@field (\w+)\b(?!\?)", fields)}
        self.assertEqual(annotated - {("tutti", "print")}, self.names - {("tutti", "print")})

    def test_methods_are_annotated_for_editors(self):
        annotations = "".join(path.read_text() for path in (ROOT / "cli" / "skeleton" / "lua" / "annotations").glob("*.lua"))
        annotated = set(re.findall(r"^function \w+:(\w+)\(", annotations, re.MULTILINE))
        described = {name for span in inline_code(ALL) for name in re.findall(r"^(?:worker|round|task|data|ws|io|stream|response|page|element|watch|u|c):(\w+)\(", span)}
        self.assertGreater(len(described), 60)
        self.assertEqual(sorted(described - annotated), [], "docs/ name methods that the annotations lack")


class Metrics(unittest.TestCase):
    def test_both_ways(self):
        described = set()
        for line in PAGES["operations.md"].splitlines():
            spans = re.findall(r"`([a-z_0-9]+)(?:\{[^`]*\})?`", line) if line.startswith(("| `tutti_", "| `process_")) else []
            for span in spans:
                if span.startswith(("tutti_", "process_")):
                    first = described_now = span
                elif span.startswith("_"):
                    described_now = next(first[: first.index(part) + len(part)] + span for part in BEGINNINGS if part in first)
                else:
                    continue
                described.add(described_now)
        sources = "".join(path.read_text() for folder in ("api", "metrics") for path in sorted((ROOT / "coordinator" / folder).glob("*.c")))
        named = set(re.findall(r'"((?:tutti|process)_[a-z_0-9]+)', sources))
        for name in sorted(named):
            self.assertTrue(any(whole == name or whole.startswith(name) for whole in described), f"{name} is not in docs/operations.md")
        for whole in sorted(described):
            self.assertTrue(any(whole == name or whole.startswith(name) for name in named), f"{whole} does not exist")


class Interface(unittest.TestCase):
    def test_routes(self):
        paths = set(yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["paths"])
        shapes = {re.sub(r"\{\w+\}", "X", path) for path in paths}
        named = {re.sub(r"/(?:ID|NUMBER|NAME|\d+|\{\w+\}|\$\w+)(?=/|$)", "/X", found)
                 for found in re.findall(r"(?:(?<=[\s`\"(])|(?<=\d))(/v1/[\w/{}$.]*\w|/metrics|/healthz|/readyz|/dashboard/\w+|/(?=`))", ALL)}
        self.assertEqual(sorted(named - shapes), [], "docs/ name routes that do not exist")
        self.assertEqual(sorted(shapes - named), [], "routes that docs/ do not name")

    def test_exit_codes(self):
        table = PAGES["running.md"].partition("## Verdicts and exit codes")[2].partition("\n## ")[0]
        described = {int(code) for row in re.findall(r"^\|.*\| ([^|]+) \|$", table, re.MULTILINE) for code in re.findall(r"\d+", row)}
        told = {int(code) for code in re.findall(r"^ +(\d+)", tutti("help", "run").out.partition("Exit codes:")[2], re.MULTILINE)}
        self.assertEqual(described, told)

    def test_keys_of_the_report(self):
        table = PAGES["running.md"].partition("## The report as JSON")[2].partition("\n## ")[0]
        first = [row for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)]
        described = {re.match(r"\w+", span).group() for row in first for item in re.findall(r"`([^`]+)`", row) for span in item.split(", ")}
        schemas = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["components"]["schemas"]
        self.assertEqual(described, set(schemas["Report"]["properties"]))


class Errors(unittest.TestCase):
    def test_kinds(self):
        source = (ROOT / "agent" / "http" / "engine.c").read_text()
        kinds = set(re.findall(r'\[HTTP_\w+\] = "(\w+)"', source)) - {"ok"}
        page = PAGES["lua-api.md"]
        table = page.partition("| `.kind` | |")[2].partition("\n\n")[0]
        self.assertEqual(set(re.findall(r"(?m)^\| `(\w+)` \|", table)), kinds)
        others = set()
        for path in (ROOT / "agent").rglob("*"):
            if path.suffix in (".c", ".lua"):
                others |= set(re.findall(r'\bkind = "(\w+)"', path.read_text()))
        told = set(re.findall(r"`(\w+)`", page.partition("Errors of other modules have these kinds besides:")[2].partition("\n\n")[0]))
        self.assertEqual(others - kinds - told, set(), "a kind of error that the Lua API does not list")

    def test_keys_of_events(self):
        source = (ROOT / "agent" / "shard" / "step_wrapper.c").read_text()
        table = PAGES["lua-api.md"].partition("| event | keys of the table that `events` gets |")[2].partition("\n\n")[0]
        self.assertEqual(set(re.findall(r"(?m)^\| `(\w+)` \|", table)), set(re.findall(r"tell\('(\w+)'", source)))
        keys = set(re.findall(r"\b(\w+) = [\w.]+", " ".join(re.findall(r"\{ (?:scenario|worker) = [^}]*\}", source.replace('"\n    "', "")))))
        described = {key for row in re.findall(r"(?m)^\| `\w+` \| (.*) \|$", table) for span in re.findall(r"`([\w, ]+)`", row) for key in span.split(", ")}
        self.assertEqual(described, keys | {"error"})


if __name__ == "__main__":
    unittest.main()
