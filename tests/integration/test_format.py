"""Every C file is formatted according to .clang-format."""
import pathlib
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Format(unittest.TestCase):
    @unittest.skipUnless(shutil.which("clang-format"), "there is no clang-format here")
    def test_tracked_files(self):
        listed = subprocess.run(["git", "ls-files", "*.c", "*.h"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        files = [name for name in listed.splitlines() if (ROOT / name).exists()]
        self.assertGreater(len(files), 50)
        done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], cwd=ROOT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])


if __name__ == "__main__":
    unittest.main()
