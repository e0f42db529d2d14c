"""complex64 and complex128: every row of the op table that has a complex form, views of parts, gradients, printing."""

import cmath
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import rustorch
from rustorch.autograd import gradcheck, gradgradcheck

ROWS = {
    row["name"]: row
    for file in sorted((Path(__file__).parents[1] / "crates/backend/ops").glob("*.toml"))
    for row in tomllib.loads(file.read_text())["op"]
    if row.get("public", True) and "complex" in row
}


def sgn(x: NDArray[Any]) -> NDArray[Any]:
    length = np.abs(x)
    return np.where(length == 0, 0, x / np.where(length == 0, 1, length))


REFERENCES: dict[str, Callable[..., Any]] = {
    "div": np.divide,
    "mul": np.multiply,
    "sub": np.subtract,
    "pow": np.power,
    "neg": np.negative,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "lerp": lambda x, y, weight: x + weight * (y - x),
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanhshrink": lambda x: x - np.tanh(x),
    "eq": np.equal,
    "ne": np.not_equal,
    "conj_physical": np.conj,
    "sgn": sgn,
    "var": lambda x: np.var(x, ddof=1),
    "std": lambda x: np.std(x, ddof=1),
}
ARITY = dict.fromkeys(
    ["add", "sub", "mul", "div", "pow", "eq", "ne", "logical_and", "logical_or", "logical_xor", "where"], 2
) | {"lerp": 3}


def function(name: str) -> Callable[..., Any]:
    if name == "where":
        return lambda x, y: rustorch.where(rustorch.tensor([True, False, True, False, True, True]), x, y)
    return getattr(rustorch, name, None) or getattr(rustorch.nn.functional, name)


def reference(name: str) -> Callable[..., Any]:
    if name == "where":
        return lambda x, y: np.where([True, False, True, False, True, True], x, y)
    return REFERENCES.get(name) or getattr(np, name)


def arguments(name: str) -> list[NDArray[Any]]:
    rng = np.random.default_rng(5)
    count = ARITY.get(name, 1)
    return [rng.uniform(-2, 2, 6) + 1j * rng.uniform(-2, 2, 6) for _ in range(count)]


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", ROWS)
def test_values(name: str, dtype: str) -> None:
    arrays = [array.astype(dtype) for array in arguments(name)]
    want = np.asarray(reference(name)(*[array.astype("complex128") for array in arrays]))
    got = function(name)(*map(rustorch.tensor, arrays))
    real = {"complex64": "float32", "complex128": "float64"}[dtype]
    expected = {"b": "bool", "f": real, "c": dtype}[want.dtype.kind]
    assert str(got.dtype) == f"rustorch.{expected}"
    tolerance = 1e-6 if dtype == "complex64" else 4e-15
    np.testing.assert_allclose(got.numpy(force=True), want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.get("result") != "mask"])
def test_gradients(name: str) -> None:
    inputs = [rustorch.tensor(array).requires_grad_() for array in arguments(name)]
    assert gradcheck(function(name), inputs)
    assert gradgradcheck(function(name), inputs)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "matmul"])
def test_real_and_complex_operands(name: str) -> None:
    """The gradient of a real operand is real."""
    z, w = rustorch.tensor(arguments("mul")[0]), rustorch.rand(6, dtype=rustorch.float64) + 0.5
    for inputs in ([z, w], [w, z]):
        leaves = [t.clone().requires_grad_() for t in inputs]
        if name == "matmul":
            pair = [leaf.reshape(2, 3) @ rustorch.ones(3, 1, dtype=leaf.dtype) for leaf in leaves]
            assert gradcheck(lambda x: (x.reshape(2, 3) * 1j) @ (x.reshape(3, 2) * (1 - 2j)), [leaves[0]])
            assert pair[0].dtype == leaves[0].dtype
            continue
        assert gradcheck(getattr(rustorch, name), leaves)


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 1e-9, -1e-9, 3.0, 50.0]


