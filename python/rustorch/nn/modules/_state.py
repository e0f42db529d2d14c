"""The state of a module: what state_dict() gives and load_state_dict() takes."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from rustorch._C import Tensor
from rustorch.autograd.grad_mode import no_grad
from rustorch.nn.parameter import Parameter, is_lazy

from ._hooks import RemovableHandle

if TYPE_CHECKING:
    from .module import Module

EXTRA_STATE = "_extra_state"

# By the path of a module: its version, and what hooks note.
Metadata = Mapping[str, Mapping[str, Any]]


class IncompatibleKeys(NamedTuple):
    """What load_state_dict() did not find, and what it found without wanting it."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def has_extra_state(module: StateDict, method: str) -> bool:
    """Whether a subclass has its own get_extra_state() or set_extra_state()."""
    return getattr(type(module), method) is not getattr(StateDict, method)


def local_state(module: StateDict) -> dict[str, Tensor]:
    """The module's own parameters and persistent buffers that are not None."""
    named: dict[str, Tensor] = {name: value for name, value in module._parameters.items() if value is not None}
    for name, value in module._buffers.items():
        if value is not None and name not in module._non_persistent_buffers_set:
            named[name] = value
    return named


def copy_into(module: StateDict, name: str, source: Tensor, *, assign: bool) -> None:
    """Makes `source` the value of the parameter or buffer: by copying, or by putting it in its place."""
    target = local_state(module)[name]
    with no_grad():
        if not assign:
            target.copy_(source)
        elif isinstance(target, Parameter):
            same = source if isinstance(source, Parameter) else Parameter(source, target.requires_grad)
            same.requires_grad_(target.requires_grad)
            setattr(module, name, same)
        else:
            setattr(module, name, source)


class Report:
    """What went wrong so far in one load_state_dict()."""

    def __init__(self, missing: list[str], unexpected: list[str], errors: list[str], assign: bool) -> None:
        self.missing = missing
        self.unexpected = unexpected
        self.errors = errors
        self.assign = assign

    def finish(self, name: str, *, strict: bool) -> IncompatibleKeys:
        """Raises if something went wrong."""
        errors = list(self.errors)
        if strict:
            for keys, text in ((self.unexpected, "Unexpected"), (self.missing, "Missing")):
                if keys:
                    listed = ", ".join(f'"{key}"' for key in keys)
                    errors.insert(0, f"{text} key(s) in state_dict: {listed}. ")
        if errors:
            raise RuntimeError("Error(s) in loading state_dict for {}:\n\t{}".format(name, "\n\t".join(errors)))
        return IncompatibleKeys(self.missing, self.unexpected)


def load_all(module: StateDict, state: dict[str, Any], prefix: str, report: Report, metadata: Metadata) -> None:
    """Loads the part of `state` under `prefix` into the module and those below it."""
    local = dict(metadata.get(prefix[:-1], {}))
    if report.assign:
        local["assign_to_params_buffers"] = True
    module._load_from_state_dict(state, prefix, local, True, report.missing, report.unexpected, report.errors)
    for name, child in module._modules.items():
        if child is not None:
            below = f"{prefix}{name}."
            part = {key: value for key, value in state.items() if key.startswith(below)}
            load_all(child, part, below, report, metadata)
    for hook in tuple(module._load_state_dict_post_hooks.values()):
        if hook(module, IncompatibleKeys(report.missing, report.unexpected)) is not None:
            raise RuntimeError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values; "
                "change the lists of `incompatible_keys` instead"
            )


def load_local(module: StateDict, state: Mapping[str, Any], prefix: str, report: Report) -> None:
    """Loads the module's own tensors and lists what is missing, unexpected or does not fit."""
    own = local_state(module)
    for name, target in own.items():
        key = prefix + name
        if key not in state:
            report.missing.append(key)
            continue
        source = state[key]
        if is_lazy(target):
            # What has no shape has no values either; a source with a shape has given it before.
            continue
        if isinstance(source, Tensor) and target.ndim == 0 and source.ndim == 1:
            # States of the time before 0-d tensors.
            source = source[0]
        if not isinstance(source, Tensor):
            report.errors.append(
                f'While copying the parameter named "{key}", expected rustorch.Tensor or Tensor-like object from '
                f"checkpoint but received {type(source)}"
            )
        elif source.shape != target.shape:
            report.errors.append(
                f"size mismatch for {key}: copying a param with shape {source.shape} from checkpoint, "
                f"the shape in current model is {target.shape}."
            )
        else:
            try:
                copy_into(module, name, source, assign=report.assign)
            except Exception as error:
                report.errors.append(
                    f'While copying the parameter named "{key}", whose dimensions in the model are {target.size()} '
                    f"and whose dimensions in the checkpoint are {source.size()}, an exception occurred : {error.args}."
                )
    extra = prefix + EXTRA_STATE
    if has_extra_state(module, "set_extra_state"):
        if extra in state:
            module.set_extra_state(state[extra])
        else:
            report.missing.append(extra)
    elif extra in state:
        report.unexpected.append(extra)
    for key in state:
        if key.startswith(prefix) and key != extra:
            first, *rest = key[len(prefix) :].split(".", 1)
            if first not in (module._modules if rest else own):
                report.unexpected.append(key)


