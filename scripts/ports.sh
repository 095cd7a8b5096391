#!/usr/bin/env bash
# Says who holds a port that the cluster's servers need, and fails then; before anything is built or started.
# shellcheck source=scripts/cluster.sh
source "$(dirname "$0")/cluster.sh"

# Whoever listens on one of our addresses, or on all, would make a server fail with a riddle. A server that runs
# already holds its ports itself.
check_ports() {
    local name address port owner taken=0
    for name in "${SERVERS[@]}"; do
        ! pid_of "$name" >/dev/null || continue
        address=$(address "$name")
        for port in "$HTTP/tcp" "$RPC/tcp" "$DNS/tcp" "$DNS/udp"; do
            owner=$(owner_of "$address" "${port%/*}" "${port#*/}")
            [ -n "$owner" ] || continue
            printf 'port %s on %s is taken by %s\n' "$port" "$address" "$owner" >&2
            taken=1
        done
    done
    [ "$taken" = 0 ] || die "stop what is named above, or shift all ports: make demo PORTS=+1000"
}

# owner_of ADDRESS PORT PROTOCOL: who listens there, as "name (pid 7)"; nothing when it is free.
owner_of() {
    as_root ss -Hln "--$3" -p "sport = :$2" | awk -v address="$1" -v port="$2" '
        { local_end = $4; sub(/%[^:]*/, "", local_end) }
        local_end == address ":" port || local_end == "0.0.0.0:" port || local_end == "*:" port || local_end == "[::]:" port {
            if (match($0, /users:\(\("[^"]*",pid=[0-9]+/)) {
                split(substr($0, RSTART + 9, RLENGTH - 9), part, /",pid=/)
                print part[1] " (pid " part[2] ")"
            } else print "a process that does not show its name"
            exit
        }'
}

if [ -n "$PORTS" ] && [ $((PORTS)) -ne $((PORTS_SHIFT)) ]; then
    die "the demo was started with PORTS=$PORTS_SHIFT: make demo-down first, or leave PORTS away"
fi
check_ports
