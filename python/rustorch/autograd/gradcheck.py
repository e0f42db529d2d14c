"""Gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import rustorch
from rustorch._C import Tensor, _grad
from rustorch._naming import named

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A gradient differs from its finite difference."""


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _outputs(func: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    values = _as_tuple(func(*inputs))
    return [v for v in values if isinstance(v, Tensor) and (v.is_floating_point() or v.is_complex())]


def _parts(tensor: Tensor) -> Tensor:
    """A view as real numbers: of complex ones, the real and imaginary parts."""
    return rustorch.view_as_real(tensor) if tensor.is_complex() else tensor


def _positions(tensor: Tensor) -> product[tuple[int, ...]]:
    return product(*(range(n) for n in tensor.shape))


def _numerical(func: Callable[..., Any], inputs: Sequence[Any], which: int, eps: float) -> list[list[list[float]]]:
    """Per output, one row per element of the input: the central difference of each element of the output."""
    data = _parts(inputs[which].data)
    rows: list[list[list[float]]] = []
    for position in _positions(data):
        kept = data[position].item()
        sides = []
        for step in (eps, -eps):
            data[position] = kept + step
            with rustorch.no_grad():
                sides.append([_parts(out).reshape(-1).tolist() for out in _outputs(func, inputs)])
        data[position] = kept
        differences = [
            [(up - down) / (2 * eps) for up, down in zip(high, low, strict=True)]
            for high, low in zip(*sides, strict=True)
        ]
        rows.append(differences)
    count = len(_outputs(func, inputs))
    return [[row[i] for row in rows] for i in range(count)]


def _analytical(output: Tensor, inputs: Sequence[Tensor]) -> list[list[list[float]]]:
    """Per input, one row per element of the input: the derivative of each element of the output."""
    columns: list[list[list[float]]] = [[] for _ in inputs]
    seed = rustorch.zeros_like(output)
    for position in _positions(_parts(seed)):
        seed.zero_()
        _parts(seed)[position] = 1.0
        grads = _grad(output, inputs, seed, retain_graph=True, allow_unused=True)
        for column, grad, tensor in zip(columns, grads, inputs, strict=True):
            zeros = rustorch.zeros_like(tensor)
            column.append(_parts(zeros if grad is None else grad.detach()).reshape(-1).tolist())
    return [[list(row) for row in zip(*column, strict=True)] for column in columns]


def _compare(
    name: str, numerical: list[list[float]], analytical: list[list[float]], atol: float, rtol: float
) -> str | None:
    for i, (expected_row, row) in enumerate(zip(numerical, analytical, strict=True)):
        for j, (expected, got) in enumerate(zip(expected_row, row, strict=True)):
            if not abs(got - expected) <= atol + rtol * abs(expected):
                return (
                    f"Jacobian mismatch for {name}: at input element {i}, output element {j} "
                    f"the finite difference is {expected:.10g}, the gradient {got:.10g}"
                )
    return None


def _check(func: Callable[..., Any], inputs: tuple[Any, ...], eps: float, atol: float, rtol: float) -> str | None:
    places = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not places:
        raise ValueError("gradcheck expects at least one input tensor to require gradient, but none of them does")
    for i in places:
        if inputs[i].dtype not in (rustorch.float64, rustorch.complex128):
            raise ValueError(
                f"gradcheck: input {i} is {inputs[i].dtype}; finite differences need float64 or complex128"
            )
    wanted = [inputs[i] for i in places]
    numerical = {i: _numerical(func, inputs, i, eps) for i in places}
    # After the differences, which change the inputs in place.
    outputs = _outputs(func, inputs)
    for k, output in enumerate(outputs):
        if output.requires_grad:
            analytical = _analytical(output, wanted)
        else:
            analytical = [[[0.0] * _parts(output).numel() for _ in range(_parts(x).numel())] for x in wanted]
        for i, jacobian in zip(places, analytical, strict=True):
            problem = _compare(f"output {k} with respect to input {i}", numerical[i][k], jacobian, atol, rtol)
            if problem is not None:
                return problem
    return None


@named
def gradcheck(
    func: Callable[..., Any],
    inputs: Sequence[Any] | Tensor,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Compare the gradients of ``func`` with central differences, element by element.

    Args:
        func: takes the inputs, gives a Tensor or a tuple of them.
        inputs: those that require gradients must be float64 or complex128; of a complex number the real and the
            imaginary part are changed one by one.
        eps: the step of the differences.
        atol, rtol: a gradient may differ from its difference by ``atol + rtol * abs(difference)``.
        raise_exception: whether a mismatch raises ``GradcheckError``, or gives False.
    """
    problem = _check(func, _as_tuple(inputs), eps, atol, rtol)
    if problem is not None and raise_exception:
        raise GradcheckError(problem)
    return problem is None


@named
def gradgradcheck(
    func: Callable[..., Any],
    inputs: Sequence[Any] | Tensor,
    grad_outputs: Sequence[Tensor] | Tensor | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
) -> bool:
    """Compare the gradients of the gradients of ``func`` with central differences.

    ``grad_outputs`` are what flows into the outputs; random numbers if they are not given. The other arguments are
    those of ``gradcheck``.
    """
    arguments = _as_tuple(inputs)
    outputs = [out for out in _outputs(func, arguments) if out.requires_grad]
    if grad_outputs is None:
        seeds = [rustorch.randn(tuple(out.shape), dtype=out.dtype) for out in outputs]
        if gen_non_contig_grad_outputs:
            seeds = [rustorch.stack([seed, seed], -1)[..., 0] for seed in seeds]
    else:
        seeds = [seed.detach() for seed in _as_tuple(grad_outputs)]
    seeds = [seed.requires_grad_() for seed in seeds]
    count = len(arguments)

    def gradients(*everything: Any) -> tuple[Tensor, ...]:
        given, flowing = everything[:count], everything[count:]
        leaves = [x for x in given if isinstance(x, Tensor) and x.requires_grad]
        with rustorch.enable_grad():
            results = [out for out in _outputs(func, given) if out.requires_grad]
        found = _grad(results, leaves, flowing, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None and g.requires_grad)

    return gradcheck(gradients, (*arguments, *seeds), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)
