#!/bin/sh
# Runs the tests of the thread pool, of the kernels that it runs, of the allocator and of backward passes in several threads
# with ThreadSanitizer, the standard library compiled along so that its locks are seen. First two races, which it must find.
set -eu
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/^host: //p')
runtime=$(ls "$(rustc --print sysroot)/lib/rustlib/$host/lib/"librustc*_rt.tsan.a 2>/dev/null || true)
source_rustc=${SOURCE_RUSTC:-/usr/bin/rustc}
if [ ! -d "$("$source_rustc" --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library" ]; then
    echo "ThreadSanitizer needs the source of the standard library: $source_rustc has none (Debian: rustc-web, rust-web-src)"
    exit 1
fi
if [ -z "$runtime" ]; then
    echo "ThreadSanitizer's runtime is not there: install the compiler with rustup, which brings it along"
    exit 1
fi

build=$(pwd)/target/tsan
# The compiler's sanitizers are unstable options, of a stable compiler too. The runtime stands before the C library, some of
# whose functions the linker takes only for what came before it.
export RUSTC_BOOTSTRAP=1 RUSTC="$source_rustc" CARGO_PROFILE_DEV_DEBUG=line-tables-only CARGO_INCREMENTAL=0
export RUSTFLAGS="-Zsanitizer=thread -Zexternal-clangrt -Cforce-frame-pointers=yes \
    -Zpre-link-arg=-Wl,--whole-archive -Zpre-link-arg=$runtime -Zpre-link-arg=-Wl,--no-whole-archive"
# Tests fork, and their children compute.
export TSAN_OPTIONS="die_after_fork=0:halt_on_error=0:exitcode=66"
# Helpers also where there are few processors. Of the levels, the one without vectors, whose masked and streaming accesses
# are not watched.
export RUSTORCH_NUM_THREADS=4 RUSTORCH_SIMD=fallback
# Races do not depend on how the kernels' loops are optimised, and compiling those takes longest.
tests() {
    cargo test --target "$host" --target-dir "$build" -Zbuild-std \
        --config profile.dev.package.rustorch-cpu-simd.opt-level=1 --config profile.dev.package.rustorch-simd.opt-level=1 "$@"
}
must_be_found() {
    name=$1
    shift
    if tests "$@" -- --ignored "$name" > "$build/fault" 2>&1 || ! grep -q "ThreadSanitizer: data race" "$build/fault"; then
        cat "$build/fault"
        echo "ThreadSanitizer did not find the race in $name"
        exit 1
    fi
}

mkdir -p "$build"
must_be_found fault_ranges_write_to_one_place --package rustorch-cpu-simd --lib
must_be_found fault_two_threads_write_to_one_tensor --package rustorch --test autograd
tests --package rustorch-backend --lib memory
# One test at a time, so that each has the pool.
tests --package rustorch-cpu-simd --lib -- --test-threads=1 threads kernels
tests --package rustorch --test autograd
echo "ThreadSanitizer found nothing but what is wrong on purpose"
