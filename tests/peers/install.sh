#!/bin/sh
# Installs the servers that the end-to-end tests talk to, where that is allowed: Debian packages where we
# are root or sudo asks no password, the npm package where npm is. What stays missing makes its tests skip
# with a reason on a developer's machine, and fail where CI is set.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

missing=""
if command -v dpkg-query >/dev/null; then
    for package in $(grep -v '^#' "$here/packages.txt"); do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
    done
else
    echo "peers: this is not Debian; install the counterparts of tests/peers/packages.txt by hand" >&2
fi

if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then
        sudo=""
    elif sudo -n true 2>/dev/null; then
        sudo="sudo -n"
    else
        sudo=none
    fi
    if [ "$sudo" = none ]; then
        echo "peers: missing, and no right to install:$missing" >&2
        echo "peers: the tests that need them are skipped; to run them: sudo apt-get install --no-install-recommends$missing" >&2
    else
        echo "peers: installing$missing"
        $sudo apt-get update -qq
        # shellcheck disable=SC2086  # a list of names
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    fi
fi

if [ ! "$here/node_modules/.package-lock.json" -nt "$here/package-lock.json" ]; then
    if command -v npm >/dev/null; then
        echo "peers: installing node-media-server"
        (cd "$here" && npm ci --no-audit --no-fund --silent && touch node_modules/.package-lock.json)
    else
        echo "peers: npm is missing; the RTMPS tests are skipped" >&2
    fi
fi
