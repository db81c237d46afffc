#!/bin/sh
# Builds tutti for testing and runs every test; the threaded ones also under ThreadSanitizer.
#   tests/run.sh                      all tests
#   tests/run.sh --simulate 100000    and so many fresh seeds of the simulation
#   tests/run.sh --kills 50           and so many kills of agents and coordinator in campaigns across network namespaces
#   tests/run.sh --only REGEX         only tests whose name matches, without ThreadSanitizer
set -eu
cd "$(dirname "$0")/.."

simulate=0
kills=0
only=""
while [ $# -gt 0 ]; do
    case $1 in
    --simulate) simulate=${2:?--simulate needs a number of seeds}; shift 2 ;;
    --kills) kills=${2:?--kills needs a number}; shift 2 ;;
    --only) only=${2:?--only needs a regular expression}; shift 2 ;;
    *) echo "usage: tests/run.sh [--simulate SEEDS] [--kills N] [--only REGEX]" >&2; exit 2 ;;
    esac
done
case $simulate in *[!0-9]*) echo "--simulate wants a number of seeds" >&2; exit 2 ;; esac
case $kills in *[!0-9]*) echo "--kills wants a number" >&2; exit 2 ;; esac

. deploy/packages.sh
# shellcheck disable=SC2086
install_missing $build_packages $test_packages

jobs=$(nproc)
build() {
    if ! { cmake --preset "$@" && cmake --build --preset "$1"; } >"build/$1.log" 2>&1; then
        tail -n 60 "build/$1.log" >&2
        echo "the build of $1 failed; all of it is in build/$1.log" >&2
        exit 1
    fi
}

# Firefox's driver, which the distribution lacks: built once, outside of the tree. Without it or cargo the tests that want it are skipped, and say so.
geckodriver=${XDG_CACHE_HOME:-$HOME/.cache}/tutti/geckodriver
build_geckodriver() {
    [ ! -x "$geckodriver/bin/geckodriver" ] && ! command -v geckodriver >/dev/null && command -v cargo >/dev/null || return 0
    echo "building geckodriver into $geckodriver"
    nice timeout 1200 cargo install -q geckodriver --version 0.37.1 --locked --root "$geckodriver" >build/geckodriver.log 2>&1 ||
        echo "geckodriver could not be built (see build/geckodriver.log): Firefox is left out" >&2
}

# CTest's summary of everything has to stand at the end, so the others come first and their verdict is kept.
code=0
mkdir -p build
if [ -z "$only" ]; then
    build_geckodriver &
fi
echo "building dev"
build dev
if [ -z "$only" ]; then
    tests/lint.sh || code=1
fi
if [ "$simulate" -gt 0 ]; then
    first=$(od -An -N6 -tu8 /dev/urandom | tr -d ' ')
    echo "simulating $simulate seeds from $first on"
    build/dev/bin/simulate --seeds "$simulate" --first "$first" || code=1
fi
if [ "$kills" -gt 0 ]; then
    # 77: they cannot run here, and have said why.
    TUTTI=$PWD/build/dev/tutti PYTHONPATH=tests/integration TUTTI_CLUSTER_KILLS=$kills python3 tests/cluster/test_kills.py ||
        [ $? -eq 77 ] || code=1
fi
if [ -z "$only" ]; then
    echo "building tsan"
    build tsan
    echo "threaded tests under ThreadSanitizer"
    ctest --test-dir build/tsan -L thread -j "$jobs" --output-on-failure --no-tests=ignore || code=1
fi
wait
# One more than there are cores: most stories wait for most of their time.
echo "all tests"
ctest --test-dir build/dev -j "$((jobs + 1))" --output-on-failure --no-tests=error ${only:+-R "$only"} || code=1
exit "$code"
