#!/bin/sh
# Builds tutti and runs the scene that it is made for: five workers on two agents that take turns on a pad.
# Arguments are passed to `tutti run`: deploy/quickstart.sh -r 100
set -eu
cd "$(dirname "$0")/.."
. deploy/packages.sh
# shellcheck disable=SC2086
install_missing $build_packages

log=build/quickstart.log
mkdir -p build
[ -x build/release/tutti ] || echo "building tutti, which takes a minute or two (see $log)" >&2
if ! { cmake --preset release && cmake --build --preset release --target tutti; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "the build failed; all of it is in $log" >&2
    exit 1
fi
# Slow enough to watch; without the two options it ends almost at once.
exec build/release/tutti run examples/pad.lua --runs 30 --delay 200ms "$@"
