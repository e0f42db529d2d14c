"""Sizes that no machine has, in every argument that is a size: an error or the right answer, at once, never a crash.

The calls run in child processes with little memory, many in each. What a call gives is held against arithmetic of
Python's: the number of elements, and that each of them lies in its storage.
"""

import re
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

import rustorch
import rustorch.nn.functional

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

#: Where numbers of 32 and 64 bits end, and what lies around those.
BORDERS = [2**31, 2**32, 2**48, 2**49, 2**53, 2**57, 2**59, 2**60, 2**61, 2**62, 2**63]
LARGE = st.builds(lambda n, d: min(n + d, 2**63 - 1), st.sampled_from(BORDERS), st.integers(-3, 3))
SIZES = st.one_of(st.integers(0, 5), LARGE)
NUMBERS = st.one_of(SIZES, st.integers(-5, -1), LARGE.map(lambda n: -n))
#: For what a computation would read: little, or more than any takes.
EXTENTS = st.sampled_from([0, 1, 3, 2**49, 2**62, 2**63 - 1])

#: What a call may take: the system ends a child whose call takes more.
SECONDS = 5

PRELUDE = """
import resource, signal, sys
import rustorch as rt
import rustorch.nn.functional as F
from rustorch import nn

with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
# Little: where pages come slowly, much takes longer to fill than a call may.
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 28), used + (1 << 28)))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
ERRORS = (rt.RusTorchError, ValueError, RuntimeError, IndexError, MemoryError, TypeError, OverflowError, BufferError)


def holds(value):
    if isinstance(value, (tuple, list)):
        return all(holds(part) for part in value[:50])
    if not isinstance(value, rt.Tensor):
        return True
    count = 1
    for size in value.shape:
        count *= size
    if value.numel() != count or value.nbytes != count * value.itemsize:
        return f"{value.shape} has {value.numel()} elements"
    low = high = value.storage_offset()
    for size, stride in zip(value.shape, value.stride()):
        reach = (size - 1) * stride
        low, high = low + min(reach, 0), high + max(reach, 0)
    held = value.untyped_storage().nbytes() // value.itemsize
    if count > 0 and not 0 <= low <= high < held:
        return f"{value.shape} by {value.stride()} from {value.storage_offset()} on is outside {held} elements"
    if count < 1 << 16:
        value.clone()
    return True


for line in sys.stdin:
    call = line.strip()
    print("call", call, flush=True)
    x, e, i = rt.arange(24.0).reshape(2, 3, 4), rt.empty(0, 3), rt.ones(4, dtype=rt.int64)
    one, image = rt.ones(1), rt.rand(1, 2, 5, 6)
    signal.alarm(int(sys.argv[1]))
    try:
        answer = holds(eval(call))
        print("ok" if answer is True else f"WRONG {answer}", flush=True)
    except ERRORS as error:
        print("INTERNAL" if "internal error" in str(error) else "ok", type(error).__name__, error, flush=True)
    signal.alarm(0)
print("end")
"""

