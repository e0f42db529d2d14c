#!/bin/sh
# Runs a command on oclgrind, a simulated OpenCL device, and fails when it reports a race or an access out of bounds.
# Debian's package: oclgrind.
set -eu
library=/usr/lib/oclgrind/liboclgrind-rt-icd.so
if [ ! -e "$library" ]; then
    echo "skipped: there is no oclgrind (Debian: oclgrind, ocl-icd-libopencl1)"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "$library" > "$folder/oclgrind.icd"
# Its wrapper would load PoCL as well. LLVM's `freeze`, which optimised code has, is unknown to it.
export OCL_ICD_VENDORS="$folder" RUSTORCH_OPENCL_OPTIONS=-cl-opt-disable RUSTORCH_CACHE_DIR=
export OCLGRIND_DATA_RACES=1 OCLGRIND_LOG="$folder/log" RUST_MIN_STACK=268435456
"$@"
if [ -s "$folder/log" ]; then
    cat "$folder/log"
    exit 1
fi
