"""Lists of sizes, numbers or tensors that are longer than any memory."""

import pytest

from .test_absurd_sizes import PRELUDE, run

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

#: What is as long as no list can be, where a list of numbers or of tensors is wanted.
ENDLESS = ["rt.ones(1).expand(2**40, 2)", "range(2**62)", "rt.ones(1, dtype=rt.int64).expand(2**40)", "Endless()"]
LISTS = """
rt.ones(3).as_strided_({}, (1,))
rt.ones(3).as_strided_((1,), {})
rt.ones(3).as_strided((1,), {})
rt.ones(3).set_(rt.ones(3), 0, {}, (1,))
rt.ones(3).set_(rt.ones(3), 0, (1,), {})
rt.ones(3).reshape({})
rt.ones(3).permute({})
rt.ones(3).sum({})
rt.zeros({})
rt.ones(3).split({})
rt.ones(3).tensor_split({})
rt.ones(3).roll({})
rt.ones(3, 3).flip({})
rt.cat({})
rt.stack({})
rt.tensor({})
rt.Size({})
F.conv1d(rt.ones(1, 1, 4), rt.ones(1, 1, 2), padding={})
F.pad(rt.ones(1, 4), {})
F.interpolate(rt.ones(1, 1, 4), size={})
rt.einsum("a,a", {})
rt.autograd.backward({})
rt.optim.SGD({}, 0.1)
""".strip().splitlines()
SEQUENCE = """
class Endless:
    def __len__(self):
        return 2**40
    def __getitem__(self, i):
        return 1

"""


@pytest.mark.parametrize("sequence", ENDLESS)
def test_lists_without_end(sequence: str) -> None:
    """A list is taken as far as there is memory for it, not as it says of itself."""
    start, end = PRELUDE.split("ERRORS =", 1)
    run([call.format(sequence) for call in LISTS], start + SEQUENCE + "ERRORS =" + end)
