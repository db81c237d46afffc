"""The house: a folder is a library, what it links is its permission to include, and no two folders include each other."""
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Which layers a layer may link.
MAY_LINK = {
    "common": set(),
    "proto": {"common", "proto"},
    "coordinator": {"common", "proto", "coordinator"},
    "agent": {"common", "proto", "agent"},
    "target": {"common"},
    "cli": {"common", "proto", "coordinator", "agent", "target", "cli"},
}
PURE = re.compile(r"^(common|proto/(message|codec|link)|(coordinator|agent)/core(/.*)?)$")
# Sockets, loops, clocks, threads, files, Lua: a core has none of them. (Words: common/compose.h.)
OUTSIDE = re.compile(r"^(uv|zmq|curl/.*|lua.*|lauxlib|microhttpd|jansson|pthread|threads|fcntl|stdio|unistd|time|sys/.*|netinet/.*|poll|signal)\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
LIBRARY = re.compile(r"tutti_library\((\w+)\s+SOURCES([^)]*?)(?:\bLINKS([^)]*?))?(?:\bPRIVATE_LINKS([^)]*?))?\)")


def sources():
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [pathlib.Path(line) for line in listed.splitlines() if (ROOT / line).exists()]


def includes(path):
    for found in INCLUDE.finditer((ROOT / path).read_text()):
        yield found.group(1), found.group(2)


class Folder:
    """A library: its listed sources, and the folders that it links."""

    def __init__(self, path, match):
        self.path = path
        self.name = match.group(1)
        self.listed = {word for word in match.group(2).split() if not word.startswith("$")}
        words = ((match.group(3) or "") + " " + (match.group(4) or "")).split()
        self.links = [word for word in words if word.startswith("tutti_") and word != "tutti_proto_schema"]


def folders():
    found = {}
    for layer in MAY_LINK:
        for lists in sorted((ROOT / layer).rglob("CMakeLists.txt")):
            path = str(lists.parent.relative_to(ROOT))
            for match in LIBRARY.finditer(re.sub(r"#.*", "", lists.read_text())):
                assert path not in found, f"{path} has two libraries"
                found[path] = Folder(path, match)
    return found


class House(unittest.TestCase):
    def setUp(self):
        self.folders = folders()
        self.path_of = {folder.name: path for path, folder in self.folders.items()}

    def test_every_folder_is_a_library_named_after_it(self):
        self.assertGreater(len(self.folders), 30)
        holding = {str(path.parent) for path in sources() if path.parts[0] in MAY_LINK}
        self.assertEqual(holding, set(self.folders))
        for path, folder in self.folders.items():
            self.assertEqual(folder.name, "tutti_" + path.replace("/", "_"))
            on_disk = {source.name for source in sources() if str(source.parent) == path and source.suffix == ".c"}
            self.assertEqual(folder.listed, on_disk - {"main.c"}, path)

    def test_includes_are_linked(self):
        seen = 0
        for path in sources():
            here = self.folders.get(str(path.parent))
            if here is None:
                continue
            allowed = {self.path_of[name] for name in here.links} | {here.path}
            for own, _ in includes(path):
                if own is not None and not own.endswith(".pb-c.h"):
                    seen += 1
                    self.assertIn(str(pathlib.Path(own).parent), allowed, f"{path} includes {own}, which {here.name} does not link")
        self.assertGreater(seen, 1000)

    def test_no_circle_between_folders(self):
        done, open_ = set(), []

        def visit(path):
            self.assertNotIn(path, open_, " -> ".join(open_ + [path]))
            if path not in done:
                open_.append(path)
                for name in self.folders[path].links:
                    visit(self.path_of[name])
                open_.pop()
                done.add(path)

        for path in self.folders:
            visit(path)

    def test_layers_point_down(self):
        for path, folder in self.folders.items():
            for name in folder.links:
                target = self.path_of[name]
                self.assertIn(target.split("/")[0], MAY_LINK[path.split("/")[0]], f"{path} links {target}")

    def test_cores_are_pure(self):
        pure = [path for path in self.folders if PURE.match(path)]
        self.assertGreater(len(pure), 12)
        for path in pure:
            for name in self.folders[path].links:
                self.assertRegex(self.path_of[name], PURE, f"{path} links {name}")
        for path in sources():
            if re.match(r"(coordinator|agent)/core/", str(path)):
                for _, system in includes(path):
                    if system is not None:
                        self.assertIsNone(OUTSIDE.match(system), f"{path} includes <{system}>")

    def test_cores_read_no_clock(self):
        for path in sources():
            if len(path.parts) > 2 and path.parts[1] == "core" and path.suffix == ".c":
                self.assertNotRegex((ROOT / path).read_text(), r"\b(clock_now_ns|clock_wall_ns|clock_gettime|gettimeofday|rand)\s*\(", path)

    def test_only_one_place_knows_protobuf(self):
        for path in sources():
            for own, system in includes(path):
                if (own or system).endswith(".pb-c.h") or "protobuf-c" in (own or system):
                    self.assertTrue(str(path).startswith(("proto/codec/", "tests/")), path)

    def test_first_line_says_what_it_is(self):
        for path in sources():
            self.assertTrue((ROOT / path).read_text().startswith("/* "), path)


if __name__ == "__main__":
    unittest.main()
