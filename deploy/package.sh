#!/bin/sh
# Builds a Debian package of tutti into build/package: apt install ./build/package/tutti_*.deb
# Arguments are passed to cmake: deploy/package.sh -DTUTTI_PACKAGE_VERSION=0.1.1
set -eu
cd "$(dirname "$0")/.."
. deploy/packages.sh
# shellcheck disable=SC2086
install_missing $build_packages $package_packages

folder=build/package
mkdir -p "$folder"
echo "building the package (see $folder/package.log)" >&2
if ! { cmake --preset release -B "$folder" -DTUTTI_PACKAGE=ON -DCMAKE_INSTALL_PREFIX=/usr -DTUTTI_UNIT_DIR=/lib/systemd/system "$@" &&
    cmake --build "$folder" --target tutti manual &&
    cpack --config "$folder/CPackConfig.cmake" -B "$folder"; } >"$folder/package.log" 2>&1; then
    tail -n 40 "$folder/package.log" >&2
    echo "the package could not be built; all of it is in $folder/package.log" >&2
    exit 1
fi
ls "$folder"/tutti_*.deb
