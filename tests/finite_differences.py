"""Gradients by central differences, in NumPy, to hold automatic differentiation against."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rustorch

from tests.sample import to_array, to_tensor

STEP = 1e-6
RTOL, ATOL = 1e-5, 1e-7  # float64: the differences themselves are good to about 1e-9

Function = Callable[[list[rustorch.Tensor]], list[rustorch.Tensor]]


def _cotangents(outputs: list[rustorch.Tensor]) -> list[NDArray[Any] | None]:
    """Weights for the floating outputs: a random projection finds a wrong derivative almost surely."""
    rng = np.random.default_rng(7)
    return [rng.uniform(0.5, 1.5, tuple(y.shape)) if y.is_floating_point() else None for y in outputs]


def _projection(
    function: Function, arrays: list[NDArray[Any]], cotangents: list[NDArray[Any] | None], device: str
) -> float:
    outputs = function([to_tensor(a, "float64", device) for a in arrays])
    pairs = zip(outputs, cotangents, strict=True)
    return float(sum((to_array(y).astype(np.float64) * v).sum() for y, v in pairs if v is not None))


def numerical_gradients(
    function: Function, arrays: list[NDArray[Any]], cotangents: list[NDArray[Any] | None], device: str
) -> list[NDArray[Any]]:
    """The derivative of sum(cotangent * output) by every element of every array."""
    gradients = []
    for array in arrays:
        gradient = np.zeros_like(array)
        for i in np.ndindex(array.shape):
            kept = array[i].copy()
            array[i] = kept + STEP
            above = _projection(function, arrays, cotangents, device)
            array[i] = kept - STEP
            below = _projection(function, arrays, cotangents, device)
            array[i] = kept
            gradient[i] = (above - below) / (2 * STEP)
        gradients.append(gradient)
    return gradients


def _differentiable(outputs: list[rustorch.Tensor]) -> list[rustorch.Tensor]:
    return [y for y in outputs if y.is_floating_point() and y.requires_grad]


def check_gradients(function: Function, arrays: list[NDArray[Any]], device: str) -> None:
    """Fails unless backward agrees with differences for a function of float64 tensors."""
    arrays = [a.astype(np.float64) for a in arrays]
    inputs = [to_tensor(a, "float64", device).requires_grad_() for a in arrays]
    outputs = function(inputs)
    cotangents = _cotangents(outputs)
    assert all(y.requires_grad for y in outputs if y.is_floating_point()), "a result does not require a gradient"
    weights = [to_tensor(v, "float64", device) for v in cotangents if v is not None]
    got = rustorch.autograd.grad(_differentiable(outputs), inputs, weights)
    want = numerical_gradients(function, arrays, cotangents, device)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(to_array(g), w, rtol=RTOL, atol=ATOL)


def check_second_gradients(function: Function, arrays: list[NDArray[Any]], device: str) -> None:
    """Fails unless the gradient, taken with create_graph, has the right gradient itself."""
    count = len(arrays)
    probe = function([to_tensor(a, "float64", device).requires_grad_() for a in arrays])
    cotangents = [v for v in _cotangents(probe) if v is not None]

    def gradient(tensors: list[rustorch.Tensor]) -> list[rustorch.Tensor]:
        inputs = [t if t.requires_grad else t.requires_grad_() for t in tensors[:count]]
        outputs = _differentiable(function(inputs))
        gradients = rustorch.autograd.grad(outputs, inputs, tensors[count:], create_graph=True)
        # A gradient that is constant in everything has no graph; adding 0 times each tensor gives it one.
        nothing = sum((t * 0).sum() for t in tensors)
        return [g + nothing for g in gradients]

    check_gradients(gradient, [*arrays, *cotangents], device)
