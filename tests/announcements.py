"""What processes of tests may say on stderr although all is well."""

from __future__ import annotations

COMPILING = "rustorch: compiling kernels for "


def beside_compilation(stderr: str) -> str:
    """What was said beside the one line that tells why the first use of kernels takes long, where it does."""
    lines = stderr.splitlines(keepends=True)
    told = [line for line in lines if line.startswith(COMPILING)]
    assert len(told) <= 1, "it is told once"
    return "".join(line for line in lines if line not in told)
