#!/usr/bin/env bash
# Feeds mutated jobspecs to the parser for so many seconds (argument, default 600), guided by coverage. It begins with
# the jobspecs that we have and with jobspecs/fuzz/corpus, where what once broke it is kept. A text that breaks it is left
# in jobspecs/fuzz/found; texts that reach new code are gathered in target/fuzz/corpus for the next time.
# shellcheck source=scripts/host.sh
source "$(dirname "$0")/host.sh"

SEEDS=(jobspecs/tests/good jobspecs/tests/wrong jobspecs/tests/corpus jobspecs)
TARGET=x86_64-unknown-linux-gnu
GATHERED=target/fuzz/corpus
KEPT=jobspecs/fuzz/corpus
FOUND=jobspecs/fuzz/found

# What cargo-fuzz passes for libFuzzer without a sanitizer, which needs no nightly compiler. The flags are for the
# target only, so that build scripts and macros are left alone.
COVERAGE="-Cpasses=sancov-module -Ccodegen-units=1 -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing --cfg tokio_unstable"

say "building the fuzz target"
RUSTFLAGS="$COVERAGE" cargo build --quiet --release --manifest-path jobspecs/fuzz/Cargo.toml --target "$TARGET" \
    --target-dir target/fuzz
fuzz=target/fuzz/$TARGET/release/jobspecs-fuzz
mkdir -p "$GATHERED" "$KEPT" "$FOUND"
options=(-timeout=2 -rss_limit_mb=4096 -max_len=65536 "-dict=jobspecs/fuzz/words.dict" "-artifact_prefix=$FOUND/")

for folder in "${SEEDS[@]}"; do
    [ -d "$folder" ] || continue
    find "$folder" -maxdepth 1 -name '*.hcl' -exec cp -t "$GATHERED" {} +
done
seconds=${1:-600}
say "fuzzing for $seconds s; what breaks it is put into $FOUND"
"$fuzz" -max_total_time="$seconds" "${options[@]}" "$GATHERED" "$KEPT"
say "clean: nothing broke it in $seconds s"
