"""Jacobians, Hessians and their products with vectors, of functions of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from rustorch._C import Tensor, _grad, ones_like, stack, zeros_like
from rustorch.autograd.grad_mode import enable_grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors: TypeAlias = Tensor | tuple[Tensor, ...]


def _tensors(value: Any, what: str, function: str) -> tuple[bool, tuple[Tensor, ...]]:
    """Whether there are several, and all of them."""
    several = isinstance(value, (tuple, list))
    tensors = tuple(value) if several else (value,)
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            which = f"element {i} of the {what}" if several else f"the {what}"
            raise TypeError(f"{function}(): {which} must be a Tensor, not {type(tensor).__name__}")
    return several, tensors


def _leaves(inputs: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    """The inputs as what is differentiated by: still connected to their history if the result is to have one."""
    if create_graph:
        return tuple(x.view(x.shape) if x.requires_grad else x.detach().requires_grad_() for x in inputs)
    return tuple(x.detach().requires_grad_() for x in inputs)


def _given(v: Any, like: tuple[Tensor, ...], what: str, function: str) -> tuple[Tensor, ...]:
    """The vector of a product: as many tensors as `like` has, of the same sizes; 1 for a single element."""
    if v is None:
        if len(like) == 1 and like[0].numel() == 1:
            return (ones_like(like[0]),)
        raise RuntimeError(f"{function}(): v can only be None where the {what} is one Tensor of a single element")
    _, vectors = _tensors(v, "vector v", function)
    if len(vectors) != len(like):
        raise RuntimeError(f"{function}(): v has {len(vectors)} tensors, but the {what} has {len(like)}")
    for i, (vector, tensor) in enumerate(zip(vectors, like, strict=True)):
        if vector.shape != tensor.shape:
            raise RuntimeError(
                f"{function}(): element {i} of v has shape {tuple(vector.shape)}, "
                f"but that of the {what} has {tuple(tensor.shape)}"
            )
    return vectors


def _gradients(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    vectors: Sequence[Tensor],
    create_graph: bool,
    strict: bool,
    function: str,
) -> tuple[Tensor, ...]:
    """The gradients, zeros for those that there are not; with `strict` that is an error."""
    pairs = [(out, v) for out, v in zip(outputs, vectors, strict=True) if out.requires_grad]
    found: Sequence[Tensor | None] = [None] * len(inputs)
    if pairs:
        roots, seeds = zip(*pairs, strict=True)
        found = _grad(roots, inputs, seeds, create_graph=create_graph, retain_graph=True, allow_unused=True)
    if strict and len(pairs) < len(outputs):
        raise RuntimeError(f"{function}(): an output does not depend on the inputs; that is refused with strict=True")
    results = []
    for i, (gradient, tensor) in enumerate(zip(found, inputs, strict=True)):
        if gradient is None and strict:
            raise RuntimeError(
                f"{function}(): the outputs do not depend on input {i}; that is refused with strict=True"
            )
        if gradient is not None and strict and create_graph and not gradient.requires_grad:
            raise RuntimeError(
                f"{function}(): the derivative by input {i} does not depend on the inputs; "
                "that is refused with strict=True and create_graph=True"
            )
        results.append(zeros_like(tensor) if gradient is None else gradient)
    return tuple(results)


def _result(tensors: tuple[Any, ...], several: bool, create_graph: bool) -> Any:
    done = tuple(t if create_graph else t.detach() for t in tensors)
    return done if several else done[0]


def _evaluate(func: Callable[..., Any], inputs: tuple[Tensor, ...], function: str) -> tuple[bool, tuple[Tensor, ...]]:
    return _tensors(func(*inputs), "outputs of func", function)


def vjp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The outputs of ``func`` at ``inputs``, and the product of a vector with its Jacobian.

    Args:
        func: takes the tensors of ``inputs``, gives a Tensor or a tuple of them.
        inputs: a Tensor or a tuple of them.
        v: as the outputs; it may be left out where they are a single number.
        create_graph: whether the results can be differentiated.
        strict: whether an output that does not depend on an input is an error instead of zeros.
    """
    with enable_grad():
        several, points = _tensors(inputs, "inputs", "vjp")
        points = _leaves(points, create_graph)
        many, outputs = _evaluate(func, points, "vjp")
        vectors = _given(v, outputs, "output", "vjp")
        products = _gradients(outputs, points, vectors, create_graph, strict, "vjp")
    return _result(outputs, many, create_graph), _result(products, several, create_graph)


