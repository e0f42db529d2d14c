"""Modules that take the sizes of their parameters from their first input."""

import copy
import pickle

import pytest

import rustorch
from rustorch import nn
from rustorch.nn.modules.lazy import LazyModuleMixin
from rustorch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

CONVOLUTIONS = [(f"{kind}{n}d", (4, 3), (2, 3, *[6] * n)) for kind in ("Conv", "ConvTranspose") for n in (1, 2, 3)]
NORMS = [(f"{kind}{n}d", (), (2, 3, *[4] * n)) for kind in ("BatchNorm", "InstanceNorm") for n in (1, 2, 3)]
LAYERS = [("Linear", (4,), (2, 3)), *CONVOLUTIONS, *NORMS]


def lazy_and_whole(name: str, args: tuple[int, ...]):
    whole = getattr(nn, name)(3, *args, **({"affine": True, "track_running_stats": True} if "Inst" in name else {}))
    return getattr(nn, f"Lazy{name}")(*args), whole


@pytest.mark.parametrize(("name", "args", "shape"), LAYERS)
def test_the_first_call_makes_the_layer_whole(name: str, args: tuple[int, ...], shape: tuple[int, ...]) -> None:
    lazy, whole = lazy_and_whole(name, args)
    assert all(is_lazy(parameter) for parameter in lazy.parameters())
    assert lazy.has_uninitialized_params()
    assert list(lazy.state_dict()) == list(whole.state_dict())
    rustorch.manual_seed(1)
    whole.reset_parameters()
    x = rustorch.randn(shape)
    rustorch.manual_seed(1)
    assert rustorch.equal(lazy(x), whole(x))
    assert type(lazy) is getattr(nn, name)
    assert repr(lazy) == repr(whole)
    assert not lazy._forward_pre_hooks
    assert not lazy._load_state_dict_pre_hooks
    for key, tensor in whole.state_dict().items():
        assert rustorch.equal(lazy.state_dict()[key], tensor)
    assert {type(parameter) for parameter in lazy.parameters()} == {nn.Parameter}
    lazy(x).sum().backward()
    assert all(parameter.grad is not None for parameter in lazy.parameters())


@pytest.mark.parametrize(
    ("name", "args", "shape"),
    # PyTorch's lazy instance norms do not count the channels of a state.
    [pytest.param(*each, marks=[pytest.mark.rustorch_only] * each[0].startswith("Instance")) for each in LAYERS],
)
def test_a_state_gives_shapes(name: str, args: tuple[int, ...], shape: tuple[int, ...]) -> None:
    lazy, whole = lazy_and_whole(name, args)
    assert str(lazy.load_state_dict(whole.state_dict())) == "<All keys matched successfully>"
    assert not lazy.has_uninitialized_params()
    for parameter in whole.parameters():
        nn.init.uniform_(parameter)
    lazy.load_state_dict(whole.state_dict())
    x = rustorch.randn(shape)
    assert rustorch.equal(lazy(x), whole(x))
    assert type(lazy) is getattr(nn, name)


def test_a_state_without_shapes() -> None:
    net, other = nn.Sequential(nn.LazyLinear(3)), nn.Sequential(nn.LazyLinear(3))
    state = net.state_dict()
    assert state["0.weight"] is net[0].weight
    other.load_state_dict(state)
    assert is_lazy(other[0].weight)
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized"):
        nn.Sequential(nn.Linear(2, 3)).load_state_dict(state)


def test_settings_are_kept() -> None:
    layer = nn.LazyConv2d(4, (3, 2), stride=2, padding=1, groups=2, bias=False, padding_mode="circular")
    assert layer.bias is None
    layer(rustorch.zeros(6, 5, 5))
    assert repr(layer) == repr(
        nn.Conv2d(6, 4, (3, 2), stride=2, padding=1, groups=2, bias=False, padding_mode="circular")
    )
    norm = nn.LazyBatchNorm1d(eps=0.1, momentum=None, affine=False, track_running_stats=False)
    assert list(norm.state_dict()) == []
    norm(rustorch.zeros(2, 3))
    assert isinstance(norm, nn.BatchNorm1d)
    assert norm.eps == 0.1


