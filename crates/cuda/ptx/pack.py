"""Compiles the kernels that networks need to PTX, and packs it for the wheel: python pack.py [--check].

The texts are those that `programs.py` meets on a driver and a compiler that only pretend (`tests/driver/*.c`). NVRTC
12.4 makes PTX 8.4 of them, so that drivers from CUDA 12.4 on take it, for compute capability 7.0, the oldest that is
supported: the driver of every newer device compiles it for itself. What the file has already is not compiled again.

kernels.ptx.zst: the number of kernels and of frames; for each kernel, ascending, the FNV-1a hash of its text, its
frame, and where it lies in that; for each frame its length; then the frames, compressed one by one. Numbers are
little-endian.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
PACK = HERE / "kernels.ptx.zst"
OPTIONS = (b"--gpu-architecture=compute_70", b"--fmad=false", b"--disable-warnings")  # as nvrtc.rs
FRAME = 1 << 20  # bytes of PTX that are decompressed to get at one


def stand_in(folder: Path, name: str) -> str:
    """A library that pretends, compiled."""
    library = folder / f"{name}.so"
    source = HERE.parent / "tests/driver" / f"{name}.c"
    subprocess.run(["gcc", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    return str(library)


def record() -> list[str]:
    """The kernels' texts."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        cache_folder = folder / "cache"
        libraries = {
            "RUSTORCH_CUDA_LIBRARY": stand_in(folder, "libcuda"),
            "RUSTORCH_NVRTC_LIBRARY": stand_in(folder, "libnvrtc"),
        }
        # The kernels that NVIDIA's libraries take the place of belong to the wheel all the same.
        settings = {
            "RUSTORCH_CUBLASLT_LIBRARY": "",
            "RUSTORCH_CUDNN_LIBRARY": "",
            "RUSTORCH_CACHE_DIR": str(cache_folder),
            "RUSTORCH_EMBEDDED_KERNELS": "0",
            "STAND_IN_ZEROS": "1",
        }
        # How products are cut depends on how many multiprocessors there are to work on them.
        for multiprocessors in ("16", "60", "108", "144"):
            environment = os.environ | libraries | settings | {"STAND_IN_MULTIPROCESSORS": multiprocessors}
            subprocess.run([sys.executable, str(HERE / "programs.py")], check=True, env=environment)
        # A file of the cache begins with what it is of: device, driver, text.
        heads = (file.read_bytes().split(b"\0")[:4] for file in sorted(cache_folder.iterdir()))
        return [text.decode() for _, _, _, text in heads]


def name_of(text: str) -> str:
    """The kernel's name."""
    found = re.search(r"__launch_bounds__\(\d+\) (\w+)\(", text)
    assert found, text
    return found[1]


@cache
def nvrtc() -> ctypes.CDLL:
    """The compiler that RUSTORCH_NVRTC_LIBRARY names."""
    file = Path(os.environ["RUSTORCH_NVRTC_LIBRARY"])
    for beside in file.parent.glob("libnvrtc-builtins.so*"):
        ctypes.CDLL(str(beside), mode=ctypes.RTLD_GLOBAL)
    return ctypes.CDLL(str(file))


def compile_text(text: str) -> bytes:
    """A kernel's PTX, without comments."""
    library, program, size = nvrtc(), ctypes.c_void_p(), ctypes.c_size_t()
    source, name = text.encode(), f"{name_of(text)}.cu".encode()
    assert library.nvrtcCreateProgram(ctypes.byref(program), source, name, 0, None, None) == 0
    options = (ctypes.c_char_p * len(OPTIONS))(*OPTIONS)
    assert library.nvrtcCompileProgram(program, len(OPTIONS), options) == 0, f"NVRTC refuses {text}"
    assert library.nvrtcGetPTXSize(program, ctypes.byref(size)) == 0
    ptx = ctypes.create_string_buffer(size.value)
    assert library.nvrtcGetPTX(program, ptx) == 0
    library.nvrtcDestroyProgram(ctypes.byref(program))
    lines = (re.sub(r"\s*//.*", "", line).strip() for line in ptx.value.decode().splitlines())
    return "".join(f"{line}\n" for line in lines if line).encode()


def key_of(text: str) -> int:
    """The hash by which the library finds a kernel: FNV-1a of the text without the macros that nothing in it names."""

    def is_used(line: str) -> bool:
        name = re.match(r"#define (\w*)", line)
        return name is None or text.count(name[1]) > 1

    value = 0x6C62272E07BB014262B821756295C58D
    for byte in "\n".join(filter(is_used, text.split("\n"))).encode():
        value = ((value ^ byte) * 0x0000000001000000000000000000013B) & (1 << 128) - 1
    return value


def pack(kernels: list[tuple[int, bytes]]) -> bytes:
    """The file, of hashes and PTX in an order that brings together what is alike."""
    import zstandard

    frames, places = [bytearray()], []
    for key, ptx in kernels:
        if len(frames[-1]) > FRAME:
            frames.append(bytearray())
        places.append((key, len(frames) - 1, len(frames[-1]), len(ptx)))
        frames[-1] += ptx
    compressor = zstandard.ZstdCompressor(level=22, write_content_size=True)
    packed = [compressor.compress(bytes(frame)) for frame in frames]
    head = struct.pack("<II", len(places), len(frames))
    index = b"".join(key.to_bytes(16, "little") + struct.pack("<III", *place) for key, *place in sorted(places))
    return head + index + struct.pack(f"<{len(packed)}I", *map(len, packed)) + b"".join(packed)


def unpack() -> dict[int, bytes]:
    """The kernels in the file as it is."""
    import zstandard

    if not PACK.exists():
        return {}
    data = PACK.read_bytes()
    kernels, frames = struct.unpack_from("<II", data)
    at = 8 + 28 * kernels + 4 * frames
    contents = []
    for length in struct.unpack_from(f"<{frames}I", data, 8 + 28 * kernels):
        contents.append(zstandard.ZstdDecompressor().decompress(data[at : at + length]))
        at += length
    found = {}
    for entry in range(8, 8 + 28 * kernels, 28):
        frame, start, length = struct.unpack_from("<III", data, entry + 16)
        found[int.from_bytes(data[entry : entry + 16], "little")] = contents[frame][start : start + length]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the file is of today's texts")
    args = parser.parse_args()
    texts = {key_of(text): text for text in sorted(record(), key=lambda text: (name_of(text), text))}
    kept = unpack()
    missing = [key for key in texts if key not in kept]
    if args.check:
        unused = len(kept.keys() - texts.keys())
        print(f"{len(texts)} kernels, {len(missing)} not in {PACK.name}, {unused} there that are not used")
        return 1 if missing or unused else 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        kept |= zip(missing, pool.map(compile_text, [texts[key] for key in missing], chunksize=8), strict=True)
    data = pack([(key, kept[key]) for key in texts])
    PACK.write_bytes(data)
    print(f"{len(texts)} kernels, {len(missing)} of them new, packed into {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
