"""What tests/test_sharing.py runs in a process of its own, with a stand-in for CUDA's driver: host memory behind it.

No kernel runs there, so tensors come from the CPU and go back to it.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import pytest

import rustorch

DRIVER = ctypes.CDLL(sys.argv[1])
DRIVER.fake_notes.restype = ctypes.c_char_p


def notes() -> str:
    """What streams and events were asked for since the last time."""
    answer: bytes = DRIVER.fake_notes()
    return answer.decode()


def raises(kind: type[Exception], text: str, call: Any) -> None:
    """The call fails as it should."""
    with pytest.raises(kind, match=text):
        call()


class Shows:
    """An array of another library's."""

    def __init__(self, **shown: Any) -> None:
        self.__cuda_array_interface__ = shown


class Producer:
    """A library that hands out a tensor by DLPack, and notes the stream that it was asked for."""

    def __init__(self, tensor: rustorch.Tensor) -> None:
        self.tensor = tensor
        self.asked: list[dict[str, Any]] = []

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.tensor.__dlpack_device__()

    def __dlpack__(self, **keywords: Any) -> Any:
        self.asked.append(keywords)
        return self.tensor.__dlpack__(**keywords)


def main() -> None:
    """Every way in and out."""
    host = rustorch.arange(12.0).reshape(3, 4)
    x = host.to("cuda")
    assert str(x.device) == "cuda:0"
    assert x.cpu().tolist() == host.tolist()
    view = x.t()[1:]
    side = rustorch.cuda.Stream(priority=-1)
    assert side.cuda_stream == side.native_handle == 100
    assert side.__cuda_stream__() == (0, 100)
    assert rustorch.cuda.current_stream().cuda_stream == 0
    notes()

    # Out, by __cuda_array_interface__.
    shown = view.__cuda_array_interface__
    assert shown["data"] == (view.data_ptr(), False)
    assert view.data_ptr() == x.data_ptr() + 4
    assert (shown["shape"], shown["strides"], shown["typestr"]) == ((3, 3), (4, 16), "<f4")
    assert (shown["version"], shown["stream"]) == (3, 1)
    assert x.__cuda_array_interface__["strides"] is None
    with side:
        assert x.__cuda_array_interface__["stream"] == 100
    raises(RuntimeError, "detach", lambda: x.detach().requires_grad_().__cuda_array_interface__)
    assert not hasattr(host, "__cuda_array_interface__")

    # In, without a copy; a stream is waited for.
    back = rustorch.as_tensor(Shows(**shown), device="cuda")
    assert back.data_ptr() == view.data_ptr()
    assert back.stride() == (1, 4)
    assert notes() == "event 0 on 1; 1 waits for event 0; "
    rustorch.as_tensor(Shows(**{**shown, "stream": 7777}), device="cuda")
    assert notes() == "event 1 on 7777; 1 waits for event 1; "
    rustorch.as_tensor(Shows(**{**shown, "stream": None}), device="cuda")
    assert notes() == ""
    # As PyTorch: without a device the values go to the CPU.
    row = Shows(**x[1].__cuda_array_interface__)
    assert rustorch.as_tensor(row).device.type == "cpu"
    assert rustorch.as_tensor(row).tolist() == [4, 5, 6, 7]
    empty = rustorch.as_tensor(Shows(**{**shown, "shape": (0, 3), "data": (0, False)}), device="cuda")
    assert empty.shape == (0, 3)
    assert empty.is_cuda
    for wrong, text in (
        ({"stream": 0}, "stream 0"),
        ({"typestr": "<U4"}, "no dtype"),
        ({"shape": (2**62, 4), "strides": None}, "fit no memory"),
        ({"shape": (3, 3), "strides": (2**62, 2**62)}, "fit no memory"),
        ({"data": (host.data_ptr(), False)}, "not those of a CUDA device"),
        ({"shape": (1000, 1000)}, "not those of a CUDA device"),
        ({"strides": (-4, 16)}, "strides"),
        ({"strides": (3, 16)}, "strides"),
        ({"data": (view.data_ptr() + 1, False)}, "aligned"),
        ({"mask": 1}, "mask"),
    ):
        raises(ValueError, text, lambda wrong=wrong: rustorch.as_tensor(Shows(**{**shown, **wrong}), device="cuda"))

    # Both ways by DLPack.
    notes()
    assert view.__dlpack_device__() == (2, 0)
    producer = Producer(view)
    back = rustorch.from_dlpack(producer)
    assert back.data_ptr() == view.data_ptr()
    assert back.stride() == (1, 4)
    assert back.shape == (3, 3)
    assert producer.asked == [{"stream": 1, "max_version": (1, 0)}]
    assert notes() == "", "producer and consumer work on one stream"
    with side:
        rustorch.from_dlpack(producer)
        assert producer.asked[1]["stream"] == 100
        assert notes() == ""
        for stream, expected in ((None, 1), (1, 1), (2, 2), (7777, 7777)):
            view.__dlpack__(stream=stream)
            told = notes()
            assert all(part in told for part in ("event", " on 100; ", f"{expected} waits for event")), told
        view.__dlpack__(stream=-1)
        view.__dlpack__()
        view.__dlpack__(stream=100)
        assert notes() == ""
    raises(BufferError, "stream 0", lambda: view.__dlpack__(stream=0))
    raises(BufferError, "stream is -1", lambda: view.__dlpack__(stream=-5))
    lives_on(host)
    copies(host)
    print("all is well")


def lives_on(host: rustorch.Tensor) -> None:
    """What was handed out by the older form of DLPack keeps the memory."""
    x = host.to("cuda")
    old = rustorch.from_dlpack(rustorch.utils.dlpack.to_dlpack(x))
    address = x.data_ptr()
    del x
    rustorch.cuda.empty_cache()
    assert old.data_ptr() == address
    assert old.cpu().tolist() == host.tolist()


def copies(host: rustorch.Tensor) -> None:
    """Copies from and to pinned memory are not waited for."""
    notes()
    pinned = host.pin_memory()
    moved = pinned.to("cuda", non_blocking=True)
    assert notes() == ""
    assert pinned.is_pinned()
    landed = moved.to("cpu", non_blocking=True)
    assert notes() == ""
    assert landed.is_pinned()
    assert landed.tolist() == host.tolist()
    moved.cpu()
    assert notes() == "synchronize 1; "


main()