#: `{}` is any number, `{s}` a size, `{e}` an extent.
VIEWS = """
x.as_strided(({s}, {s}), ({s}, {s}), {s})
x.as_strided(({s},), ({s},)).fill_(1.0)
x.flatten()[{}:{}:{s}]
rt.arange(2.0)[::{s}].fill_(3.0)
x.narrow({}, {}, {})
x.narrow(2, {}, {})
one.expand({s}, {s})
one.expand({s}, {s}).expand({s}, {s}, {s})
e.expand({s}, {s}, {s})
one.expand({s}, {s}).reshape({}, {})
one.expand({s}, {s}).flatten()
one.expand({s}, {s})[{}]
one.expand({s}, {s})[{}:{}:{s}]
one.expand({s}, {s}).unfold(0, {}, {})
one.expand({s}, {s}).diagonal({})
one.expand({s}, {s}).t().unsqueeze(1).squeeze(1).permute(1, 0)
one.expand({s}, {s}).narrow(0, {}, {}).select(1, {})
x.unfold(2, {}, {})
x.unfold({}, {}, {})
e.unfold(0, {}, {})
x.diagonal({}, 0, 2)
x.view({}, {})
x.reshape({}, {}, {})
e.view({}, {}, {})
x.unflatten(2, ({}, {}))
x.select(1, {})
x.flatten({}, {})
x.squeeze({})
x.unsqueeze({})
x.movedim({}, {})
x.transpose({}, {})
x.split({})
x.split([{}, {}])
x.chunk({s})
x.roll({}, {})
x.roll(({}, {}), (0, 1))
x.rot90({})
x.sum_to_size({}, {})
x.broadcast_to(({s}, {s}, 2, 3, 4))
x.clone().resize_({s}, {s})
rt.empty(0).set_(x.untyped_storage(), {s}, ({s}, {s}), ({s}, {s}))
rt.view_as_real(rt.zeros(1, dtype=rt.complex64).expand({s}, {s}))
rt.as_strided_scatter(x, one, ({s},), ({s},), {s})
rt.slice_scatter(x, one, 0, {}, {}, {s})
rt.select_scatter(x, one, 0, {})
rt.diagonal_scatter(x, one, {})
rt.unravel_index(i, ({s}, {s}))
""".strip().splitlines()

CREATION = """
rt.zeros({}, {})
rt.empty({s}, 0, {s})
rt.ones(({s}, {s}), dtype=rt.bool)
rt.full(({s}, {s}), 7)
rt.rand({s}, {s})
rt.randint(0, 9, ({s}, {s}))
x.new_zeros({s}, {s})
rt.eye({s}, {s})
rt.arange({}, {}, {})
rt.arange({}.0, {}.0, {}.0)
rt.tril_indices({s}, {s}, {})
rt.triu_indices({s}, {s}, {})
x.repeat({s}, {s}, {s})
e.repeat({s}, {s})
x.tile({s}, {s})
x.repeat_interleave({}, 0)
x.repeat_interleave({})
rt.tril(x, {})
rt.diag_embed(x, {})
rt.diagflat(one, {})
rt.diag(one, {})
rt.cat([one.expand({s}), one.expand({s})])
rt.stack([one.expand({s})] * 3)
rt.kron(one.expand({s}), one.expand({s}))
rt.outer(one.expand({s}), one.expand({s}))
rt.cartesian_prod(one.expand({e}), one.expand({e}))
rt.meshgrid(one.expand({s}), one.expand({s}), indexing="ij")
rt.block_diag(one.expand({s}, {s}), one.expand({s}, {s}))
F.one_hot(i, {})
rt.vander(one, {})
rt.bincount(i, minlength={})
rt.histc(x, {})
rt.topk(x, {})
rt.kthvalue(x, {})
F.pad(x, ({}, {}))
F.pad(x, ({}, {}, {}, {}))
F.pad(x, ({}, {}), mode="reflect")
F.pad(x, ({}, {}), mode="replicate")
F.pad(x, ({}, {}), mode="circular")
F.pad(rt.empty(0, 3, 4), ({s}, {s}), mode="replicate")
F.pixel_shuffle(x, {})
F.pixel_unshuffle(x, {})
F.channel_shuffle(image, {})
nn.Linear({s}, {s})
nn.Embedding({s}, {s})
nn.Conv1d({s}, {s}, {s})
""".strip().splitlines()

