"""RusTorch under the name torch: an import hook, and how the package then names itself."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Sequence
from functools import wraps
from importlib import import_module, metadata
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import rustorch
from rustorch import _lazy
from rustorch._C import Generator, Tensor, UntypedStorage, device, dtype, layout, memory_format
from rustorch._size import Size
from rustorch.torch_version import FOLLOWED, TorchVersion

#: A folder with a package torch that calls as_torch(), and what its distribution says of itself.
SITE = Path(__file__).with_name("site")
DIST_INFO = f"torch-{FOLLOWED}.dist-info"

# Classes whose objects, or they themselves, are shown with the package's name before theirs.
_NAMED = (Generator, Size, Tensor, UntypedStorage, device, dtype, layout, memory_format)


class _SameModule(Loader):
    """Gives the module of RusTorch itself, which stays what it is."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has put the spec of the alias into it.
        module.__spec__ = self._spec


def _is_there(module: str) -> bool:
    """Whether a module can be imported; what it is a part of has been."""
    if module in sys.modules:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        # It would be a part of a module that is no package.
        return False


def _only_asks() -> bool:
    """Whether find_spec() wants to know if a module is there, and nobody imports it."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") == "importlib._bootstrap":
        frame = frame.f_back
    return frame.f_code is importlib.util.find_spec.__code__


class _Finder(MetaPathFinder):
    """Finds torch and its submodules, and, unless it `is_installed`, the distribution torch."""

    def __init__(self, is_installed: bool) -> None:
        self._is_installed = is_installed

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "torch" and not fullname.startswith("torch."):
            return None
        own = "rustorch" + fullname.removeprefix("torch")
        if not _is_there(own):
            if _only_asks():
                return None
            raise _lazy.missing_module(own)
        module = import_module(own)
        _lazy.adopt()
        return ModuleSpec(fullname, _SameModule(module), is_package=hasattr(module, "__path__"))

    def find_distributions(
        self, context: metadata.DistributionFinder.Context | None = None
    ) -> Iterable[metadata.Distribution]:
        name = None if context is None else context.name
        if (name is None or name.lower() == "torch") and not self._is_installed and str(SITE) not in sys.path:
            yield metadata.Distribution.at(SITE / DIST_INFO)


class _MissingNames(MetaPathFinder):
    """Asked last, for submodules that nobody found: `from torch import name` looks for one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        parent, _, name = fullname.rpartition(".")
        if (parent == "rustorch" or parent.startswith("rustorch.")) and not _only_asks():
            raise _lazy.missing_import(parent, name)
        return None


def answers() -> bool:
    """Whether RusTorch answers for torch in this process."""
    return sys.modules.get("torch") is rustorch


def _is_stub(module: ModuleType) -> bool:
    """Whether a module is the package torch of the alias, which is calling as_torch()."""
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).read_bytes() == (SITE / "torch/__init__.py").read_bytes()


def as_torch() -> None:
    """Answers `import torch`, and all of its submodules, with RusTorch, in this process from now on.

    The modules are the very same: after it, `torch.nn is rustorch.nn`. Texts name the package torch, as
    `torch.float32`, and `torch.__version__` is the version of PyTorch that is followed. Calling it again changes
    nothing. RuntimeError where PyTorch itself is imported already: call it before that.

    >>> rustorch.as_torch()  # doctest: +SKIP
    >>> import torch.nn.functional as F  # doctest: +SKIP
    >>> F is rustorch.nn.functional  # doctest: +SKIP
    True
    """
    if answers():
        return
    imported = sys.modules.get("torch")
    if imported is not None and not _is_stub(imported):
        raise RuntimeError(
            f"as_torch(): torch is imported already, from {getattr(imported, '__file__', 'an unknown place')}; "
            "call rustorch.as_torch() before anything imports it"
        )
    sys.meta_path.insert(0, _Finder(is_installed=imported is not None))
    sys.meta_path.append(_MissingNames())
    sys.modules["torch"] = rustorch
    _name_as_torch()


def _name_as_torch() -> None:
    """Texts that a program sees say torch."""
    _lazy.rename("torch")
    rustorch.__version__ = TorchVersion(FOLLOWED)
    for cls in _NAMED:
        _rename_repr(cls)
        cls.__module__ = "torch"
    _rename_type(Tensor)


def _rename_repr(cls: Any) -> None:
    own = cls.__repr__

    @wraps(own)
    def __repr__(self: Any) -> str:
        text: str = own(self)
        return text.removeprefix("rus") if text.startswith("rustorch.") else text

    cls.__repr__ = __repr__


def _rename_type(cls: Any) -> None:
    own = cls.type

    @wraps(own)
    def type(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = own(self, *args, **kwargs)
        return result.removeprefix("rus") if isinstance(result, str) else result

    cls.type = type
