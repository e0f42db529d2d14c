"""Module: registration, state, hooks, copies."""

import copy
import pickle
import warnings
from collections import OrderedDict

import pytest

import rustorch
from rustorch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.body = nn.Sequential(nn.BatchNorm1d(4), nn.ReLU())
        self.scale = nn.Parameter(rustorch.ones(1))
        self.register_buffer("seen", rustorch.zeros(1))
        self.register_buffer("scratch", rustorch.zeros(1), persistent=False)

    def forward(self, x: rustorch.Tensor) -> rustorch.Tensor:
        return self.body(self.first(x)) * self.scale


KEYS = [
    *("scale", "seen", "first.weight", "first.bias", "body.0.weight", "body.0.bias"),
    *("body.0.running_mean", "body.0.running_var", "body.0.num_batches_tracked"),
]


def test_registration() -> None:
    net = Net()
    assert list(net.state_dict()) == KEYS
    assert isinstance(net.state_dict(), OrderedDict)
    assert [n for n, _ in net.named_parameters()] == [
        k for k in KEYS if "running" not in k and "num" not in k and k != "seen"
    ]
    assert [n for n, _ in net.named_buffers()] == ["seen", "scratch", *KEYS[-3:]]
    assert [n for n, _ in net.named_modules()] == ["", "first", "body", "body.0", "body.1"]
    assert [n for n, _ in net.named_children()] == ["first", "body"]
    assert len(list(net.modules())) == 5
    assert isinstance(net.scale, nn.Parameter)
    assert isinstance(net.scale, rustorch.Tensor)
    assert net.get_submodule("body.0") is net.body[0]
    assert net.get_parameter("first.bias") is net.first.bias


def test_attributes_can_be_replaced_and_deleted() -> None:
    net = Net()
    net.first = nn.Linear(3, 4, bias=False)
    assert "first.bias" not in net.state_dict()
    del net.scale
    assert "scale" not in net.state_dict()
    with pytest.raises(AttributeError):
        _ = net.scale
    with pytest.raises(TypeError):
        net.first.weight = rustorch.ones(4, 3)
    net.first.weight = None
    assert list(net.first.parameters()) == []


def test_assignment_before_init_is_refused() -> None:
    class Bad(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError):
        Bad()


def test_shared_parameters_count_once() -> None:
    a = nn.Linear(3, 3)
    net = nn.Sequential(a, a, nn.Linear(3, 3))
    net[2].weight = a.weight
    assert len(list(net.parameters())) == 3
    assert len(net.state_dict()) == 6
    net(rustorch.ones(1, 3)).sum().backward()
    assert a.weight.grad is net[2].weight.grad


def test_load_state_dict() -> None:
    a, b = Net(), Net()
    result = b.load_state_dict(a.state_dict())
    assert (result.missing_keys, result.unexpected_keys) == ([], [])
    assert b.first.weight.tolist() == a.first.weight.tolist()
    assert b.first.weight.data_ptr() != a.first.weight.data_ptr()
    state = a.state_dict()
    del state["scale"]
    state["stranger"] = rustorch.ones(1)
    with pytest.raises(RuntimeError, match="scale") as error:
        b.load_state_dict(state)
    assert "stranger" in str(error.value)
    result = b.load_state_dict(state, strict=False)
    assert (result.missing_keys, result.unexpected_keys) == (["scale"], ["stranger"])
    state = a.state_dict()
    state["first.weight"] = rustorch.ones(4, 2)
    with pytest.raises(RuntimeError, match=r"first\.weight"):
        b.load_state_dict(state, strict=False)


def test_state_dict_shares_memory_and_has_no_gradients() -> None:
    net = Net()
    state = net.state_dict()
    assert state["scale"].data_ptr() == net.scale.data_ptr()
    assert not state["scale"].requires_grad


def test_train_and_eval() -> None:
    net = Net()
    assert net.training
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert net.train().body[1].training


def test_to_and_dtypes(device: str) -> None:
    net = Net().to(device)
    parameter = net.first.weight
    assert net.double() is net
    assert net.first.weight is parameter
    assert parameter.dtype is rustorch.float64
    assert net.body[0].num_batches_tracked.dtype is rustorch.int64
    assert net.to(rustorch.bfloat16).seen.dtype is rustorch.bfloat16
    assert net.float()(rustorch.ones(2, 3, device=device)).dtype is rustorch.float32