WINDOWS = """
F.conv1d(x, rt.ones(2, 3, 2), stride={}, padding={}, dilation={})
F.conv1d(x, rt.ones(2, 3, 2), padding={})
F.conv1d(x, one.expand(2, 3, {s}), padding={s})
F.conv1d(x, rt.ones(2, 3, 2), groups={})
F.conv1d(one.expand(2, 3, {e}), rt.ones(2, 3, 2), stride={s})
F.conv2d(image, rt.ones(2, 2, 2, 3), stride=({}, {}), padding=({}, {}), dilation=({}, {}))
F.conv1d(x.long(), rt.ones(2, 3, 2).long(), stride={}, padding={}, dilation={})
F.conv_transpose1d(x, rt.ones(3, 2, 2), stride={}, padding={}, output_padding={}, dilation={})
F.conv_transpose1d(x, rt.ones(3, 2, 2), padding={})
F.conv_transpose2d(image, rt.ones(2, 1, 1, 1), stride={}, padding={})
F.max_pool1d(x, {}, {}, {}, {}, ceil_mode=True)
F.max_pool1d(x, {}, {}, {}, {})
F.max_pool2d(image, ({}, {}), ({}, {}), ceil_mode=True)
F.max_pool1d(one.expand(1, 1, {e}), 2, {s})
F.avg_pool1d(x, {}, {}, {}, ceil_mode=True)
F.avg_pool1d(x, {s}, padding={s})
F.avg_pool2d(image, {}, {}, {}, ceil_mode=True, divisor_override={})
F.avg_pool3d(x.unsqueeze(0), ({s}, {s}, {s}), ceil_mode=True)
F.lp_pool1d(x, 2, {}, {}, ceil_mode=True)
F.adaptive_avg_pool1d(x, {s})
F.adaptive_avg_pool2d(image, ({s}, {s}))
F.adaptive_avg_pool1d(rt.empty(0, 3, 4), {s})
F.adaptive_max_pool1d(x, {s})
F.adaptive_max_pool2d(image, ({s}, {s}))
F.adaptive_max_pool1d(rt.empty(0, 3, 4), {s})
F.fractional_max_pool2d(image, {}, ({}, {}))
F.max_unpool1d(x, rt.zeros(2, 3, 4, dtype=rt.int64), {}, {}, {})
F.max_unpool1d(x, rt.zeros(2, 3, 4, dtype=rt.int64), 2, output_size=({},))
F.interpolate(x, {})
F.interpolate(x, {}, mode="linear")
F.interpolate(x, scale_factor={s}.5)
F.interpolate(image, ({}, {}), mode="bicubic", antialias=True)
F.interpolate(image, {}, mode="area")
F.interpolate(rt.empty(0, 3, 4), {s}, mode="linear")
F.unfold(image, ({}, {}), {}, {}, {})
F.fold(x, ({}, {}), ({}, {}), {}, {}, {})
F.local_response_norm(x, {})
""".strip().splitlines()

#: Each reads all elements of what is shown.
COMPUTATIONS = """
v.sum()
v.mean(0)
v.norm()
v.nansum()
v.std()
v.prod(1)
v.amax()
v.argmax()
v.any()
v.count_nonzero()
v.nonzero()
v.sort()
v.cumsum(0)
v.logcumsumexp(1)
v.softmax(0)
v.log_softmax(1)
v.median()
v.unique()
v.quantile(0.5)
v.clone()
v.contiguous()
v.reshape(-1)
v + 1
v * v
v == v
v.fill_(0)
v.add_(1)
v.to(rt.float64)
v.cpu()
v.tolist()
v.numpy()
v.flip(0)
v.tril()
v.trace()
v @ v
v.t() @ v
rt.cov(v)
rt.renorm(v, 1, 1, 0)
rt.cdist(v, v)
rt.einsum("ij,kj->ik", v, v)
F.layer_norm(v, v.shape)
F.dropout(v)
F.gelu(v)
F.mse_loss(v, v)
F.cross_entropy(v, i)
rt.cat([v, v])
rt.where(v > 0, v, v)
rt.equal(v, v)
rt.allclose(v, v)
rt.histc(v, 4)
rt.bernoulli(v)
rt.gather(v, 0, v.long())
rt.index_select(v, 0, i)
rt.linalg.inv(v)
rt.linalg.vector_norm(v, 3)
v[v > 0]
v[i]
repr(v)
bytes(v)
""".strip().splitlines()


def calls(templates: list[str]) -> st.SearchStrategy[list[str]]:
    """Many calls: for each `{}` a number."""
    kinds = {"{}": NUMBERS, "{s}": SIZES, "{e}": EXTENTS}

    def filled(template: str) -> st.SearchStrategy[str]:
        text, places = re.split(r"\{[se]?\}", template), re.findall(r"\{[se]?\}", template)
        numbers = st.tuples(*(kinds[place] for place in places))
        return numbers.map(lambda drawn: "".join(a + str(b) for a, b in zip(text, (*drawn, ""), strict=True)))

    return st.lists(st.sampled_from(templates).flatmap(filled), min_size=100, max_size=100)


