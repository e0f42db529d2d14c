"""einsum and tensordot: forms of their arguments, and what is refused."""

import numpy as np
import pytest

import rustorch


def test_einsum_takes_dimension_numbers_and_lists() -> None:
    a, b = rustorch.rand(2, 3), rustorch.rand(3, 4)
    want = (a @ b).tolist()
    assert rustorch.einsum(a, [0, 1], b, [1, 2], [0, 2]).tolist() == want
    assert rustorch.einsum(a, [..., 1], b, [1, 2], [..., 2]).tolist() == want
    assert rustorch.einsum("ij,jk", [a, b]).tolist() == want
    assert rustorch.einsum(a, [1, 0]).tolist() == a.T.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ij", rustorch.ones(2)), "number of subscripts"),
        (("i,i->i", rustorch.ones(2), rustorch.ones(3)), "do not broadcast"),
        (("ii", rustorch.ones(2, 3)), "repeated"),
        (("i->ij", rustorch.ones(2)), "does not occur"),
        ((rustorch.ones(2), [60]), "0 to 51"),
        ((rustorch.ones(2), 0), "list of dimension numbers"),
        ((), "at least"),
    ],
)
def test_einsum_says_what_is_wrong(arguments, message) -> None:
    with pytest.raises((ValueError, RuntimeError), match=message):
        rustorch.einsum(*arguments)


def test_tensordot_takes_numbers_lists_and_tensors() -> None:
    a, b = rustorch.rand(2, 3, 4), rustorch.rand(4, 3, 5)
    want = np.tensordot(a.numpy(force=True), b.numpy(force=True), ([1, 2], [1, 0]))
    pairs = ([1, 2], [1, 0])
    for dims in (pairs, rustorch.tensor(pairs)):
        np.testing.assert_allclose(rustorch.tensordot(a, b, dims).numpy(force=True), want, rtol=1e-5)
    assert rustorch.tensordot(a, b, dims=rustorch.tensor(0)).shape == (2, 3, 4, 4, 3, 5)
    with pytest.raises(ValueError, match="between 0 and 3"):
        rustorch.tensordot(a, b, 4)
