#!/bin/sh
# Builds the fuzz targets with clang and runs each for so many seconds, as many at once as there are processors.
#   tests/fuzz/run.sh SECONDS [NAME…]      all targets, or these: message envelope link event_log value option threshold json_path csv keys http1 url cookie content digest events http2 websocket
# What is found lies in build/fuzz/findings; the corpus that grows meanwhile in build/fuzz/tests/fuzz/found.
set -eu
seconds=${1:?"usage: tests/fuzz/run.sh SECONDS [NAME…]"}
case $seconds in *[!0-9]* | "") echo "SECONDS is a number" >&2; exit 2 ;; esac
shift
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- message envelope link event_log value option threshold json_path csv keys http1 url cookie content digest events http2 websocket

build=build/fuzz
targets=""
for name in "$@"; do
    targets="$targets fuzz_$name"
done
cmake --preset fuzz >/dev/null
# shellcheck disable=SC2086
cmake --build "$build" --target $targets
rm -rf "$build/findings"
mkdir -p "$build/findings" "$build/logs"

# shellcheck disable=SC2016
if printf '%s\n' "$@" | xargs -P "$(nproc)" -I NAME sh -c '
    build/fuzz/bin/fuzz_NAME -max_total_time='"$seconds"' -max_len=16384 -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix=build/fuzz/findings/NAME- build/fuzz/tests/fuzz/found/NAME tests/fuzz/corpus/NAME \
        >build/fuzz/logs/NAME.log 2>&1 || { tail -n 40 build/fuzz/logs/NAME.log >&2; exit 1; }
    tail -n 1 build/fuzz/logs/NAME.log | sed "s/^/NAME: /"'; then
    echo "nothing was found"
else
    echo "there are findings in $build/findings; replay one with build/fuzz/bin/fuzz_NAME FILE" >&2
    exit 1
fi
