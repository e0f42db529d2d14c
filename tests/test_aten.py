"""Functions of `rustorch` under ATen's signatures compute what PyTorch's do; ops in place are functions."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rustorch

from tests.pytorch_answers.aten_cases import CASES
from tests.sample import to_array

ANSWERS = json.loads((Path(__file__).parent / "pytorch_answers/aten.json").read_text())


@pytest.mark.parametrize("key", CASES)
def test_functions_compute_what_pytorchs_do(key: str) -> None:
    with warnings.catch_warnings():
        if key.startswith("range"):
            warnings.simplefilter("ignore", UserWarning)
        got = CASES[key](rustorch)
    got = got if isinstance(got, tuple) else (got,)
    assert len(got) == len(ANSWERS[key])
    for ours, (dtype, shape, elements) in zip(got, ANSWERS[key], strict=True):
        assert [str(ours.dtype).removeprefix("rustorch."), list(ours.shape)] == [dtype, shape]
        np.testing.assert_allclose(to_array(ours).ravel(), elements, rtol=1e-10, atol=1e-10)


#: Methods in place that are functions neither here nor in PyTorch: they draw, copy, or change what the tensor is.
#: polygamma() takes its order first where it is a function.
METHODS_ALONE = {
    *("bernoulli_", "cauchy_", "exponential_", "geometric_", "log_normal_", "normal_", "random_", "uniform_"),
    *("copy_", "fill_diagonal_", "polygamma_", "requires_grad_", "resize_", "set_", "share_memory_"),
    *("apply_", "map_", "map2_"),
    *("squeeze_", "swapaxes_", "swapdims_", "t_", "transpose_", "unsqueeze_"),
}


def test_every_op_in_place_is_a_function() -> None:
    methods = {n for n in dir(rustorch.Tensor) if n.endswith("_") and not n.startswith("_")}
    assert {name for name in methods if not hasattr(rustorch, name)} == METHODS_ALONE


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("abs_", ()),
        ("add_", (2.0,)),
        ("clamp_", (-0.5, 0.5)),
        ("clip_", (-0.5, 0.5)),
        ("fill_", (3.0,)),
        ("relu_", ()),
        ("round_", ()),
        ("zero_", ()),
    ],
)
def test_functions_in_place_give_their_tensor(name: str, arguments: tuple[Any, ...]) -> None:
    values = [-1.75, -0.25, 0.5, 1.25]
    x, y = rustorch.tensor(values), rustorch.tensor(values)
    assert getattr(rustorch, name)(x, *arguments) is x
    np.testing.assert_array_equal(to_array(x), to_array(getattr(y, name)(*arguments)))


def test_fill_is_recorded_for_the_value() -> None:
    x, value = rustorch.ones(3, requires_grad=True), rustorch.tensor(2.0, requires_grad=True)
    rustorch.fill(x, value).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]
    assert value.grad.item() == 3.0


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda t: t.kl_div(t.ones(2), t.ones(2), "mean"), TypeError, "kl_div.*0, 1 or 2"),
        (lambda t: t.hinge_embedding_loss(t.ones(2), t.ones(2), 1.0, 3), ValueError, "hinge_embedding_loss.*0 .none"),
        (lambda t: t.range(1, 5, -1), ValueError, "range.*inconsistent with step sign"),
        (lambda t: t.range(1, 5, 0), ValueError, "range.*nonzero"),
        (lambda t: t.empty_strided((2,), (1, 2)), RuntimeError, "empty_strided.*not as many"),
        (lambda t: t.empty_strided((2,), (-1,)), RuntimeError, "empty_strided.*negative"),
        (lambda t: t.empty_permuted((2, 3), (0, 0)), RuntimeError, "empty_permuted.*once"),
        (lambda t: t.empty_permuted((2, 3), (0, -1)), RuntimeError, "empty_permuted.*once"),
        (lambda t: t.fill(t.ones(2), t.ones(2)), RuntimeError, "fill.*0-dimensional"),
        (
            lambda t: t.grid_sampler(t.ones(1, 1, 2, 2), t.ones(1, 1, 1, 2), 5, 0, True),
            ValueError,
            "grid_sampler.*interpolation_mode",
        ),
        (
            lambda t: t.grid_sampler_2d(t.ones(1, 1, 2, 2, 2), t.ones(1, 1, 1, 1, 3), 0, 0, True),
            RuntimeError,
            "grid_sampler_2d.*4 dimensions",
        ),
        (
            lambda t: t.convolution(t.ones(1, 5), t.ones(1, 1, 3), None, [1], [0], [1], False, [0], 1),
            RuntimeError,
            "convolution.*2 and 3",
        ),
        (
            lambda t: t.gru(t.ones(5, 2, 3), t.ones(1, 2, 4), [t.ones(12, 3)], True, 1, 0.0, False, False, False),
            RuntimeError,
            "gru.*4 parameters, 4 each, got 1",
        ),
        (
            lambda t: t.gru(t.ones(5, 3), t.tensor([2, 1, 1]), t.ones(1, 2, 4), [], True, 1, 0.0, False),
            TypeError,
            "gru.*arguments .data, batch_sizes, .*got 8 of them",
        ),
        (
            lambda t: t.lstm_cell(t.ones(2, 3), t.ones(2, 4), t.ones(16, 3), t.ones(16, 4)),
            RuntimeError,
            "lstm_cell.*two states",
        ),
    ],
)
def test_errors_name_the_function(call: Any, error: type[Exception], text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with pytest.raises(error, match=text):
            call(rustorch)


def test_range_warns_where_it_is_called() -> None:
    with pytest.warns(UserWarning, match=r"rustorch\.arange") as caught:
        rustorch.range(1, 3)
    assert caught[0].filename == __file__
