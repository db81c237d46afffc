#!/bin/sh
# Builds release and measures: a table on the screen, build/bench.json beside it. Ratios count, taken side by side in one run.
set -eu
cd "$(dirname "$0")/../.."
cmake --preset release >/dev/null
cmake --build --preset release --target tutti yardsticks >/dev/null
exec python3 tests/bench/measure.py --json build/bench.json "$@"
