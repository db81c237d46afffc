"""What failed steps leave: pictures and sources of pages, bounded, as files beside the report."""
import pathlib
import signal
import tempfile
import unittest

from browsers import Driver, Run, chromedriver, needs_chromium, pages, run
from fake_driver import PICTURE, SOURCE, FakeDriver

MEBIBYTE = 1 << 20


class Artifacts(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def fails(self, driver, *options, folder="kept/below", **more):
        where = ("--artifacts", self.folder / folder) if folder else ()
        result = run("fails", "-w", 2, "--target", driver.url, *where, *options, cwd=self.folder, **more)
        self.assertEqual(result.code, 1, result)
        return result

    def files(self, folder="kept/below"):
        return sorted(path.name for path in (self.folder / folder).iterdir())

    def test_beside_the_report(self):
        with FakeDriver() as driver:
            result = self.fails(driver, "-r", 2)
        names = [artifact["name"] for artifact in result.report["artifacts"]]
        self.assertEqual(self.files(), sorted(names))
        self.assertEqual(sorted(name[3:] for name in names),
                         [f"worker-{worker}-step-{step}.{ending}" for worker in (0, 1) for step in (1, 2) for ending in ("html", "png")])
        for artifact in result.report["artifacts"]:
            content = (self.folder / "kept/below" / artifact["name"]).read_bytes()
            self.assertEqual(content, PICTURE if artifact["kind"] == "screenshot" else SOURCE.encode())
            self.assertEqual(len(content), artifact["size_bytes"])
        self.assertIn("8 files of failed steps in", result.err)

    def test_a_folder_of_its_own_where_none_is_told(self):
        with FakeDriver() as driver:
            self.fails(driver, "-r", 1, folder=None)
        (folder,) = (self.folder / "tutti-artifacts").iterdir()
        self.assertEqual(len(list(folder.iterdir())), 4)

    def test_nothing_where_nothing_fails(self):
        with FakeDriver() as driver:
            result = run("fails", "-w", 1, "-s", "does not", "-r", 2, "--target", driver.url, cwd=self.folder)
        self.assertEqual((result.code, result.report["artifacts"], list(self.folder.iterdir())), (0, [], []), result)
        self.assertFalse([path for path, _ in driver.requests("GET") if path.endswith("/screenshot")])

    def test_nothing_is_written_through_a_link(self):
        victim = self.folder / "victim"
        victim.write_text("mine")
        (self.folder / "kept").mkdir()
        for name in ("01-worker-0-step-1.png", "01-worker-1-step-1.png"):
            (self.folder / "kept" / name).symlink_to(victim)
        with FakeDriver() as driver:
            result = run("fails", "-w", 2, "-r", 1, "--target", driver.url, "--artifacts", self.folder / "kept", cwd=self.folder)
        self.assertEqual(result.code, 1, result)
        self.assertRegex(result.err, r"kept/01-worker-\d-step-1.png cannot be written: Too many levels of symbolic links")
        self.assertEqual(victim.read_text(), "mine")

    def test_no_more_than_so_many(self):
        with FakeDriver() as driver:
            result = self.fails(driver, "-r", 20)
        self.assertEqual((len(result.report["artifacts"]), len(self.files())), (20, 20))
        self.assertLessEqual(len([path for path, _ in driver.requests("GET") if path.endswith("/screenshot")]), 11)

    def test_how_large(self):
        with FakeDriver() as driver:
            driver.picture = PICTURE + bytes(MEBIBYTE - len(PICTURE))
            driver.source = "☃" * 400000
            result = self.fails(driver, "-r", 1)
        sizes = {artifact["kind"]: artifact["size_bytes"] for artifact in result.report["artifacts"]}
        self.assertEqual(sizes, {"screenshot": MEBIBYTE, "source": MEBIBYTE // 3 * 3}, "a source is cut between two characters")
        name = next(artifact["name"] for artifact in result.report["artifacts"] if artifact["kind"] == "screenshot")
        self.assertEqual((self.folder / "kept/below" / name).read_bytes(), driver.picture)
        with FakeDriver() as driver:
            driver.picture = PICTURE + bytes(MEBIBYTE)
            result = self.fails(driver, "-r", 1, folder="second")
        self.assertEqual({artifact["kind"] for artifact in result.report["artifacts"]}, {"source"}, "a larger picture is dropped")

    def test_a_driver_that_gives_nothing(self):
        for picture, source in ((None, None), (b"", "")):
            with self.subTest(picture=picture), FakeDriver() as driver:
                driver.picture, driver.source = picture, source
                result = self.fails(driver, "-r", 1)
                self.assertEqual(result.report["artifacts"], [])
                self.assertEqual([error["message"] for error in result.report["errors"]], ["fails.lua:8: on purpose"])

    def test_a_folder_that_cannot_be_made(self):
        (self.folder / "taken").write_text("")
        with FakeDriver() as driver:
            result = self.fails(driver, "-r", 1, folder="taken/below")
        self.assertRegex(result.err, r"taken/below cannot be created: Not a directory")
        self.assertEqual(len(result.report["artifacts"]), 4)

    def test_a_stop_does_not_wait_for_pictures(self):
        with FakeDriver() as driver:
            driver.hangs_at = "/screenshot"
            with Run("fails", "-w", 1, "-r", 1, "--target", driver.url, cwd=self.folder) as running:
                self.assertTrue(driver.hanging.acquire(timeout=20))
                running.process.send_signal(signal.SIGINT)
                result = running.finish()
            self.assertEqual((result.code, result.steps["failed"], result.report["artifacts"]), (130, 1, []), result)
            self.assertLess(result.seconds, 5)

    @needs_chromium
    def test_of_a_real_page(self):
        with Driver(chromedriver(), "--port=0") as driver, pages(driver.url) as server:
            result = run("fails-on-page", "-w", 2, "-r", 2, "--target", server.url, "--artifacts", self.folder)
        self.assertEqual((result.steps["ok"], result.steps["failed"]), (1, 3), result)
        self.assertEqual(len(result.report["artifacts"]), 6)
        for artifact in result.report["artifacts"]:
            content = (self.folder / artifact["name"]).read_bytes()
            if artifact["kind"] == "source":
                self.assertIn(f"worker {artifact['worker']}, step {artifact['step']} ☃", content.decode())
            else:
                self.assertTrue(content.startswith(b"\x89PNG\r\n\x1a\n") and content.endswith(b"IEND\xaeB`\x82"))


if __name__ == "__main__":
    unittest.main()
