#!/bin/sh
# Runs every fuzz target, or those that are named, for some minutes each:
#
#     fuzz/run.sh MINUTES [TARGET...]
#
# Needs `cargo install cargo-fuzz` and a C++ compiler. With a stable compiler the unstable flags of
# the sanitizer are let through by RUSTC_BOOTSTRAP. New inputs go to fuzz/target/corpus; what fails
# goes to fuzz/artifacts, and the exit code is 1.
set -eu
cd "$(dirname "$0")"
minutes=${1:?give the minutes for each target}
shift
export RUSTC_BOOTSTRAP=1
targets=${*:-$(cargo fuzz list)}
failed=
for target in $targets; do
    found=target/corpus/$target
    mkdir -p "$found" "corpus/$target"
    words=
    [ -f "dictionaries/$target.dict" ] && words=-dict=dictionaries/$target.dict
    echo "$target: $minutes minutes"
    # 1 GB is for the sanitizer's own shadow; no reader may take 256 MB at once for 64 kB.
    cargo fuzz run "$target" "$found" "corpus/$target" -- \
        -max_total_time=$((minutes * 60)) -max_len=65536 -timeout=10 \
        -rss_limit_mb=1024 -malloc_limit_mb=256 -print_final_stats=1 $words \
        >"target/$target.log" 2>&1 || failed="$failed $target"
    grep -E '^stat::number_of_executed_units|^stat::peak_rss_mb|^SUMMARY|panicked at' \
        "target/$target.log" || true
done
[ -z "$failed" ] || { echo "failed:$failed; see fuzz/target/*.log" >&2; exit 1; }
