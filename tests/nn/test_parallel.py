"""Modules of programs for many devices and processes, with one of each."""

import pytest

import rustorch
from rustorch import nn


def test_data_parallel_runs_the_module() -> None:
    net = nn.BatchNorm1d(3)
    parallel = nn.DataParallel(net, device_ids=[0])
    assert parallel.module is net
    assert list(parallel.state_dict()) == [f"module.{name}" for name in net.state_dict()]
    x = rustorch.randn(4, 3, device=next(net.parameters()).device)
    assert rustorch.equal(parallel.eval()(x), net(x))
    assert isinstance(nn.parallel.DataParallel(nn.Linear(1, 1)), nn.Module)
    bilinear = nn.DataParallel(nn.Bilinear(2, 2, 1))
    x = rustorch.randn(4, 2, device=next(bilinear.parameters()).device)
    assert rustorch.equal(bilinear(x, input2=x), bilinear.module(x, x))


@pytest.mark.rustorch_only  # PyTorch's wants a device
def test_a_call_without_a_wrapper() -> None:
    bilinear = nn.Bilinear(2, 2, 1)
    x = rustorch.randn(4, 2, device=bilinear.weight.device)
    want = bilinear(x, x)
    assert rustorch.equal(nn.parallel.data_parallel(bilinear, (x, x)), want)
    assert rustorch.equal(nn.parallel.data_parallel(bilinear, x, module_kwargs={"input2": x}), want)
    assert rustorch.equal(nn.parallel.data_parallel(bilinear, None, module_kwargs={"input1": x, "input2": x}), want)


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (4, 3, 5, 2), (2, 3, 2, 2, 2, 2)])
def test_synchronised_batch_norm_of_one_process_is_a_batch_norm(shape: tuple[int, ...], affine: bool) -> None:
    norm, flat = nn.SyncBatchNorm(3, momentum=0.3, affine=affine), nn.BatchNorm1d(3, momentum=0.3, affine=affine)
    for training in (True, False):
        norm.train(training)
        flat.train(training)
        x = rustorch.randn(shape)
        want = flat(x.flatten(2) if x.ndim > 2 else x).reshape(shape)
        assert rustorch.allclose(norm(x), want, atol=1e-6)
    for name, tensor in flat.state_dict().items():
        assert rustorch.allclose(norm.state_dict()[name], tensor)


def test_batch_norms_are_converted() -> None:
    net = nn.Sequential(
        nn.Conv2d(2, 3, 1), nn.Sequential(nn.BatchNorm2d(3, 0.1, None)), nn.BatchNorm1d(3, affine=False)
    )
    norm = net[1][0].eval()
    state = dict(net.state_dict())
    assert nn.SyncBatchNorm.convert_sync_batchnorm(net, "group") is net
    converted = net[1][0]
    assert isinstance(converted, nn.SyncBatchNorm)
    assert (converted.eps, converted.momentum, converted.process_group) == (0.1, None, "group")
    assert converted.weight is norm.weight
    assert converted.running_mean is norm.running_mean
    assert not converted.training
    assert net[2].training
    assert {name: id(tensor) for name, tensor in net.state_dict(keep_vars=True).items()}.keys() == state.keys()
    alone = nn.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm3d(4))
    assert isinstance(alone, nn.SyncBatchNorm)
    assert isinstance(alone, nn.modules.batchnorm._BatchNorm)
    with pytest.raises(ValueError, match="at least 2D input"):
        alone(rustorch.zeros(4))
    with pytest.raises(ValueError, match="channels should be non-zero"):
        alone(rustorch.zeros(4, 0))


def test_states_of_before_versions_load() -> None:
    norm = nn.BatchNorm1d(3)
    state = {name: tensor + 1 for name, tensor in norm.state_dict().items() if name != "num_batches_tracked"}
    norm.load_state_dict(state)
    assert norm.num_batches_tracked.item() == 0
    assert norm.running_mean.eq(1).all()
    state = nn.BatchNorm1d(3).state_dict()
    del state["num_batches_tracked"]
    with pytest.raises(RuntimeError, match=r"Missing key\(s\) in state_dict: .num_batches_tracked"):
        norm.load_state_dict(state)
    plain = dict(nn.InstanceNorm1d(3, track_running_stats=True).state_dict())
    with pytest.raises(RuntimeError, match=r"Unexpected running stats buffer\(s\)"):
        nn.InstanceNorm1d(3).load_state_dict(plain)
