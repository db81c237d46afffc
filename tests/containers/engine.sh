#!/bin/sh
# Runs a command with a Docker engine of its own, and ends the engine with it:
#   tests/containers/engine.sh FOLDER COMMAND [ARGUMENT …]
# The engine's data is in FOLDER. It has network, mount and process namespaces of its own: the machine's iptables and
# forwarding stay as they are, and no process of it or its containers outlives this script. The command finds it through
# DOCKER_HOST, and TUTTI_ENGINE_PID is the first process of its namespaces (nsenter --all --target). It reaches package
# mirrors through slirp4netns. There is one image, debian:bookworm-slim, made by debootstrap.
# Exits 77, and says why, where there can be no engine.
set -eu
folder=${1:?a folder for the data of the engine}
shift

cannot() {
    echo "skipped: $*" >&2
    exit 77
}
[ "$(id -u)" -eq 0 ] || cannot "an engine of its own needs root"
for tool in dockerd containerd runc docker docker-compose debootstrap slirp4netns iptables ip unshare nsenter; do
    command -v "$tool" >/dev/null || cannot "there is no $tool (container_packages of deploy/packages.sh has them all)"
done
[ -e /dev/net/tun ] || cannot "there is no /dev/net/tun"

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
socket=$folder/docker.sock
log=$folder/engine.log
group=tutti-engine-$$

# The first process of the namespaces ends dockerd when it is told to end, and with it goes all that is left of them.
unshare --net --mount --pid --fork --mount-proc --propagation private --kill-child=KILL sh -c '
    set -eu
    mount -t tmpfs tmpfs /run
    ip link set lo up
    mkdir -p /run/empty
    dockerd --data-root "$1/data" --exec-root /run/docker --pidfile /run/docker.pid -H "unix://$2" \
        --cgroup-parent "/$3" --log-level warn &
    trap "kill $!" TERM
    wait $! || true
    trap "" TERM
    wait || true' engine "$folder" "$socket" "$group" >"$log" 2>&1 &
unshare=$!
slirp=""

finish() {
    code=$?
    trap "" INT TERM
    if [ -n "${first:-}" ]; then
        kill "$first" 2>/dev/null || true
        turns=0
        while kill -0 "$first" 2>/dev/null && [ $turns -lt 150 ]; do
            sleep 0.2
            turns=$((turns + 1))
        done
    fi
    kill -KILL "$unshare" 2>/dev/null || true
    wait "$unshare" 2>/dev/null || true
    if [ -n "$slirp" ]; then
        kill "$slirp" 2>/dev/null || true
        wait "$slirp" 2>/dev/null || true
    fi
    find /sys/fs/cgroup -depth -type d -path "*/$group*" -exec rmdir {} + 2>/dev/null || true
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

turns=0
until first=$(cat "/proc/$unshare/task/$unshare/children" 2>/dev/null) && first=${first%% *} && [ -n "$first" ]; do
    turns=$((turns + 1))
    [ $turns -lt 100 ] && kill -0 "$unshare" 2>/dev/null || { cat "$log" >&2; cannot "there can be no namespaces"; }
    sleep 0.1
done
slirp4netns --configure --mtu=65520 --disable-host-loopback "$first" tap0 >"$folder/slirp.log" 2>&1 &
slirp=$!

DOCKER_HOST=unix://$socket
TUTTI_ENGINE_PID=$first
export DOCKER_HOST TUTTI_ENGINE_PID
turns=0
until docker version >/dev/null 2>&1; do
    turns=$((turns + 1))
    [ $turns -lt 150 ] && kill -0 "$unshare" 2>/dev/null || { tail -n 20 "$log" >&2; cannot "the engine did not start"; }
    sleep 0.2
done

# No image can be pulled here, so the base is made: as debian:bookworm-slim, a minimal Debian without documentation.
if ! docker image inspect debian:bookworm-slim >/dev/null 2>&1; then
    if ! debootstrap --variant=minbase bookworm "$folder/base" >"$folder/debootstrap.log" 2>&1; then
        tail -n 20 "$folder/debootstrap.log" >&2
        cannot "debootstrap could not make the base image"
    fi
    rm -rf "$folder"/base/usr/share/doc/* "$folder"/base/usr/share/man/* "$folder"/base/usr/share/locale/* \
        "$folder"/base/var/cache/apt/* "$folder"/base/var/lib/apt/lists/*
    tar -C "$folder/base" -c . | docker import - debian:bookworm-slim >/dev/null
    rm -rf "$folder/base"
fi

"$@"
