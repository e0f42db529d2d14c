"""Modules that hold other modules, or parameters."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self, overload

from rustorch._C import Tensor
from rustorch.nn.parameter import Parameter

from .module import Module, _addindent

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Numbered(Module):
    """Modules under the names '0', '1', … in order."""

    _modules: dict[str, Module]  # type: ignore[assignment]

    def _names(self, index: int | slice) -> list[str]:
        """The names at an index or a slice."""
        names = list(self._modules)
        if isinstance(index, slice):
            return names[index]
        index = operator.index(index)
        if not -len(names) <= index < len(names):
            raise IndexError(f"index {index} is out of range")
        return [names[index]]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._names(index)[0], module)

    def __delitem__(self, index: int | slice) -> None:
        for name in self._names(index):
            delattr(self, name)
        self._renumber(list(self._modules.values()))

    def _renumber(self, modules: Iterable[Module]) -> None:
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def append(self, module: Module) -> Self:
        """Adds a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Adds modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{self._get_name()}.extend should be called with an iterable, but got {type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Adds a module before the given position."""
        if not isinstance(module, Module):
            raise TypeError(f"module should be of type: {Module}, but got {type(module).__name__}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)


class Sequential(_Numbered):
    """Runs modules one after the other: each gets what the one before it gives.

        out = module_n(… module_1(module_0(in)))

    The call takes one argument. Without modules it gives its input back. It is indexed and sliced as a list is (a slice
    is a Sequential of the same modules, under their names), and has append, extend, insert, pop, + (joins two) and *
    (repeats the same modules, which then share their parameters).

    Args:
        *args: Modules, which get the names '0', '1', …; or one OrderedDict of names and modules.

    Raises:
        TypeError: An argument is no module; a dictionary is no OrderedDict.

    Example:

    >>> from collections import OrderedDict
    >>> nn = rustorch.nn
    >>> nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))(rustorch.ones(3, 4)).shape
    rustorch.Size([3, 2])
    >>> model = nn.Sequential(OrderedDict(hidden=nn.Linear(4, 8), act=nn.ReLU(), out=nn.Linear(8, 2)))
    >>> model.hidden
    Linear(in_features=4, out_features=8, bias=True)
    >>> model[1:]
    Sequential(
      (act): ReLU()
      (out): Linear(in_features=8, out_features=2, bias=True)
    )
    """

    def __init__(self, *args: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)  # type: ignore[arg-type]

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)
        return input

    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    @overload
    def __getitem__(self, index: int) -> Any: ...
    def __getitem__(self, index: int | slice) -> Any:
        names = self._names(index)
        if isinstance(index, slice):
            return type(self)(OrderedDict((name, self._modules[name]) for name in names))
        return self._modules[names[0]]

    def pop(self, key: int | slice) -> Module:
        """Takes out the module at an index."""
        module: Module = self[key]
        del self[key]
        return module

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return Sequential(*self, *other)

    def __mul__(self, count: int) -> Sequential:
        if not isinstance(count, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(count)}")
        if count <= 0:
            raise ValueError(f"Non-positive multiplication factor {count} for {type(self)}")
        return Sequential(*(list(self) * count))

    __rmul__ = __mul__


class ModuleList(_Numbered):
    """A list of modules, which its owner calls as it likes.

    Modules in it are found by parameters(), state_dict(), to(), train() and eval() of the owner, which those in a plain
    list are not. It is indexed, sliced and looped over as a list is, and has append, extend, insert, pop, + and +=. It
    has no forward of its own.

    Args:
        modules: The modules to begin with; they get the names '0', '1', …. Default: None.

    Raises:
        TypeError: A value is no module.

    Example:

    >>> layers = rustorch.nn.ModuleList(rustorch.nn.Linear(10, 10) for _ in range(3))
    >>> x = rustorch.ones(2, 10)
    >>> for layer in layers:
    ...     x = layer(x) + x
    >>> x.shape, len(list(layers.parameters()))
    (rustorch.Size([2, 10]), 6)
    >>> layers
    ModuleList(
      (0-2): 3 x Linear(in_features=10, out_features=10, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    @overload
    def __getitem__(self, index: slice) -> ModuleList: ...
    @overload
    def __getitem__(self, index: int) -> Any: ...
    def __getitem__(self, index: int | slice) -> Any:
        names = self._names(index)
        if isinstance(index, slice):
            return type(self)(self._modules[name] for name in names)
        return self._modules[names[0]]

    def pop(self, key: int | slice) -> Module:
        """Takes out the module at an index."""
        module: Module = self[key]
        del self[key]
        return module

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        """Equal neighbours stand on one line: `(0-3): 4 x Linear(…)`."""
        runs: list[tuple[int, int, str]] = []
        for i, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], i, text)
            else:
                runs.append((i, i, text))
        lines = [
            _addindent(f"({first}): {text}" if first == last else f"({first}-{last}): {last - first + 1} x {text}", 2)
            for first, last, text in runs
        ]
        body = "\n  " + "\n  ".join(lines) + "\n" if lines else ""
        return f"{self._get_name()}({body})"


