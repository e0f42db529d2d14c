#!/bin/sh
# Runs the kernel tests' small launches on oclgrind, a simulated OpenCL device, and fails when it reports a race or an
# access out of bounds. First two kernels that are wrong, in which it must find just that.
# Arguments: the command that runs the kernel tests. Debian's package: oclgrind; RUSTORCH_REQUIRE_DEVICE=1 fails without it.
set -eu
library=/usr/lib/oclgrind/liboclgrind-rt-icd.so
if [ ! -e "$library" ]; then
    echo "there is no oclgrind (Debian: oclgrind, ocl-icd-libopencl1)"
    exit "${RUSTORCH_REQUIRE_DEVICE:-0}"
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "$library" > "$folder/oclgrind.icd"
# Its wrapper would load PoCL as well. LLVM's `freeze`, which optimised code has, is unknown to it.
export OCL_ICD_VENDORS="$folder" RUSTORCH_OPENCL_OPTIONS=-cl-opt-disable RUSTORCH_CACHE_DIR=
export OCLGRIND_DATA_RACES=1 OCLGRIND_LOG="$folder/log" RUST_MIN_STACK=268435456

for fault in race:"Read-write data race" bounds:"Invalid write" none:; do
    rm -f "$folder/log"
    "$@" -- --ignored --test-threads 1 "fault_${fault%%:*}" > "$folder/output" 2>&1 || { cat "$folder/output"; exit 1; }
    words=${fault#*:}
    if [ -n "$words" ]; then
        grep -q "$words" "$folder/log" || { echo "oclgrind did not find the fault '${fault%%:*}'"; exit 1; }
    elif [ -s "$folder/log" ]; then
        echo "oclgrind found a fault where there is none"; cat "$folder/log"; exit 1
    fi
done
echo "oclgrind finds a race and an access out of bounds where there are some"

rm -f "$folder/log"
"$@" -- --ignored --test-threads 1 small:: atomic_additions || { cat "$folder/log" 2>/dev/null; exit 1; }
if [ -s "$folder/log" ]; then
    cat "$folder/log"
    exit 1
fi
