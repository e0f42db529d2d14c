"""The examples in the docstrings of ops, and of classes and functions of nn, optim, utils.data, distributions, hold."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import rustorch
from rustorch import _aten, _settings, _tensor_types

from tests.documentation import public

#: Modules whose classes have examples.
CLASSES = (rustorch.autograd.variable, rustorch.storage, rustorch.torch_version, rustorch.utils.benchmark)

#: Modules whose functions have examples.
FUNCTIONS = (
    rustorch.func,
    _aten,
    rustorch.multiprocessing,
    rustorch.nn.attention,
    rustorch.nn.functional,
    rustorch.nn.init,
    rustorch.nn.modules.module,
    rustorch.nn.modules.utils,
    rustorch.nn.parallel,
    rustorch.nn.utils,
    rustorch.nn.utils.parametrizations,
    rustorch.nn.utils.parametrize,
    rustorch.nn.utils.prune,
    rustorch.nn.utils.rnn,
    rustorch.nn.utils.stateless,
    rustorch.optim.swa_utils,
    rustorch.overrides,
    _settings,
    _tensor_types,
    rustorch.testing,
    rustorch.compiler,
    rustorch.utils._pytree,
    rustorch.utils.checkpoint,
    rustorch.autograd.graph,
    rustorch.utils.hooks,
)


def documented() -> Iterator[tuple[str, Any]]:
    """Every function and method of the table, every public class and function of nn whose docstring has an example."""
    for owner in (rustorch._C, rustorch.Tensor):
        for name in sorted(vars(owner)):
            text = getattr(getattr(owner, name), "__doc__", None) or ""
            if ">>>" in text and not name.startswith("_"):
                yield f"{getattr(owner, '__name__', owner)}.{name}", text
    for name, thing in public():
        if ">>>" in (thing.__doc__ or ""):
            yield name, thing.__doc__
    for module in CLASSES:
        for name, thing in sorted(vars(module).items()):
            if (
                inspect.isclass(thing)
                and thing.__module__.startswith(module.__name__)
                and ">>>" in (thing.__doc__ or "")
            ):
                yield f"{module.__name__}.{name}", thing.__doc__
    for module in FUNCTIONS:
        for name, function in sorted(vars(module).items()):
            if inspect.isfunction(function) and not name.startswith("_") and ">>>" in (function.__doc__ or ""):
                yield f"{module.__name__}.{name}", function.__doc__


@pytest.mark.cpu_only
@pytest.mark.parametrize(("name", "text"), [pytest.param(n, t, id=n) for n, t in documented()])
def test_the_example_of_a_docstring_runs(name: str, text: str) -> None:
    rustorch.manual_seed(0)
    examples = doctest.DocTestParser().get_doctest(text, {"rustorch": rustorch}, name, None, None)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(examples, out=report.append)
    assert runner.failures == 0, "".join(report)