@pytest.mark.rustorch_only  # PyTorch does not copy an UninitializedBuffer
def test_lazy_parameters_move_convert_and_copy() -> None:
    layer = nn.LazyBatchNorm1d().double()
    assert {tensor.dtype for tensor in (layer.weight, layer.running_mean)} == {rustorch.float64}
    assert is_lazy(layer.running_mean)
    copied = copy.deepcopy(nn.Sequential(layer))
    for net in (copied, pickle.loads(pickle.dumps(nn.Sequential(nn.LazyLinear(3))))):
        assert is_lazy(net[0].weight)
        net(rustorch.zeros(2, 3, dtype=net[0].weight.dtype))
        assert type(net[0]) in (nn.BatchNorm1d, nn.Linear)
        net(rustorch.zeros(2, 3, dtype=net[0].weight.dtype))
    assert copied[0].weight.dtype == rustorch.float64
    assert is_lazy(layer.weight)
    layer.reset_parameters()
    layer.zero_grad()
    assert is_lazy(layer.weight)


def test_an_optimizer_takes_them() -> None:
    layer = nn.LazyLinear(2)
    optimizer = rustorch.optim.SGD(layer.parameters(), lr=1.0)
    layer(rustorch.ones(1, 3)).sum().backward()
    before = layer.weight.detach().clone()
    optimizer.step()
    assert rustorch.allclose(layer.weight, before - 1)


@pytest.mark.parametrize(
    "act",
    [
        lambda w: w + 1,
        lambda w: 1 - w,
        lambda w: w.sum(),
        lambda w: w @ w,
        lambda w: -w,
        lambda w: w[0],
        lambda w: len(w),
        lambda w: w.numel(),
        lambda w: w.clone(),
        lambda w: w.detach(),
        lambda w: w.tolist(),
        lambda w: nn.init.zeros_(w),
        lambda w: w.zero_(),
        lambda w: nn.utils.parameters_to_vector([w]),
    ],
)
@pytest.mark.parametrize("make", [UninitializedParameter, UninitializedBuffer])
def test_nothing_is_computed_with_what_has_no_shape(act, make) -> None:
    with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
        act(make())


def test_shapes_and_memory_of_what_has_none_are_refused() -> None:
    weight = nn.LazyLinear(2).weight
    with pytest.raises(RuntimeError, match="Can't access the shape"):
        weight.shape  # noqa: B018
    with pytest.raises(RuntimeError, match="Can't share memory"):
        weight.share_memory_()
    assert repr(weight) == "<UninitializedParameter>"
    assert repr(UninitializedBuffer()) == "<UninitializedBuffer>"
    assert (weight.dtype, weight.requires_grad, weight.is_leaf) == (rustorch.float32, True, True)


def test_materialize_gives_a_shape() -> None:
    weight = UninitializedParameter(requires_grad=False, dtype=rustorch.float64)
    weight.materialize((2, 3))
    assert type(weight) is nn.Parameter
    assert (tuple(weight.shape), weight.dtype, weight.requires_grad) == ((2, 3), rustorch.float64, False)
    buffer = UninitializedBuffer()
    buffer.materialize((2,), dtype=rustorch.float16)
    assert type(buffer) is rustorch.Tensor
    assert buffer.dtype == rustorch.float16


def test_modules_of_ones_own() -> None:
    class Half(LazyModuleMixin, nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = UninitializedParameter(), UninitializedParameter()

        def initialize_parameters(self, x, scale=1) -> None:
            self.a.materialize(x.shape)
            nn.init.constant_(self.a, scale)

        def forward(self, x, scale=1):
            return x * self.a

    with pytest.raises(RuntimeError, match="Half has not been fully initialized"):
        Half()(rustorch.ones(2), scale=3)
    half = Half()
    half.b = None
    assert half(rustorch.ones(2), scale=3).tolist() == [3, 3]
    assert type(half) is Half

    class Nothing(LazyModuleMixin, nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="initialize_parameters is not implemented for Nothing"):
        Nothing()(1)


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda: nn.LazyConv2d(4, 3)(rustorch.zeros(2, 2)), RuntimeError, r"3D \(unbatched\) or 4D \(batched\)"),
        (lambda: nn.LazyConv2d(4, 3, groups=2)(rustorch.zeros(3, 5, 5)), ValueError, "divisible by groups"),
        (lambda: nn.LazyLinear(4).load_state_dict({"weight": rustorch.zeros(4, 2)}), RuntimeError, "Missing key"),
    ],
)
def test_what_does_not_fit_is_refused(act, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        act()


@pytest.mark.rustorch_only
def test_channels_of_an_input_without_a_batch_are_counted() -> None:
    norm = nn.LazyInstanceNorm1d()
    norm(rustorch.zeros(3, 5))
    assert norm.num_features == 3
    with pytest.raises(ValueError, match="expected 4D input"):
        nn.LazyBatchNorm2d()(rustorch.zeros(2, 3))
    with pytest.raises(ValueError, match="out_channels must be divisible by groups"):
        nn.LazyConv1d(3, 1, groups=2)
