"""Hooks of modules: their order, what they replace, and when they are called."""

import warnings

import pytest

import rustorch
from rustorch import nn
from rustorch.nn.modules import module


def test_a_backward_hook_replaces_gradients() -> None:
    layer = nn.Linear(2, 2, bias=False)
    x = rustorch.ones(1, 2, requires_grad=True)
    handle = layer.register_full_backward_hook(lambda m, grad_in, grad_out: (grad_in[0] * 0 + 7,))
    pre = layer.register_full_backward_pre_hook(lambda m, grad_out: (grad_out[0] * 2,))
    layer(x).sum().backward()
    assert x.grad.tolist() == [[7, 7]]
    assert layer.weight.grad.tolist() == [[2, 2], [2, 2]]
    handle.remove()
    pre.remove()
    x.grad = None
    layer(x).sum().backward()
    assert x.grad.tolist() == [layer.weight.sum(0).tolist()]


def test_a_backward_hook_without_differentiable_inputs() -> None:
    layer, seen = nn.Linear(2, 3), []
    layer.register_full_backward_hook(lambda m, grad_in, grad_out: seen.append((grad_in, grad_out[0].tolist())))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer(rustorch.ones(1, 2)).sum().backward()
    assert seen == [((None,), [[1, 1, 1]])]


def test_the_order_of_hooks() -> None:
    layer, seen = nn.Identity(), []
    layer.register_forward_hook(lambda m, args, out: seen.append("second"))
    layer.register_forward_hook(lambda m, args, out: seen.append("first"), prepend=True)
    with layer.register_forward_hook(lambda m, args, out: seen.append("third")):
        layer(1)
    layer(1)
    assert seen == ["first", "second", "third", "first", "second"]


def test_a_hook_that_is_always_called() -> None:
    class Failing(nn.Module):
        def forward(self) -> None:
            raise ValueError("no")

    layer, seen = Failing(), []
    layer.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    with pytest.raises(ValueError, match="no"):
        layer()
    assert seen == [None]


def test_a_hook_that_is_always_called_does_not_hide_the_error() -> None:
    def broken(module, args, output):
        raise KeyError("hook")

    layer = nn.Linear(2, 1)
    layer.register_forward_hook(broken, always_call=True)
    with pytest.warns(UserWarning, match="silenced as another error"), pytest.raises((RuntimeError, ValueError)):
        layer(rustorch.zeros(3))


def test_hooks_of_all_modules_are_called_before_a_modules_own() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    net[1].register_forward_pre_hook(lambda m, args: log.append("own pre"))
    net[1].register_forward_hook(lambda m, args, out: log.append("own post"))
    net[1].register_full_backward_hook(lambda m, gi, go: log.append("own backward"))
    log: list[str] = []
    x = rustorch.ones(1, 2, requires_grad=True)
    with (
        module.register_module_forward_pre_hook(lambda m, args: log.append(f"pre {type(m).__name__}")),
        module.register_module_forward_hook(lambda m, args, out: log.append(f"post {type(m).__name__}")),
        module.register_module_full_backward_pre_hook(lambda m, go: log.append(f"before {type(m).__name__}")),
        module.register_module_full_backward_hook(lambda m, gi, go: log.append(f"backward {type(m).__name__}")),
    ):
        net(x).sum().backward()
    pres = ["pre Sequential", "pre Linear", "post Linear", "pre Tanh", "own pre"]
    assert log[:8] == [*pres, "post Tanh", "own post", "post Sequential"]
    grads = ["before Sequential", "before Tanh", "backward Tanh", "own backward", "before Linear", "backward Linear"]
    assert log[8:] == [*grads, "backward Sequential"]
    log.clear()
    net(x)
    assert log == ["own pre", "own post"]


def test_hooks_of_all_modules_change_what_passes() -> None:
    layer, x = nn.ReLU(), rustorch.ones(1, requires_grad=True)
    with module.register_module_forward_pre_hook(lambda m, args: args[0] * 3):
        assert layer(x).item() == 3
    with module.register_module_forward_hook(lambda m, args, kwargs, out: out + len(kwargs), with_kwargs=True):
        assert layer(input=x).item() == 2
    with module.register_module_full_backward_hook(lambda m, gi, go: (gi[0] * 5,)):
        layer(x).backward()
    assert x.grad.item() == 5
    called = []
    with (
        module.register_module_forward_hook(lambda *args: called.append(1), always_call=True),
        pytest.raises(TypeError),
    ):
        layer()
    assert called == [1]


def test_hooks_of_registration_see_and_replace() -> None:
    seen: list[str] = []
    with (
        module.register_module_buffer_registration_hook(lambda m, name, value: seen.append(f"buffer {name}")),
        module.register_module_parameter_registration_hook(lambda m, name, value: seen.append(f"parameter {name}")),
        module.register_module_module_registration_hook(lambda m, name, value: seen.append(f"module {name}")),
    ):
        net = nn.Module()
        net.norm = nn.BatchNorm1d(1)
        net.add_module("act", nn.ReLU())
        net.register_buffer("mean", rustorch.zeros(1))
        net.mean = rustorch.ones(1)
    parts = [f"parameter {n}" for n in ("weight", "bias")]
    parts += [f"buffer {n}" for n in ("running_mean", "running_var", "num_batches_tracked")]
    assert seen == [*parts, "module norm", "module act", "buffer mean", "buffer mean"]
    with module.register_module_module_registration_hook(lambda m, name, value: nn.Tanh()):
        assert isinstance(nn.Sequential(nn.ReLU())[0], nn.Tanh)


def test_former_backward_hooks_see_the_last_op() -> None:
    layer, seen = nn.Tanh(), []
    layer.register_backward_hook(lambda m, gi, go: seen.append((m, gi[0].item(), go[0].item())) or (gi[0] * 10,))
    x = rustorch.zeros(1, requires_grad=True)
    layer(x * 1).backward(rustorch.tensor([2.0]))
    assert seen == [(layer, 2.0, 2.0)]
    assert x.grad.item() == 20
    with pytest.raises(RuntimeError, match="both regular backward hooks and full"):
        layer.register_full_backward_hook(lambda *args: None)
    full = nn.Tanh()
    full.register_full_backward_hook(lambda *args: None)
    with pytest.raises(RuntimeError, match="both regular backward hooks and full"):
        full.register_backward_hook(lambda *args: None)
