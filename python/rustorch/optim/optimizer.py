"""The base class of optimizers."""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

from rustorch import _C
from rustorch._C import Tensor
from rustorch.nn.modules._hooks import RemovableHandle

__all__ = ["Optimizer"]

ParamsT = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]


class _Required:
    """The default of a setting that every group must have."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Optimizer:
    """Moves parameters, in groups that may have settings of their own: the base class of optimizers.

    A subclass moves one group in `_step(group)`, whose argument is a dictionary of the group's settings and its
    'params'; what it remembers of a parameter is in `self.state[parameter]`. Parameters whose `grad` is None stay
    where they are.

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        defaults: the settings of groups that say nothing else.

    Raises:
        TypeError: `params` is a tensor, or has something else than tensors.
        ValueError: there is no parameter, one is no leaf of autograd's graph, or one is in two groups.

    Example:

    >>> class SignDescent(rustorch.optim.Optimizer):
    ...     def _step(self, group):
    ...         with rustorch.no_grad():
    ...             for param in group["params"]:
    ...                 param -= group["lr"] * param.grad.sign()
    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0, -2.0]))
    >>> optimizer = SignDescent([weight], {"lr": 0.5})
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.5000, -1.5000])
    """

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                "but got rustorch.Tensor"
            )
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self._post_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds parameters with settings of their own; settings that it does not have are the defaults."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
                "sets will change between runs. Please use a list instead."
            )
        params = list(params)
        group = {**param_group, "params": params}
        if params and all(isinstance(p, tuple) and len(p) == 2 for p in params):
            group["param_names"] = [name for name, _ in params]
            group["params"] = [param for _, param in params]
        for param in group["params"]:
            if not isinstance(param, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}")
            if not param.is_leaf:
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, value in self.defaults.items():
            group.setdefault(name, value)
        ids = [id(param) for param in group["params"]]
        if len(ids) != len(set(ids)):
            warnings.warn("optimizer contains a parameter group with duplicate parameters", stacklevel=3)
        if set(ids) & {id(param) for other in self.param_groups for param in other["params"]}:
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of all parameters, or sets them to zero."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                elif param.grad is not None:
                    param.grad = param.grad.detach().zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Moves every parameter that has a gradient. `closure` computes the loss, and its value is given back."""
        for hook in tuple(self._pre_hooks.values()):
            hook(self, (closure,), {})
        loss = None
        if closure is not None:
            before = _C._set_grad_enabled(True)
            try:
                loss = closure()
            finally:
                _C._set_grad_enabled(before)
        for group in self.param_groups:
            self._step(group)
        for hook in tuple(self._post_hooks.values()):
            hook(self, (closure,), {})
        return loss

    def _step(self, group: dict[str, Any]) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not say how a group of parameters moves")

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(optimizer, args, kwargs)` before each step."""
        handle = RemovableHandle(self._pre_hooks)
        self._pre_hooks[handle.id] = hook
        return handle

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(optimizer, args, kwargs)` after each step."""
        handle = RemovableHandle(self._post_hooks)
        self._post_hooks[handle.id] = hook
        return handle

    def state_dict(self) -> dict[str, Any]:
        """The state of each parameter under its number, and the groups with those numbers in place of parameters."""
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for param in group["params"]:
                numbers.setdefault(id(param), len(numbers))
            packed = {name: value for name, value in group.items() if name != "params"}
            packed["params"] = [numbers[id(param)] for param in group["params"]]
            groups.append(packed)
        state = {numbers.get(id(key), key): value for key, value in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes to where another optimizer was when it gave `state_dict`."""
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(
            len(mine["params"]) != len(other["params"]) for mine, other in zip(self.param_groups, saved, strict=True)
        ):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        numbers = chain.from_iterable(group["params"] for group in saved)
        params = chain.from_iterable(group["params"] for group in self.param_groups)
        owner: dict[Any, Tensor] = dict(zip(numbers, params, strict=True))
        self.state = defaultdict(dict)
        for number, values in state_dict["state"].items():
            param = owner.get(number)
            if param is None:
                self.state[number] = deepcopy(values)
            else:
                self.state[param] = {name: _fitted(name, value, param) for name, value in values.items()}
        self.param_groups = [
            {**deepcopy({name: value for name, value in group.items() if name != "params"}), "params": mine["params"]}
            for group, mine in zip(saved, self.param_groups, strict=True)
        ]

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._pre_hooks = OrderedDict()
        self._post_hooks = OrderedDict()

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _fitted(name: str, value: Any, param: Tensor) -> Any:
    """A copy of a value of the state; tensors take the parameter's dtype and device, but for the count of steps."""
    if isinstance(value, Tensor):
        if name != "step" and param.is_floating_point():
            value = value.to(dtype=param.dtype, device=param.device)
        return value.detach().clone()
    if name == "step":
        return _C.tensor(float(value), dtype=_C.float32)
    return deepcopy(value)


def refuse_options(name: str, **options: bool | None) -> None:
    """Raises for options of PyTorch's optimizers that choose an implementation which RusTorch does not have."""
    for option, value in options.items():
        if value:
            raise NotImplementedError(f"{name}: the option {option} is not built; leave it out")


def check_not_negative(name: str, value: float) -> None:
    """Raises for a setting that is negative or not a number."""
    if not value >= 0.0:
        raise ValueError(f"Invalid {name}: {value}")
