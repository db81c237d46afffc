#!/bin/bash
# Starts a real Etherpad for the examples of this folder: installs it into FOLDER (once, from npm), runs it until it is told to end.
#
#   examples/etherpad/start.sh [FOLDER [PORT]]
#
# FOLDER is by default ~/.cache/tutti/etherpad; PORT 0, the default, is one that is free. Prints the address as soon as it answers.
# The key of its HTTP API is "tuttitest": it is for tests, and listens on loopback only.
set -euo pipefail

VERSION=1.8.14
FOLDER=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/tutti/etherpad}
PORT=${2:-0}
READY_WITHIN_S=60

say() { echo "start.sh: $*" >&2; }

# Etherpad insists on its own code in a folder called src, with src/node_modules beside no link; its loader of plug-ins runs "npm ls"
# above that, which chokes on a lock file of a newer npm. Its optional database driver would be built from source: not needed.
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
    # It would ask its makers for a newer version.
    sed -i 's|^exports.check = .*|exports.check = () => { return;|' "$staging/src/node/utils/UpdateCheck.js"
    echo "$VERSION" > "$staging/installed"
    # Somebody else may have been faster, and runs it already.
    mkdir -p "$(dirname "$FOLDER")"
    mv -T "$staging" "$FOLDER" 2> /dev/null || [ -e "$FOLDER/installed" ] ||
        { say "cannot put it into $FOLDER, which is not empty"; exit 1; }
    rm -rf "$staging"
    trap - EXIT
}

free_port() {
    node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

# What one run writes is its own, so that several may run at once from one installation, and goes with it.
write_settings() {
    mkdir "$RUN/var"
    printf tuttitest > "$RUN/APIKEY.txt"
    printf tuttisession > "$RUN/SESSIONKEY.txt"
    # Its limit of edits counts by address, and all our users come from one.
    cat > "$RUN/settings.json" << JSON
{ "title": "Etherpad", "ip": "127.0.0.1", "port": $PORT, "dbType": "dirty", "dbSettings": { "filename": "$RUN/var/dirty.db" },
  "defaultPadText": "", "loglevel": "WARN", "skinName": "no-skin", "minify": true, "suppressErrorsInPadText": true,
  "commitRateLimiting": { "duration": 1, "points": 100000 },
  "importExportRateLimiting": { "windowMs": 90000, "max": 1000000 } }
JSON
}

answers() {
    (exec 3<> "/dev/tcp/127.0.0.1/$PORT" && printf 'GET /api HTTP/1.0\r\n\r\n' >&3 && grep -q currentVersion <&3) 2> /dev/null
}

# It packs its scripts for browsers when the first one asks, anew for each run: five that ask at once would wait for a minute.
pack_scripts() {
    find "$FOLDER/var" -name 'minified_*' -mmin +600 -delete # those of former runs
    node -e '
        const packages = ["ace2_common", "ace2_inner", "pad"];
        const ask = async path => (await fetch(process.argv[1] + path)).text();
        ask("/p/packing").then(async page => {
            const version = /require\.define&(?:amp;)?(v=\w+)/.exec(page)[1];
            for (const name of packages)
                await ask(`/javascripts/lib/ep_etherpad-lite/static/js/${name}.js?callback=require.define&${version}`);
        }).catch(error => { console.error(`start.sh: ${error}`); process.exit(1); });' "http://127.0.0.1:$PORT"
}

# Whatever the end: the server goes, and what it wrote.
end() {
    [ -z "${SERVER:-}" ] || kill "$SERVER" 2> /dev/null || true
    [ -z "${SERVER:-}" ] || wait "$SERVER" 2> /dev/null || true
    [ -z "${RUN:-}" ] || rm -rf "$RUN"
}

command -v node > /dev/null && command -v npm > /dev/null || { say "needs node and npm: apt-get install nodejs npm"; exit 2; }
[ -e "$FOLDER/installed" ] || install
FOLDER=$(cd "$FOLDER" && pwd)
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