class ModuleDict(Module):
    """A dictionary of modules, which its owner calls as it likes.

    Modules in it are found by parameters(), state_dict(), to(), train() and eval() of the owner, which those in a plain
    dictionary are not. Names stay in the order in which they were put in. It has keys, values, items, update, pop,
    clear and `in`. It has no forward of its own.

    Args:
        modules: A mapping of names to modules, or pairs of both. Default: None.

    Raises:
        TypeError: A name is no string, a value is no module, or `modules` is not iterable.
        KeyError: A name is empty, has a dot in it, or is an attribute that modules have, such as 'keys' or 'train'.

    Example:

    >>> choices = rustorch.nn.ModuleDict({'conv': rustorch.nn.Conv2d(3, 8, 3), 'pool': rustorch.nn.MaxPool2d(3)})
    >>> choices['conv'](rustorch.ones(1, 3, 9, 9)).shape
    rustorch.Size([1, 8, 7, 7])
    >>> list(choices.keys())
    ['conv', 'pool']
    """

    _modules: dict[str, Module]  # type: ignore[assignment]

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Takes out all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Takes out the module of that name."""
        return self._modules.pop(key)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self._modules.values()

    def items(self) -> ItemsView[str, Module]:
        """Names and modules."""
        return self._modules.items()

    def update(self, modules: Mapping[str, Module] | ModuleDict | Iterable[tuple[str, Module]]) -> None:
        """Adds modules under their names; those that are there already are replaced."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleDict.update should be called with an iterable of key/value pairs, but got "
                + type(modules).__name__
            )
        pairs = modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules
        for name, module in pairs:
            self[name] = module


class ParameterList(Module):
    """A list of parameters.

    Parameters in it are found by parameters(), state_dict() and to() of the owner, which those in a plain list are not.
    A tensor that is put in becomes a Parameter; other values are kept as they are. It is indexed, sliced and looped
    over as a list is, and has append, extend and +=. It cannot be called.

    Args:
        values: The values to begin with. Default: None.

    Raises:
        TypeError: `extend` gets something that is no iterable of values.
        RuntimeError: It is called.

    Example:

    >>> factors = rustorch.nn.ParameterList([rustorch.ones(2), rustorch.ones(3)])
    >>> factors
    ParameterList(
        (0): Parameter containing: [rustorch.float32 of size 2]
        (1): Parameter containing: [rustorch.float32 of size 3]
    )
    >>> [factor.requires_grad for factor in factors]
    [True, True]
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _name(self, index: int) -> str:
        index = operator.index(index)
        if not -self._size <= index < self._size:
            raise IndexError(f"index {index} is out of range")
        return str(index % self._size)

    @overload
    def __getitem__(self, index: slice) -> ParameterList: ...
    @overload
    def __getitem__(self, index: int) -> Any: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(self[i] for i in range(*index.indices(self._size)))
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._name(index), _as_parameter(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(self._size))

    def append(self, value: Any) -> Self:
        """Adds a value at the end."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Adds values at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in values:
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def extra_repr(self) -> str:
        # PyTorch moves these lines in twice.
        return "\n".join(f"  ({i}): {_described(value)}" for i, value in enumerate(self))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """A dictionary of parameters.

    Parameters in it are found by parameters(), state_dict() and to() of the owner, which those in a plain dictionary
    are not. A tensor that is put in becomes a Parameter; other values are kept as they are. Names stay in the order in
    which they were put in. It has keys, values, items, update and `in`. It cannot be called.

    Args:
        parameters: A mapping of names to values, or pairs of both. Default: None.

    Raises:
        TypeError: A name is no string.
        KeyError: A name has a dot in it, or is an attribute that modules have, such as 'keys'.
        RuntimeError: It is called.

    Example:

    >>> factors = rustorch.nn.ParameterDict({'left': rustorch.ones(5, 2), 'right': rustorch.ones(2)})
    >>> (factors['left'] @ factors['right']).shape
    rustorch.Size([5])
    >>> 'left' in factors, len(factors)
    (True, 2)
    """

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string "
                f"(type is '{type(key).__name__}')."
            )
        setattr(self, key, _as_parameter(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._keys.keys()

    def values(self) -> Iterable[Any]:
        """The parameters."""
        return [self[key] for key in self._keys]

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and parameters."""
        return [(key, self[key]) for key in self._keys]

    def update(self, parameters: Mapping[str, Any] | ParameterDict | Iterable[tuple[str, Any]]) -> None:
        """Adds parameters under their names."""
        pairs = parameters.items() if isinstance(parameters, (Mapping, ParameterDict)) else parameters
        for key, value in pairs:
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join(f"  ({key}): {_described(value)}" for key, value in self.items())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterDict should not be called.")


def _as_parameter(value: Any) -> Any:
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _described(value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    return f"{kind} containing: [{value.dtype} of size {'x'.join(map(str, value.shape))}]"