@pytest.mark.parametrize(
    "name",
    [
        "exp",
        "log",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "sinh",
        "cosh",
        "tanh",
        "asin",
        "acos",
        "atan",
        "asinh",
        "acosh",
        "atanh",
    ],
)
def test_axes_and_cuts(name: str) -> None:
    """On the axes, on both sides of branch cuts, near zero and where exponentials differ in size."""
    for re in SPECIAL:
        for im in SPECIAL:
            z = complex(re, im)
            try:
                want = getattr(cmath, name)(z)
            except (ValueError, OverflowError):
                continue
            got = getattr(rustorch, name)(rustorch.tensor(z, dtype=rustorch.complex128)).item()
            assert abs(got - want) <= 4e-15 * max(abs(want), 1e-3), (name, z, got, want)
            for part, expected in ((got.real, want.real), (got.imag, want.imag)):
                if expected != 0 and abs(expected) > 1e-12 * abs(want):
                    assert part == pytest.approx(expected, rel=1e-13), (name, z, got, want)


def test_views_of_parts() -> None:
    z = rustorch.tensor([[1 + 2j, 3 - 4j], [0j, 1j]])
    assert rustorch.view_as_real(z).shape == (2, 2, 2)
    assert rustorch.view_as_complex(rustorch.view_as_real(z)).tolist() == z.tolist()
    assert z.real.data_ptr() == z.data_ptr()
    assert z.T.imag.tolist() == [[2, 0], [-4, 1]]
    z.real = 5.0
    z.imag[0] = rustorch.tensor([7.0, 8.0])
    assert z.tolist() == [[5 + 7j, 5 + 8j], [5 + 0j, 5 + 1j]]
    assert z.H.tolist() == z.mH.tolist() == z.adjoint().tolist() == z.conj().T.tolist()
    x = rustorch.ones(2)
    assert x.real is x
    assert not z.is_conj()
    assert not rustorch.is_neg(z)
    with pytest.raises(rustorch.DTypeError, match="imag"):
        x.imag  # noqa: B018
    with pytest.raises(rustorch.DTypeError, match="view_as_real"):
        rustorch.view_as_real(x)
    for bad in (rustorch.ones(3), rustorch.ones(2, 4)[:, ::2], rustorch.ones(3, 3)[:, :2], rustorch.ones(())):
        with pytest.raises(rustorch.ShapeMismatchError, match="view_as_complex"):
            rustorch.view_as_complex(bad)
    with pytest.raises(rustorch.DTypeError, match="cfloat"):
        z.chalf()
    assert z.cdouble().dtype == rustorch.complex128
    assert x.cfloat().dtype == rustorch.complex64


def test_gradients_of_parts() -> None:
    z = rustorch.tensor(arguments("abs")[0]).requires_grad_()
    x, y = (rustorch.rand(6, dtype=rustorch.float64).requires_grad_() for _ in range(2))
    for case in (
        lambda z: z.real * z.imag,
        lambda z: rustorch.view_as_real(z).square(),
        lambda z: z.reshape(2, 3).mH @ z.reshape(2, 3),
        lambda z: z.conj() * z.abs(),
    ):
        assert gradcheck(case, [z])
        assert gradgradcheck(case, [z])
    for build in (rustorch.complex, rustorch.polar):
        assert gradcheck(build, [x, y])
        assert gradgradcheck(build, [x, y])
    pairs = rustorch.rand(3, 2, dtype=rustorch.float64).requires_grad_()
    assert gradcheck(lambda p: rustorch.view_as_complex(p) ** 2, [pairs])


def test_writing_into_parts_is_recorded() -> None:
    def overwritten(z: rustorch.Tensor) -> rustorch.Tensor:
        w = z * 1
        w.real.mul_(3)
        w.imag = w.real * 2
        return w * w

    assert gradcheck(overwritten, [rustorch.tensor(arguments("abs")[0]).requires_grad_()])

    def through_a_view(z: rustorch.Tensor) -> rustorch.Tensor:
        w = z * 1
        part = w.real
        w.mul_(2j)
        return part * part

    assert gradcheck(through_a_view, [rustorch.tensor(arguments("abs")[0]).requires_grad_()])


