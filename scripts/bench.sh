#!/usr/bin/env bash
# `make bench`: builds server and harness in profile release, measures, and keeps the tables in BENCHMARKS.md. With
# BENCH_QUICK=1 it shows in seconds that it works, in profile `ci`, and keeps nothing.
# shellcheck source=scripts/host.sh
source "$(dirname "$0")/host.sh"

profile=release
if [ "${BENCH_QUICK:-0}" != 0 ]; then
    profile=ci
fi
scripts/ui.sh
if [ ! -x "target/$profile/sched" ]; then
    say "building sched in profile $profile: the first time takes about 15 minutes on 2 cores"
fi
cargo build --profile "$profile" --workspace --bin sched --bin core-bench --bench cluster --bench failover --bench jobspecs
core=(--quick)
if [ "$profile" = release ]; then
    cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
    note="Measured $(date -u '+%Y-%m-%d %H:%M') UTC, commit $(git rev-parse --short HEAD), on one of $(nproc) cores of $cpu."
    core=(--note "$note" --keep BENCHMARKS.md)
fi
"target/$profile/core-bench" place "${core[@]}"
"target/$profile/core-bench" recover "${core[@]}"
exec cargo bench --profile "$profile" --workspace --bench jobspecs --bench failover --bench cluster
