"""Texts that compare like versions, held against the packaging library."""

import itertools

import pytest
from packaging.version import Version

from rustorch.torch_version import TorchVersion

pytestmark = pytest.mark.rustorch_only

VERSIONS = [
    "2.13.0", "2.13", "2.9.1", "2.13.0a0", "2.13.0a0+git1234", "2.13.0.dev20260101+cpu", "2.13.0rc1", "2.13.0+cpu",
    "2.13.0+cu126", "2.13.0.post1", "2.13.0.post1.dev2", "1!1.0", "10.0", "2.13.0-1", "2.13.0.alpha.2", "v2.13.0b",
    "2.13.0+cpu.1", "2.13.0+1",
]  # fmt: skip


@pytest.mark.parametrize("operator", ["__lt__", "__le__", "__eq__", "__ne__", "__gt__", "__ge__"])
def test_versions_order_as_packaging_orders_them(operator: str) -> None:
    for one, other in itertools.product(VERSIONS, repeat=2):
        expected = getattr(Version(one), operator)(Version(other))
        assert getattr(TorchVersion(one), operator)(other) is expected, (one, operator, other)
        assert getattr(TorchVersion(one), operator)(Version(other)) is expected, (one, operator, other)


def test_a_version_compares_with_tuples_and_is_a_text() -> None:
    version = TorchVersion("2.13.0")
    assert version >= (2, 13)
    assert version < (2, 14)
    assert version == (2, 13, 0)
    assert not version > [2, 13, "0"]
    assert version.split(".") == ["2", "13", "0"]
    assert f"{version}" == "2.13.0"
    assert {version: 1}["2.13.0"] == 1


def test_a_text_that_is_no_version_compares_as_text() -> None:
    assert TorchVersion("2.13.0") < "parrot"
    assert TorchVersion("2.13.0") != "2.13.0 of today"