@pytest.mark.parametrize(
    "call",
    [
        lambda z: z.sum(),
        lambda z: z.reshape(2, 3).sum(0),
        lambda z: z.mean(),
        lambda z: z.prod(),
        lambda z: z.reshape(2, 3).T.prod(1),
        lambda z: z.cumsum(0),
        lambda z: z.cumprod(0),
        lambda z: z.var(),
        lambda z: z.std(),
        lambda z: z.reshape(2, 3) @ z.reshape(3, 2),
        lambda z: z.reshape(3, 2).mm(z.reshape(3, 2).T),
        lambda z: z.reshape(1, 2, 3).bmm(z.reshape(1, 3, 2)),
        lambda z: z.dot(z),
        lambda z: rustorch.vdot(z, z * 1j),
        lambda z: rustorch.outer(z, z),
        lambda z: rustorch.linalg.norm(z) + z.norm(p=3) + z.norm(p=1),
        lambda z: z.logsumexp(0),
        lambda z: rustorch.addcmul(z, z, z, value=2 - 1j),
        lambda z: rustorch.addcdiv(z, z, z + 5, value=0.5j),
        lambda z: z.add(z, alpha=2j),
        lambda z: z**2 + z**3 + z**0.5 + z**-1 + z ** (1 + 2j),
        lambda z: 2j**z,
        lambda z: rustorch.stack([z, z.conj()])[:, ::2],
        lambda z: z[z.abs() > 1],
        lambda z: z.real.double(),
    ],
)
def test_composites(call: Callable[..., Any]) -> None:
    z = rustorch.tensor(arguments("abs")[0]).requires_grad_()
    assert gradcheck(call, [z])
    assert gradgradcheck(call, [z])


def test_reductions_against_numpy() -> None:
    rng = np.random.default_rng(3)
    array = rng.normal(size=(3, 1, 4, 5)) + 1j * rng.normal(size=(3, 1, 4, 5))
    z = rustorch.tensor(array).permute(2, 0, 3, 1)
    array = array.transpose(2, 0, 3, 1)
    for dim in (0, 1, -2, 3):
        np.testing.assert_allclose(z.sum(dim).numpy(force=True), array.sum(dim), rtol=1e-13)
        np.testing.assert_allclose(z.mean(dim).numpy(force=True), array.mean(dim), rtol=1e-13)
        np.testing.assert_allclose(z.prod(dim).numpy(force=True), array.prod(dim), rtol=1e-13)
    assert rustorch.empty(0, 2, dtype=rustorch.complex64).prod(0).tolist() == [1, 1]
    assert rustorch.empty(0, 2, dtype=rustorch.complex64).sum(0).tolist() == [0, 0]
    assert z.any().item()
    assert not rustorch.zeros(3, dtype=rustorch.complex64).any().item()
    a, b = rng.normal(size=(2, 3, 7)) + 1j, rng.normal(size=(7, 4)) - 2j
    got = rustorch.matmul(rustorch.tensor(a), rustorch.tensor(b))
    np.testing.assert_allclose(got.numpy(force=True), a @ b, rtol=1e-12)


def test_complex_factors() -> None:
    z = rustorch.tensor([[1 + 2j, 3j], [2.0, 1 - 1j]])
    want = 1j * z + (2 - 1j) * (z @ z)
    assert rustorch.allclose(rustorch.addmm(z, z, z, beta=1j, alpha=2 - 1j), want)
    assert rustorch.allclose(z ** (2 + 1j), rustorch.exp((2 + 1j) * z.log()))
    assert rustorch.linspace(0, 2 + 4j, 3).tolist() == [0, 1 + 2j, 2 + 4j]


