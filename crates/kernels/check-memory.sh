#!/usr/bin/env bash
# The kernels' tests under AddressSanitizer, with every instruction set that this CPU has: no read or
# write outside of what was allocated. With `valgrind`, which must be installed and knows no AVX-512:
# nor use of what was never written. (Miri knows too few of the instructions.)
#
#     crates/kernels/check-memory.sh [valgrind]
set -euo pipefail
cd "$(dirname "$0")/../.."
if [[ ${1:-address} == valgrind ]]; then
    host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    export "CARGO_TARGET_${host}_RUNNER=valgrind --quiet --error-exitcode=1" PROPTEST_CASES=12
    cargo test --package kernels --lib -- --test-threads=1
else
    # An unstable option of the stable compiler; naming the target keeps build scripts out of it.
    export RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address
    host=$(rustc -vV | sed -n 's/^host: //p')
    cargo test --package kernels --lib --target "$host" --target-dir target/sanitized
fi
