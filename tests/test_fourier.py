"""Fourier transforms against NumPy's and SciPy's, their gradients; short-time transforms against the sums they are."""

from typing import Any

import numpy as np
import pytest
import scipy.fft
import scipy.signal
from hypothesis import given, strategies as st
from numpy.typing import NDArray

import rustorch
from rustorch.autograd import gradcheck, gradgradcheck

NAMES = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
NORMS = (None, "backward", "ortho", "forward")
DTYPES = ("float32", "float64", "complex64", "complex128")
ACCURACY = {"float32": 1e-5, "complex64": 1e-5, "float64": 1e-13, "complex128": 1e-13}
ONLY_REAL = ("rfft", "ihfft")


def numbers(shape: tuple[int, ...], dtype: str = "float64", seed: int = 0) -> NDArray[Any]:
    generator = np.random.default_rng(seed)
    values = generator.standard_normal(shape)
    return (values + 1j * generator.standard_normal(shape) if dtype.startswith("complex") else values).astype(dtype)


def reference(name: str, *args: Any, **kwargs: Any) -> NDArray[Any]:
    """SciPy's function, which keeps single precision; it calls dimensions axes."""
    if "dim" in kwargs:
        kwargs["axes" if name[-1] in "2n" else "axis"] = kwargs.pop("dim")
    result: NDArray[Any] = getattr(scipy.fft, name)(*args, **kwargs)
    return result


def compare(result: rustorch.Tensor, expected: NDArray[Any], accuracy: float) -> None:
    assert result.shape == expected.shape
    assert result.numpy().dtype == expected.dtype
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    assert np.abs(result.numpy() - expected).max(initial=0) <= accuracy * scale


def taken(*dtypes: str) -> list[tuple[str, str]]:
    """Each transform with those of the dtypes that it takes."""
    return [(name, d) for name in NAMES for d in dtypes if name not in ONLY_REAL or not d.startswith("complex")]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("name", "dtype"), taken(*DTYPES))
def test_one_dimension(name: str, dtype: str, norm: str | None) -> None:
    transform = getattr(rustorch.fft, name)
    for shape in [(2,), (7,), (16,), (3, 37), (4, 1, 30), (0, 5)]:
        array = numbers(shape, dtype)
        for dim in range(-len(shape), len(shape)):
            if array.shape[dim] == 0 or (name in ("irfft", "hfft") and array.shape[dim] < 2):
                continue
            tensor = rustorch.from_numpy(array)
            lengths = (None, 1, array.shape[dim], array.shape[dim] + 3, max(1, array.shape[dim] - 2))
            for n in lengths:
                expected = reference(name, array, n, dim=dim, norm=norm)
                compare(transform(tensor, n, dim, norm), expected, ACCURACY[dtype])
                compare(transform(tensor, n=n, dim=dim, norm=norm), expected, ACCURACY[dtype])


@pytest.mark.parametrize(("name", "dtype"), taken("float64", "complex64"))
def test_several_dimensions(name: str, dtype: str) -> None:
    array = numbers((3, 4, 5), dtype)
    tensor = rustorch.from_numpy(array)
    for norm in NORMS:
        for s, dim in [
            (None, (0, 1)), (None, (2, 0)), ((6, 3), (1, 2)), ((2, 8), (-1, 0)), (None, (1,)), (None, (2, 1, 0)),
        ]:  # fmt: skip
            expected = reference(name + "n", array, s, dim=dim, norm=norm)
            compare(getattr(rustorch.fft, name + "n")(tensor, s, dim, norm), expected, ACCURACY[dtype])
            if len(dim) == 2:
                compare(getattr(rustorch.fft, name + "2")(tensor, s, dim, norm), expected, ACCURACY[dtype])
        compare(getattr(rustorch.fft, name + "2")(tensor, norm=norm), reference(name + "2", array, norm=norm), 1e-5)
        compare(getattr(rustorch.fft, name + "n")(tensor, norm=norm), reference(name + "n", array, norm=norm), 1e-5)
        expected = reference(name + "n", array, (2, 6), dim=(1, 2), norm=norm)
        compare(getattr(rustorch.fft, name + "n")(tensor, (2, 6), norm=norm), expected, ACCURACY[dtype])
        kept = reference(name + "n", array, (2, 4 if name not in ("irfft", "hfft") else 8), dim=(0, 1), norm=norm)
        s = (2, -1) if name not in ("irfft", "hfft") else (2, 8)
        compare(getattr(rustorch.fft, name + "n")(tensor, s, (0, 1), norm), kept, ACCURACY[dtype])


