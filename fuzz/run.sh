#!/bin/sh
# Runs every fuzz target, or those that are named, for some minutes each:
#
#     [JOBS=N] fuzz/run.sh MINUTES [TARGET...]
#
# JOBS of them run side by side (1 by default). Needs `cargo install cargo-fuzz` and a C++ compiler.
# With a stable compiler the unstable flags of the sanitizer are let through by RUSTC_BOOTSTRAP. New
# inputs go to fuzz/target/corpus, what each target said to fuzz/target/TARGET.log; what fails goes
# to fuzz/artifacts, and then the exit code is not 0.
set -eu
cd "$(dirname "$0")"
minutes=${1:?give the minutes for each target}
shift
[ $# -gt 0 ] || set -- $(cargo fuzz list)
RUSTC_BOOTSTRAP=1 cargo fuzz build
programs=target/$(rustc -vV | sed -n 's/^host: //p')/release

# What one of the shells below does with its target. 1 GB is for the sanitizer's own shadow; no
# reader may take 256 MB at once for 64 kB.
fuzz='
    found=target/corpus/$0 log=target/$0.log words= failed=
    mkdir -p "$found" "corpus/$0" "artifacts/$0"
    [ -f "dictionaries/$0.dict" ] && words=-dict=dictionaries/$0.dict
    "$1/$0" "$found" "corpus/$0" -artifact_prefix="artifacts/$0/" \
        -max_total_time=$(($2 * 60)) -max_len=65536 -timeout=10 \
        -rss_limit_mb=1024 -malloc_limit_mb=256 -print_final_stats=1 $words \
        >"$log" 2>&1 || failed="failed, see fuzz/$log; "
    echo "$0, $2 minutes: $failed$(
        grep -E "^stat::number_of_executed_units|^stat::peak_rss_mb|^SUMMARY|panicked at" "$log" |
            tr -s " \n" " "
    )"
    [ -z "$failed" ]
'
printf '%s\n' "$@" | xargs -P "${JOBS:-1}" -I TARGET sh -c "$fuzz" TARGET "$programs" "$minutes"
