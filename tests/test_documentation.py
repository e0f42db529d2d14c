"""What `make check` says of a docstring: each thing that it demands is missed where it is left out."""

from __future__ import annotations

from typing import Any

import pytest

from rustorch import nn

from tests.documentation import functions, lacks, ops, public, says_default, unexplained

WHOLE = """Scales.

Args:
    size: how many numbers,
        and that is all
    scale: the factor. Default: 1.5.
    device, dtype: where and of which dtype the parameters are. Default: None.

Shape:
    input (size), output (size).

Example:

>>> 1 + 1
2
"""


def module(text: str) -> Any:
    class Scaled(nn.Module):
        def __init__(self, size: int, scale: float = 1.5, device: Any = None, dtype: Any = None) -> None:
            super().__init__()

    Scaled.__doc__ = text
    return Scaled


def test_nothing_is_missed_where_everything_is_there() -> None:
    assert lacks("nn.Scaled", module(WHOLE)) == []


@pytest.mark.parametrize(
    ("part", "instead", "missing"),
    [
        ("    size: how many numbers,\n        and that is all\n", "", "Args names no size"),
        ("    scale: the", "    scales: the", "Args names no scale; Args names scales, which it does not take"),
        ("device, dtype", "device", "Args names no dtype"),
        ("Default: 1.5", "Default: 1", "scale: 'Default: 1.5'"),
        (" Default: 1.5.", "", "scale: 'Default: 1.5'"),
        ("Shape:", "Shapes:", "Shape"),
        (">>> ", "", "Example"),
        ("Example:", "Use:", "Example"),
    ],
)
def test_what_is_left_out_is_missed(part: str, instead: str, missing: str) -> None:
    assert part in WHOLE
    assert "; ".join(lacks("nn.Scaled", module(WHOLE.replace(part, instead)))) == missing


def test_a_class_that_is_no_module_needs_no_shape() -> None:
    class Thing:
        """A thing.

        Example:

        >>> 1 + 1
        2
        """

    assert lacks("optim.Thing", Thing) == []


@pytest.mark.parametrize(
    ("text", "default"),
    [
        ("Default: 1e-5.", 1e-5),
        ("the share, above 0.5. Default: 1/3.", 1 / 3),
        ("one. Default: (0.9, 0.999).", (0.9, 0.999)),
        ("two. Default: (0.9, 0.999). Both are below 1.", (0.9, 0.999)),
        ("a name. Default: 'mean'.", "mean"),
        ("Default: None, all of them.", None),
        ("Default: -1", -1),
    ],
)
def test_a_default_is_read(text: str, default: Any) -> None:
    assert says_default(text, default)
    assert not says_default(text, "another")


@pytest.mark.rustorch_only
def test_every_public_class_is_documented() -> None:
    found = {name: missing for name, thing in public() if (missing := lacks(name, thing))}
    assert found == {}


@pytest.mark.rustorch_only
def test_the_classes_are_found_where_they_are() -> None:
    assert {"nn.Linear", "optim.SGD", "optim.lr_scheduler.OneCycleLR", "utils.data.random_split"} <= {
        n for n, _ in public()
    }


def test_every_op_has_an_example() -> None:
    table = ops()
    assert {"add", "nn.functional.gelu", "linalg.svd"} <= table.keys()
    assert [name for name, has_example in table.items() if not has_example] == []


def test_an_argument_of_which_nothing_is_said_is_found() -> None:
    def scaled(input: Any, scale: float = 1.5, *sizes: int, **kwargs: Any) -> None:
        """Scales.

        Args:
            input: the tensor.
        """

    assert unexplained(scaled) == ["scale", "sizes"]
    assert any(name == "_ops.add" for name, _ in functions())
