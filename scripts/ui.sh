#!/usr/bin/env bash
# Builds the web UI into server/ui/dist, from where the binary embeds it. Skipped when no source has changed since.
# shellcheck source=scripts/host.sh
source "$(dirname "$0")/host.sh"
cd server/ui
stamp=node_modules/.built-from

sources=$(find . \( -name node_modules -o -name dist \) -prune -o -type f -print0 | LC_ALL=C sort -z |
    xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1)
if [ -f dist/index.html ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sources" ]; then exit 0; fi

say "building the web UI with npm (about a minute)"
npm ci --no-audit --no-fund --loglevel=error
npm run build --silent
printf '%s\n' "$sources" >"$stamp"
