#!/usr/bin/env bash
# Starts what does not run of the cluster's three servers and three agents, and waits until all are ready. Runs no job.
# shellcheck source=scripts/cluster.sh
source "$(dirname "$0")/cluster.sh"

mkdir -p "$STATE"
printf '%+d\n' "$((PORTS_SHIFT))" >"$STATE/ports"
addresses >"$STATE/addresses"
bootstrap_cluster
for name in "${SERVERS[@]}" "${AGENTS[@]}"; do write_config "$name"; done
say "servers ${SERVERS[*]} on $(address s1) to $(address s3), agents ${AGENTS[*]} on $(address n1) to $(address n3)"
for name in "${SERVERS[@]}"; do start_process "$name"; done
wait_until 30 has_leader || fail_with_log s1 "the servers elected no leader within 30 s"
for name in "${AGENTS[@]}"; do start_process "$name"; done
for name in "${SERVERS[@]}"; do
    wait_until 30 server_answers "$name" || fail_with_log "$name" "server $name does not answer"
done
for name in "${AGENTS[@]}"; do
    wait_until 30 agent_is_ready "$name" || fail_with_log "$name" "agent $name is not ready"
done
