#!/usr/bin/env bash
# `make demo-kill NODE=n2`: the loss of a host, as near as one machine can play it. Kills the agent with -9, then every
# container of its node. NODE=s1 kills a server with -9.
# shellcheck source=scripts/cluster.sh
source "$(dirname "$0")/cluster.sh"
name=${1:-}
address "$name" >/dev/null

gone() { ! pid_of "$name" >/dev/null; }

if pid=$(pid_of "$name"); then
    say "kill -9 $pid ($name)"
    send_signal KILL "$name" "$pid"
    wait_until 5 gone || die "$name (pid $pid) survived kill -9"
elif [ -z "$(engine ps -aq --filter "label=sched.cluster_name=$CLUSTER" --filter "label=sched.node_name=$name")" ]; then
    die "$name does not run, nor any container of it: is the demo up?"
else
    say "$name does not run"
fi
case $name in
    s*)
        say "lost $name; the others go on, and every command finds them"
        exit 0
        ;;
esac

containers=$(engine ps -aq --filter "label=sched.cluster_name=$CLUSTER" --filter "label=sched.node_name=$name")
if [ -n "$containers" ]; then
    say "removing its containers: $(echo "$containers" | wc -l)"
    # shellcheck disable=SC2086 # one id per word
    engine rm -f -v $containers >/dev/null
fi
say "lost $name; its work appears elsewhere within 10 s: ./sched job status basket"
