#!/bin/sh
# Runs clang-tidy over C files, as .clang-tidy says; wants the dev build, whose compile commands it takes.
#   tests/lint.sh              those that differ from the main branch, or from the commit before where we are on it
#   tests/lint.sh --all        every one (eight minutes of processor time)
#   tests/lint.sh FILE…        these
set -eu
cd "$(dirname "$0")/.."

changed() {
    base=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null || true)
    if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then
        base=$(git rev-parse -q --verify HEAD~1 || git hash-object -t tree /dev/null)
    fi
    # A header is looked at with the source of its name.
    git diff --name-only "$base" -- '*.c' '*.h' | sed 's/\.h$/.c/' | sort -u
}

if ! command -v clang-tidy >/dev/null || ! git rev-parse -q --verify HEAD >/dev/null 2>&1; then
    echo "lint: skipped, there is no clang-tidy or no git repository here"
    exit 0
fi
case ${1:-} in
--all) files=$(git ls-files '*.c') ;;
"") files=$(changed) ;;
*) files=$* ;;
esac
known=""
for file in $files; do
    if [ -f "$file" ] && grep -q "\"file\": \".*/$file\"" build/dev/compile_commands.json; then
        known="$known $file"
    fi
done
# shellcheck disable=SC2086
set -- $known
echo "lint: $# files"
[ $# -eq 0 ] ||
    printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p build/dev 2>/dev/null
