#!/bin/sh
# Runs the browser test against the make-believe cluster of server/ui/dev. The UI must be built (npm run build there).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dev=$here/../../../server/ui/dev
export PORT="${PORT:-4681}"
export UI_URL="http://127.0.0.1:$PORT" SCHED="$dev/fixture-sched.mjs" JOBSPEC="$dev/basket.hcl"
# shellcheck disable=SC2016 # $1 is for the hook's own shell.
export HOOK_KILL_NODE='curl -sf -X POST "$UI_URL/fixture/kill/$1"'
# shellcheck disable=SC2016
export HOOK_START_NODE='curl -sf -X POST "$UI_URL/fixture/start/$1"'
node "$dev/fixture-server.mjs" &
server=$!
trap 'kill $server' EXIT
until curl -sf "$UI_URL/v1/jobs" > /dev/null; do kill -0 $server && sleep 0.1; done
cd "$here" && npm test
