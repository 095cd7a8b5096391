#!/usr/bin/env bash
# `make test` and CI: installs what is missing, builds once in profile `ci`, then runs every check and every test. `make
# e2e` gives the argument `e2e`: only the tests of whole clusters of processes, with real Docker and a real browser.
# Goes on after a failed phase; fails at the end if any failed.
# shellcheck source=scripts/host.sh
source "$(dirname "$0")/host.sh"

export CARGO_TERM_COLOR=never
LOGS=$TOP/target/test-logs
mkdir -p "$LOGS"
rm -f "$LOGS"/*.log
# Minutes. A phase that hangs fails, so that the others are still run and somebody learns which one it was.
PHASE_MINUTES_MAX=40
summary=()
failed=0

# phase NAME COMMAND...: runs it, keeps its output, remembers how long it took and how it ended.
phase() {
    local name=$1 began=$SECONDS outcome=ok
    shift
    printf '\n=== %s: %s\n' "$name" "$*"
    # Not a pipe, whose reader would wait for whatever the phase leaves behind.
    if ! timeout --foreground -k 30s "${PHASE_MINUTES_MAX}m" "$@" > >(tee "$LOGS/$name.log") 2>&1; then
        outcome=FAILED
        failed=1
    fi
    summary+=("$(printf '%-12s %5d s  %s' "$name" "$((SECONDS - began))" "$outcome")")
    printf '=== %s\n' "${summary[-1]}"
    [ "$outcome" = ok ]
}

# Without these there is nothing to test.
must() {
    phase "$@" || { print_summary; exit 1; }
}

# Sums cargo's and node's own closing lines.
print_summary() {
    printf '\n=== phases\n'
    printf '%s\n' "${summary[@]}"
    cat "$LOGS"/*.log | awk '
        /^test result: / { passed += $4; failed += $6 }
        /^(#|ℹ) pass [0-9]+$/ { passed += $3 }
        /^(#|ℹ) fail [0-9]+$/ { failed += $3 }
        END { printf "%d passed, %d failed\n", passed, failed }'
}

must setup scripts/setup.sh test
phase fmt cargo fmt --all -- --check || true
must build scripts/build.sh
must image scripts/image.sh
if [ "${1:-}" = e2e ]; then
    phase end-to-end cargo test --profile ci --workspace --test all end_to_end:: || true
else
    phase clippy cargo clippy --profile ci --workspace --all-targets -- -D warnings || true
    phase docs scripts/docs.sh || true
    phase test cargo test --profile ci --workspace --no-fail-fast || true
    phase ui-unit scripts/test-ui.sh unit || true
fi
phase ui-browser scripts/test-ui.sh browser || true
print_summary
exit "$failed"
