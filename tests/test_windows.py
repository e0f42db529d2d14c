"""Window functions against SciPy's."""

from typing import Any

import numpy as np
import pytest
from scipy.signal import windows

import rustorch
from rustorch.signal import windows as ours

CASES: list[tuple[str, dict[str, Any], Any]] = [
    ("bartlett", {}, windows.bartlett),
    ("blackman", {}, windows.blackman),
    ("cosine", {}, windows.cosine),
    ("exponential", {"tau": 2.5}, lambda m, sym: windows.exponential(m, None, 2.5, sym)),
    ("gaussian", {"std": 1.7}, lambda m, sym: windows.gaussian(m, 1.7, sym)),
    ("general_cosine", {"a": [0.4, 0.5, 0.1]}, lambda m, sym: windows.general_cosine(m, [0.4, 0.5, 0.1], sym)),
    ("general_hamming", {"alpha": 0.6}, lambda m, sym: windows.general_hamming(m, 0.6, sym)),
    ("hamming", {}, windows.hamming),
    ("hann", {}, windows.hann),
    ("kaiser", {}, lambda m, sym: windows.kaiser(m, 12.0, sym)),
    ("kaiser", {"beta": 0.0}, lambda m, sym: windows.kaiser(m, 0.0, sym)),
    ("kaiser", {"beta": 90.0}, lambda m, sym: windows.kaiser(m, 90.0, sym)),
    ("nuttall", {}, windows.nuttall),
]


@pytest.mark.parametrize("sym", [True, False])
@pytest.mark.parametrize(
    ("name", "options", "reference"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_values(name: str, options: dict[str, Any], reference: Any, sym: bool, device: str) -> None:
    for length in (0, 1, 2, 5, 64):
        window = getattr(ours, name)(length, **options, sym=sym, dtype=rustorch.float64, device=device)
        np.testing.assert_allclose(window.cpu().numpy(force=True), reference(length, sym=sym), rtol=1e-12, atol=1e-15)


def test_exponential_around_a_centre() -> None:
    window = ours.exponential(6, center=1.5, tau=2.0, sym=False, dtype=rustorch.float64)
    np.testing.assert_allclose(window.numpy(force=True), windows.exponential(6, 1.5, 2.0, sym=False), rtol=1e-14)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(
    ("name", "parameters", "reference"),
    [
        ("bartlett", (), windows.bartlett),
        ("blackman", (), windows.blackman),
        ("hamming", (), windows.hamming),
        ("hamming", (0.6, 0.4), lambda m, sym: windows.general_hamming(m, 0.6, sym)),
        ("hann", (), windows.hann),
        ("kaiser", (), lambda m, sym: windows.kaiser(m, 12.0, sym)),
        ("kaiser", (5.0,), lambda m, sym: windows.kaiser(m, 5.0, sym)),
    ],
)
def test_functions_of_a_length(name: str, parameters: tuple[float, ...], reference: Any, periodic: bool) -> None:
    """The older functions are periodic unless told otherwise."""
    function = getattr(rustorch, f"{name}_window")
    window = function(9, periodic, *parameters, dtype=rustorch.float64)
    np.testing.assert_allclose(window.numpy(force=True), reference(9, sym=not periodic), rtol=1e-12, atol=1e-15)
    assert rustorch.equal(function(9), function(9, True))


def test_options() -> None:
    assert ours.hann(4).dtype == rustorch.get_default_dtype()
    assert ours.hann(4, requires_grad=True).requires_grad
    assert ours.hann(4, dtype=rustorch.float16).dtype == rustorch.float16


@pytest.mark.parametrize(
    "call",
    [
        lambda: ours.hann(-1),
        lambda: ours.general_cosine(4, a=[]),
        lambda: ours.gaussian(4, std=0.0),
        lambda: ours.exponential(4, tau=-1.0),
        lambda: ours.exponential(4, center=2.0),
        lambda: ours.kaiser(4, beta=-1.0),
        lambda: rustorch.hann_window(-1),
    ],
)
def test_refuses_impossible_parameters(call: Any) -> None:
    with pytest.raises(rustorch.InvalidArgumentError):
        call()


def test_refuses_integers() -> None:
    with pytest.raises(rustorch.DTypeError, match="hann"):
        ours.hann(4, dtype=rustorch.int64)