def save_local(module: StateDict, destination: OrderedDict[str, Any], prefix: str, *, keep_vars: bool) -> None:
    """Adds the module's own tensors to `destination`."""
    for name, tensor in local_state(module).items():
        destination[prefix + name] = tensor if keep_vars or is_lazy(tensor) else tensor.detach()
    if has_extra_state(module, "get_extra_state"):
        destination[prefix + EXTRA_STATE] = module.get_extra_state()


class WithoutModule:
    """A hook of a loading state that does not want the module."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def __call__(self, module: StateDict, *args: Any) -> Any:
        return self.hook(*args)


class InPlace:
    """A hook of a state that was read, which changes the state that it is given and gives nothing."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def __call__(self, *args: Any) -> None:
        if self.hook(*args) is not None:
            raise RuntimeError("state_dict post-hook must return None")


class StateDict:
    """What makes a module's state come out as a dictionary and go in again."""

    # The form of the state, in which a class that changes it counts; `state_dict()._metadata` has it, and loading
    # gives it to _load_from_state_dict() as `local_metadata["version"]`.
    _version: ClassVar[int] = 1

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _state_dict_hooks: OrderedDict[int, Callable[..., Any]]
    _state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _load_state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _load_state_dict_post_hooks: OrderedDict[int, Callable[..., Any]]

    def get_extra_state(self) -> Any:
        """What a subclass wants saved beside its tensors."""
        raise RuntimeError("get_extra_state() was called, but this module has no extra state: define the method")

    def set_extra_state(self, state: Any) -> None:
        """Takes back what get_extra_state() gave."""
        raise RuntimeError("set_extra_state() was called, but this module has no extra state: define the method")

    def _save_to_state_dict(self, destination: OrderedDict[str, Any], prefix: str, keep_vars: bool) -> None:
        save_local(self, destination, prefix, keep_vars=keep_vars)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        for hook in tuple(self._load_state_dict_pre_hooks.values()):
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        assign = bool(local_metadata.get("assign_to_params_buffers", False))
        load_local(self, state_dict, prefix, Report(missing_keys, unexpected_keys, error_msgs, assign))

    def state_dict(
        self, *args: Any, destination: OrderedDict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Any]:
        """Every parameter and persistent buffer, of this module and all below it, under its path.

        The tensors share memory with the module's; they have no history, unless `keep_vars`.
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead: destination, prefix and keep_vars of "
                "state_dict()",
                FutureWarning,
                stacklevel=2,
            )
            given = (*args, *(destination, prefix, keep_vars)[len(args) :])
            destination, prefix, keep_vars = given
        if destination is None:
            destination = OrderedDict()
            # An attribute, as in PyTorch's files of states.
            vars(destination)["_metadata"] = OrderedDict()
        local_metadata = {"version": self._version}
        metadata = getattr(destination, "_metadata", None)
        if metadata is not None:
            metadata[prefix[:-1]] = local_metadata
        for hook in tuple(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in tuple(self._state_dict_hooks.values()):
            replaced = hook(self, destination, prefix, local_metadata)
            if replaced is not None:
                destination = replaced
        return destination

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copies a state_dict() into this module and all below it; with `assign`, its tensors take the old ones' place.

        RuntimeError where shapes differ and, if `strict`, where keys are missing or unexpected.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        report = Report([], [], [], assign)
        state, metadata = OrderedDict(state_dict), getattr(state_dict, "_metadata", None)
        if metadata is not None:
            vars(state)["_metadata"] = metadata
        load_all(self, state, "", report, metadata or {})
        return report.finish(type(self).__name__, strict=strict)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(module, prefix, keep_vars)` before state_dict() reads the module."""
        return _registered(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(module, state_dict, prefix, local_metadata)` after state_dict() has read the module."""
        return _registered(self._state_dict_hooks, InPlace(hook))

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """As register_state_dict_post_hook(); what the hook gives takes the place of this module's state."""
        return _registered(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(module, state_dict, prefix, …)` before a state is loaded; it may change `state_dict`."""
        return _registered(self._load_state_dict_pre_hooks, hook)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        """As register_load_state_dict_pre_hook(), for a hook that does not get the module unless `with_module`."""
        return _registered(self._load_state_dict_pre_hooks, hook if with_module else WithoutModule(hook))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(module, incompatible_keys)` after a state was loaded; it may change the lists of keys."""
        return _registered(self._load_state_dict_post_hooks, hook)


def _registered(hooks: OrderedDict[int, Any], hook: Callable[..., Any]) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle
