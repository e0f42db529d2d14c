"""Calls of functions of `torch` that take nn.functional's arguments otherwise: what PyTorch is asked, and RusTorch."""

from __future__ import annotations

from typing import Any

import numpy as np


def numbers(module: Any, *shape: int, start: float = 0.0, scale: float = 1.0) -> Any:
    """A tensor of sines, the same in both libraries."""
    values = scale * np.sin(start + np.arange(int(np.prod(shape)), dtype=np.float64))
    return module.tensor(values.tolist(), dtype=module.float64).reshape(shape)


def _parameters(t: Any, gates: int, sizes: list[tuple[int, int]], *, biases: bool, projected: int = 0) -> list[Any]:
    """The parameters of layers and directions of (input size, hidden size)."""
    parameters = []
    for place, (features, hidden) in enumerate(sizes):
        rows, start = gates * hidden, float(place)
        parameters += [numbers(t, rows, features, start=start), numbers(t, rows, projected or hidden, start=start + 1)]
        if biases:
            parameters += [numbers(t, rows, start=start + 2), numbers(t, rows, start=start + 3)]
        if projected:
            parameters.append(numbers(t, projected, hidden, start=start + 4))
    return parameters


def _recurrent(name: str, gates: int) -> dict[str, Any]:
    def call(t: Any, *, layers: int, both: bool, biases: bool, batch_first: bool) -> Any:
        directions = 2 if both else 1
        sizes = [(3 if i < directions else 2 * directions, 2) for i in range(layers * directions)]
        state = numbers(t, layers * directions, 4, 2, start=0.5)
        hx = (state, numbers(t, layers * directions, 4, 2, start=1.5)) if name == "lstm" else state
        x = numbers(t, *((4, 5, 3) if batch_first else (5, 4, 3)))
        parameters = _parameters(t, gates, sizes, biases=biases)
        return getattr(t, name)(x, hx, parameters, biases, layers, 0.0, True, both, batch_first)

    def packed(t: Any) -> Any:
        state = numbers(t, 2, 3, 2, start=0.5)
        hx = (state, numbers(t, 2, 3, 2, start=1.5)) if name == "lstm" else state
        parameters = _parameters(t, gates, [(3, 2), (3, 2)], biases=True)
        sizes = t.tensor([3, 2, 2, 1])
        return getattr(t, name)(numbers(t, 8, 3), sizes, hx, parameters, True, 1, 0.0, True, True)

    return {
        f"{name} packed": packed,
        f"{name} plain": lambda t: call(t, layers=1, both=False, biases=False, batch_first=False),
        f"{name} deep": lambda t: call(t, layers=2, both=True, biases=True, batch_first=True),
    }


def _cell(name: str, gates: int) -> dict[str, Any]:
    def call(t: Any, *biases: Any) -> Any:
        h = numbers(t, 4, 2, start=0.5)
        hx = (h, numbers(t, 4, 2, start=1.5)) if name == "lstm_cell" else h
        weights = numbers(t, gates * 2, 3), numbers(t, gates * 2, 2, start=1)
        return getattr(t, name)(numbers(t, 4, 3), hx, *weights, *biases)

    return {
        name: lambda t: call(t),
        f"{name} biases": lambda t: call(t, numbers(t, gates * 2), numbers(t, gates * 2, start=2)),
    }


def _projected(t: Any) -> Any:
    hx = numbers(t, 1, 4, 2), numbers(t, 1, 4, 3, start=1)
    parameters = _parameters(t, 4, [(3, 3)], biases=True, projected=2)
    return t.lstm(numbers(t, 5, 4, 3), hx, parameters, True, 1, 0.0, False, False, False)


def _with_statistics(name: str, *, own: bool) -> Any:
    def call(t: Any) -> Any:
        mean, var = numbers(t, 3), numbers(t, 3).square() + 0.5
        x, factors = numbers(t, 4, 3, 5), (numbers(t, 3, start=1), numbers(t, 3, start=2))
        return getattr(t, name)(x, *factors, mean, var, own, 0.25, 1e-3, False), mean, var

    return call


def _ctc(t: Any, reduction: int) -> Any:
    log_probs = numbers(t, 6, 2, 4).log_softmax(-1)
    targets = t.tensor([[1, 2, 3], [2, 2, 1]])
    return t.ctc_loss(log_probs, targets, t.tensor([6, 5]), t.tensor([3, 2]), 0, reduction, False)


def _losses(reduction: int) -> dict[str, Any]:
    def signs(t: Any, *shape: int) -> Any:
        return numbers(t, *shape, start=5).sign()

    calls = {
        "binary_cross_entropy_with_logits": lambda t: t.binary_cross_entropy_with_logits(
            numbers(t, 3, 4), numbers(t, 3, 4).square(), numbers(t, 4).square(), numbers(t, 4, start=1) + 2, reduction
        ),
        "cosine_embedding_loss": lambda t: t.cosine_embedding_loss(
            numbers(t, 5, 4), numbers(t, 5, 4, start=2), signs(t, 5), 0.25, reduction
        ),
        "ctc_loss": lambda t: _ctc(t, reduction),
        "hinge_embedding_loss": lambda t: t.hinge_embedding_loss(numbers(t, 3, 4), signs(t, 3, 4), 0.75, reduction),
        "kl_div": lambda t: t.kl_div(numbers(t, 3, 4), numbers(t, 3, 4, start=1), reduction, log_target=True),
        "margin_ranking_loss": lambda t: t.margin_ranking_loss(
            numbers(t, 6), numbers(t, 6, start=2), signs(t, 6), 0.5, reduction
        ),
        "poisson_nll_loss": lambda t: t.poisson_nll_loss(
            numbers(t, 6).square(), numbers(t, 6, start=2, scale=4.0).square(), False, True, 1e-6, reduction
        ),
        "triplet_margin_loss": lambda t: t.triplet_margin_loss(
            numbers(t, 3, 4), numbers(t, 3, 4, start=1), numbers(t, 3, 4, start=2), 0.5, 3.0, 1e-6, True, reduction
        ),
    }
    return {f"{name} {reduction}": call for name, call in calls.items()}


def _sampled(name: str, mode: int, padding_mode: int, *, align_corners: bool) -> dict[str, Any]:
    spatial, points = ((3, 4), (2, 3)) if name.endswith("2d") else ((3, 4, 2), (2, 3, 2))
    return {
        f"{name} {mode} {padding_mode} {align_corners}": lambda t: getattr(t, name)(
            numbers(t, 2, 1, *spatial),
            numbers(t, 2, *points, len(spatial), scale=1.25),
            mode,
            padding_mode,
            align_corners,
        )
    }


def _convolved(spatial: int, *, transposed: bool) -> dict[str, Any]:
    def call(t: Any) -> Any:
        x, weight = numbers(t, 1, 4, *(4, 3, 2)[:spatial]), numbers(t, 4, 2, *(2, 2, 1)[:spatial], start=1)
        ones = [1] * spatial
        extra = ones if transposed else [0] * spatial
        return t.convolution(x, weight, numbers(t, 4), [2] * spatial, ones, ones, transposed, extra, 2)

    return {f"convolution {spatial} {transposed}": call}


CASES: dict[str, Any] = {
    **_recurrent("gru", 3),
    **_recurrent("lstm", 4),
    **_recurrent("rnn_tanh", 1),
    **_recurrent("rnn_relu", 1),
    "lstm projected": _projected,
    **_cell("gru_cell", 3),
    **_cell("lstm_cell", 4),
    **_cell("rnn_tanh_cell", 1),
    **_cell("rnn_relu_cell", 1),
    "batch_norm training": _with_statistics("batch_norm", own=True),
    "batch_norm": _with_statistics("batch_norm", own=False),
    "instance_norm training": _with_statistics("instance_norm", own=True),
    "instance_norm": _with_statistics("instance_norm", own=False),
    **_losses(0),
    **_losses(1),
    **_losses(2),
    **_sampled("grid_sampler_2d", 0, 0, align_corners=False),
    **_sampled("grid_sampler_2d", 2, 2, align_corners=True),
    **_sampled("grid_sampler_3d", 1, 1, align_corners=False),
    "grid_sampler": lambda t: t.grid_sampler(numbers(t, 1, 2, 3, 3), numbers(t, 1, 4, 4, 2), 0, 1, True),
    "affine_grid_generator": lambda t: t.affine_grid_generator(numbers(t, 2, 2, 3), (2, 1, 3, 4), False),
    "max_pool1d_with_indices": lambda t: t.max_pool1d_with_indices(numbers(t, 2, 9), 3, 2, 1, 2, True),
    **{key: call for n in (1, 2, 3) for both in (False, True) for key, call in _convolved(n, transposed=both).items()},
    "range": lambda t: t.range(0, 1, 0.1, dtype=t.float64),
    "range down": lambda t: t.range(5, 1, -1.5),
    "range integers": lambda t: t.range(-1.9, 7.5, 2, dtype=t.int32),
    "fill": lambda t: t.fill(numbers(t, 2, 2), 3),
    "put": lambda t: t.put(numbers(t, 2, 2), t.tensor([3, 0, 3]), numbers(t, 3, start=1), True),
    "empty_strided": lambda t: t.tensor(t.empty_strided((2, 3, 0), (1, 5, 7)).stride()),
    "empty_permuted": lambda t: t.tensor(t.empty_permuted((2, 3, 5, 7), (2, 0, 3, 1)).stride()),
}
