"""What a sample of an op is, and how its arguments become arrays and tensors."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rustorch

FLOATS = ("float64", "float32", "float16", "bfloat16")
INTS = ("int64", "int32", "int16", "int8", "uint8")
NUMBERS = FLOATS + INTS
ALL = (*NUMBERS, "bool")

# (relative, absolute), by the dtype of the result alone: a few units in the last place, and room for sums of a few
# dozen terms of size 1.
TOLERANCE = {
    "float64": (1e-12, 1e-12),
    "float32": (2e-6, 2e-6),
    "float16": (2e-3, 2e-3),
    "bfloat16": (1.6e-2, 1.6e-2),
}


@dataclass(frozen=True)
class T:
    """A tensor argument: values uniform over [low, high]. `dtype` None means the dtype that is being tested."""

    shape: tuple[int, ...]
    low: float = -3.0
    high: float = 3.0
    dtype: str | None = None
    grad: bool = True
    distinct: bool = False  # no two elements alike, so that an order among them is certain in every dtype


@dataclass(frozen=True)
class Case:
    """One call: positional and keyword arguments, in which every T becomes a tensor."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    dtypes: tuple[str, ...] | None = None  # fewer than the sample's

    def __repr__(self) -> str:
        parts = [_brief(a) for a in self.args] + [f"{k}={_brief(v)}" for k, v in self.kwargs.items()]
        return ",".join(parts)


@dataclass(frozen=True)
class Sample:
    """An op, what it should compute, and the calls that show it.

    `reference` gets the same arguments with NumPy arrays for tensors: float64 for floating dtypes, int64 for integers.
    `result` says which dtype comes out: "same", "float" (integers give float32), "sum" (integers give int64), "bool" or
    "int64"; a tuple for several results.
    """

    name: str
    reference: Callable[..., Any]
    cases: tuple[Case, ...]
    dtypes: tuple[str, ...] = FLOATS
    result: str | tuple[str, ...] = "same"
    grad: bool = True
    second_grad: bool = True
    method: bool = True
    function: bool = True
    inplace: bool = False
    elementwise: int = 0  # the number of tensor operands of an elementwise op
    special_values: bool = False  # whether NaN, infinities and signed zeros are tried too

    @property
    def call(self) -> Callable[..., Any]:
        """The function, or the method where there is no function."""
        if not self.function:
            name = self.name
            return lambda x, *args, **kwargs: getattr(x, name)(*args, **kwargs)
        here: Any = rustorch
        for part in self.name.split("."):
            here = getattr(here, part)
        return here

    def cases_for(self, dtype: str) -> Iterator[Case]:
        """The cases that this dtype can take."""
        return (case for case in self.cases if case.dtypes is None or dtype in case.dtypes)


def _brief(value: Any) -> str:
    if isinstance(value, T):
        return "x".join(map(str, value.shape)) or "scalar"
    if isinstance(value, list | tuple):
        return "(" + ",".join(map(_brief, value)) + ")"
    return str(value)


def transform(value: Any, change: Callable[[T], Any]) -> Any:
    """`value` with each T in it, also inside lists, replaced by `change` of it."""
    if isinstance(value, T):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)(transform(v, change) for v in value)
    return value


def round_to(array: NDArray[Any], dtype: str) -> NDArray[Any]:
    """The nearest values that `dtype` holds, in NumPy's widest type of the same kind."""
    if dtype == "bfloat16":
        with np.errstate(over="ignore"):
            bits = array.astype(np.float32).view(np.uint32)
            rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
            return np.where(np.isfinite(array), rounded.view(np.float32), array).astype(np.float64)
    if dtype in FLOATS:
        with np.errstate(over="ignore"):
            return array.astype(dtype).astype(np.float64)
    return array.astype(dtype).astype(bool if dtype == "bool" else np.int64)


