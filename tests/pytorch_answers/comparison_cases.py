"""Calls of testing.assert_close: what PyTorch is asked, and RusTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

CALLS = """
torch.ones(3), torch.ones(3)
torch.ones(3), torch.ones(3) + 1
torch.ones(3), torch.ones(3) + 1e-6
torch.ones(3), torch.ones(3) + 2e-5
torch.ones(3), torch.ones(3).double()
torch.ones(3), torch.ones(3).double(), check_dtype=False
torch.ones(3), torch.ones(2)
torch.ones(()), torch.ones(1)
1.0, 1.1
1.0, 1.0 + 5e-8
1, 2
2, 2
1, 1.0
1, 1.0, check_dtype=False
1 + 1j, 1 + 2j
1 + 1j, 1 + 1j
nan, nan
nan, nan, equal_nan=True
inf, inf
inf, 1.0
0.0, -0.0
[1.0, 2], [1.0, 3]
[1], [1, 2]
(1, 2), [1, 2]
{"a": torch.ones(2)}, {"a": torch.zeros(2)}
{"a": 1}, {"b": 1}
{"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}
[torch.ones(2), [torch.ones(3)]], [torch.ones(2), [torch.zeros(3)]]
torch.tensor([1, 2]), torch.tensor([1, 3])
torch.ones(2, 2), torch.tensor([[1, 1], [nan, 1]])
torch.tensor([nan, 1]), torch.tensor([nan, 1])
torch.tensor([nan, 1]), torch.tensor([nan, 1]), equal_nan=True
torch.tensor([nan, 1]), torch.tensor([nan, 2]), equal_nan=True
torch.tensor(1.0), torch.tensor(2.0)
torch.tensor(3), torch.tensor(2)
torch.tensor(True), torch.tensor(False)
torch.tensor([True, False]), torch.tensor([False, False])
torch.tensor(1.0), 1.0
"a", "a"
None, None
None, 1
True, False
True, True
torch.ones(1), torch.ones(1), rtol=1
torch.ones(1), torch.ones(1), atol=1
torch.ones(3), torch.ones(3) + 1, msg="hello"
torch.ones(3), torch.ones(3) + 1, msg=lambda text: "X " + text
torch.ones(3), torch.ones(3) + 1, rtol=0, atol=0
torch.ones(3), torch.ones(3) + 1, rtol=1, atol=0
torch.ones(3), torch.ones(3) + 1, rtol=0.1, atol=0.25
np.ones(2), np.zeros(2)
np.ones(2), np.ones(2)
np.float32(1), np.float32(2)
np.ones(2), np.ones(2, dtype=np.float32)
torch.ones(4, 2).t(), torch.ones(2, 4), check_stride=True
torch.ones(4, 2).t(), torch.ones(2, 4)
torch.nn.Parameter(torch.ones(2)), torch.ones(2)
torch.nn.Parameter(torch.ones(2)), torch.ones(2), allow_subclasses=False
torch.ones(2), torch.ones(2) * 1j
torch.ones(2) * 1j, torch.ones(2) * 2j
torch.tensor([1.0, 0.0]), torch.tensor([1.1, 0.0])
torch.tensor([inf, 0.0]), torch.tensor([1.1, 0.0])
torch.tensor([inf, -inf]), torch.tensor([inf, -inf])
torch.tensor([inf, -inf]), torch.tensor([inf, inf])
torch.tensor([200, 0], dtype=torch.uint8), torch.tensor([100, 1], dtype=torch.uint8)
torch.tensor([1.0], dtype=torch.float16), torch.tensor([1.002], dtype=torch.float16)
torch.tensor([1.0], dtype=torch.bfloat16), torch.tensor([1.01], dtype=torch.bfloat16)
torch.tensor([1.0], dtype=torch.bfloat16), torch.tensor([1.05], dtype=torch.bfloat16)
torch.tensor([1.0], dtype=torch.float16), torch.tensor([1.005], dtype=torch.float64), check_dtype=False
torch.arange(24.0).view(2, 3, 4), torch.arange(24.0).view(2, 3, 4).flip(1)
torch.ones(0, 3), torch.ones(0, 3)
torch.ones(0, 3), torch.ones(3, 0)
object(), object()
torch.ones(2), [1.0, 1.0]
""".strip().splitlines()


def comparison(module: Any, call: str) -> list[str] | None:
    """The class and the text of the error of `assert_close(call)`; None where there is none."""
    names = {"torch": module, "np": np, "nan": float("nan"), "inf": float("inf")}
    try:
        eval(f"torch.testing.assert_close({call})", names)
    except (AssertionError, TypeError, ValueError) as error:
        return [type(error).__name__, str(error).replace("rustorch.", "torch.")]
    return None
