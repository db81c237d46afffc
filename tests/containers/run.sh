#!/bin/sh
# Tries the image and the Compose cluster on a Docker engine of its own: build, three agents, and containers that are killed,
# frozen, cut off, restarted and taken down. As root; it installs what it needs and leaves the machine's network as it is.
#   tests/containers/run.sh                           all stories, some ten minutes
#   tests/containers/run.sh Cluster.test_down_in_the_middle
#   TUTTI_ENGINE_FOLDER=DIR tests/containers/run.sh   keeps the engine's images in DIR, for the next time
# Exits 77, and says why, where there can be no engine.
set -eu
cd "$(dirname "$0")/../.."
. deploy/packages.sh
# shellcheck disable=SC2086
[ "$(id -u)" -ne 0 ] || install_missing $container_packages

TUTTI_CONTAINERS=1
export TUTTI_CONTAINERS
folder=${TUTTI_ENGINE_FOLDER:-}
if [ -z "$folder" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
fi
tests/containers/engine.sh "$folder" python3 tests/containers/test_containers.py "$@"
