"""Names that libraries import: overrides, settings of layers, bases of optimizers, the report of the machine."""

import subprocess
import sys

import pytest

import rustorch
from rustorch import overrides
from rustorch.nn.modules.utils import (
    _list_with_default,
    _ntuple,
    _pair,
    _quadruple,
    _reverse_repeat_tuple,
    _single,
    _triple,
    consume_prefix_in_state_dict_if_present,
)


class Answers:
    """Answers for functions with what it was told, and notes what it was asked."""

    def __init__(self, answer: object = NotImplemented) -> None:
        self.answer = answer

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        first = next(a for a in args if type(a) is cls)
        return first.answer if first.answer is NotImplemented else (first.answer, types, kwargs)


class Derived(Answers):
    pass


@overrides.wrap_torch_function(lambda *args, **kwargs: args)
def total(*args: object, scale: int = 1) -> object:
    return sum(args) * scale


def test_a_function_asks_its_arguments() -> None:
    assert total(1, 2, scale=3) == 9
    assert total(rustorch.tensor(1), 2) == 3
    assert total(1, Answers("a"), scale=2) == ("a", (Answers,), {"scale": 2})


def test_subclasses_are_asked_first_and_then_from_left_to_right() -> None:
    assert total(Answers("base"), Derived("derived"))[:2] == ("derived", (Derived, Answers))
    assert total(Answers("base"), Derived())[0] == "base"
    with pytest.raises(TypeError, match=r"no implementation found for '.*total' on types that implement"):
        total(Answers(), Derived())


def test_what_has_the_protocol_is_like_a_tensor() -> None:
    for like in (rustorch.ones(1), rustorch.nn.Parameter(rustorch.ones(1)), Answers()):
        assert overrides.is_tensor_like(like)
    for other in (1.0, [1.0], None, rustorch.Tensor):
        assert not overrides.is_tensor_like(other)
    assert overrides.has_torch_function((1, Answers()))
    assert not overrides.has_torch_function((1, rustorch.ones(1), rustorch.nn.Parameter(rustorch.ones(1))))


@pytest.mark.rustorch_only
def test_what_is_overridable_is_told() -> None:
    assert overrides.get_overridable_functions() == {}
    assert rustorch.add in overrides.get_ignored_functions()
    assert overrides.is_tensor_method_or_property(rustorch.Tensor.add)
    assert not overrides.is_tensor_method_or_property(rustorch.add)
    assert overrides.resolve_name(rustorch.Tensor.add) == "rustorch.Tensor.add"
    assert overrides.resolve_name(rustorch.add) == "rustorch.add"


def test_tuples_of_settings() -> None:
    assert (_single(3), _pair(3), _triple(3), _quadruple(3)) == ((3,), (3, 3), (3, 3, 3), (3, 3, 3, 3))
    assert _pair([1, 2, 3]) == (1, 2, 3)
    assert _ntuple(5)(2.5) == (2.5,) * 5
    assert _reverse_repeat_tuple((1, 2, 3), 2) == (3, 3, 2, 2, 1, 1)
    assert _list_with_default([None, 3], [5, 6, 7]) == [6, 3]
    assert _list_with_default(4, [5, 6, 7]) == 4
    with pytest.raises(ValueError, match="Input dimension should be at least 3"):
        _list_with_default([None, 3], [5, 6])


def test_a_prefix_is_taken_from_a_state() -> None:
    model = rustorch.nn.Sequential(rustorch.nn.Linear(2, 1))
    state = rustorch.nn.ModuleDict({"module": model}).state_dict()
    consume_prefix_in_state_dict_if_present(state, "module.")
    assert list(state) == list(model.state_dict()) == ["0.weight", "0.bias"]
    assert sorted(state._metadata) == sorted(model.state_dict()._metadata)


def test_bases_of_outside_optimizers_and_schedules_are_there() -> None:
    from rustorch.optim.lr_scheduler import LRScheduler, _LRScheduler
    from rustorch.optim.optimizer import required

    class Halving(_LRScheduler):
        def get_lr(self) -> list[float]:
            return [rate / 2**self.last_epoch for rate in self.base_lrs]

    assert repr(required) == "<required parameter>"
    optimizer = rustorch.optim.SGD([rustorch.nn.Parameter(rustorch.ones(1))], lr=1.0)
    schedule = Halving(optimizer)
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert issubclass(_LRScheduler, LRScheduler)


def test_the_setting_of_threads_of_backward_is_kept() -> None:
    from rustorch.autograd import set_multithreading_enabled

    with set_multithreading_enabled(False) as entered:
        assert entered is None
        inner = set_multithreading_enabled(True)
        assert (inner.mode, inner.prev) == (True, False)
        x = rustorch.ones(2, requires_grad=True)
        (x * x).sum().backward()
    assert x.grad.tolist() == [2, 2]


@pytest.mark.rustorch_only
def test_the_report_of_the_machine_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rustorch.utils.collect_env"], capture_output=True, text=True, check=True
    )
    for line in (f"RusTorch version: {rustorch._C.__version__}", "Follows PyTorch version: 2.13.0", "cpu: "):
        assert line in done.stdout
    assert f"Python version: {sys.version.split()[0]}" in done.stdout


def test_fans_of_weights() -> None:
    from rustorch.nn.init import _calculate_correct_fan, _calculate_fan_in_and_fan_out

    assert _calculate_fan_in_and_fan_out(rustorch.nn.Linear(3, 5).weight) == (3, 5)
    weight = rustorch.nn.Conv2d(4, 6, (3, 5)).weight
    assert _calculate_fan_in_and_fan_out(weight) == (4 * 15, 6 * 15)
    assert (_calculate_correct_fan(weight, "fan_in"), _calculate_correct_fan(weight, "FAN_OUT")) == (60, 90)
    with pytest.raises(ValueError, match="2 dimensions"):
        _calculate_fan_in_and_fan_out(rustorch.ones(3))
    with pytest.raises(ValueError, match="fan_in"):
        _calculate_correct_fan(weight, "fan")