def test_zero_grad_and_requires_grad() -> None:
    net = Net()
    net(rustorch.rand(4, 3)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(rustorch.rand(4, 3)).requires_grad


def test_apply_visits_children_first() -> None:
    seen: list[str] = []
    net = Net()
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "BatchNorm1d", "ReLU", "Sequential", "Net"]


def test_forward_hooks() -> None:
    layer, log = nn.Linear(2, 2), []
    pre = layer.register_forward_pre_hook(lambda m, args: log.append("pre") or (args[0] * 2,))
    post = layer.register_forward_hook(lambda m, args, out: log.append("post") or out + 1)
    x = rustorch.ones(1, 2)
    got = layer(x)
    pre.remove()
    post.remove()
    assert log == ["pre", "post"]
    assert rustorch.allclose(got, layer(x * 2) + 1)


def test_forward_hooks_with_kwargs() -> None:
    class Named(nn.Module):
        def forward(self, x: rustorch.Tensor, *, scale: float = 1.0) -> rustorch.Tensor:
            return x * scale

    layer = Named()
    layer.register_forward_pre_hook(lambda m, args, kwargs: (args, {"scale": 5.0}), with_kwargs=True)
    assert layer(rustorch.ones(1), scale=2.0).item() == 5


def test_backward_hooks() -> None:
    layer, seen = nn.Linear(2, 3), []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((tuple(gi[0].shape), tuple(go[0].shape))))
    layer(rustorch.ones(4, 2, requires_grad=True)).sum().backward()
    assert seen == [((4, 2), (4, 3))]


def test_deepcopy_and_pickle() -> None:
    net = Net()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other.first.weight.tolist() == net.first.weight.tolist()
        assert other.first.weight.data_ptr() != net.first.weight.data_ptr()
        assert isinstance(other.scale, nn.Parameter)
        assert list(other.state_dict()) == KEYS
        other.first.weight.data.fill_(0)
    assert net.first.weight.any().item()


def test_forward_is_required() -> None:
    with pytest.raises(NotImplementedError):
        nn.Module()(1)


def test_repr_of_a_module_of_ones_own() -> None:
    assert repr(Net()) == (
        "Net(\n"
        "  (first): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (body): Sequential(\n"
        f"    (0): {nn.BatchNorm1d(4)!r}\n"
        "    (1): ReLU()\n"
        "  )\n"
        ")"
    )


@pytest.mark.cpu_only
def test_parameter_repr() -> None:
    assert repr(nn.Parameter(rustorch.ones(2))) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_compute_the_same_and_change_alone(copied) -> None:
    net = nn.Sequential(nn.Conv1d(1, 2, 3, padding="same"), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(8, 2))
    x = rustorch.rand(5, 1, 4)
    other = copied(net)
    assert other(x).tolist() == net(x).tolist()
    other.eval()
    assert net[1].training
    assert other[1].num_batches_tracked.item() == 1


def test_a_parameter_that_is_a_plain_attribute() -> None:
    """Weight normalisation and its like put a computed tensor in a parameter's place."""
    layer = nn.Linear(2, 1, bias=False)
    scale = nn.Parameter(rustorch.tensor(3.0))
    del layer.weight
    layer.weight = rustorch.ones(1, 2) * scale
    layer(rustorch.ones(1, 2)).sum().backward()
    assert scale.grad.item() == 2


def test_extra_state() -> None:
    class Counting(nn.Module):
        count = 0

        def get_extra_state(self) -> int:
            return self.count

        def set_extra_state(self, state: int) -> None:
            self.count = state

    a, b = nn.Sequential(Counting()), nn.Sequential(Counting())
    a[0].count = 5
    assert a.state_dict() == OrderedDict({"0._extra_state": 5})
    b.load_state_dict(a.state_dict())
    assert b[0].count == 5
    with pytest.raises(RuntimeError, match=r"Missing.*_extra_state"):
        b.load_state_dict({})


def test_assigning_a_state() -> None:
    layer, state = nn.Linear(2, 2), {"weight": rustorch.ones(2, 2, dtype=rustorch.float64), "bias": rustorch.zeros(2)}
    layer.load_state_dict(state, assign=True)
    assert layer.weight.dtype is rustorch.float64
    assert layer.weight.requires_grad
    assert layer.weight.data_ptr() == state["weight"].data_ptr()
    assert isinstance(layer.weight, nn.Parameter)


