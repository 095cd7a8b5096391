#!/usr/bin/env bash
# `make demo-down`: stops the demo's processes, removes the containers that bear its label, then its data. Works on
# whatever is left of a demo, also when its state is gone; touches nothing else.
# shellcheck source=scripts/cluster.sh
source "$(dirname "$0")/cluster.sh"

# Prints "pid name" for every process of this cluster, found by what it is rather than by pid files, which may be lost.
running() {
    local file pid name
    for file in $(grep -slx sched /proc/[0-9]*/comm || true); do
        pid=${file//[!0-9]/}
        for name in "${AGENTS[@]}" "${SERVERS[@]}"; do
            if is_ours "$pid" "$name"; then echo "$pid $name"; fi
        done
    done
}

signal_all() {
    running | while read -r pid name; do send_signal "$1" "$name" "$pid"; done
}

none_running() { [ -z "$(running)" ]; }

if ! none_running; then
    say "stopping $(running | cut -d ' ' -f 2 | sort | xargs)"
    signal_all TERM
    if ! wait_until 10 none_running; then
        say "some did not stop within 10 s: killing them"
        signal_all KILL
        wait_until 5 none_running || die "still running: $(running | tr '\n' ' ')"
    fi
fi

if engine_answers; then
    containers=$(engine ps -aq --filter "label=sched.cluster_name=$CLUSTER")
    if [ -n "$containers" ]; then
        say "removing the containers of cluster $CLUSTER: $(echo "$containers" | wc -l)"
        # shellcheck disable=SC2086 # one id per word
        engine rm -f -v $containers >/dev/null
    fi
else
    say "Docker does not run: if it holds containers of cluster $CLUSTER, start it and repeat this"
fi

if [ -e "$STATE" ]; then
    say "removing ${STATE#"$TOP"/}"
    as_root rm -rf "$STATE"
fi
say "cluster $CLUSTER is down"
