"""Dependencies point down only: who may include whom, and what the cores must never see."""
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAY_INCLUDE = {
    "common": {"common"},
    "proto": {"common", "proto"},
    "coordinator": {"common", "proto", "coordinator"},
    "agent": {"common", "proto", "agent"},
    "cli": {"common", "proto", "coordinator", "agent", "cli"},
}
# Sockets, loops, clocks, threads, files, Lua: a core has none of them. (Words: common/compose.h.)
OUTSIDE = re.compile(r"^(uv|zmq|curl/.*|lua.*|lauxlib|microhttpd|jansson|pthread|threads|fcntl|stdio|unistd|time|sys/.*|netinet/.*|poll|signal)\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def sources():
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [pathlib.Path(line) for line in listed.splitlines() if (ROOT / line).exists()]


def includes(path):
    for found in INCLUDE.finditer((ROOT / path).read_text()):
        yield found.group(1), found.group(2)


class Layers(unittest.TestCase):
    def test_direction(self):
        seen = 0
        for path in sources():
            allowed = MAY_INCLUDE.get(path.parts[0])
            if allowed is None:
                continue
            for own, _ in includes(path):
                if own is None or own.endswith(".pb-c.h"):
                    continue
                seen += 1
                self.assertIn(own.split("/")[0], allowed, f"{path} includes {own}")
        self.assertGreater(seen, 100)

    def test_cores_are_pure(self):
        pure = [path for path in sources() if path.parts[0] in ("coordinator", "agent") and path.parts[1] == "core"]
        self.assertGreater(len(pure), 10)
        for path in pure:
            for own, system in includes(path):
                if system is not None:
                    self.assertIsNone(OUTSIDE.match(system), f"{path} includes <{system}>")
                else:
                    layer, *rest = own.split("/")
                    outside = layer in ("coordinator", "agent") and rest[0] != "core"
                    self.assertFalse(outside, f"{path} includes {own} of the shell around it")
                    self.assertNotIn(own, ("proto/socket.h",), path)

    def test_cores_read_no_clock(self):
        for path in sources():
            if len(path.parts) > 2 and path.parts[1] == "core" and path.suffix == ".c":
                self.assertNotRegex((ROOT / path).read_text(), r"\b(clock_now_ns|clock_wall_ns|clock_gettime|gettimeofday|rand)\s*\(", path)

    def test_only_one_place_knows_protobuf(self):
        for path in sources():
            for own, system in includes(path):
                if (own or system).endswith(".pb-c.h") or "protobuf-c" in (own or system):
                    self.assertIn(path.parts[0], ("proto", "tests"), path)

    def test_first_line_says_what_it_is(self):
        for path in sources():
            self.assertTrue((ROOT / path).read_text().startswith("/* "), path)


if __name__ == "__main__":
    unittest.main()
