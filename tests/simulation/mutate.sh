#!/bin/sh
# Deletes single statements of the coordination, one at a time, and says which deletions no test notices.
#
#   tests/simulation/mutate.sh [-n COUNT] [-s SEEDS] [FILE ...]
#
# Works on a copy of the last commit. -n: so many mutants, spread evenly (default: all); -s: seeds each (1500).
set -eu
cd "$(dirname "$0")/../.."
count=0
seeds=1500
while getopts n:s: option; do
    case $option in
    n) count=$OPTARG ;;
    s) seeds=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
files=${*:-"coordinator/core/notifier.c coordinator/core/barrier.c coordinator/core/deadlock.c coordinator/core/wait.c
coordinator/core/room.c coordinator/core/room_steps.c coordinator/core/rooms_begin.c coordinator/core/rooms_meet.c
coordinator/core/rooms_progress.c coordinator/core/rooms_search.c coordinator/core/rooms_settle.c
coordinator/core/rooms_timeout.c proto/link.c"}
tests=$(git ls-files tests/unit/coordinator/CMakeLists.txt tests/unit/proto/CMakeLists.txt |
    xargs grep -ho 'tutti_unit_test([a-z_]*' | sed 's/.*(//')

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git archive HEAD | tar -x -C "$work"
cd "$work"
cmake -G Ninja -S . -B build -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-O1" -DTUTTI_SANITIZE=address >/dev/null
known=$(ninja -C build -t targets all | sed 's/:.*//')
targets=simulate
for test in $tests; do
    if echo "$known" | grep -qx "$test"; then targets="$targets $test"; fi
done
# shellcheck disable=SC2086
ninja -C build $targets >/dev/null

# One line for each statement that stands on a line of its own: a call, an assignment, a count, a return.
for file in $files; do
    grep -nE '^ {4,}[a-z(*][^={]*(=[^=].*|\(.*\)|\+\+|--);$|^ {4,}(return( [^;]*)?|break|continue);$' "$file" |
        grep -vE '^[0-9]+: +(assert|(const |struct |enum |bool |uint|int|size_t|char )[^=;]*( [a-z_]+( =|;)|\*))' |
        sed "s|^\([0-9]*\):.*|$file \1|"
done >candidates
if [ "$count" -gt 0 ]; then
    total=$(wc -l <candidates)
    awk -v each="$((total / count + 1))" 'NR % each == 1 || each == 1' candidates >chosen
else
    cp candidates chosen
fi

notices() {
    # shellcheck disable=SC2086
    ninja -C build $targets >build.log 2>&1 || return 0 # does not compile: not a mutant
    for target in $targets; do
        [ "$target" = simulate ] || timeout 60 "build/bin/$target" >/dev/null 2>&1 || return 0
    done
    timeout 120 build/bin/simulate --stories tests/simulation/stories >/dev/null 2>&1 || return 0
    timeout 300 build/bin/simulate --seeds "$seeds" --first 1 >/dev/null 2>&1 || return 0
    return 1
}

tried=0
survived=0
while read -r file line; do
    cp "$file" kept
    sed -i "${line}s|^\( *\).*|\1;|" "$file"
    tried=$((tried + 1))
    if ! notices; then
        survived=$((survived + 1))
        echo "survived: $file:$line:$(sed -n "${line}p" kept)"
    fi
    cp kept "$file"
done <chosen
echo "$tried statements deleted, $survived not noticed"
