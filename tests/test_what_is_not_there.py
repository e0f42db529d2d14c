"""Programs that ask for what RusTorch does not have are told so, and decorators that change nothing change nothing."""

import pytest

import rustorch


def test_decorators_of_scripts_give_the_function_back() -> None:
    jit = rustorch.jit

    def plain(x: int) -> int:
        return 2 * x

    assert jit.export(plain) is plain
    assert jit.unused(plain) is plain
    assert jit.ignore(plain) is plain
    assert jit.ignore()(plain) is plain
    assert jit.ignore(drop=True)(plain) is plain
    assert jit.annotate(list[int], plain) is plain
    assert not jit.is_scripting()
    assert not jit.is_tracing()

    class WithConstant(rustorch.nn.Module):
        size: jit.Final[int] = 3

    assert WithConstant().size == 3


def test_scripts_and_traces_are_missing_names() -> None:
    for name in ("script", "trace", "save", "load"):
        assert not hasattr(rustorch.jit, name)


def test_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = rustorch.distributed
    available = (distributed.is_mpi_available, distributed.is_nccl_available, distributed.is_gloo_available)
    assert not any(ask() for ask in (distributed.is_available, distributed.is_initialized, *available))
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert not distributed.is_torchelastic_launched()
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    assert distributed.is_torchelastic_launched()
    assert not hasattr(distributed, "init_process_group")