def test_division_does_not_overflow() -> None:
    z = rustorch.tensor([1e300 + 1e300j, 1e-300 + 1e-300j], dtype=rustorch.complex128)
    assert (z / z).tolist() == [1, 1]
    assert z.abs()[0].item() == pytest.approx(2**0.5 * 1e300)
    nothing = rustorch.tensor([1 + 1j]) / rustorch.tensor([0j])
    assert not nothing.isfinite().any()


def test_promotion() -> None:
    f, d, i = rustorch.ones(2), rustorch.ones(2, dtype=rustorch.float64), rustorch.arange(2)
    assert (f + 1j).dtype == (i * 1j).dtype == (1j - f).dtype == rustorch.complex64
    assert (d * 2j).dtype == (d + rustorch.ones(2, dtype=rustorch.complex64)).dtype == rustorch.complex128
    assert rustorch.result_type(f, 1j) == rustorch.complex64
    assert rustorch.tensor([1, 2j]).dtype == rustorch.complex64
    for name in ("lt", "le", "gt", "ge", "maximum", "floor", "erf", "sign"):
        operands = [f + 1j] * (2 if name in {"lt", "le", "gt", "ge", "maximum"} else 1)
        with pytest.raises(rustorch.DTypeError, match=name):
            getattr(rustorch, name)(*operands)
    for refused in (lambda: f.add_(1j), lambda: (f + 1j).abs_(), lambda: (f + 1j).nansum()):
        with pytest.raises(rustorch.RusTorchError):
            refused()
    with pytest.raises(rustorch.RusTorchError):
        (f + 1j).max()


def test_backward_asks_for_a_gradient() -> None:
    z = rustorch.tensor(1 + 2j, requires_grad=True)
    with pytest.raises(RuntimeError, match="real scalar outputs"):
        (z * z).backward()
    with pytest.raises(RuntimeError, match="same dtype"):
        (z * z).backward(rustorch.tensor(1.0))
    (z * z).backward(rustorch.tensor(1 + 0j))
    assert z.grad is not None
    assert z.grad.item() == 2 - 4j
    x = rustorch.tensor(3.0, requires_grad=True)
    (x * z).abs().backward()
    assert x.grad is not None
    assert x.grad.dtype == rustorch.float32


def test_closeness() -> None:
    z = rustorch.tensor([1 + 1j, complex("nan"), complex("inf")])
    near = z + 1e-7j
    assert rustorch.isclose(z, near).tolist() == [True, False, False]
    assert rustorch.isclose(z, z, equal_nan=True).tolist() == [True, True, True]
    assert rustorch.equal(z[:1], z[:1])
    assert rustorch.allclose(z[:1], near[:1])


def test_numpy_and_random() -> None:
    array = np.array([[1 + 2j, 3 - 4j]], dtype=np.complex64)
    z = rustorch.from_numpy(array)
    assert z.dtype == rustorch.complex64
    assert np.shares_memory(z.numpy(), array)
    assert rustorch.tensor([z[0, 0], z[0, 1]]).tolist() == [1 + 2j, 3 - 4j]
    normal = rustorch.randn(20000, dtype=rustorch.complex64)
    assert normal.real.var().item() == pytest.approx(0.5, rel=0.05)
    assert normal.var().item() == pytest.approx(1, rel=0.05)
    uniform = rustorch.rand(1000, dtype=rustorch.complex128)
    assert uniform.imag.min().item() >= 0
    assert uniform.real.max().item() < 1


@pytest.mark.cpu_only
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1 + 2j, 3.5 - 4j], "tensor([1.0000+2.j, 3.5000-4.j])"),
        (1j, "tensor(0.+1.j)"),
        ([1e10 + 1j, 0.5], "tensor([1.0000e+10+1.j, 5.0000e-01+0.j])"),
        ([[1 - 0.25j], [float("nan")]], "tensor([[1.-0.2500j],\n        [nan+0.0000j]])"),
    ],
)
def test_printing(value: Any, text: str) -> None:
    assert repr(rustorch.tensor(value)) == text
