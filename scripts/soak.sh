#!/usr/bin/env bash
# `make soak`: the long forms of the bars in RELIABILITY.md, one after the other, each bounded in time. Prints what goes
# on, goes on after a part that failed, and ends with the figures of all bars. `make soak PARTS="chaos leaders"` runs
# some; HOURS=2 bounds the whole. The figures are collected in target/bars.txt, as those of the quick forms are.
# shellcheck source=scripts/host.sh
source "$(dirname "$0")/host.sh"

export CARGO_TERM_COLOR=never
HOURS=${HOURS:-4}
PARTS=${PARTS:-all}
[ "$PARTS" = all ] || PARTS="build $PARTS"
bars=${CARGO_TARGET_DIR:-$TOP/target}/bars.txt
known=$(wc -l 2>/dev/null <"$bars" || echo 0)
logs=$TOP/target/soak-logs
mkdir -p "$logs"
deadline=$((SECONDS + HOURS * 3600))
summary=()
failed=0

# part NAME MINUTES COMMAND...: runs it for at most so long, if it was asked for and there is time.
part() {
    local name=$1 minutes=$2 began=$SECONDS outcome=ok left
    shift 2
    [ "$PARTS" = all ] || [[ " $PARTS " = *" $name "* ]] || return 0
    left=$(((deadline - SECONDS) / 60))
    if [ "$left" -lt 1 ]; then
        summary+=("$(printf '%-12s       left out: the %s hours are over' "$name" "$HOURS")")
        return 0
    fi
    [ "$minutes" -le "$left" ] || minutes=$left
    say "$name, for at most $minutes minutes: $*"
    if ! timeout --foreground -k 30s "${minutes}m" "$@" > >(tee "$logs/$name.log") 2>&1; then
        outcome=FAILED
        failed=1
    elif [[ "$*" = *"cargo test"* ]] &&
        ! wait_until 5 grep -q 'test result: ok\. [1-9]' "$logs/$name.log"; then
        outcome='FAILED: no test was run'
        failed=1
    fi
    summary+=("$(printf '%-12s %5d s  %s' "$name" "$((SECONDS - began))" "$outcome")")
    say "${summary[-1]}"
}

# tests FILTER: those of the one test binary.
tests() { printf 'cargo test --profile ci --workspace --test all %s -- --nocapture' "$1"; }

part build 40 scripts/build.sh
# shellcheck disable=SC2046 # the words of a command
{
    part chaos 75 env CHAOS_NEMESES=all CHAOS_SECONDS="${CHAOS_SECONDS:-600}" $(tests chaos::linearizable)
    part seeds 90 env SEEDS="${SEEDS:-1..6000}" $(tests simulation::)
    part leaders 15 env LEADER_KILLS="${LEADER_KILLS:-50}" $(tests chaos::leader_kill)
    part members 30 env MEMBERSHIP_ROUNDS="${MEMBERSHIP_ROUNDS:-20}" \
        BACKUP_ALLOCATIONS="${BACKUP_ALLOCATIONS:-10000}" $(tests members::)
    part disks 40 env FSYNC_FAULTS="${FSYNC_FAULTS:-200}" $(tests end_to_end::storage)
}
part storage 30 env POWER_SEEDS="${POWER_SEEDS:-60}" POWER_CLUSTERS="${POWER_CLUSTERS:-1000}" \
    ROT_DAMAGES="${ROT_DAMAGES:-20000}" cargo test --profile ci --workspace --lib raft:: -- --nocapture
part reference 30 env REFERENCE_OPERATIONS="${REFERENCE_OPERATIONS:-1000000}" \
    cargo test --profile ci --workspace --test reference -- --nocapture
# Last, because everything is compiled anew with them.
part bugs 40 make old-bugs

printf '\n=== parts\n'
printf '%s\n' "${summary[@]}"
printf '\n=== bars\n'
tail -n "+$((known + 1))" "$bars" 2>/dev/null || true
exit "$failed"
