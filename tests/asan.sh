#!/bin/sh
# Runs Rust tests and Python tests with AddressSanitizer, each buffer an allocation of exactly its bytes
# (RUSTORCH_ALLOCATOR=system), so that the byte behind it is nobody's. First two accesses that are wrong, which it must find.
# Arguments: the Python tests; without any, the list below. None of those limits its address space, of which the runtime takes
# terabytes. It needs gcc, whose runtime is loaded into each process.
set -eu
cd "$(dirname "$0")/.."
python=$(pwd)/${PYTHON:-.venv/bin/python}
runtime=$(gcc -print-file-name=libasan.so 2>/dev/null || true)
if [ ! -e "$runtime" ]; then
    echo "AddressSanitizer's runtime is not there: install gcc, with its libasan"
    exit 1
fi
[ $# -gt 0 ] || set -- \
    tests/test_ops.py tests/test_races.py tests/test_foreign_data.py \
    tests/test_bool_bytes.py tests/test_views.py tests/test_views_in_place.py tests/test_view_properties.py \
    tests/test_inplace_overlap.py tests/test_indexing_properties.py tests/test_pooling_properties.py \
    tests/test_scatter_properties.py tests/test_backward_in_threads.py tests/nn/test_attention.py tests/nn/test_conv.py tests/nn/test_pooling.py \
    tests/test_complex.py tests/test_memory.py tests/test_interchange.py

host=$(rustc -vV | sed -n 's/^host: //p')
build=$(pwd)/target/asan
reports=$build/report
# The compiler's sanitizers are unstable options, of the stable compiler too.
export RUSTC_BOOTSTRAP=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only CARGO_INCREMENTAL=0
export RUSTFLAGS="-Zsanitizer=address -Zexternal-clangrt -Clink-arg=-lasan -Cforce-frame-pointers=yes"
export RUSTORCH_ALLOCATOR=system
# A report goes to a file: pytest keeps what a process writes that then ends, and a test may expect a child to fail.
options="allocator_may_return_null=1:log_path=$reports"
# No access becomes another one with less optimisation, and compiling the kernels' loops takes longest.
less="--config profile.dev.package.rustorch-cpu-simd.opt-level=1 --config profile.dev.package.rustorch-simd.opt-level=1"
rust_tests() {
    leaks=$1
    shift
    cargo test --target "$host" --target-dir "$build" $less --config \
        "target.$host.runner = ['env', 'LD_PRELOAD=$runtime', 'ASAN_OPTIONS=$options:detect_leaks=$leaks']" "$@"
}
# What Python itself never frees at its end is no leak of ours.
python_with_asan() {
    LD_PRELOAD=$runtime ASAN_OPTIONS=$options:detect_leaks=0 PYTHONMALLOC=malloc PYTHONPATH=$build/python "$python" "$@"
}
must_be_found() {
    ls "$reports".* >/dev/null 2>&1 || { echo "AddressSanitizer did not find $1"; exit 1; }
    rm -f "$reports".*
}
none_found() {
    if ls "$reports".* >/dev/null 2>&1; then
        cat "$reports".*
        exit 1
    fi
}

mkdir -p "$build"
rm -f "$reports".*
rust_tests 0 --package rustorch-backend --lib -- --ignored fault_a_byte_behind >/dev/null 2>&1 || true
must_be_found "the access in fault_a_byte_behind_a_buffer_is_read"
# One test starts a C compiler, which leaks.
rust_tests 1 --package rustorch-error --package rustorch-algebra --package rustorch-simd --package rustorch-backend \
    --package rustorch-cpu-simd --package rustorch-tensor --package rustorch-nn --package rustorch-model-io --lib -- --skip a_c_compiler_takes_the_text || { none_found; exit 1; }
rust_tests 1 --package rustorch --test autograd || { none_found; exit 1; }
none_found

# Beside the module of `make build`, which stays as it is.
cargo build --target "$host" --target-dir "$build" $less --package rustorch-py
rm -rf "$build/python"
mkdir -p "$build/python"
cp -R python/rustorch "$build/python/"
cp "$build/$host/debug/librustorch_py.so" "$build/python/rustorch/_C.abi3.so"
behind_a_buffer='import ctypes, rustorch; t = rustorch.ones(250); ctypes.string_at(t.data_ptr(), 1001)'
python_with_asan -c "$behind_a_buffer" >/dev/null 2>&1 || true
must_be_found "the access behind a tensor"
# A thread's stack of 256 KiB, as that test wants it, does not hold 128 calls whose frames have red zones.
python_with_asan -m pytest -p no:cacheprovider --deselect \
    tests/test_foreign_data.py::test_a_process_survives_the_deepest_list "$@" || { none_found; exit 1; }
none_found
echo "AddressSanitizer found nothing but what is wrong on purpose"