def test_buffers() -> None:
    module = nn.Module()
    module.mean = nn.Buffer(rustorch.ones(2))
    module.scratch = nn.Buffer(rustorch.ones(1), persistent=False)
    assert list(module.state_dict()) == ["mean"]
    module.mean = rustorch.zeros(2)
    assert dict(module.named_buffers())["mean"].tolist() == [0, 0]
    del module.scratch
    assert [name for name, _ in module.named_buffers()] == ["mean"]


def test_a_network_without_values_elsewhere() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    shapes = {name: (tensor.shape, tensor.dtype) for name, tensor in net.state_dict().items()}
    parameters = list(net.parameters())
    assert net.to_empty(device="cpu") is net
    assert {name: (tensor.shape, tensor.dtype) for name, tensor in net.state_dict().items()} == shapes
    assert all(one is other for one, other in zip(net.parameters(), parameters, strict=True))
    inner = net[0].weight.data_ptr()
    net.to_empty(device="cpu", recurse=False)
    assert net[0].weight.data_ptr() == inner


def test_modules_below_are_converted_by_their_own_apply() -> None:
    class Kept(nn.Linear):
        def _apply(self, fn, recurse=True):
            return self

    net = nn.Sequential(Kept(2, 2), nn.Linear(2, 2)).double()
    assert (net[0].weight.dtype, net[1].weight.dtype) == (rustorch.float32, rustorch.float64)


def test_arguments_of_init_go_on_where_a_class_says_so() -> None:
    class Named:
        def __init__(self, name: str, size: int = 1) -> None:
            self.name, self.size = name, size

    class Mixed(nn.Module, Named):
        call_super_init = True

    assert (Mixed("a", size=3).name, Mixed("a", size=3).size) == ("a", 3)

    class Plain(nn.Module):
        pass

    with pytest.raises(TypeError, match="unexpected keyword argument 'size'"):
        Plain(size=3)
    with pytest.raises(TypeError, match="takes 1 positional argument but 3 were given"):
        Plain(1, 2)


@pytest.mark.rustorch_only
@pytest.mark.parametrize("kind", ["xpu", "ipu", "mtia"])
def test_devices_that_are_not_there_are_refused(kind: str) -> None:
    with pytest.raises((RuntimeError, ValueError), match=kind):
        getattr(nn.Linear(1, 1), kind)()
    assert isinstance(getattr(nn.ReLU(), kind)(), nn.ReLU)


@pytest.mark.rustorch_only
def test_pickles_of_before_hooks_open() -> None:
    layer = nn.Linear(2, 1)
    state = {name: value for name, value in layer.__dict__.items() if "hook" not in name}
    again = nn.Linear.__new__(nn.Linear)
    again.__setstate__(state)
    x = rustorch.ones(2)
    assert rustorch.equal(again(x), layer(x))
    again.register_forward_hook(lambda m, args, out: out + 1)
    assert rustorch.equal(again(x), layer(x) + 1)


def test_a_memory_format_is_for_images_and_volumes() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4))
    before = net[0].weight.detach().clone()
    assert net.to(memory_format=rustorch.channels_last) is net
    assert net[0].weight.is_contiguous(memory_format=rustorch.channels_last)
    assert rustorch.equal(net[0].weight, before)
    net.to("cpu", rustorch.float64, True, memory_format=rustorch.contiguous_format)
    assert net[0].weight.is_contiguous()
    assert net[0].weight.dtype == rustorch.float64
    volume = nn.Conv3d(3, 2, 2).to(memory_format=rustorch.channels_last_3d)
    assert volume.weight.is_contiguous(memory_format=rustorch.channels_last_3d)


def test_numbers_that_are_not_integers_are_converted() -> None:
    module = nn.Module()
    module.z = nn.Parameter(rustorch.ones(2, dtype=rustorch.complex64))
    module.register_buffer("n", rustorch.ones(2, dtype=rustorch.int64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns of complex modules
        module.to(rustorch.complex128)
    assert (module.z.dtype, module.n.dtype) == (rustorch.complex128, rustorch.int64)
    assert nn.Linear(1, 1).type(rustorch.float64).weight.dtype == rustorch.float64
    assert nn.ReLU().to(0, non_blocking=True) is not None