def jvp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The outputs of ``func`` at ``inputs``, and the product of its Jacobian with a vector.

    It is computed by differentiating twice: the product of a vector with the Jacobian is linear in that vector, and its
    derivative by it is the Jacobian. The arguments are those of ``vjp``; ``v`` is as the inputs.
    """
    with enable_grad():
        _, points = _tensors(inputs, "inputs", "jvp")
        vectors = _given(v, points, "input", "jvp")
        points = _leaves(points, create_graph)
        many, outputs = _evaluate(func, points, "jvp")
        seeds = tuple(zeros_like(out).requires_grad_() for out in outputs)
        products = _gradients(outputs, points, seeds, True, strict, "jvp")
        tangents = _gradients(products, seeds, vectors, create_graph, False, "jvp")
    return _result(outputs, many, create_graph), _result(tangents, many, create_graph)


def jacobian(
    func: Callable[..., Any],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The derivatives of all outputs of ``func`` by all inputs.

    A Tensor of the output's shape followed by the input's; a tuple of them, one per input, where ``inputs`` is a tuple;
    and a tuple of those, one per output, where ``func`` gives a tuple. ``vectorize`` and ``strategy`` say how PyTorch
    computes them; here each element of the outputs takes one backward pass.
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(f"jacobian(): strategy must be 'reverse-mode' or 'forward-mode', not {strategy!r}")
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError("jacobian(): strategy='forward-mode' needs vectorize=True, as in PyTorch")
    with enable_grad():
        several, points = _tensors(inputs, "inputs", "jacobian")
        points = _leaves(points, create_graph)
        many, outputs = _evaluate(func, points, "jacobian")
        blocks = []
        for out in outputs:
            rows = []
            for i in range(out.numel()):
                seed = zeros_like(out).reshape(-1)
                seed[i] = 1
                rows.append(_gradients([out], points, [seed.reshape(out.shape)], create_graph, strict, "jacobian"))
            block = []
            for k, point in enumerate(points):
                shape = (*out.shape, *point.shape)
                if rows:
                    block.append(stack([row[k] for row in rows]).reshape(shape))
                else:
                    block.append(zeros_like(point).reshape(-1)[:0].reshape(shape))
            blocks.append(_result(tuple(block), several, create_graph))
    return tuple(blocks) if many else blocks[0]


def _number(func: Callable[..., Any], points: tuple[Tensor, ...], function: str) -> Tensor:
    many, outputs = _evaluate(func, points, function)
    if many or outputs[0].numel() != 1:
        raise RuntimeError(f"{function}(): func must give one Tensor of a single element")
    return outputs[0]


def hessian(
    func: Callable[..., Any],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of ``func``, which gives a single number.

    A Tensor of the input's shape twice; where ``inputs`` is a tuple, a tuple of tuples of them.
    """
    several, _ = _tensors(inputs, "inputs", "hessian")

    def gradient(*points: Tensor) -> Any:
        _number(func, points, "hessian")
        found = jacobian(lambda *xs: func(*xs).reshape(()), points, create_graph=True, strict=strict)
        return found if several else found[0]

    return jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def vhp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of ``func``, a single number, and the product of a vector with its Hessian; ``v`` is as the inputs."""
    with enable_grad():
        several, points = _tensors(inputs, "inputs", "vhp")
        vectors = _given(v, points, "input", "vhp")
        points = _leaves(points, create_graph)
        value = _number(func, points, "vhp")
        first = _gradients([value], points, [ones_like(value)], True, strict, "vhp")
        products = _gradients(first, points, vectors, create_graph, strict, "vhp")
    return _result((value,), False, create_graph), _result(products, several, create_graph)


def hvp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of ``func``, a single number, and the product of its Hessian with a vector.

    The Hessian of a function that is smooth twice is symmetric, so that ``vhp`` costs less and gives the same.
    """
    with enable_grad():
        several, points = _tensors(inputs, "inputs", "hvp")
        vectors = _given(v, points, "input", "hvp")
        points = _leaves(points, create_graph)
        value = _number(func, points, "hvp")
        first = _gradients([value], points, [ones_like(value)], True, strict, "hvp")
        seeds = tuple(zeros_like(x).requires_grad_() for x in points)
        second = _gradients(first, points, seeds, True, strict, "hvp")
        products = _gradients(second, seeds, vectors, create_graph, False, "hvp")
    return _result((value,), False, create_graph), _result(products, several, create_graph)
