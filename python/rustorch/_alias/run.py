"""`rustorch run`: a program that imports torch, as `python` would run it, with RusTorch in torch's place."""

from __future__ import annotations

import builtins
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any, NoReturn
from zipfile import is_zipfile

from rustorch._alias import SITE, as_torch
from rustorch._lazy import MISSING

USAGE = """usage: rustorch run script.py [argument ...]
       rustorch run -m module [argument ...]

Runs a Python program in which `import torch` gives RusTorch."""


def run(arguments: Sequence[str]) -> int:
    """Runs the program that the arguments name, in place of this one; gives an exit status."""
    if not arguments or arguments[0] in ("-h", "--help"):
        (sys.stdout if arguments else sys.stderr).write(USAGE + "\n")
        return 0 if arguments else 2
    if arguments[0] == "-m":
        if len(arguments) < 2:
            sys.stderr.write("rustorch run: -m needs the name of a module\n")
            return 2
    elif arguments[0].startswith("-"):
        sys.stderr.write(f"rustorch run: unknown option {arguments[0]}\n{USAGE}\n")
        return 2
    as_torch()
    if not sys.flags.safe_path:
        # The folder of this command, or the current one; the program has its own in its place.
        del sys.path[0]
    # For processes that the program starts: new ones read the variable, multiprocessing hands the list on.
    sys.path.insert(0, str(SITE))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(SITE), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        if arguments[0] == "-m":
            sys.argv[:] = ["-m", *arguments[2:]]
            if not sys.flags.safe_path:
                sys.path.insert(0, os.getcwd())
            _run_module(arguments[1])
        else:
            sys.argv[:] = list(arguments)
            _run_path(arguments[0])
    except SystemExit:
        raise
    except BaseException as error:
        _show_from_the_program_on(error)
        raise
    return 0


def _run_path(script: str) -> None:
    """Runs a file, or the module `__main__` of a folder or a zip file."""
    if os.path.isdir(script) or is_zipfile(script):
        sys.path.insert(0, script)
        _run_module("__main__", of=script)
        return
    try:
        source = Path(script).read_bytes()
    except OSError as error:
        sys.stderr.write(f"rustorch run: can't open file '{script}': [Errno {error.errno}] {error.strerror}\n")
        raise SystemExit(2) from None
    if not sys.flags.safe_path:
        sys.path.insert(0, os.path.dirname(os.path.realpath(script)))
    code = compile(source, script, "exec", dont_inherit=True)
    _execute(
        code,
        __file__=script,
        __cached__=None,
        __package__=None,
        __spec__=None,
        __loader__=SourceFileLoader("__main__", script),
    )


def _run_module(name: str, of: str | None = None) -> None:
    """Runs a module, or the `__main__` of a package, as `python -m` does."""
    spec = _main_spec(name, of)
    loader: Any = spec.loader
    code = loader.get_code(spec.name)
    if code is None:
        _refuse(f"No code object available for {spec.name}")
    sys.argv[0] = of or str(spec.origin)
    _execute(
        code,
        __file__=spec.origin,
        __cached__=spec.cached,
        __package__=spec.parent,
        __spec__=spec,
        __loader__=loader,
    )


def _main_spec(name: str, of: str | None) -> ModuleSpec:
    if of is not None:
        # The module `__main__` that is there is this command's.
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, [of])
        if spec is None:
            _refuse(f"can't find '__main__' module in '{of}'")
        return spec
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        _refuse(f"Error while finding module specification for '{name}' ({type(error).__name__}: {error})")
    if spec is None:
        _refuse(f"No module named {name}")
    if spec.submodule_search_locations is not None:
        inner = importlib.util.find_spec(f"{name}.__main__")
        if inner is None:
            _refuse(f"No module named {name}.__main__; '{name}' is a package and cannot be directly executed")
        return inner
    return spec


def _refuse(message: str) -> NoReturn:
    sys.stderr.write(f"rustorch run: {message}\n")
    raise SystemExit(1)


def _execute(code: CodeType, **attributes: Any) -> None:
    """Runs code as the module `__main__`, which stays until the process ends."""
    main = ModuleType("__main__")
    main.__dict__.update(attributes, __builtins__=builtins)
    sys.modules["__main__"] = main
    exec(code, main.__dict__)


def _show_from_the_program_on(error: BaseException) -> None:
    """Lets the traceback of an error that nobody caught begin in the program, as with `python`."""
    hook = sys.excepthook

    def show(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> Any:
        own = trace
        while own is not None and own.tb_frame.f_code is not _execute.__code__:
            own = own.tb_next
        if own is not None:
            trace = own.tb_next
        elif isinstance(value, SyntaxError):
            # The program itself, which was read here; an import of it that fails is below _execute.
            trace = None
        value.__traceback__ = trace
        _end_in_the_program(trace)
        if isinstance(value, ImportError) and (value.name or "").startswith("rustorch"):
            value.add_note(f"{MISSING} lists the names of PyTorch's that are not in RusTorch")
        return hook(kind, value, trace)

    sys.excepthook = show


def _end_in_the_program(trace: TracebackType | None) -> None:
    """Cuts the frames off in which the error about a missing name was made."""
    while trace is not None and trace.tb_next is not None:
        if trace.tb_next.tb_frame.f_globals.get("__name__") in ("rustorch", "rustorch._alias", "rustorch._lazy"):
            trace.tb_next = None
        trace = trace.tb_next
