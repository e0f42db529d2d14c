"""Batch, instance and layer normalisation."""

import numpy as np
import pytest

import rustorch
from rustorch import nn


def test_instance_norm_keeps_statistics() -> None:
    norm = nn.InstanceNorm1d(3, affine=True, track_running_stats=True)
    assert list(norm.state_dict()) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    x = rustorch.arange(24.0).reshape(2, 3, 4)
    norm(x)
    np.testing.assert_allclose(norm.running_mean.numpy(force=True), 0.1 * x.numpy(force=True).mean((0, 2)), rtol=1e-6)
    spread = x.numpy(force=True).var(2, ddof=1).mean(0)
    np.testing.assert_allclose(norm.running_var.numpy(force=True), 0.9 + 0.1 * spread, rtol=1e-6)
    norm.eval()
    assert norm(x[0]).shape == (3, 4)
    with pytest.raises(ValueError, match="expected 2D or 3D input"):
        norm(x[None])


@pytest.mark.parametrize("position", [0, 1500, 8999])
def test_the_mean_of_a_channel_with_an_infinity_is_infinite(position: int) -> None:
    x = np.random.default_rng(0).random((1, 3, 9000)).astype("float32")
    x[0, 1, position] = np.inf
    norm = nn.BatchNorm1d(3)
    y = norm(rustorch.tensor(x))
    np.testing.assert_allclose(norm.running_mean.numpy(force=True), 0.1 * x.mean((0, 2), dtype="float64"), rtol=1e-6)
    assert y.isnan().all(2).tolist() == [[False, True, False]]
