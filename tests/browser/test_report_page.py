"""Reports as pages, opened from files in real browsers: what they show, what runs in them, what they look like on paper."""
import base64
import json
import pathlib
import re
import sys
import tempfile
import unittest

from browsers import HERE, needs_chromium, needs_firefox
from web import Tab

sys.path.insert(0, str(HERE.parent / "integration"))
from fake_api import FakeApi, report  # noqa: E402
from support import script, tutti  # noqa: E402
from test_html import png  # noqa: E402

DARK = {"name": "prefers-color-scheme", "value": "dark"}


def count(number):
    return f"{number:,}"


def ms(value):
    """As the page writes it, and the report in text."""
    digits = lambda number: f"{number:.{2 if number < 9.995 else 1 if number < 99.95 else 0}f}"  # noqa: E731
    return f"{value * 1000:.0f} µs" if value < 1 else f"{digits(value)} ms" if value < 999.5 else f"{digits(value / 1000)} s"


class Files:
    """A run with hostile names, two runs compared, and a report with a picture; made once."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        run = ("run", script("hostile-names"), "-w", 3, "-r", 40, "--delay", "50ms", "--target", "builtin", "--fail", "0", "--threshold", "steps.failed < 1000", "-q")
        for name in ("one", "two"):
            result = tutti(*run, "--html", self.folder / f"{name}.html", "--json", self.folder / f"{name}.json")
            assert result.code == 0, result
        result = tutti("compare", self.folder / "one.json", self.folder / "two.json", "--html", self.folder / "compare.html", "--json", self.folder / "compare.json")
        assert result.code == 0, result
        picture = png(3, 2)
        said = {**report("failed"), "artifacts": [{"number": 1, "name": "1.png", "kind": "screenshot", "worker": 3, "step": 2, "size_bytes": len(picture)}]}
        with FakeApi({("GET", "/v1/campaigns/7/report"): [(200, said)], ("GET", "/v1/campaigns/7/artifacts/1"): [(200, picture)]}) as api:
            result = tutti("report", 7, "--html", self.folder / "picture.html", "--api", api.url)
            assert result.code == 0, result

    def url(self, name):
        return f"file://{self.folder}/{name}"

    def json(self, name):
        return json.loads((self.folder / name).read_text())


class Shown:
    browser = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.files = Files(cls.folder.name)
        cls.tab = Tab(cls.browser)
        cls.addClassCleanup(cls.tab.__exit__)

    def open(self, name):
        # The same file with another fragment would not be loaded again.
        self.tab.open("about:blank")
        self.tab.open(self.files.url(name))
        self.tab.wait(lambda: self.tab.run("return document.querySelector('#page main h2') !== null"), "nothing is shown")

    def figures(self):
        return dict(self.tab.run("return [...document.querySelectorAll('#view-overview .figure')].map((each) => [each.children[0].textContent, each.children[1].firstChild.textContent])"))

    def rows(self, view, table):
        return self.tab.run("""return [...document.querySelectorAll(`#view-${arguments[0]} [aria-label="${arguments[1]}"] tbody tr`)]
            .map((row) => [...row.children].map((cell) => cell.textContent.trim()))""", view, table)

    def test_its_numbers_are_those_of_the_report(self):
        said = self.files.json("one.json")
        self.open("one.html")
        figures = self.figures()
        self.assertEqual((figures["workers"], figures["steps ok"], figures["steps failed"], figures["requests"]),
                         ("3", count(said["steps"]["ok"]), count(said["steps"]["failed"]), count(said["http"]["count"])))
        self.assertEqual([figures[key] for key in ("p50", "p95", "p99", "longest")], [ms(said["http"][f"{key}_ms"]) for key in ("p50", "p95", "p99", "max")])
        rows = {row[0]: row for row in self.rows("requests", "Requests")}
        self.assertEqual(len(rows), len(said["requests"]))
        for name, numbers in said["requests"].items():
            row = next(row for shown, row in rows.items() if shown[:40] == name[:40])
            self.assertEqual((row[1], row[3], row[5], row[6]), (count(numbers["count"]), count(numbers["failed"]), ms(numbers["p50_ms"]), ms(numbers["p95_ms"])), row)
        self.assertEqual(self.rows("checks", "Thresholds"), [["steps.failed < 1000", "✓ met", "40", "–"]])
        self.assertEqual([row[1] for row in self.rows("errors", "Errors")], ["40"])
        self.assertEqual(self.tab.run("return document.title"), f"Campaign {said['campaign']} · tutti")

    def test_names_are_shown_and_never_run(self):
        self.open("one.html")
        text = self.tab.run("return document.getElementById('page').textContent")  # innerText has only what is near the screen
        for name in ("</script><script>tuttiFaults.push('ran')</script>", "<img src=x onerror=\"tuttiFaults.push('ran')\">", "<!-- <script>", "<svg onload=tuttiFaults.push('ran')>"):
            self.assertIn(name, text)
        self.assertEqual(self.tab.faults(), [])
        self.assertEqual(self.tab.run("return [document.scripts.length, document.querySelectorAll('img, #page script, #page style, iframe').length, performance.getEntriesByType('resource').length]"), [3, 0, 0])

    def test_the_policy_lets_nothing_else_in(self):
        """Had a name become markup after all, this is what would still hold it."""
        self.open("one.html")
        self.tab.run("""document.addEventListener("securitypolicyviolation", (event) => { (window.seen ??= []).push(event.violatedDirective); });
            const script = document.createElement("script"); script.textContent = "window.ran = true"; document.body.append(script);
            const image = document.createElement("img"); image.src = "http://127.0.0.1:9/x.png"; document.body.append(image);""")
        self.tab.wait(lambda: len(self.tab.run("return window.seen ?? []")) >= 2, "the policy forbids nothing")
        self.assertIsNone(self.tab.run("return window.ran ?? null"))

    def test_a_link_to_a_moment(self):
        self.open("one.html#t=0:01")
        self.tab.wait_text("show all the time")
        self.tab.click("button", "show all the time")
        self.tab.wait(lambda: "show all the time" not in self.tab.text(), "all of it is shown again")
        self.assertEqual(self.tab.run("return location.hash"), "")
        self.open("one.html#view=agents&t=0:00-0:02")
        self.tab.wait(lambda: self.tab.run("return document.activeElement.id") == "view-agents", "the part is not reached")
        self.tab.click("a", "Requests")
        self.tab.wait(lambda: self.tab.run("return location.hash") == "#view=requests&t=0:00-0:02", "the time is kept in the address")

    def test_a_row_opens_its_charts(self):
        self.open("one.html")
        self.tab.click("button", "<!-- <script>")
        self.tab.wait(lambda: self.tab.run("return document.querySelectorAll('.opened .plot').length") == 2, "no charts of the request")
        self.tab.run("document.querySelector('.opened').scrollIntoView()")
        self.tab.wait(lambda: self.tab.run("return document.querySelectorAll('.opened canvas').length") >= 2, "they are not drawn")
        self.assertEqual(self.tab.faults(), [])

    def test_pictures_of_failed_steps(self):
        self.open("picture.html#view=failed")
        self.assertEqual(self.tab.run("const image = document.querySelector('#view-failed img'); return [image.naturalWidth, image.naturalHeight, image.alt]"),
                         [3, 2, "What the browser of worker 3 showed when step 2 failed"])

    def test_a_comparison(self):
        said = self.files.json("compare.json")
        self.open("compare.html")
        text = self.tab.run("return document.getElementById('page').textContent")
        self.assertIn("Runs compared", text)
        self.assertIn("one.json", text)
        rows = self.tab.run("return [...document.querySelectorAll('tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent.trim()))")
        steps = next(row for row in said["rows"] if row["metric"] == "steps" or row["name"] is None)
        row = next(row for row in rows if row[0] == steps["metric"] and row[1] == "p95")
        self.assertEqual(row[2:4], [ms(steps["p95_ms"]["base"]), ms(steps["p95_ms"]["new"])])
        if steps["p95_ms"].get("verdict"):
            self.assertTrue(row[-1].endswith(steps["p95_ms"]["verdict"]), row)
        self.assertEqual(self.tab.faults(), [])


@needs_chromium
class Chromium(Shown, unittest.TestCase):
    browser = "chromium"

    def cdp(self, command, **parameters):
        return self.tab.command("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def colours(self):
        return self.tab.run("const style = getComputedStyle(document.body); return [style.color, style.backgroundColor]")

    def test_light_dark_and_paper(self):
        self.open("one.html")
        try:
            self.cdp("Emulation.setEmulatedMedia", features=[DARK])
            dark = self.colours()
            self.assertRegex(dark[1], r"rgb\(\d\d?, \d\d?, \d\d?\)")
            self.cdp("Emulation.setEmulatedMedia", media="print", features=[DARK])
            self.assertEqual(self.colours(), ["rgb(0, 0, 0)", "rgb(255, 255, 255)"], "paper is light")
            self.assertEqual(self.tab.run("return getComputedStyle(document.querySelector('.tabs')).display"), "none")
        finally:
            self.cdp("Emulation.setEmulatedMedia", media="", features=[])
        self.assertNotEqual(self.colours(), dark)
        paper = base64.b64decode(self.cdp("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"])
        pages = len(re.findall(rb"/Type\s*/Page\b", paper))
        self.assertTrue(2 <= pages <= 15, pages)
        self.assertEqual(self.tab.faults(), [])


@needs_firefox
class Firefox(Shown, unittest.TestCase):
    browser = "firefox"


if __name__ == "__main__":
    unittest.main()