def make_array(spec: T, dtype: str, seed: str) -> NDArray[Any]:
    """The same values for the same seed, exactly representable in the dtype."""
    dtype = spec.dtype or dtype
    rng = np.random.default_rng(zlib.crc32(seed.encode()))
    if spec.distinct and dtype != "bool":
        count = int(np.prod(spec.shape))
        return round_to(rng.permutation(count).reshape(spec.shape) - (0 if dtype == "uint8" else count // 2), dtype)
    if dtype == "bool":
        return rng.integers(0, 2, spec.shape).astype(bool)
    if dtype in FLOATS:
        return round_to(rng.uniform(spec.low, spec.high, spec.shape), dtype)
    low = max(int(np.ceil(spec.low)), 0 if dtype == "uint8" else -(2**62))
    return rng.integers(low, max(int(np.floor(spec.high)), low) + 1, spec.shape)


def to_tensor(array: NDArray[Any], dtype: str, device: str) -> rustorch.Tensor:
    """A tensor of its own memory."""
    if dtype == "bfloat16":
        return rustorch.from_numpy(np.array(array, np.float32)).to(rustorch.bfloat16).to(device)
    return rustorch.from_numpy(np.array(array, dtype)).to(device)


def to_array(tensor: rustorch.Tensor) -> NDArray[Any]:
    """The values, in NumPy's type of the same name (bfloat16 as float32)."""
    tensor = tensor.detach().to("cpu")
    return (tensor.to(rustorch.float32) if tensor.dtype == rustorch.bfloat16 else tensor).numpy(force=True)


def dtype_name(tensor: rustorch.Tensor) -> str:
    """ "float32" and so on."""
    return str(tensor.dtype).rsplit(".", 1)[-1]


@dataclass
class Call:
    """A case made real for one dtype: the arrays for the reference, the tensors for the op."""

    sample: Sample
    case: Case
    dtype: str
    device: str
    arrays: list[NDArray[Any]] = field(init=False)
    specs: list[T] = field(init=False)

    def __post_init__(self) -> None:
        self.specs = []
        transform((self.case.args, tuple(self.case.kwargs.values())), self.specs.append)
        seed = f"{self.sample.name} {self.case}"
        self.arrays = [make_array(spec, self.dtype, f"{seed} {i}") for i, spec in enumerate(self.specs)]

    def bind(self, values: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments with `values` in the places of the tensors."""
        stream = iter(values)
        args = transform(self.case.args, lambda _: next(stream))
        return args, {k: transform(v, lambda _: next(stream)) for k, v in self.case.kwargs.items()}

    def tensors(self) -> list[rustorch.Tensor]:
        """Fresh tensors of the arrays."""
        pairs = zip(self.arrays, self.specs, strict=True)
        return [to_tensor(array, spec.dtype or self.dtype, self.device) for array, spec in pairs]

    def run(self, tensors: list[rustorch.Tensor]) -> list[rustorch.Tensor]:
        """The op's results."""
        args, kwargs = self.bind(tensors)
        return listed(self.sample.call(*args, **kwargs))

    def expected(self) -> list[NDArray[Any]]:
        """The reference's results, rounded to the dtypes that the op should return."""
        wants_float = self.sample.result == "float" and self.dtype not in FLOATS
        arrays = [
            a.astype(np.float64) if wants_float and spec.dtype is None else a.copy()
            for a, spec in zip(self.arrays, self.specs, strict=True)
        ]
        args, kwargs = self.bind(arrays)
        with np.errstate(all="ignore"):
            results = listed(self.sample.reference(*args, **kwargs))
        return [round_to(np.asarray(r), d) for r, d in zip(results, self.result_dtypes(len(results)), strict=True)]

    def result_dtypes(self, count: int) -> list[str]:
        """The dtype of each result."""
        rules = self.sample.result if isinstance(self.sample.result, tuple) else (self.sample.result,) * count
        integral = self.dtype not in FLOATS
        table = {"same": self.dtype, "float": "float32" if integral else self.dtype}
        table["sum"] = "int64" if integral else self.dtype
        return [table.get(rule, rule) for rule in rules]


def listed(results: Any) -> list[Any]:
    """One result or several, as a list."""
    return list(results) if isinstance(results, list | tuple) else [results]


def assert_close(got: rustorch.Tensor, want: NDArray[Any], dtype: str) -> None:
    """Fails unless dtype and shape are equal and the values agree within the dtype's tolerance."""
    assert dtype_name(got) == dtype
    assert tuple(got.shape) == want.shape
    array = to_array(got)
    if dtype in FLOATS:
        rtol, atol = TOLERANCE[dtype]
        np.testing.assert_allclose(array.astype(np.float64), want, rtol=rtol, atol=atol)
    else:
        np.testing.assert_array_equal(array, want)


# --- how op_samples.py writes its rows ---

_SHAPES: dict[int, list[tuple[tuple[int, ...], ...]]] = {
    1: [((),), ((7,),), ((3, 5),), ((2, 1, 19),), ((0,),), ((2, 0, 3),)],
    2: [((), ()), ((7,), (7,)), ((3, 5), (5,)), ((4, 1), (1, 6)), ((2, 3, 17), (3, 1)), ((5,), ()), ((0, 3), (1, 3))],
    3: [((), (), ()), ((7,), (7,), (7,)), ((3, 5), (5,), (3, 1)), ((2, 3), (1,), ()), ((0, 3), (3,), (1, 1))],
}


def elementwise(
    name: str,
    reference: Callable[..., Any],
    *ranges: tuple[float, float],
    kwargs: dict[str, Any] | None = None,
    scalar: float | None = None,
    fixed: dict[int, str] | None = None,
    **fields: Any,
) -> Sample:
    """An elementwise op with one operand per range (one of [-3, 3] if none is given), tried on shapes that broadcast.

    `scalar` adds a call whose last operand is that Python number; `fixed` gives operands a dtype of their own.
    """
    ranges = ranges or ((-3.0, 3.0),)
    fixed = fixed or {}

    def operands(shapes: tuple[tuple[int, ...], ...]) -> tuple[T, ...]:
        pairs = enumerate(zip(shapes, ranges, strict=True))
        return tuple(T(s, low, high, fixed.get(i), grad=i not in fixed) for i, (s, (low, high)) in pairs)

    cases = [Case(operands(shapes), kwargs or {}) for shapes in _SHAPES[len(ranges)]]
    if scalar is not None:
        shapes = _SHAPES[len(ranges)][2]
        cases.append(Case((*operands(shapes)[:-1], scalar), kwargs or {}, dtypes=NUMBERS))
    fields.setdefault("inplace", "." not in name)
    fields.setdefault("method", "." not in name)
    fields.setdefault("special_values", True)
    return Sample(name, reference, tuple(cases), elementwise=len(ranges), **fields)


def op(name: str, reference: Callable[..., Any], *cases: Case, **fields: Any) -> Sample:
    """Any other op."""
    fields.setdefault("method", "." not in name)
    return Sample(name, reference, cases, **fields)


def case(*args: Any, dtypes: tuple[str, ...] | None = None, **kwargs: Any) -> Case:
    """One call."""
    return Case(args, kwargs, dtypes)
