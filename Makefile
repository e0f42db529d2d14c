# One command per wish. Needs Rust, Python >= 3.11 and make; everything else goes into .venv and target/.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# `make test PYTEST_ARGS="--device opencl -k matmul"`
PYTEST_ARGS ?=
PROFILE ?= wheel
# A Python that has PyTorch, for `make bench`; by default one is made in .venv-bench.
BENCH_TORCH_PYTHON ?= .venv-bench/bin/python
# The devices for which `make test-cuda-compile` compiles: Volta to Hopper.
CUDA_ARCHITECTURES ?= 70,75,80,86,89,90
# A rustc that has the standard library's source, as Debian's rustc-web and rust-web-src give it.
SOURCE_RUSTC ?= /usr/bin/rustc

# PyO3's build script asks this interpreter; without it, whatever is first on the PATH.
export PYO3_PYTHON = $(abspath $(PY))

.DEFAULT_GOAL := help
.PHONY: help env build demo quick test test-rust test-python test-no-memory soak test-opencl test-kernels test-cuda-compile test-metal-kernels test-asan test-tsan check check-metal check-rust check-python fix codegen ptx bench bench-device wheel docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# One stamp per dependency group of pyproject.toml: `make demo` does not wait for the test tools.
$(VENV)/.installed-%: pyproject.toml
	@test -x $(PY) || $(PYTHON) -c 'import sys; sys.exit("RusTorch needs Python >= 3.11" if sys.version_info < (3, 11) else 0)'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(PY) -m pip install --quiet --group $*
	@touch $@

env: $(VENV)/.installed-dev ## Make .venv with what development needs

# In place: python/rustorch is importable from .venv, of the profile that is shipped; `make build PROFILE=dev` is for the
# time between an edit and a running test: seconds, where that takes minutes.
build: $(VENV)/.installed-build
	$(PY) -m maturin develop --profile $(PROFILE) --quiet

demo: $(VENV)/.installed-demo build ## Train a network on handwritten digits, save it and open it again
	$(PY) examples/digits/train.py --output demo_output
	$(PY) examples/digits/check.py demo_output

# What has changed since the last commit, and the tests that take seconds; with the dev profile.
CHANGED_CRATES = $(shell { git diff --name-only HEAD; git ls-files --others --exclude-standard; } | sed -n 's|^crates/\([^/]*\)/.*|\1|p' | sort -u)
CHANGED_PACKAGES = $(foreach crate,$(CHANGED_CRATES),--package $(if $(filter rustorch xtask,$(crate)),$(crate),rustorch-$(subst _,-,$(crate))))
QUICK_PART := tests/nn tests/test_autograd.py tests/test_creation.py tests/test_einsum.py tests/test_errors.py tests/test_operators.py \
    tests/test_optim.py tests/test_package.py tests/test_printing.py tests/test_promotion.py tests/test_safetensors.py \
    tests/test_schedules.py tests/test_tensor_class.py tests/test_views.py

quick: env ## Format, lint and test what changed, in under two minutes after an edit
	cargo fmt --all
	$(PY) -m ruff format --quiet
	$(PY) -m ruff check
	$(if $(CHANGED_PACKAGES),cargo clippy --quiet $(CHANGED_PACKAGES) --all-targets -- -D warnings)
	$(MAKE) --no-print-directory build PROFILE=dev
	$(PY) -m pytest $(QUICK_PART) $(PYTEST_ARGS)

test: test-rust test-python test-opencl ## Run every test; `make test-kernels` when kernels changed