def run(batch: list[str], program: str = PRELUDE) -> None:
    """Runs calls one after the other in a child; fails with the first that is not as it should be."""
    child = subprocess.run(
        [sys.executable, "-c", program, str(SECONDS)],
        input="\n".join(batch),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        timeout=60,
        check=False,
    )
    late = child.returncode == -signal.SIGALRM
    fate = f"took more than {SECONDS} s" if late else f"ended with {child.returncode}"
    lines = child.stdout.splitlines()
    wrong = [f"{call}: {answer}" for call, answer in pairwise(lines) if answer.startswith(("WRONG", "INTERNAL"))]
    assert not wrong, "\n".join(wrong)
    assert lines[-1:] == ["end"], f"{fate} after: {lines[-1:]}\n{child.stderr[-2000:]}"


#: A batch is 100 calls; it is not made smaller, since the message names the call.
hostile = settings(
    max_examples=8,
    deadline=None,
    phases=[phase for phase in Phase if phase is not Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@hostile
@given(calls(VIEWS))
def test_views_of_absurd_sizes(batch: list[str]) -> None:
    run(batch)


@hostile
@given(calls(CREATION))
def test_creation_of_absurd_sizes(batch: list[str]) -> None:
    run(batch)


@hostile
@given(calls(WINDOWS))
def test_windows_of_absurd_sizes(batch: list[str]) -> None:
    run(batch)


@pytest.mark.parametrize("shape", ["2**31, 2**31", "2**63 - 1, 2**63 - 1", "2**49, 1", "0, 2**50", "2**50, 0"])
@pytest.mark.parametrize("dtype", ["float32", "bool", "int64", "complex64"])
def test_computing_with_an_endless_view(shape: str, dtype: str) -> None:
    """A view may repeat an element without end; what would have to read them all is refused, or has nothing to read."""
    view = f"rt.ones(1, dtype=rt.{dtype}).expand({shape})"
    run([re.sub(r"\bv\b", f"({view})", call) for call in COMPUTATIONS])


ENDLESS_AND_EMPTY = """
import signal, sys, warnings
import rustorch as rt
from tests.op_samples import SAMPLES
from tests.sample import T, transform

warnings.simplefilter("ignore")
for sample in SAMPLES:
    dtype = "float32" if "float32" in sample.dtypes else sample.dtypes[0]
    for case in sample.cases_for(dtype):
        sizes = set()
        transform([*case.args, *case.kwargs.values()], lambda t: sizes.update(t.shape))
        for empty in sorted(sizes):
            print(f"call {sample.name}({case}) with 0 for {empty}", flush=True)
            tensors = []

            def tensor(t):
                tensors.append(rt.zeros((1,) * len(t.shape), dtype=getattr(rt, t.dtype or dtype)))
                tensors[-1].requires_grad_(sample.grad and t.grad and tensors[-1].is_floating_point())
                return tensors[-1].expand([0 if n == empty else n if n < 2 else n << 49 for n in t.shape])

            signal.alarm(int(sys.argv[1]))
            try:
                named = {name: transform(value, tensor) for name, value in case.kwargs.items()}
                results = sample.call(*transform(case.args, tensor), **named)
                results = results if isinstance(results, (tuple, list)) else (results,)
                smooth = [r for r in results if r.requires_grad]
                if smooth:
                    rt.autograd.backward(smooth, [rt.ones(1, dtype=r.dtype).expand(r.shape) for r in smooth])
            except (rt.RusTorchError, ValueError, RuntimeError, IndexError, MemoryError, TypeError) as error:
                print("INTERNAL" if "internal error" in str(error) else "ok", type(error).__name__, error, flush=True)
            signal.alarm(0)
print("end")
"""


def test_a_size_of_zero_beside_sizes_without_end() -> None:
    """What has no elements takes no time, however many rows or columns of none it has."""
    run([], ENDLESS_AND_EMPTY)


def test_the_number_of_elements_is_exact() -> None:
    view = rustorch.ones(1).expand(2**32, 2**32)
    assert view.numel() == view.nelement() == view.shape.numel() == 2**64
    assert view.nbytes == 2**66
    assert view.expand(2**62, 2**32, 2**32).numel() == 2**126
    assert view[0].numel() == 2**32
    assert view[:5, :7].sum().item() == 35


#: Calls of a tensor without dimensions (`z`) or elements (`n`) and the shapes of the answers; `None` for an error.
BARE = {
    "z.movedim(0, 0)": (),
    "z.movedim(-1, 0)": (),
    "z.movedim((), ())": (),
    "z.movedim((0, 0), (0, 0))": None,
    "rt.ones(2, 3).movedim((0, 1), (1, 1))": None,
    "z.unflatten(0, (1, 1))": None,
    "rt.ones(2, 3).unflatten(1, ())": None,
    "z.flatten()": (1,),
    "z.unfold(0, 1, 1)": (1,),
    "z.unfold(0, 0, 1)": (0,),
    "z.narrow(0, 0, 1)": None,
    "z.select(0, 0)": None,
    "z[0:1]": None,
    "z.split(1)": None,
    "z.chunk(1)": None,
    "z.roll(1)": (),
    "z.roll(1, 0)": None,
    "z.flip(0)": (),
    "z.transpose(0, -1)": (),
    "z.permute(())": (),
    "z.squeeze(0)": (),
    "z.expand(3)": (3,),
    "z.repeat(2)": (2,),
    "z.repeat_interleave(2)": (2,),
    "z.diagonal()": None,
    "z.tril()": None,
    "rt.diagflat(z)": (1, 1),
    "rt.diag_embed(z)": None,
    "z.sum_to_size(())": (),
    "z.broadcast_to(2, 2)": (2, 2),
    "z.cumsum(0)": (),
    "z.softmax(0)": (),
    "z.index_select(0, rt.tensor([0]))": (),
    "z.gather(0, rt.tensor(0))": (),
    "z.nonzero()": (1, 0),
    "rt.kron(z, z)": (),
    "rt.cat([z, z])": None,
    "rt.stack([z, z])": (2,),
    "n.movedim(0, 1)": (3, 0),
    "n.unflatten(1, (3, 1))": (0, 3, 1),
    "n.unfold(1, 2, 1)": (0, 2, 2),
    "n.unfold(0, 0, 1)": (1, 3, 0),
    "n.flip(0, 1)": (0, 3),
    "n.roll(1, 0)": (0, 3),
    "n[:, ::2]": (0, 2),
    "n.diagonal()": (0,),
    "n.repeat(2, 2)": (0, 6),
    "n.expand(4, 0, 3)": (4, 0, 3),
    "n.t().reshape(-1, 3, 0)": None,
    "F.avg_pool1d(rt.ones(1, 1, 0), 1)": None,
    "F.max_pool1d(rt.ones(0, 1, 4), 2)": (0, 1, 2),
    "F.adaptive_avg_pool1d(rt.ones(0, 1, 4), 3)": (0, 1, 3),
    "F.adaptive_avg_pool1d(rt.ones(1, 1, 0), 3)": None,
    "F.adaptive_avg_pool1d(rt.ones(1, 1, 4), 0)": (1, 1, 0),
    "F.interpolate(rt.ones(0, 1, 4), 7)": (0, 1, 7),
    "F.conv1d(rt.ones(0, 1, 4), rt.ones(2, 1, 3))": (0, 2, 2),
}


@pytest.mark.parametrize(("call", "shape"), BARE.items(), ids=BARE)
def test_tensors_without_dimensions_or_elements(call: str, shape: tuple[int, ...] | None) -> None:
    names = {"rt": rustorch, "F": rustorch.nn.functional, "z": rustorch.tensor(2.0), "n": rustorch.empty(0, 3)}
    if shape is not None:
        assert tuple(eval(call, names).shape) == shape
        return
    with pytest.raises((RuntimeError, ValueError, IndexError, TypeError)) as error:
        eval(call, names)
    assert "internal error" not in str(error.value)
