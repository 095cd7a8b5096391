# shellcheck shell=bash
# Sourced by the other scripts: where the checkout is, how to speak to the user, how to become root, how to call Docker.
# Does nothing by itself.

set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$TOP"
# shellcheck disable=SC2034 # for those who source this
TARGET=${CARGO_TARGET_DIR:-$TOP/target}/ci

say() { printf '==> %s\n' "$*"; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

# Only apt, dockerd, the agents and what they leave behind need root; everything else runs as the user.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        die "root is needed for: $* (run as root, or install sudo)"
    fi
}

# Docker as the user where the socket is his, as root otherwise. Decided once per script.
engine() {
    if [ -z "${ENGINE_AS:-}" ]; then
        ENGINE_AS=user
        docker info >/dev/null 2>&1 || ENGINE_AS=root
    fi
    if [ "$ENGINE_AS" = user ]; then docker "$@"; else as_root docker "$@"; fi
}

engine_answers() {
    have docker || return 1
    docker info >/dev/null 2>&1 && return 0
    [ "$(id -u)" != 0 ] && have sudo && sudo docker info >/dev/null 2>&1
}

# wait_until SECONDS COMMAND...: polls until the command succeeds; fails when the time is over.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}
