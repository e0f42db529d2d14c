"""Modules of distances, similarities and bilinear forms; PyTorch's ways of calling einsum and tensordot."""

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn import functional as F


def test_similarities_and_distances_are_the_functions() -> None:
    x, y = rustorch.rand(3, 4), rustorch.rand(3, 4)
    assert nn.CosineSimilarity(dim=0)(x, y).tolist() == F.cosine_similarity(x, y, 0).tolist()
    assert nn.PairwiseDistance(1, keepdim=True)(x, y).tolist() == F.pairwise_distance(x, y, 1, keepdim=True).tolist()
    assert repr(nn.CosineSimilarity()) == "CosineSimilarity()"


def test_bilinear_module() -> None:
    layer = nn.Bilinear(2, 3, 4)
    assert repr(layer) == "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)"
    assert {name: tuple(p.shape) for name, p in layer.named_parameters()} == {"weight": (4, 2, 3), "bias": (4,)}
    assert layer.weight.abs().max().item() <= 2**-0.5
    x, y = rustorch.rand(5, 2), rustorch.rand(5, 3)
    want = np.einsum("ni,oij,nj->no", x.numpy(force=True), layer.weight.detach().numpy(force=True), y.numpy(force=True))
    np.testing.assert_allclose(
        layer(x, y).detach().numpy(force=True), want + layer.bias.detach().numpy(force=True), rtol=1e-5
    )
    assert nn.Bilinear(2, 3, 4, bias=False).bias is None
    with pytest.raises(ValueError, match="in1_features"):
        nn.Bilinear(0, 3, 4)


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


def test_factors_of_zero_hide_nan_but_not_the_graph() -> None:
    x = rustorch.full((2, 2), float("nan"), requires_grad=True)
    a = rustorch.eye(2)
    for result in (rustorch.addmm(x, a, a, beta=0), rustorch.baddbmm(x, a[None], a[None], beta=0)[0]):
        assert result.tolist() == a.tolist()
        assert rustorch.autograd.grad(result.sum(), x)[0].tolist() == [[0, 0], [0, 0]]


def test_norms_at_zero_have_the_gradient_zero() -> None:
    x = rustorch.zeros(3, requires_grad=True)
    for p in (2, 1, 3, 0.5, float("inf")):
        assert rustorch.autograd.grad(rustorch.linalg.vector_norm(x, p), x)[0].tolist() == [0, 0, 0]
