"""Modules that are called with other tensors than their own."""

import pytest

import rustorch
from rustorch import nn
from rustorch.func import functional_call, replace_all_batch_norm_modules_, stack_module_state
from rustorch.nn.utils import stateless


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 2, bias=False)
        self.second = nn.Linear(2, 2, bias=False)
        self.second.weight = self.first.weight
        self.register_buffer("calls", rustorch.zeros(()))

    def forward(self, x, scale=1):
        self.calls = self.calls + 1
        return self.second(self.first(x)) * scale


def test_the_tensors_given_are_used_and_get_the_gradients() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    own = net[0].weight
    given = {"0.weight": rustorch.randn(2, 3, requires_grad=True), "0.bias": rustorch.randn(2)}
    x = rustorch.randn(4, 3)
    out = functional_call(net, given, (x,))
    assert rustorch.equal(out, nn.functional.linear(x, given["0.weight"], given["0.bias"]).tanh())
    out.sum().backward()
    assert given["0.weight"].grad is not None
    assert own.grad is None
    assert net[0].weight is own
    in_two = functional_call(net, ({"0.weight": given["0.weight"]}, {"0.bias": given["0.bias"]}), x)
    assert rustorch.equal(in_two, out)
    assert rustorch.equal(functional_call(net, {}, x), net(x))


def test_arguments_by_name_and_several() -> None:
    net, x = Tied(), rustorch.randn(1, 2)
    assert rustorch.allclose(functional_call(net, {}, (x, 2)), functional_call(net, {}, (x,), {"scale": 2}))
    assert rustorch.allclose(functional_call(net, {}, None, {"x": x}), net(x))


def test_buffers_that_change_are_in_the_dictionary() -> None:
    net, x = Tied(), rustorch.randn(1, 2)
    given = {"calls": rustorch.tensor(5.0)}
    functional_call(net, given, x)
    assert given["calls"].item() == 6
    assert net.calls.item() == 0
    norm = nn.BatchNorm1d(2)
    mean = rustorch.zeros(2)
    functional_call(norm, {"running_mean": mean}, rustorch.ones(3, 2))
    assert rustorch.allclose(mean, rustorch.full((2,), 0.1))
    assert norm.running_mean.eq(0).all()


def test_tied_tensors_are_replaced_together() -> None:
    net, x = Tied(), rustorch.randn(1, 2)
    weight = rustorch.randn(2, 2)
    assert rustorch.allclose(functional_call(net, {"second.weight": weight}, x), x @ weight.T @ weight.T)
    alone = functional_call(net, {"second.weight": weight}, x, tie_weights=False)
    assert rustorch.allclose(alone, x @ net.first.weight.T @ weight.T)
    assert net.first.weight is net.second.weight
    with pytest.raises(ValueError, match="multiple values for keys"):
        functional_call(net, {"first.weight": weight, "second.weight": weight + 1}, x)


def test_the_module_is_whole_after_an_error() -> None:
    net = nn.Linear(3, 2)
    own = net.weight
    with pytest.raises(RuntimeError):
        functional_call(net, {"weight": rustorch.zeros(2, 4)}, rustorch.zeros(1, 3))
    assert net.weight is own
    with pytest.raises(TypeError, match="Tensor"):
        functional_call(net, {"bias": rustorch.zeros(2), "weight": 3}, rustorch.zeros(1, 3))
    assert net.weight is own
    assert isinstance(net.bias, nn.Parameter)


def test_strict_calls_want_every_tensor() -> None:
    net = nn.Linear(3, 2)
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\): 'scale'") as error:
        functional_call(net, {"weight": net.weight, "scale": net.bias}, rustorch.zeros(3), strict=True)
    assert "Missing key(s): 'bias'." in str(error.value)
    functional_call(net, dict(net.named_parameters()), rustorch.zeros(3), strict=True)


def test_dictionaries_must_not_overlap() -> None:
    net = nn.Linear(3, 2)
    with pytest.raises(ValueError, match="appeared in multiple dictionaries"):
        functional_call(net, [{"bias": net.bias}, {"bias": net.bias}], rustorch.zeros(3))
    with pytest.raises(ValueError, match="to be a dict, or a list/tuple of dicts"):
        functional_call(net, 3, rustorch.zeros(3))


def test_the_old_name_warns() -> None:
    net = nn.Linear(3, 2)
    with pytest.warns(FutureWarning, match="deprecated"):
        out = stateless.functional_call(net, {"bias": rustorch.zeros(2)}, rustorch.zeros(3))
    assert out.eq(0).all()


def test_states_of_modules_are_stacked() -> None:
    nets = [nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)) for _ in range(4)]
    parameters, buffers = stack_module_state(nets)
    assert list(parameters) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert list(buffers) == ["1.running_mean", "1.running_var", "1.num_batches_tracked"]
    for index, net in enumerate(nets):
        assert rustorch.equal(parameters["0.weight"][index], net[0].weight)
    assert parameters["0.weight"].is_leaf
    assert parameters["0.weight"].requires_grad
    assert not buffers["1.running_mean"].requires_grad
    for models, text in (
        ([], "at least one model"),
        ([nn.Linear(1, 1), nn.Linear(1, 1).eval()], "same training/eval mode"),
        ([nn.Linear(1, 1), nn.ReLU()], "same class"),
        ([nn.Linear(1, 1), nn.Linear(1, 1).requires_grad_(False)], "same .requires_grad"),
    ):
        with pytest.raises(RuntimeError, match=text):
            stack_module_state(models)


def test_norms_lose_their_statistics() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.Sequential(nn.BatchNorm1d(2)))
    assert replace_all_batch_norm_modules_(net) is net
    norm = net[1][0]
    assert norm.running_mean is norm.running_var is norm.num_batches_tracked is None
    assert not norm.track_running_stats
    assert isinstance(replace_all_batch_norm_modules_(nn.BatchNorm2d(3)), nn.BatchNorm2d)
