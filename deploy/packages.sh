# The distribution's packages that tutti needs, and a function that installs the missing ones. To be sourced.

build_packages="build-essential cmake ninja-build pkg-config libzmq3-dev libprotobuf-c-dev protobuf-c-compiler
libuv1-dev libcurl4-openssl-dev libc-ares-dev libnghttp2-dev libpsl-dev libidn2-dev zlib1g-dev libbrotli-dev libzstd-dev libwslay-dev liblua5.4-dev libssl-dev
libmicrohttpd-dev libjansson-dev libxml2-dev libyaml-dev libsnappy-dev libseccomp-dev libcmocka-dev
libjs-dygraphs python3"
# What deploy/package.sh needs besides: file tells CPack which files have libraries to depend on.
package_packages="dpkg-dev file"
# What the program needs to run.
runtime_packages="libzmq5 libprotobuf-c1 libuv1 libcurl4 libc-ares2 libnghttp2-14 libpsl5 libidn2-0 zlib1g libbrotli1
libzstd1 libwslay1 liblua5.4-0 libssl3 libmicrohttpd12 libjansson4 libxml2 libyaml-0-2 libsnappy1v5 libseccomp2 ca-certificates"
# What the image with browsers has besides.
browser_packages="chromium chromium-driver fonts-liberation fonts-noto-color-emoji"
# What tests/containers needs to start an engine of its own.
container_packages="docker.io docker-compose debootstrap slirp4netns iptables iproute2 python3 python3-yaml"
test_packages="chromium chromium-driver firefox-esr nginx-light apache2-bin haproxy nghttp2-client curl iproute2 iptables python3-yaml python3-pyte python3-aiohttp python3-socketio clang-format clang-tidy docker-compose prometheus"

install_missing() {
    missing=""
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "installing:$missing" >&2
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "these packages are missing, and there is no sudo to install them with:$missing" >&2
            return 1
        fi
        as_root=sudo
    fi
    # Package lists may be missing or old: fetch them only if the first attempt fails.
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    $as_root apt-get install -y -q --no-install-recommends $missing >&2 ||
        { $as_root apt-get update -q >&2 && $as_root apt-get install -y -q --no-install-recommends $missing >&2; }
}
