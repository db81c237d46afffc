"""Runs scenes that mostly wait, each given as FILE or FILE:CLASS, in separate processes at the same time."""
import pathlib
import subprocess
import sys

from hosts import SKIPPED

HERE = pathlib.Path(__file__).resolve().parent


def start(scene):
    name, _, story = scene.partition(":")
    words = [sys.executable, HERE / f"test_{name}.py", *([story] if story else [])]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def main():
    running = {scene: start(scene) for scene in sys.argv[1:]}
    codes = set()
    for scene, process in running.items():
        output = process.communicate()[0]
        codes.add(process.returncode)
        print(f"=== {scene}: {process.returncode}\n{output}", flush=True)
    failed = codes - {0, SKIPPED}
    return 1 if failed else max(codes)


if __name__ == "__main__":
    sys.exit(main())
