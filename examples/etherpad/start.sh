#!/bin/bash
# Starts a real Etherpad for the examples in this folder: installs it into FOLDER (once, from npm) and runs it until it is stopped.
#
#   examples/etherpad/start.sh [FOLDER [PORT [PADS]]]
#
# FOLDER is by default ~/.cache/tutti/etherpad; PORT 0, the default, picks a free port. PADS is a folder in which the pads are kept
# for the next start; without it they are gone with the server. Prints the address as soon as it answers.
# The key of its HTTP API is "tuttitest": this server is for tests, and listens on loopback only.
set -euo pipefail

VERSION=1.8.14
FOLDER=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/tutti/etherpad}
PORT=${2:-0}
PADS=${3:-}
READY_WITHIN_S=60

say() { echo "start.sh: $*" >&2; }

# Etherpad requires its own code in a folder called src, with a real src/node_modules, not a link. Its plug-in loader runs "npm ls"
# above that, which fails on the lock file of a newer npm. Its optional database driver would be built from source: not needed.
install() {
    local staging=$FOLDER.staging.$$
    rm -rf "$staging"
    mkdir -p "$staging"
    trap 'rm -rf "$staging"' EXIT
    cat > "$staging/package.json" << JSON
{ "name": "etherpad-root", "version": "0.0.0", "private": true,
  "dependencies": { "ep_etherpad-lite": "$VERSION" }, "overrides": { "sqlite3": "5.1.7" } }
JSON
    say "installing Etherpad $VERSION into $FOLDER"
    (cd "$staging" && npm install --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --silent >&2) ||
        { say "npm could not install Etherpad: is its registry within reach?"; exit 1; }
    mv "$staging/node_modules/ep_etherpad-lite" "$staging/src"
    mv "$staging/node_modules" "$staging/src/node_modules"
    mkdir -p "$staging/node_modules" "$staging/var" "$staging/manifest"
    ln -s ../src "$staging/node_modules/ep_etherpad-lite"
    mv "$staging/package.json" "$staging/package-lock.json" "$staging/manifest/"
    # Etherpad would contact its makers to look for a newer version.
    sed -i 's|^exports.check = .*|exports.check = () => { return;|' "$staging/src/node/utils/UpdateCheck.js"
    echo "$VERSION" > "$staging/installed"
    # Another process may have been faster, and may be running it already.
    mkdir -p "$(dirname "$FOLDER")"
    mv -T "$staging" "$FOLDER" 2> /dev/null || [ -e "$FOLDER/installed" ] ||
        { say "cannot put it into $FOLDER, which is not empty"; exit 1; }
    rm -rf "$staging"
    trap - EXIT
}

free_port() {
    node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

# Each run has its own files, so that several can run at once from one installation, and removes them at its end.
write_settings() {
    mkdir "$RUN/var"
    printf tuttitest > "$RUN/APIKEY.txt"
    printf tuttisession > "$RUN/SESSIONKEY.txt"
    # Etherpad limits edits per address, and all our users come from one.
    cat > "$RUN/settings.json" << JSON
{ "title": "Etherpad", "ip": "127.0.0.1", "port": $PORT, "dbType": "dirty", "dbSettings": { "filename": "${PADS:-$RUN/var}/dirty.db" },
  "defaultPadText": "", "loglevel": "WARN", "skinName": "no-skin", "minify": true, "suppressErrorsInPadText": true,
  "commitRateLimiting": { "duration": 1, "points": 100000 },
  "importExportRateLimiting": { "windowMs": 90000, "max": 1000000 } }
JSON
}

answers() {
    (exec 3<> "/dev/tcp/127.0.0.1/$PORT" && printf 'GET /api HTTP/1.0\r\n\r\n' >&3 && grep -q currentVersion <&3) 2> /dev/null
}

# Etherpad packs its scripts for browsers at the first request of each run: five browsers that ask at once would wait for a minute.
pack_scripts() {
    find "$FOLDER/var" -name 'minified_*' -mmin +600 -delete # those of earlier runs
    node -e '
        const packages = ["ace2_common", "ace2_inner", "pad"];
        const ask = async path => (await fetch(process.argv[1] + path)).text();
        ask("/p/packing").then(async page => {
            const version = /require\.define&(?:amp;)?(v=\w+)/.exec(page)[1];
            for (const name of packages)
                await ask(`/javascripts/lib/ep_etherpad-lite/static/js/${name}.js?callback=require.define&${version}`);
        }).catch(error => { console.error(`start.sh: ${error}`); process.exit(1); });' "http://127.0.0.1:$PORT"
}

# However the script ends: stop the server and remove what it wrote.
end() {
    [ -z "${SERVER:-}" ] || kill "$SERVER" 2> /dev/null || true
    [ -z "${SERVER:-}" ] || wait "$SERVER" 2> /dev/null || true
    [ -z "${RUN:-}" ] || rm -rf "$RUN"
}

command -v node > /dev/null && command -v npm > /dev/null || { say "needs node and npm: apt-get install nodejs npm"; exit 2; }
[ -e "$FOLDER/installed" ] || install
FOLDER=$(cd "$FOLDER" && pwd)
[ -z "$PADS" ] || PADS=$(mkdir -p "$PADS" && cd "$PADS" && pwd)
[ "$(cat "$FOLDER/installed")" = "$VERSION" ] || { say "$FOLDER holds another version; remove it"; exit 1; }
[ "$PORT" != 0 ] || PORT=$(free_port)

trap end EXIT
trap 'exit 0' TERM INT
RUN=$(mktemp -d "${TMPDIR:-/tmp}/tutti-etherpad-XXXXXX")
write_settings
cd "$FOLDER"
NODE_ENV=production node src/node/server.js --settings "$RUN/settings.json" --apikey "$RUN/APIKEY.txt" \
    --sessionkey "$RUN/SESSIONKEY.txt" > "$RUN/log" 2>&1 &
SERVER=$!
SECONDS=0
until answers; do
    kill -0 "$SERVER" 2> /dev/null || { say "Etherpad did not start:"; tail -n 20 "$RUN/log" >&2; exit 1; }
    [ "$SECONDS" -lt "$READY_WITHIN_S" ] || { say "Etherpad was not ready after $READY_WITHIN_S s"; exit 1; }
    sleep 0.1
done
pack_scripts
echo "http://127.0.0.1:$PORT"
wait "$SERVER"