# Without xtask, the features of every shared dependency are those of maturin's build, so that nothing is compiled twice.
test-rust: $(VENV)/.installed-build $(VENV)/.pocl
	@mkdir -p target/pocl
	$(OPENCL_TESTS) cargo test --release --workspace --exclude xtask
	@if ls /etc/OpenCL/vendors/*.icd >/dev/null 2>&1 || [ "$(RUSTORCH_REQUIRE_DEVICE)" = 1 ]; then \
	    $(OPENCL_TESTS) $(KERNEL_TESTS) -- $(DEVICE_KERNELS); \
	else echo "ignored: the tests of kernels, for there is no OpenCL driver (Debian: pocl-opencl-icd, ocl-icd-libopencl1)"; fi
	cargo test --release --package xtask

test-python: env build
	$(PY) -m pytest $(PYTEST_ARGS)

# A driver for OpenCL where there is none: PoCL, which computes on the processor; and oclgrind, a simulator. Without them,
# and where they can not be installed, the tests that want them say so.
$(VENV)/.pocl:
	@if ! ls /etc/OpenCL/vendors/*.icd >/dev/null 2>&1 && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    for packages in "pocl-opencl-icd ocl-icd-libopencl1" oclgrind; do \
	        (apt-get update && apt-get install --yes --no-install-recommends $$packages) >/dev/null \
	        || echo "$$packages could not be installed"; done; fi
	@mkdir -p $(VENV) && touch $@

# The larger part of the time is the compiler's: without its optimisations it takes a fifth.
OPENCL_TESTS := RUSTORCH_OPENCL_OPTIONS=-cl-opt-disable POCL_CACHE_DIR=$(abspath target/pocl) RUSTORCH_CACHE_DIR=$(abspath target/kernels)
# Where a device must be there, as in continuous integration, 1: what needs one then fails without it.
RUSTORCH_REQUIRE_DEVICE ?= 0
export RUSTORCH_REQUIRE_DEVICE
# What runs on OpenCL in `make test`: what trains, and devices themselves. Everything: `pytest --device opencl`.
OPENCL_PART := tests/test_devices.py tests/test_streams.py tests/test_processes.py tests/test_sharing.py tests/nn/test_networks.py tests/nn/test_answers.py tests/test_optim.py tests/test_autograd.py

test-opencl: env build ## Run a part of the Python tests on an OpenCL device
	@if $(PY) -c 'import sys, rustorch; sys.exit(not rustorch.opencl.is_available())'; then \
	    mkdir -p target/pocl; $(OPENCL_TESTS) $(PY) -m pytest --device opencl $(OPENCL_PART); \
	else echo "there is no OpenCL device (Debian: pocl-opencl-icd, ocl-icd-libopencl1)"; exit $(RUSTORCH_REQUIRE_DEVICE); fi

KERNEL_TESTS := cargo test --release --workspace --exclude xtask --test kernels
# They are ignored unless asked for, because they need a device; those of the faults that a simulator must find stay out.
DEVICE_KERNELS := --ignored --skip fault_

test-no-memory: env build ## Refuse every op its memory, one request after the other
	RUSTORCH_TEST_EACH_SPACE=1 $(PY) -m pytest tests/test_no_memory.py $(PYTEST_ARGS)

# The seed is printed; where none is given, it is drawn. `make soak SOAK_SECONDS=60 SOAK_SEED=1`
SOAK_SECONDS ?= 600
SOAK_SEED ?=

soak: env build ## Call everything with hostile arguments for SOAK_SECONDS (600), with SOAK_SEED
	$(PY) -m tests.soak.hostile_calls --seconds $(SOAK_SECONDS) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

test-kernels: $(VENV)/.installed-build ## Run every kernel under oclgrind, which finds races and accesses out of bounds
	$(KERNEL_TESTS) --no-run
	tests/oclgrind.sh $(KERNEL_TESTS)

NVRTC = $$(echo $(abspath $(VENV))/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12)

test-cuda-compile: $(VENV)/.installed-build ## Compile every kernel for NVIDIA's devices (no GPU is needed)
	@if $(MAKE) --no-print-directory $(VENV)/.installed-cuda-compiler; then \
	    RUSTORCH_NVRTC_LIBRARY=$(NVRTC) \
	    RUSTORCH_TEST_DEVICE=cuda-compile:$(CUDA_ARCHITECTURES) $(KERNEL_TESTS) -- $(DEVICE_KERNELS); \
	else echo "skipped: NVRTC could not be installed"; fi

test-metal-kernels: $(VENV)/.installed-build ## Run every kernel's Metal text on this machine, through a shim of Metal's library
	@if ! command -v g++ >/dev/null; then echo "skipped: there is no g++"; exit; fi; \
	command -v $${CLANG:-clang++} >/dev/null || echo "address spaces are not checked: there is no $${CLANG:-clang++}"; \
	RUSTORCH_CACHE_DIR=$(abspath target/kernels) RUSTORCH_TEST_DEVICE=metal-shim $(KERNEL_TESTS) -- $(DEVICE_KERNELS)

# Python tests for `make test-asan`; without any, those that tests/asan.sh names.
ASAN_TESTS ?=

test-asan: env ## Run tests with AddressSanitizer, each buffer an allocation of its own (`make test-asan ASAN_TESTS=tests/test_ops.py`)
	PYTHON=$(PY) tests/asan.sh $(ASAN_TESTS)

test-tsan: $(VENV)/.installed-build $(VENV)/.rust-source ## Run the tests of threads and of the allocator with ThreadSanitizer
	SOURCE_RUSTC=$(SOURCE_RUSTC) tests/tsan.sh

# ThreadSanitizer has to see the standard library's locks: it is compiled along, from its source.
$(VENV)/.rust-source:
	@if [ ! -x $(SOURCE_RUSTC) ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update && apt-get install --yes --no-install-recommends rustc-web rust-web-src) >/dev/null \
	    || echo "rustc-web, rust-web-src could not be installed"; fi
	@mkdir -p $(VENV) && touch $@

check: check-rust check-python ## Run every check of format, style, types and structure

check-rust: $(VENV)/.installed-build
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- -D warnings
	cargo xtask check

check-metal: ## Check the types of Metal's host code for macOS, on any machine
	@if [ -d "$$($(SOURCE_RUSTC) --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library" ]; then \
	    RUSTC_BOOTSTRAP=1 RUSTC=$(SOURCE_RUSTC) cargo check -Zbuild-std=std,panic_abort --target aarch64-apple-darwin \
	        --target-dir target/apple --package rustorch-metal; \
	else echo "skipped: $(SOURCE_RUSTC) has no source of the standard library (Debian: rustc-web, rust-web-src)"; fi

check-python: env build
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) -m tests.documentation
	MYPYPATH=python $(PY) -m mypy.stubtest rustorch._C --concise --allowlist tests/stubtest_allowlist.txt

fix: env ## Format everything, apply the safe fixes, and list the names of PyTorch's that are missing in the guide
	cargo fmt --all
	$(PY) -m ruff check --fix
	$(PY) -m ruff format
	$(PY) -m tests.pytorch_names

codegen: ## Write the generated files again from crates/backend/ops/
	cargo xtask codegen

ptx: build ## Compile the kernels again that the wheel brings along for CUDA (no GPU is needed)
	$(MAKE) --no-print-directory $(VENV)/.installed-cuda-compiler
	RUSTORCH_NVRTC_LIBRARY=$(NVRTC) $(PY) crates/cuda/ptx/pack.py

wheel: $(VENV)/.installed-build ## Build the wheel into dist/
	rm -rf dist
	$(PY) -m maturin build --profile wheel --quiet --out dist
	@ls -l dist

.venv-bench/bin/python:
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check numpy torch

bench: build wheel | $(BENCH_TORCH_PYTHON) ## Time RusTorch beside PyTorch, and hold it to its limits
	$(PY) benches/compare.py --torch-python $(BENCH_TORCH_PYTHON) --wheel dist

DEVICE ?= cuda
SIZES ?= gpu

bench-device: build | $(BENCH_TORCH_PYTHON) ## Time RusTorch on DEVICE beside PyTorch and CuPy
	$(PY) benches/compare.py --torch-python $(BENCH_TORCH_PYTHON) --device $(DEVICE) --sizes $(SIZES) --markdown bench-$(DEVICE).md

docs: $(VENV)/.installed-build ## Build the Rust API's pages into target/doc; the guide is docs/README.md
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --exclude rustorch-py

clean: ## Remove everything that was built
	cargo clean
	rm -rf $(VENV) .venv-bench dist demo_output python/rustorch/_C*.so
