#!/usr/bin/env bash
# Makes a Debian machine ready for `make demo` (argument `demo`) or `make test` (argument `test`): checks what the user
# brings, installs what is missing, starts Docker. Changes nothing where everything is there already.
# shellcheck source=scripts/host.sh
source "$(dirname "$0")/host.sh"
purpose=${1:-demo}

NODE_MAJOR_MIN=18
DOCKERD_LOG=/var/log/dockerd.log

# What we do not install, because everybody has his own way to.
check_tools() {
    local minimum found tool
    minimum=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
    have cargo || die "Rust is missing: this needs Rust $minimum or newer, see rust-lang.org/tools/install"
    found=$(rustc --version | cut -d ' ' -f 2)
    printf '%s\n%s\n' "$minimum" "$found" | sort -V -C ||
        die "Rust $found is too old: this needs Rust $minimum or newer (with rustup: rustup update stable)"
    for tool in git curl make gcc; do
        have "$tool" || die "$tool is missing (on Debian: apt-get install $tool)"
    done
    if [ "$purpose" = test ]; then
        cargo fmt --version >/dev/null 2>&1 || die "rustfmt is missing (with rustup: rustup component add rustfmt)"
        cargo clippy --version >/dev/null 2>&1 || die "clippy is missing (with rustup: rustup component add clippy)"
    fi
}

node_is_new_enough() {
    have node && [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -ge "$NODE_MAJOR_MIN" ]
}

is_static() { [ -x "$1" ] && ! ldd "$1" >/dev/null 2>&1; }

install_packages() {
    local packages=()
    if ! have docker || ! have dockerd; then packages+=(docker.io); fi
    node_is_new_enough || packages+=(nodejs)
    have npm || packages+=(npm)
    have ss || packages+=(iproute2)
    have dig || packages+=(bind9-dnsutils)
    if [ "$purpose" = test ]; then
        have chromium || packages+=(chromium)
        # The chaos tests cut servers off from each other.
        have iptables || packages+=(iptables)
        # Makes system calls fail for the tests of what disks do.
        have strace || packages+=(strace)
        # The tests of the Docker driver make their image of it.
        is_static /bin/busybox || packages+=(busybox-static)
    fi
    [ ${#packages[@]} -gt 0 ] || return 0
    have apt-get || die "missing: ${packages[*]} (there is no apt-get here: install them your way and start again)"
    say "installing with apt-get, as root: ${packages[*]}"
    as_root apt-get update -qq
    # Without systemd the package's own init script would start dockerd without live-restore; RUNLEVEL=1 holds it back.
    local hold=()
    [ -d /run/systemd/system ] || hold=(RUNLEVEL=1)
    as_root env DEBIAN_FRONTEND=noninteractive "${hold[@]}" \
        apt-get install -y -qq --no-install-recommends "${packages[@]}"
    hash -r
    node_is_new_enough || die "Node.js $(node --version) is too old and apt has none newer: install $NODE_MAJOR_MIN or newer"
}

start_docker() {
    if engine_answers; then return; fi
    if [ -d /run/systemd/system ]; then
        say "starting Docker through systemd, as root"
        as_root systemctl start docker
        wait_until 60 engine_answers || die "Docker does not answer after 60 s: see journalctl -u docker"
        return
    fi
    say "starting dockerd in the background, as root, with live-restore; its log: $DOCKERD_LOG"
    # Should sudo ask for a password, then here and not behind the user's back.
    as_root true
    # The starter lives as long as dockerd. It must not hold our output: whoever reads that to its end would wait for ever.
    as_root sh -c "PATH=\$PATH:/usr/sbin:/sbin; exec setsid dockerd --live-restore >>$DOCKERD_LOG 2>&1" \
        </dev/null >/dev/null 2>&1 &
    local starter=$!
    disown "$starter"
    dockerd_failed() { ! kill -0 "$starter" 2>/dev/null; }
    answers_or_failed() { engine_answers || dockerd_failed; }
    wait_until 60 answers_or_failed || true
    engine_answers && return
    as_root tail -n 15 "$DOCKERD_LOG" >&2
    die "dockerd did not come up; the end of $DOCKERD_LOG is above"
}

check_tools
install_packages
start_docker
say "ready: $(rustc --version | cut -d ' ' -f 1-2), Docker $(engine version -f '{{.Server.Version}}'), Node $(node --version)"
