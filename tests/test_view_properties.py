"""Random chains of views and writes: base and views agree with NumPy's, gradients with the same chain's derivatives."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, note, strategies as st
from hypothesis.extra import numpy as arrays

import rustorch

from tests.laid_out_tensors import Array, examples, in_some_layout, on_device

# One step of a chain, which takes an array of NumPy or a tensor.
Step = Callable[[Any], Any]
SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


def is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray)


def diagonal(x: Any, offset: int, a: int, b: int) -> Any:
    if not is_array(x):
        return x.diagonal(offset, a, b)
    view = np.diagonal(x, offset, a, b)
    view.flags.writeable = True
    return view


@st.composite
def view(draw: st.DrawFn, shape: tuple[int, ...]) -> Step:
    """A view of something of this shape that names no element twice."""
    ndim = len(shape)
    if ndim == 0:
        return draw(st.sampled_from([lambda x: x[None], lambda x: x.reshape(1, 1)]))
    dim = draw(st.integers(0, ndim - 1))
    other = draw(st.integers(0, ndim - 1))
    size = shape[dim]
    start, step = draw(st.integers(0, size)), draw(st.integers(1, 2))
    length = draw(st.integers(0, size - start))
    order = draw(st.permutations(range(ndim)))
    before = (slice(None),) * dim
    steps: dict[str, Step] = {
        "slice": lambda x: x[(*before, slice(start, start + length, step))],
        "narrow": lambda x: x[(*before, slice(start, start + length))] if is_array(x) else x.narrow(dim, start, length),
        "transpose": lambda x: x.swapaxes(dim, other),
        "permute": lambda x: x.transpose(order) if is_array(x) else x.permute(order),
        "unsqueeze": lambda x: np.expand_dims(x, dim) if is_array(x) else x.unsqueeze(dim),
        "movedim": lambda x: np.moveaxis(x, dim, other) if is_array(x) else x.movedim(dim, other),
        "split": lambda x: np.array_split(x, 2, dim)[0] if is_array(x) else x.tensor_split(2, dim)[0],
        "unflatten": lambda x: (
            x.reshape(*shape[:dim], 1, *shape[dim:]) if is_array(x) else x.unflatten(dim, (1, -1) if size else (1, 0))
        ),
    }
    if size:
        place = draw(st.integers(-size, size - 1))
        steps["select"] = lambda x: x[(*before, place)] if is_array(x) else x.select(dim, place)
    if dim != other:
        offset = draw(st.integers(-1, 1))
        steps["diagonal"] = lambda x: diagonal(x, offset, dim, other)
    if 1 in shape:
        one = shape.index(1)
        steps["squeeze"] = lambda x: x.squeeze(one)
    name = draw(st.sampled_from(sorted(steps)))
    note(f"{name} of {shape}: {dim=} {other=} {start=} {step=} {length=} {order=}")
    return steps[name]


@st.composite
def write(draw: st.DrawFn, shape: tuple[int, ...]) -> Step:
    """Something in place, analytic in what is written and in what was there."""
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    kept = draw(st.integers(0, len(shape)))
    other = np.asarray(rng.uniform(0.5, 1.5, shape[kept:]))
    number = draw(st.sampled_from([0.5, -2.0, 3.0]))

    def assign(x: Any, value: Any) -> None:
        x[...] = value

    def by(x: Any) -> Any:
        return other if is_array(x) else on_device(other)

    def square(x: Any) -> None:
        assign(x, x * x) if is_array(x) else x.square_()

    def sine(x: Any) -> None:
        assign(x, np.sin(x)) if is_array(x) else x.sin_()

    def from_itself(x: Any) -> None:
        assign(x, (x * number + 1).copy()) if is_array(x) else x.copy_(x * number + 1)

    steps: dict[str, Step] = {
        "mul_": lambda x: assign(x, x * by(x)) if is_array(x) else x.mul_(by(x)),
        "add_": lambda x: assign(x, x + by(x) * number) if is_array(x) else x.add_(by(x), alpha=number),
        "fill_": lambda x: assign(x, number) if is_array(x) else x.fill_(number),
        "assign": lambda x: assign(x, by(x)),
        "square_": square,
        "sin_": sine,
        "copy_": from_itself,
    }
    name = draw(st.sampled_from(sorted(steps)))
    note(f"{name} into {shape}: {number=} and an operand of {other.shape}")
    return steps[name]


@st.composite
def chain(draw: st.DrawFn, shape: tuple[int, ...]) -> Callable[[Any], list[Any]]:
    """Views of the base or of earlier views, with writes among them; gives the base and the views."""
    model = [np.zeros(shape)]
    program: list[tuple[bool, int, Step]] = []
    for _ in range(draw(st.integers(1, 6))):
        source = draw(st.integers(0, len(model) - 1))
        note(f"from {source}:")
        if draw(st.booleans()):
            step = draw(view(model[source].shape))
            seen = step(model[source])
            # NumPy gives a scalar where all dimensions are gone, and a copy where it can do no view.
            if not isinstance(seen, np.ndarray) or (seen.size and not np.shares_memory(seen, model[0])):
                continue
            model.append(seen)
            program.append((True, source, step))
        else:
            program.append((False, source, draw(write(model[source].shape))))

    def run(base: Any) -> list[Any]:
        views = [base]
        for is_view, source, step in program:
            if is_view:
                views.append(step(views[source]))
            else:
                step(views[source])
        return views

    return run


@examples(100)
@given(data=st.data())
def test_values(data: st.DataObject) -> None:
    """What is written through any view is seen by the base and by all other views."""
    shape = data.draw(SHAPES)
    run = data.draw(chain(shape))
    array = np.random.default_rng(1).uniform(-1, 1, shape)
    tensor = data.draw(in_some_layout(array))
    version = tensor._version
    ours, theirs = run(tensor), run(array)
    for got, want in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(got.numpy(force=True), want, rtol=1e-12)
        assert got._version == tensor._version >= version


def derivatives(run: Callable[[Any], list[Any]], array: Array, weights: list[Array]) -> Array:
    """The gradient of the weighted results, by complex steps, which lose no digits."""
    gradient = np.zeros(array.shape)
    for place in np.ndindex(*array.shape):
        base = array.astype(complex)
        base[place] += 1e-30j
        results = run(base)
        gradient[place] = sum((w * y).sum().imag for w, y in zip(weights, results, strict=True)) / 1e-30
    return gradient


@examples(100)
@given(data=st.data())
def test_gradients(data: st.DataObject) -> None:
    """Each write is recorded once, whichever view it went through and whichever views look at it later."""
    shape = data.draw(SHAPES)
    run = data.draw(chain(shape))
    rng = np.random.default_rng(2)
    array = rng.uniform(-1, 1, shape)
    order = data.draw(st.permutations(range(len(shape))))
    back = [order.index(d) for d in range(len(shape))]
    leaf = on_device(array).requires_grad_()
    # A base of its own whose memory has the dimensions in that order.
    results = run((leaf.permute(order).contiguous() * 1).permute(back) * 1)
    weights = [np.asarray(rng.uniform(0.5, 1.5, tuple(y.shape))) for y in results]
    total = sum((y * on_device(w)).sum() for y, w in zip(results, weights, strict=True))
    (gradient,) = rustorch.autograd.grad(total, leaf, allow_unused=True)
    got = np.zeros(shape) if gradient is None else gradient.numpy(force=True)
    np.testing.assert_allclose(got, derivatives(run, array, weights), rtol=1e-11, atol=1e-12)
