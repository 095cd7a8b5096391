#!/usr/bin/env bash
# Builds the documentation of our own crates and fails on a warning, such as a link that leads nowhere.
# shellcheck source=scripts/host.sh
source "$(dirname "$0")/host.sh"

# RUSTDOCFLAGS would replace the flags of .cargo/config.toml; --config adds to them.
cargo --config 'build.rustdocflags = ["-D", "warnings"]' doc --profile ci --workspace --no-deps --document-private-items