@pytest.mark.parametrize("name", ["fft", "rfft", "irfft"])
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8, 11, 13, 64, 97, 100, 128, 243, 1000, 1009, 4096, 10007])
def test_lengths(name: str, length: int) -> None:
    """Powers of two, of other primes, products, primes: each has an algorithm of its own."""
    array = numbers((2, length // 2 + 1 if name == "irfft" else length), "complex128" if name != "rfft" else "float64")
    expected = reference(name, array, n=length)
    compare(getattr(rustorch.fft, name)(rustorch.from_numpy(array), n=length), expected, 1e-12)


def test_strided_inputs() -> None:
    array = numbers((6, 8, 10), "complex128")
    tensor = rustorch.from_numpy(array)
    for view, same in [
        (tensor.permute(2, 0, 1), array.transpose(2, 0, 1)),
        (tensor[::2, :, 1::3], array[::2, :, 1::3]),
        (tensor[0].expand(3, 8, 10), np.broadcast_to(array[0], (3, 8, 10))),
        (tensor.real, array.real),
    ]:
        for dim in range(3):
            compare(rustorch.fft.fft(view, dim=dim), scipy.fft.fft(same, axis=dim), 1e-13)
        compare(rustorch.fft.fftn(view, dim=(2, 0)), scipy.fft.fftn(same, axes=(2, 0)), 1e-13)
    compare(rustorch.fft.rfft2(tensor.imag), scipy.fft.rfft2(array.imag), 1e-13)
    compare(rustorch.fft.irfft2(tensor.transpose(0, 2)), scipy.fft.irfft2(array.transpose(2, 1, 0)), 1e-13)


def test_other_dtypes() -> None:
    for dtype in (rustorch.int64, rustorch.uint8, rustorch.bool):
        result = rustorch.fft.fft(rustorch.tensor([1, 0, 1], dtype=dtype))
        assert result.dtype == rustorch.complex64
        assert np.abs(result.numpy() - np.fft.fft([1, 0, 1])).max() < 1e-6
    assert rustorch.fft.rfft(rustorch.ones(4).double()).dtype == rustorch.complex128
    assert rustorch.fft.irfft(rustorch.ones(4)).dtype == rustorch.float32
    for dtype in (rustorch.float16, rustorch.bfloat16):
        with pytest.raises(rustorch.DTypeError, match=r"fft_fft: not implemented for .*convert it to float32"):
            rustorch.fft.fft(rustorch.ones(4, dtype=dtype))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [5, 6])
def test_gradients(name: str, n: int) -> None:
    dtype = rustorch.float64 if name in ONLY_REAL else rustorch.complex128
    rustorch.manual_seed(0)
    input = rustorch.randn(2, 5, 3, dtype=dtype, requires_grad=True)
    for norm in ("backward", "ortho"):
        assert gradcheck(lambda x: getattr(rustorch.fft, name)(x, n, 1, norm), [input])  # noqa: B023
    assert gradcheck(lambda x: getattr(rustorch.fft, name + "n")(x, (n, 2), (1, 2)), [input])
    assert gradcheck(lambda x: getattr(rustorch.fft, name + "2")(x, (4, n), (0, 1)), [input])
    assert gradgradcheck(lambda x: getattr(rustorch.fft, name + "2")(x, (2, n)), [input])
    if name not in ONLY_REAL:
        assert gradcheck(lambda x: getattr(rustorch.fft, name)(x, n, 1), [input.detach().real.requires_grad_()])


@given(st.integers(1, 40), st.integers(1, 3), st.booleans(), st.integers(0, 2**32 - 1))
def test_inverses(n: int, rows: int, double: bool, seed: int) -> None:
    dtype, accuracy = ("complex128", 1e-13) if double else ("complex64", 1e-5)
    array = numbers((rows, n), dtype, seed)
    tensor = rustorch.from_numpy(array)
    compare(rustorch.fft.ifft(rustorch.fft.fft(tensor)), array, accuracy)
    real = array.real.copy()
    compare(rustorch.fft.irfft(rustorch.fft.rfft(rustorch.from_numpy(real)), n), real, accuracy)
    compare(rustorch.fft.hfft(rustorch.fft.ihfft(rustorch.from_numpy(real)), n), real, accuracy)
    # Parseval's theorem.
    energy = float(rustorch.fft.fft(tensor, norm="ortho").abs().square().sum())
    assert energy == pytest.approx(float(np.square(np.abs(array)).sum()), rel=10 * accuracy)


def test_what_is_not_finite_fills_its_line_alone() -> None:
    tensor = rustorch.ones(3, 8)
    tensor[1, 2] = float("nan")
    result = rustorch.fft.fft(tensor)
    assert bool(result[1].isnan().all())
    assert not bool(result[::2].isnan().any())


def test_frequencies() -> None:
    for n in range(1, 9):
        for d in (1.0, 0.5, -2.0):
            assert np.allclose(rustorch.fft.fftfreq(n, d).numpy(), np.fft.fftfreq(n, d))
            assert np.allclose(rustorch.fft.rfftfreq(n, d=d, dtype=rustorch.float64).numpy(), np.fft.rfftfreq(n, d))
    assert rustorch.fft.fftfreq(0).shape == (0,)
    assert rustorch.fft.fftfreq(3, requires_grad=True).requires_grad
    with pytest.raises(rustorch.InvalidArgumentError, match="fft_fftfreq: the number of points"):
        rustorch.fft.fftfreq(-1)
    with pytest.raises(rustorch.DTypeError, match="fft_fftfreq"):
        rustorch.fft.fftfreq(3, dtype=rustorch.int64)


def test_shifts() -> None:
    array = np.arange(60).reshape(3, 4, 5)
    tensor = rustorch.from_numpy(array)
    for dim in (None, 0, (1, 2), (-1,), ()):
        for name in ("fftshift", "ifftshift"):
            expected = getattr(np.fft, name)(array, dim)
            assert np.array_equal(getattr(rustorch.fft, name)(tensor, dim).numpy(), expected)
    assert rustorch.fft.fftshift(rustorch.tensor(2.0)).item() == 2


WRONG = {
    "no points": (lambda x: rustorch.fft.fft(x, 0), "InvalidArgumentError", r"fft_fft: invalid .* points \(0\)"),
    "negative": (lambda x: rustorch.fft.fft(x, -1), "InvalidArgumentError", r"data points \(-1\)"),
    "nothing": (lambda x: rustorch.fft.fft(x[:0]), "InvalidArgumentError", r"data points \(0\)"),
    "half of one": (lambda x: rustorch.fft.irfft(x[:1]), "InvalidArgumentError", r"data points \(0\)"),
    "norm": (lambda x: rustorch.fft.fft(x, norm="a"), "InvalidArgumentError", "norm must be .* got 'a'"),
    "complex": (lambda x: rustorch.fft.rfft(x + 0j), "DTypeError", "fft_rfft: expects a real input tensor"),
    "number": (lambda x: rustorch.fft.fft(x[0]), "IndexOutOfRangeError", "fft_fft: .*tensor has no dimensions"),
    "dimension": (lambda x: rustorch.fft.fft(x, dim=1), "IndexOutOfRangeError", "fft_fft"),
    "two": (lambda x: rustorch.fft.fft2(x), "IndexOutOfRangeError", "fft_fft2"),
    "twice": (lambda x: rustorch.fft.fftn(x, dim=(0, -1)), "InvalidArgumentError", "dimensions must be unique"),
    "sizes": (lambda x: rustorch.fft.fftn(x, (2, 2)), "ShapeMismatchError", "2 values .* 1 dimensions"),
    "as many": (lambda x: rustorch.fft.fftn(x, (2, 2), (0,)), "InvalidArgumentError", "same length"),
    "none": (lambda x: rustorch.fft.rfftn(x, dim=()), "InvalidArgumentError", "at least one dimension"),
    "absurd": (lambda x: rustorch.fft.fft(x, 2**60), "ShapeMismatchError|OutOfMemoryError", "fft"),
    "real or not": (lambda x: rustorch.stft(x, 4), "InvalidArgumentError", "stft: return_complex must be given"),
    "window": (
        lambda x: rustorch.stft(x, 4, window=rustorch.ones(3), return_complex=True),
        "ShapeMismatchError",
        r"window must have shape \[4\].* got \[3\]",
    ),
    "n_fft": (lambda x: rustorch.stft(x, 0, return_complex=True), "InvalidArgumentError", "n_fft must be positive"),
    "long": (lambda x: rustorch.stft(x, 99, center=False, return_complex=True), "ShapeMismatchError", "at most 8"),
    "hop": (lambda x: rustorch.stft(x, 4, 0, return_complex=True), "InvalidArgumentError", "hop_length"),
    "width": (lambda x: rustorch.stft(x, 4, 1, 5, return_complex=True), "InvalidArgumentError", "win_length"),
    "integers": (lambda x: rustorch.stft(x.long(), 4, return_complex=True), "DTypeError", "stft"),
    "sides": (lambda x: rustorch.stft(x + 0j, 4, onesided=True), "InvalidArgumentError", "onesided"),
    "real spectrum": (lambda x: rustorch.istft(x.view(4, 2), 4), "DTypeError", "istft: expects complex"),
    "bins": (lambda x: rustorch.istft(x.view(4, 2) + 0j, 8), "ShapeMismatchError", "expects 5 frequencies"),
    "gaps": (
        lambda x: rustorch.istft(rustorch.ones(3, 4) + 0j, 4, 4, window=rustorch.hann_window(4), center=False),
        "InvalidArgumentError",
        "overlap too little",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_messages(name: str) -> None:
    call, kinds, message = WRONG[name]
    with pytest.raises(tuple(getattr(rustorch, kind) for kind in kinds.split("|")), match=message):
        call(rustorch.arange(8.0))


def frames_of(array: NDArray[Any], size: int, hop: int) -> NDArray[Any]:
    return np.lib.stride_tricks.sliding_window_view(array, size, axis=-1)[..., ::hop, :]


@pytest.mark.parametrize("mode", ["reflect", "constant", "replicate", "circular"])
@pytest.mark.parametrize(("size", "hop", "width"), [(16, 4, 16), (15, 7, 15), (16, 5, 9), (8, 8, 3)])
def test_stft(size: int, hop: int, width: int, mode: str) -> None:
    array = numbers((2, 50))
    window = np.hanning(width) + 0.1
    padded = np.zeros(size)
    before = (size - width) // 2
    padded[before : before + width] = window
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    for center in (True, False):
        whole = np.pad(array, ((0, 0), (size // 2, size // 2)), modes[mode]) if center else array
        windows = frames_of(whole, size, hop) * padded
        for normalized in (False, True):
            norm = "ortho" if normalized else "backward"
            common = {"center": center, "pad_mode": mode, "normalized": normalized, "return_complex": True}
            tensors = (rustorch.from_numpy(array), size, hop, width, rustorch.from_numpy(window))
            half = np.fft.rfft(windows, norm=norm).swapaxes(-1, -2)
            compare(rustorch.stft(*tensors, **common), half, 1e-13)
            compare(rustorch.stft(tensors[0][0], *tensors[1:], **common), half[0], 1e-13)
            full = np.fft.fft(windows, norm=norm).swapaxes(-1, -2)
            compare(rustorch.stft(*tensors, onesided=False, **common), full, 1e-13)
            if mode == "constant":
                turned = array * np.exp(1j)
                compare(rustorch.from_numpy(turned).stft(*tensors[1:], **common), full * np.exp(1j), 1e-13)
            parts = rustorch.stft(*tensors, **(common | {"return_complex": False}))
            compare(parts, np.stack([half.real, half.imag], -1), 1e-13)


def test_stft_aligned_to_its_window() -> None:
    array, window = numbers((40,)), np.hanning(8) + 0.5
    spectra = rustorch.stft(
        rustorch.from_numpy(array), 16, 4, 8, rustorch.from_numpy(window), center=False, return_complex=True,
        align_to_window=True,
    )  # fmt: skip
    windows = np.zeros((9, 16))
    windows[:, 4:12] = frames_of(array, 8, 4) * window
    compare(spectra, np.fft.rfft(windows).T, 1e-13)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize("width", [16, 11])
def test_istft_gives_the_signal_back(center: bool, normalized: bool, width: int) -> None:
    window = rustorch.from_numpy(np.hanning(width) + 0.1)
    arguments = {"hop_length": 4, "win_length": width, "window": window, "center": center, "normalized": normalized}
    array = numbers((2, 64))
    spectra = rustorch.stft(rustorch.from_numpy(array), 16, return_complex=True, **arguments)
    # Without padding the windows do not reach the ends where they are shorter than a frame.
    if not center and width < 16:
        with pytest.raises(rustorch.InvalidArgumentError, match="overlap too little"):
            rustorch.istft(spectra, 16, **arguments)
        return
    compare(rustorch.istft(spectra, 16, **arguments), array, 1e-12)
    compare(rustorch.istft(spectra, 16, length=50, **arguments), array[:, :50], 1e-12)
    compare(rustorch.istft(spectra[0], 16, **arguments), array[0], 1e-12)
    turned = array * np.exp(0.5j)
    spectra = rustorch.stft(rustorch.from_numpy(turned), 16, **arguments)
    compare(rustorch.istft(spectra, 16, return_complex=True, **arguments), turned, 1e-12)


def test_istft_of_any_spectra_is_scipys() -> None:
    """The spectra are of no signal: the result is the one whose spectra are nearest, as SciPy's."""
    spectra = numbers((9, 12), "complex128")
    window = scipy.signal.get_window("hann", 16)
    _, expected = scipy.signal.istft(spectra, window=window, nperseg=16, noverlap=12)
    result = rustorch.istft(rustorch.from_numpy(spectra), 16, 4, window=rustorch.from_numpy(window))
    # SciPy's spectra are divided by the window's sum.
    compare(result, expected / window.sum(), 1e-12)


def test_gradients_of_windows() -> None:
    rustorch.manual_seed(0)
    window = rustorch.hann_window(8, dtype=rustorch.float64).add(0.1).requires_grad_()
    signal = rustorch.randn(2, 20, dtype=rustorch.float64, requires_grad=True)
    spectra = rustorch.randn(2, 5, 6, dtype=rustorch.complex128, requires_grad=True)
    assert gradcheck(lambda x, w: rustorch.stft(x, 8, 3, window=w, return_complex=True), [signal, window])
    assert gradcheck(lambda x, w: rustorch.istft(x, 8, 3, window=w, length=14), [spectra, window])
