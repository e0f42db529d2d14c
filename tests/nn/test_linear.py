"""Linear maps of one tensor and of two, and distances."""

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
