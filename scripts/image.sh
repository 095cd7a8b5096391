#!/usr/bin/env bash
# Builds the demo service as one static file and loads it into Docker as `basket:demo`, without any image registry.
# Skipped when the image in Docker was made of the same file.
# shellcheck source=scripts/host.sh
source "$(dirname "$0")/host.sh"

IMAGE=basket:demo
binary=$TARGET/basket

cargo rustc --quiet --profile ci -p basket --bin basket -- -C target-feature=+crt-static
# A file that needs a loader would start here and nowhere else: `FROM scratch` has none.
if ldd "$binary" 2>/dev/null | grep -q '=>'; then die "$binary is not static"; fi

sum=$(sha256sum "$binary" | cut -d ' ' -f 1)
loaded=$(engine image inspect -f '{{index .Config.Labels "sched.demo.binary"}}' "$IMAGE" 2>/dev/null || true)
if [ "$loaded" = "$sum" ]; then exit 0; fi

say "loading the demo image $IMAGE into Docker"
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
cp "$binary" "$context/basket"
cat >"$context/Dockerfile" <<EOF
FROM scratch
COPY basket /basket
USER 65534:65534
EXPOSE 8080
LABEL sched.demo=image sched.demo.binary=$sum
ENTRYPOINT ["/basket"]
EOF
# The classic builder is part of every engine; BuildKit is an extra that Debian's docker.io lacks.
if ! DOCKER_BUILDKIT=0 engine build -q -t "$IMAGE" "$context" >"$context/log" 2>&1; then
    cat "$context/log" >&2
    die "docker build failed"
fi
