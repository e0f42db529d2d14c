"""What the docstrings of the public surface lack: `python -m tests.documentation` lists it, `make check` runs it.

A public class of nn, optim, utils.data and distributions says what each argument of its constructor is and what its
default is, has an example, and if it is a module that computes, the shapes of what it takes and gives. An op of the
table has an example, and says what each of its arguments is, as the functions of nn.functional do and those under
ATen's signatures. tests/test_examples.py runs the examples.
"""

from __future__ import annotations

import inspect
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rustorch
from rustorch import _aten, _ops, nn

MODULES = (
    rustorch.distributions,
    rustorch.distributions.constraints,
    rustorch.distributions.relaxed_bernoulli,
    rustorch.distributions.relaxed_categorical,
    rustorch.distributions.utils,
    nn,
    nn.utils.parametrize,
    nn.utils.prune,
    nn.utils.rnn,
    rustorch.optim,
    rustorch.optim.lr_scheduler,
    rustorch.optim.swa_utils,
    rustorch.utils.data,
    rustorch.amp,
)
OWN = ("rustorch.distributions.", "rustorch.nn.", "rustorch.optim.", "rustorch.utils.data.", "rustorch.amp.")

#: Those whose functions are documented as classes are.
WITH_FUNCTIONS = (rustorch.utils.data, rustorch.distributions)

#: Classes whose constructor passes `*args` and `**kwargs` on to that of the base class, and which of its arguments
#: they set themselves or refuse. Their docstrings name the others.
PASSED_ON = {"nn.GRU": ("mode", "proj_size"), "nn.LSTM": ("mode",), "nn.RNN": ("mode", "proj_size")}

#: Modules without shapes of their own, and why.
NO_SHAPE = {
    "nn.Module": "its subclasses say what they take",
    "nn.ModuleDict": "it holds modules and is not called",
    "nn.ModuleList": "it holds modules and is not called",
    "nn.ParameterDict": "it holds parameters and is not called",
    "nn.ParameterList": "it holds parameters and is not called",
    "nn.Sequential": "its first and last module say what it takes and gives",
}


def public() -> Iterator[tuple[str, Any]]:
    """Every public class of the modules, function of utils.data and distributions, by its name after `rustorch.`."""
    seen: set[int] = set()
    for module in MODULES:
        for name, thing in sorted(vars(module).items()):
            wanted = inspect.isclass(thing) or (inspect.isfunction(thing) and module in WITH_FUNCTIONS)
            if wanted and thing.__module__.startswith(OWN) and not name.startswith("_") and id(thing) not in seen:
                seen.add(id(thing))
                yield f"{module.__name__.removeprefix('rustorch.')}.{name}", thing


def arguments(text: str) -> dict[str, str]:
    """The names under `Args:` and what is said of each. One line may be about several names, `device, dtype: …`."""
    section = re.search(r"^Args:\n((?:[ ]+.*\n|\n)*)", text + "\n", re.MULTILINE)
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=    [^ ])", "\n" + section[1]) if section else []:
        names, colon, meaning = entry.partition(":")
        if colon:
            found |= {name.strip().lstrip("*"): meaning for name in names.split(",")}
    return found


def says_default(meaning: str, default: Any) -> bool:
    """Whether `Default: …` in a text is the default, if that can be written as an expression of numbers and texts."""
    said = re.search(r"Default:\s+(.+?)(?:[.;,]?\s*$|[.;,]\s)(?![^(]*\))", meaning, re.DOTALL)
    if said is None:
        return False
    if default is not None and not isinstance(default, bool | int | float | str | tuple):
        return True
    try:
        return bool(eval(said[1], {"__builtins__": {}}) == default)
    except (SyntaxError, NameError, TypeError):
        return False


def taken(name: str, thing: Any) -> dict[str, inspect.Parameter]:
    """The arguments of a function, or of a class' constructor."""
    if inspect.isclass(thing) and issubclass(thing, nn.Module) and thing.__init__ is nn.Module.__init__:
        # It takes arguments only to pass them on, where a subclass says so.
        return {}
    own = inspect.signature(thing).parameters
    if name not in PASSED_ON:
        return dict(own)
    passed_on = inspect.signature(thing.__bases__[0]).parameters
    others = {argument: parameter for argument, parameter in passed_on.items() if argument not in PASSED_ON[name]}
    return {argument: own[argument] for argument in own if argument not in ("args", "kwargs")} | others


def lacks(name: str, thing: Any) -> list[str]:
    """What the docstring of a class or function lacks."""
    text = inspect.cleandoc(thing.__doc__ or "")
    said = arguments(text)
    wanted = taken(name, thing)
    missing = [f"Args names no {argument}" for argument in wanted if argument not in said]
    missing += [f"Args names {argument}, which it does not take" for argument in said if argument not in wanted]
    missing += [
        f"{argument}: 'Default: {parameter.default!r}'"
        for argument, parameter in wanted.items()
        if argument in said
        and parameter.default is not parameter.empty
        and not says_default(said[argument], parameter.default)
    ]
    computes = inspect.isclass(thing) and issubclass(thing, nn.Module) and name not in NO_SHAPE
    if computes and not re.search(r"^Shape:", text, re.MULTILINE):
        missing.append("Shape")
    if not re.search(r"^Example:", text, re.MULTILINE) or ">>>" not in text:
        missing.append("Example")
    return missing


def ops() -> dict[str, bool]:
    """The public ops of the table, and whether any form of each has an example."""
    found: dict[str, bool] = {}
    for file in sorted(Path(__file__).parents[1].glob("crates/backend/ops/*.toml")):
        for row in tomllib.loads(file.read_text(encoding="utf-8"))["op"]:
            if row.get("public", True) and not row["name"].startswith("_"):
                name = ".".join(filter(None, (row.get("module"), row["name"])))
                found[name] = found.get(name, False) or "example" in row
    return found


def functions() -> Iterator[tuple[str, Any]]:
    """The ops of the table, and the functions of nn.functional and of ATen's signatures."""
    for module in (_ops, rustorch.linalg, rustorch.special, rustorch.signal.windows, nn.functional, _aten):
        for name, function in sorted(vars(module).items()):
            if (inspect.isbuiltin(function) or inspect.isfunction(function)) and not name.startswith("_"):
                yield f"{module.__name__.removeprefix('rustorch.')}.{name}", function


def unexplained(function: Any) -> list[str]:
    """The arguments in a function's signature of which its docstring does not say what they are."""
    said = arguments(inspect.cleandoc(function.__doc__ or ""))
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    taken = inspect.signature(function).parameters.values()
    # Sizes are `*size`; what is only `*args` has several signatures, all of which codegen checks.
    named = [p.name for p in taken if p.kind not in several or p.name not in ("args", "kwargs")]
    return [name for name in named if name not in said and not name.startswith("_")]


def main() -> int:
    complaints = [f"{name}: no Example in crates/backend/ops" for name, has_example in ops().items() if not has_example]
    complaints += [f"{name}: Args names no {', '.join(left)}" for name, f in functions() if (left := unexplained(f))]
    things = dict(public())
    complaints += [f"{name}: in NO_SHAPE, but there is no such class" for name in NO_SHAPE if name not in things]
    for name, thing in things.items():
        if missing := lacks(name, thing):
            complaints.append(f"{name}: its docstring lacks {'; '.join(missing)}")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
