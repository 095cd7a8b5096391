#!/usr/bin/env bash
# The web UI's tests: `unit` runs the types and the pure parts; `browser` drives Chromium against a cluster of its own,
# beside a demo that may be running: other name, state, addresses and ports.
# shellcheck source=scripts/host.sh
source "$(dirname "$0")/host.sh"

case ${1:-} in
    unit)
        cd server/ui
        npm run check
        npm test
        ;;
    browser)
        export CLUSTER=ui STATE=$TOP/.ui-test NET=8 PORTS=+3000
        # First whatever a run left behind that was cut off.
        scripts/demo-down.sh
        trap '"$TOP/scripts/demo-down.sh"' EXIT
        scripts/ports.sh
        scripts/cluster-up.sh
        SCHED_ADDR=$(cat "$STATE/addresses")
        export SCHED_ADDR UI_URL=${SCHED_ADDR%%,*} SCHED=$TARGET/sched JOBSPEC=$TOP/jobspecs/basket.hcl
        export HOOK_KILL_NODE="$TOP/scripts/demo-kill.sh \"\$1\"" HOOK_START_NODE="$TOP/scripts/demo-start.sh \"\$1\""
        export SCREENSHOT_DIR=$TOP/target/screenshots
        mkdir -p "$SCREENSHOT_DIR"
        # Company for the job that the test runs, so that the pages show more than one.
        for company in system pod; do "$SCHED" job run "jobspecs/$company.hcl"; done
        cd tests/e2e/ui
        npm ci --no-audit --no-fund --loglevel=error
        npm test
        ;;
    *) die "say which: test-ui.sh unit | browser" ;;
esac
