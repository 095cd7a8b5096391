#!/usr/bin/env bash
# `make demo-start NODE=n2`: starts an agent or a server of the demo again, and waits until the cluster has it back.
# shellcheck source=scripts/cluster.sh
source "$(dirname "$0")/cluster.sh"
name=${1:-}
address "$name" >/dev/null
[ -f "$STATE/$name.hcl" ] || die "there is no demo to start $name in (make demo)"

start_process "$name"
case $name in
    s*) wait_until 30 server_answers "$name" || fail_with_log "$name" "server $name does not answer" ;;
    n*) wait_until 30 agent_is_ready "$name" || fail_with_log "$name" "agent $name is not ready" ;;
esac
say "$name is back (pid $(pid_of "$name"))"
