"""Reports as pages: what is in the file, where it comes from, and what happens where it cannot be written."""
import base64
import html.parser
import hashlib
import json
import pathlib
import re
import struct
import tempfile
import unittest
import zlib

from fake_api import FakeApi, event, report
from support import run, script, tutti

LIMIT_BYTES = 400_000


def png(width=2, height=2):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress((b"\0" + b"\xff\0\0" * width) * height)) + chunk(b"IEND", b"")


class Page(html.parser.HTMLParser):
    """What a browser would find in the file."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.text = path.read_bytes().decode()
        self.elements, self.scripts, self.styles, self.policy, self.inside = [], [], [], None, None
        self.feed(self.text)
        self.close()
        self.data_text = next(text for attributes, text in self.scripts if attributes.get("type") == "application/json")
        self.data = json.loads(self.data_text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if tag in ("script", "style"):
            self.inside = [attributes, ""]
            (self.scripts if tag == "script" else self.styles).append(self.inside)

    def handle_data(self, data):
        if self.inside is not None:
            self.inside[1] += data

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.inside = None


class Html(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "report.html"

    def check_page(self, page):
        """It is small, needs nothing else, and lets in what it has by hashes alone."""
        self.assertLessEqual(len(page.text.encode()) - len(page.data_text.encode()), LIMIT_BYTES)
        for tag, attributes in page.elements:
            self.assertFalse({"src", "href", "style"} & set(attributes) or any(name.startswith("on") for name in attributes), (tag, attributes))
        code = [text for attributes, text in page.scripts if not attributes]
        self.assertEqual((len(code), len(page.styles), len(page.scripts)), (2, 1, 3))
        hashed = ["'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'" for text in (*code, page.styles[0][1])]
        self.assertEqual(page.policy, f"default-src 'none'; script-src {hashed[0]} {hashed[1]}; style-src {hashed[2]}; img-src data:; base-uri 'none'; form-action 'none'")

    def test_it_has_the_report_and_nothing_that_a_name_could_run(self):
        result = run("hostile-names", "-w", 3, "-r", 2, "--target", "builtin", "--fail", "0", "--html", self.path)
        page = Page(self.path)
        self.check_page(page)
        self.assertEqual(page.data["report"], result.report)
        self.assertEqual(page.data["report"]["steps"]["ok"], 4, result)
        self.assertIn("</script><script>tuttiFaults.push('ran')</script>", page.data["report"]["requests"])
        self.assertNotRegex(page.data_text, "[<>&]")
        self.assertEqual(page.data["artifacts"], [])

    def test_of_a_coordinator(self):
        picture, source = png(), b"<html></html>"
        artifacts = [{"number": 1, "name": "01.png", "kind": "screenshot", "worker": 3, "step": 2, "size_bytes": len(picture)},
                     {"number": 2, "name": "02.html", "kind": "source", "worker": 3, "step": 2, "size_bytes": len(source)},
                     {"number": 3, "name": "03.png", "kind": "screenshot", "worker": 4, "step": 1, "size_bytes": 1}]
        said = {**report("failed", "</script>"), "artifacts": artifacts}
        series = {"point_s": 1, "points": 1, "total": {"requests": {"count": [5]}}, "requests": {}}
        plans = {("GET", "/v1/campaigns/7/report"): [(200, said)], ("GET", "/v1/campaigns/7/series"): [(200, series)],
                 ("GET", "/v1/campaigns/7/artifacts/1"): [(200, picture)],
                 ("POST", "/v1/campaigns"): [(201, {"campaign": 7})],
                 ("GET", "/v1/campaigns/7/events"): [lambda handler: handler.stream(event("ended", said))]}
        with FakeApi(plans) as api:
            for command in (("report", 7), ("start", script("scene-right"), "--wait")):
                with self.subTest(command[0]):
                    result = tutti(*command, "--html", self.path, "--api", api.url)
                    self.assertEqual(result.code, 0 if command[0] == "report" else 1, result)
                    page = Page(self.path)
                    self.check_page(page)
                    self.assertEqual(page.data["report"], {**said, "series": series})
                    self.assertEqual([(one["number"], one["worker"], one["step"]) for one in page.data["artifacts"]], [(1, 3, 2)], "one that is gone is left out")
                    self.assertEqual(base64.b64decode(page.data["artifacts"][0]["data"].removeprefix("data:image/png;base64,")), picture)
                    self.path.unlink()
            self.assertEqual(tutti("start", script("scene-right"), "--html", self.path, "--api", api.url).code, 2, "without --wait")

    def test_compare(self):
        reports = [self.folder / f"{number}.json" for number in range(2)]
        for path in reports:
            self.assertEqual(tutti("run", script("hostile-names"), "-w", 3, "-r", 2, "--target", "builtin", "--fail", "0", "--json", path, "-q").code, 0)
        told = self.folder / "told.json"
        result = tutti("compare", *reports, "--html", self.path, "--json", told)
        self.assertEqual(result.code, 0, result)
        page = Page(self.path)
        self.check_page(page)
        self.assertEqual(page.data["comparison"], json.loads(told.read_text()))

    def test_one_that_cannot_be_written(self):
        for path in ("/nowhere/report.html", self.folder):
            result = tutti("run", script("quick"), "--html", path)
            self.assertEqual((result.code, result.out), (2, ""), result)
            self.assertRegex(result.err, r"^tutti: run: --html: [^\n]*\n$")
        with FakeApi({("GET", "/v1/campaigns/7/report"): [(200, report())]}) as api:
            result = tutti("report", 7, "--html", "/nowhere/report.html", "--api", api.url)
            self.assertEqual(result.code, 3, result)
            self.assertRegex(result.err, r"^tutti: report: --html: [^\n]*\n$")
            self.assertIn("passed", result.out, "the text is printed nevertheless")


if __name__ == "__main__":
    unittest.main()
