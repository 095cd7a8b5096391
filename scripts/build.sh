#!/usr/bin/env bash
# Builds the binary in profile `ci`, web UI included, and links ./sched to it (by way of scripts/sched).
# shellcheck source=scripts/host.sh
source "$(dirname "$0")/host.sh"

scripts/ui.sh
if [ ! -x "$TARGET/sched" ]; then
    say "building sched: the first time takes about 15 minutes on 2 cores, later builds take seconds"
fi
# Of the whole workspace, so that dependencies get the features that the tests need and are compiled once for both.
cargo build --profile ci --workspace --bin sched
ln -sfn scripts/sched sched
