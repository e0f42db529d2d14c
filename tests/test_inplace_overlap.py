"""In-place ops whose operands lie in the memory that they write: right values and right gradients."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

import rustorch
from rustorch import Tensor

from tests.op_samples import SAMPLES
from tests.sample import Call, Case, Sample, T, to_array, to_tensor

# PyTorch refuses most of these calls.
pytestmark = pytest.mark.rustorch_only

Alias = Callable[[Tensor, tuple[int, ...]], Tensor | None]


def _same(y: Tensor, shape: tuple[int, ...]) -> Tensor | None:
    return y if tuple(y.shape) == shape else None


def _transposed(y: Tensor, shape: tuple[int, ...]) -> Tensor | None:
    turned = y.permute(*reversed(range(y.ndim)))
    return turned if y.ndim > 1 and tuple(turned.shape) == shape else None


def _flat(y: Tensor) -> Tensor:
    """The memory of `y`, which is dense, from its first element on."""
    return y.as_strided((y.numel(),), (1,))


def _start(y: Tensor, shape: tuple[int, ...]) -> Tensor | None:
    count = int(np.prod(shape))
    return _flat(y)[:count].view(shape) if count <= y.numel() else None


def _end(y: Tensor, shape: tuple[int, ...]) -> Tensor | None:
    count = int(np.prod(shape))
    return _flat(y)[y.numel() - count :].view(shape) if count <= y.numel() else None


def _repeated(y: Tensor, shape: tuple[int, ...]) -> Tensor | None:
    return _flat(y)[-1].expand(shape) if y.numel() else None


def _detached(y: Tensor, shape: tuple[int, ...]) -> Tensor | None:
    alias = _transposed(y, shape)
    alias = _same(y, shape) if alias is None else alias
    return None if alias is None else alias.detach()


def _data(y: Tensor, shape: tuple[int, ...]) -> Tensor | None:
    alias = _detached(y, shape)
    return None if alias is None else alias.data


ALIASES: dict[str, Alias] = {
    "same": _same,
    "view": lambda y, shape: y.view_as(y) if tuple(y.shape) == shape else None,
    "transposed": _transposed,
    "start": _start,
    "end": _end,
    "repeated": _repeated,
    "detached": _detached,
    "data": _data,
}
TARGETS: dict[str, Callable[[Tensor], Tensor]] = {
    "whole": lambda x: x * 1,
    "view": lambda x: (x * 1).view_as(x),
    "transposed": lambda x: (x.permute(*reversed(range(x.ndim))) * 1).permute(*reversed(range(x.ndim))),
}


def _cases(sample: Sample) -> Iterator[Case]:
    yield from sample.cases
    if sample.elementwise:
        # Square, so that an operand can be the target's transpose.
        first = sample.cases[0]
        yield replace(first, args=tuple(replace(a, shape=(3, 3)) if isinstance(a, T) else a for a in first.args))


def _outcome(
    call: Call, places: tuple[int, ...], alias: Alias, target: Callable[[Tensor], Tensor], name: str
) -> tuple[np.ndarray, np.ndarray | None] | None:
    """The result of `name` and the gradient by its first operand, which the others at `places` share memory with."""
    tensors = call.tensors()
    smooth = tensors[0].is_floating_point()
    x = tensors[0].requires_grad_(smooth)
    y = tensors[0] = target(x)
    for place in places:
        aliased = alias(y, tuple(tensors[place].shape))
        if aliased is None:
            return None
        tensors[place] = aliased
    (first, *rest), kwargs = call.bind(tensors)
    result = getattr(first, name)(*rest, **kwargs)
    if result.shape != x.shape or result.dtype != x.dtype:
        return None
    if not result.requires_grad:
        return to_array(result), None
    rng = np.random.default_rng(zlib.crc32(call.sample.name.encode()))
    result.backward(to_tensor(rng.uniform(0.5, 2, x.shape), call.dtype, call.device))
    return to_array(result), None if x.grad is None else to_array(x.grad)


# Ops that draw numbers, and the one that ends the history.
OTHERS = ("bernoulli", "detach")
OVERWRITERS = [s for s in SAMPLES if s.method and s.name not in OTHERS and hasattr(Tensor, s.name + "_")]


@pytest.mark.parametrize("kind", ALIASES)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("sample", OVERWRITERS, ids=lambda sample: sample.name)
def test_operands_that_share_the_targets_memory(sample: Sample, target: str, kind: str, device: str) -> None:
    """Values and gradients are those of the op that is not in place."""
    dtype = "float64" if "float64" in sample.dtypes else sample.dtypes[0]
    for case in _cases(sample):
        if not case.args or not isinstance(case.args[0], T) or (case.dtypes and dtype not in case.dtypes):
            continue
        call = Call(sample, case, dtype, device)
        others = tuple(i for i, spec in enumerate(call.specs) if i > 0 and spec.dtype is None)
        for places in {(), others, *((i,) for i in others)}:
            try:
                want = _outcome(call, places, ALIASES[kind], TARGETS[target], sample.name)
            except (RuntimeError, ValueError, IndexError, TypeError):
                continue  # not a call that the op takes
            if want is None:
                continue
            got = _outcome(call, places, ALIASES[kind], TARGETS[target], sample.name + "_")
            assert got is not None
            note = f"{sample.name}({case}), operands {places}"
            np.testing.assert_allclose(got[0], want[0], rtol=1e-12, err_msg=note)
            assert (got[1] is None) == (want[1] is None)
            if want[1] is not None:
                np.testing.assert_allclose(got[1], want[1], rtol=1e-12, err_msg=note)


ORDER = [2, 0, 3, 1]
WRITES: dict[str, tuple[Callable[[Tensor, Tensor], object], Callable[[Tensor], Tensor]]] = {
    "shifted": (lambda y, alias: y[1:].copy_(alias[:-1]), lambda y: rustorch.cat([y[:1], y[:-1]])),
    "item": (lambda y, alias: y.__setitem__(slice(1, None), alias[:-1]), lambda y: rustorch.cat([y[:1], y[:-1]])),
    "turned": (lambda y, alias: y.copy_(alias.t()), lambda y: y.t().clone()),
    "permuted": (lambda y, alias: y.__setitem__(rustorch.tensor(ORDER), alias), lambda y: y[[1, 3, 0, 2]]),
    "permuted columns": (
        lambda y, alias: y.__setitem__((slice(None), rustorch.tensor(ORDER)), alias),
        lambda y: y[:, [1, 3, 0, 2]],
    ),
    "added": (
        lambda y, alias: y.index_put_((rustorch.tensor(ORDER),), alias, accumulate=True),
        lambda y: y + y[[1, 3, 0, 2]],
    ),
    "row": (lambda y, alias: y.copy_(alias[2]), lambda y: y[2].expand(4, 4).clone()),
    "element": (lambda y, alias: y.fill_(alias[1, 2]), lambda y: y[1, 2].expand(4, 4).clone()),
    "scaled row": (lambda y, alias: y[1:].mul_(alias[0]), lambda y: rustorch.cat([y[:1], y[1:] * y[0]])),
    "other row": (lambda y, alias: y[0].mul_(alias[1]), lambda y: rustorch.cat([y[:1] * y[1], y[1:]])),
}


@pytest.mark.parametrize("own", [True, False], ids=["itself", "data"])
@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("name", WRITES)
def test_writes_from_the_same_memory(name: str, recorded: bool, own: bool, device: str) -> None:
    write, right = WRITES[name]
    start = rustorch.rand(4, 4, dtype=rustorch.float64, device=device).requires_grad_(recorded)
    weight = rustorch.rand(4, 4, dtype=rustorch.float64, device=device)
    want = right(start * 1)
    y = start * 1
    write(y, y if own else y.data)
    assert rustorch.equal(y, want)
    if recorded and own:
        (expected,) = rustorch.autograd.grad((want * weight).sum(), start)
        (got,) = rustorch.autograd.grad((y * weight).sum(), start)
        assert rustorch.allclose(got, expected, rtol=1e-12)


@pytest.mark.cpu_only
def test_two_tensors_of_one_array_share_memory() -> None:
    array = np.arange(9.0).reshape(3, 3)
    want = array * array.T
    rustorch.from_numpy(array).mul_(rustorch.from_numpy(array.T))
    np.testing.assert_array_equal(array, want)


def test_second_gradient_of_an_op_with_itself(device: str) -> None:
    def gradients(in_place: bool) -> list[float]:
        x = rustorch.tensor([0.5, 2.0, 3.0], dtype=rustorch.float64, device=device, requires_grad=True)
        y = x * 1
        z = y.mul_(y) if in_place else y * y
        (first,) = rustorch.autograd.grad((z**2).sum(), x, create_graph=True)
        (second,) = rustorch.autograd.grad(first.sum(), x)
        return [*first.tolist(), *second.tolist()]

    assert gradients(True) == pytest.approx(gradients(False), rel=1e-12)


@pytest.mark.parametrize(
    "use",
    [
        lambda x, i: x[i],
        lambda x, i: x.index_put((i,), x[:2]),
        lambda x, i: x.gather(0, i),
        lambda x, i: x.index_select(0, i),
        lambda x, i: x.scatter(0, i, x),
    ],
)
def test_an_index_that_changes_is_noticed(use: Callable[[Tensor, Tensor], Tensor], device: str) -> None:
    x = rustorch.ones(3, device=device, requires_grad=True)
    index = rustorch.tensor([0, 1], device=device)
    y = use(x, index)
    index.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
