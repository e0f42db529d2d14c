"""Where there is no memory, every op raises OutOfMemoryError: the process lives, and the next call is right.

`_refuse_memory_after(n)` has the pool refuse its request number n + 1. What Rust allocates beside the pool is small;
that nothing large hides there shows in a child process whose address space is limited.
"""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import rustorch
from rustorch import _C

from tests.op_samples import SAMPLES
from tests.sample import Call, Sample, to_array

# From this many requests on, not each one is refused: a few dozen are left.
ALL_OF_THEM = 40

# The MiB that a large call is given beyond what its process has.
SPACES = (1, 12, 40, 75, 110, 200)
# `make test-no-memory` tries each call with each of them, which takes minutes; else it is with one, in turn.
EACH_SPACE = os.environ.get("RUSTORCH_TEST_EACH_SPACE") == "1"

OWN_CLASS = (rustorch.OutOfMemoryError, MemoryError)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Which request is refused does not depend on who is faster; afterwards memory is granted again."""
    threads = rustorch.get_num_threads()
    rustorch.set_num_threads(1)
    yield
    _C._grant_memory()
    rustorch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def on_the_cpu(device: str) -> None:
    if device != "cpu":
        pytest.skip("it is the CPU's memory that is refused")


def dtype_of(sample: Sample) -> str:
    return "float32" if "float32" in sample.dtypes else sample.dtypes[0]


def gradients(call: Call, tensors: list[rustorch.Tensor]) -> list[rustorch.Tensor]:
    """The op's results and the gradients of their sum."""
    results = call.run(tensors)
    smooth = [r for r in results if r.requires_grad]
    if smooth:
        rustorch.autograd.backward(smooth, [rustorch.ones_like(r) for r in smooth])
    return [r.detach() for r in results] + [t.grad for t in tensors if t.grad is not None]


def arguments(call: Call, with_gradient: bool) -> list[rustorch.Tensor]:
    tensors = call.tensors()
    for tensor, spec in zip(tensors, call.specs, strict=True):
        if with_gradient and spec.grad and tensor.dtype.is_floating_point:
            tensor.requires_grad_()
    return tensors


def bits(tensors: list[rustorch.Tensor]) -> list[Any]:
    return [(tuple(t.shape), str(t.dtype), to_array(t).tobytes()) for t in tensors]


def allocated() -> int:
    gc.collect()
    return int(rustorch.memory_stats()["allocated_bytes"])


def refuse_each(call: Call, with_gradient: bool, lasting: bool) -> None:
    """Refuses one request after the other, until the call needs no more."""
    expected = bits(gradients(call, arguments(call, with_gradient)))
    granted = 0
    while True:
        tensors = arguments(call, with_gradient)
        before = bits([t.detach() for t in tensors])
        _C._refuse_memory_after(granted, lasting)
        got, error = [], None
        try:
            got = gradients(call, tensors)
        except OWN_CLASS as raised:
            error = raised
        refused = _C._grant_memory()
        if error is None:
            assert bits(got) == expected, f"request {granted} of memory was refused, and the answer is another"
            if refused == 0:
                return
        else:
            assert refused > 0, error
            assert bits([t.detach() for t in tensors]) == before, f"refusing request {granted} changed an argument"
        granted += 1 if granted < ALL_OF_THEM else granted // 4


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_an_op_that_is_refused_memory_raises_and_works_the_next_time(sample: Sample) -> None:
    dtype = dtype_of(sample)
    for case in sample.cases_for(dtype):
        call = Call(sample, case, dtype, "cpu")
        try:
            refuse_each(call, sample.grad and dtype.startswith("float"), lasting=True)
            refuse_each(call, with_gradient=False, lasting=False)
        except Exception as error:
            error.add_note(f"in {sample.name}({case})")
            raise
    assert bits(call.run(call.tensors())) == bits(call.run(call.tensors()))


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.inplace], ids=lambda sample: sample.name)
def test_an_in_place_op_that_is_refused_memory_leaves_a_tensor(sample: Sample) -> None:
    """Its shape, dtype and version are as before or as afterwards; its elements can be read."""
    dtype = dtype_of(sample)
    for case in sample.cases_for(dtype):
        call = Call(sample, case, dtype, "cpu")
        whole = to_array(call.run(call.tensors())[0])
        first = call.arrays[0] if call.arrays else None
        if first is None or whole.shape != first.shape:
            continue
        granted, refused = 0, 1
        while refused:
            args, kwargs = call.bind(call.tensors())
            x, rest = args[0], args[1:]
            shape, stride = x.shape, x.stride()
            op = getattr(x, f"{sample.name.rsplit('.', 1)[-1]}_")
            _C._refuse_memory_after(granted, True)
            try:
                op(*rest, **kwargs)
            except OWN_CLASS:
                refused = _C._grant_memory()
                assert (x.shape, x.stride()) == (shape, stride)
                x.clone()
            except rustorch.RusTorchError:
                # What in place is refused for other reasons, as a dtype that does not fit.
                _C._grant_memory()
                break
            else:
                refused = _C._grant_memory()
                np.testing.assert_array_equal(to_array(x), whole)
            granted += 1


def test_nothing_is_lost_when_memory_is_refused() -> None:
    x = rustorch.randn(300, 300, requires_grad=True)

    def run() -> None:
        u, s, v = rustorch.linalg.svd(x)
        ((u * s) @ v).sort()[0].sum().backward()

    for lasting in (False, True):
        for granted in range(12):
            before = allocated()
            _C._refuse_memory_after(granted, lasting)
            try:
                run()
            except OWN_CLASS:
                pass
            finally:
                _C._grant_memory()
            x.grad = None
            assert allocated() == before


def test_a_refused_step_can_be_taken_again() -> None:
    def train(granted: int | None) -> list[Any]:
        rustorch.manual_seed(1)
        model = rustorch.nn.Sequential(rustorch.nn.Linear(5, 7), rustorch.nn.BatchNorm1d(7), rustorch.nn.Linear(7, 2))
        optimizer = rustorch.optim.SGD(model.parameters(), lr=0.1)
        x, y = rustorch.randn(8, 5), rustorch.randn(8, 2)
        model.eval()
        if granted is not None:
            _C._refuse_memory_after(granted, True)
            try:
                rustorch.nn.functional.mse_loss(model(x), y).backward()
            except OWN_CLASS:
                pass
            finally:
                _C._grant_memory()
        optimizer.zero_grad()
        rustorch.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
        return bits([p.detach() for p in model.parameters()])

    expected = train(None)
    for granted in range(0, 60, 3):
        assert train(granted) == expected


# Calls that need memory in proportion to a number or to elements, each a few dozen MiB of it or far more than there is.
LARGE = """
v.sort(); v.argsort(stable=True); v.topk(1000000); v.kthvalue(5); v.unique(); v.unique_consecutive(); v.median()
v.quantile(.3); v.nanquantile(.3); v.mode(); v.msort(); v.cumsum(0); v.cummax(0); v.logcumsumexp(0); v.sum()
v.std(); v.tolist(); T.tensor(numbers); T.tensor(numbers, dtype=T.complex64); T.as_tensor(numbers); v.to(T.float64)
v.numpy().copy(); v.nonzero(); v[v > 0]; v.masked_select(v > 0); T.bincount(i); T.histc(v); T.histogram(v, 3000000)
T.histogram(v, 2**40); T.histogramdd(T.ones(3, 2), bins=[2**40, 2**40]); T.searchsorted(v.sort()[0], v)
T.bucketize(v, v[:100].sort()[0]); T.linspace(0, 1, 9000000); T.linspace(0, 1, 2**40); T.logspace(0, 1, 9000000)
T.arange(9000000); T.randperm(9000000); T.eye(3000); T.hann_window(9000000); T.hann_window(2**40)
T.kaiser_window(9000000); T.bartlett_window(9000000); T.signal.windows.cosine(9000000); T.tril_indices(3000, 3000)
T.triu_indices(3000, 3000); T.tril_indices(2**31, 2**31); T.triu_indices(2**62, 2**62, -2**62)
T.combinations(T.ones(3000)); T.combinations(T.arange(100000), 2); T.cartesian_prod(T.ones(3000), T.ones(3000))
T.fft.fft(v); T.fft.fft(v, 8000009); T.fft.rfft(v); T.fft.irfft2(v.view(-1, 2)); T.fft.fft(v, 2**40)
T.fft.fftfreq(2**40); T.stft(v, 64, return_complex=True); T.repeat_interleave(i); T.repeat_interleave(T.tensor([2**40]))
T.repeat_interleave(T.tensor([2**62, 2**62, 2**62])); v.repeat(3); v.tile(3); v.roll(5); v.flip(0)
T.ones(3).tensor_split(2**40); T.ones(0).chunk(2**40); v.unbind(); v.split(1); v.tensor_split(1000000)
T.meshgrid(T.ones(3000), T.ones(3000), indexing="ij")[0].contiguous(); T.ones(1).expand(2**31, 2**31).sum()
T.ones(1).expand(2**31, 2**31).mean(); T.ones(1).expand(2**31, 2**31).var()
T.ones(1).expand(2**31, 2**31).nonzero(); T.ones(1).expand(2**28).quantile(.5)
T.ones(1).expand(2**31, 2**31).tolist(); T.ones(1).expand(2**31, 2**31).sort()
T.ones(1).expand(2**31, 2**31).count_nonzero(); T.ones(1).expand(2**31, 2**31).clone()
T.ones(1).expand(2**31, 2**31).any(); F.interpolate(T.ones(1, 1, 4), size=9000000)
F.interpolate(T.ones(1, 1, 4), size=2**40); F.interpolate(T.ones(1, 1, 4), size=2**40, mode="linear")
F.interpolate(T.ones(1, 1, 3, 3), size=(3000, 3000), mode="bicubic")
F.interpolate(T.ones(1, 1, 3, 3), size=(3000, 3000), mode="bilinear", antialias=True)
F.adaptive_max_pool1d(T.ones(1, 1, 4), 9000000); F.adaptive_max_pool1d(T.ones(1, 1, 4), 2**40)
F.adaptive_max_pool1d(T.ones(7, 1, 4), 2**31 - 1); F.adaptive_avg_pool1d(T.ones(2, 2, 2), 9132760301568586890)
F.adaptive_avg_pool1d(T.ones(2, 2, 2), 2**40); F.max_pool1d(v.view(1, 1, -1), 3); F.avg_pool1d(v.view(1, 1, -1), 3)
F.max_pool2d(v.view(1, 1, 3000, 3000), 2, return_indices=True)
F.fractional_max_pool2d(v.view(1, 1, 3000, 3000), 2, output_ratio=.7); F.lp_pool1d(v.view(1, 1, -1), 2, 3)
F.pad(v.view(1, 1, -1), (9, 9), mode="replicate"); F.pad(T.ones(1, 1, 4), (2**31, 0), mode="replicate")
F.pad(v.view(1, 1, -1), (9, 9), mode="reflect"); F.pad(v, (9, 9))
F.pad(v.view(1, 3000, 3000), (9, 9), mode="circular"); F.conv1d(v.view(1, 1, -1), T.ones(4, 1, 3))
F.conv1d(v.view(1, 1, -1), T.ones(1, 1, 3), stride=2)
F.conv2d(v.view(1, 1, 3000, 3000), T.ones(2, 1, 3, 3), padding=1)
F.conv_transpose1d(v.view(1, 1, -1), T.ones(1, 2, 3), stride=2); F.unfold(v.view(1, 1, 3000, 3000), 2)
T.linalg.inv(a); T.linalg.qr(a); T.linalg.cholesky(a @ a.T + 900 * T.eye(900)); T.linalg.eigvalsh(b + b.T)
T.linalg.svdvals(b); T.linalg.lu(a); T.linalg.solve(a, a); T.linalg.det(a); T.linalg.lstsq(b, b)
T.linalg.matrix_exp(b); T.linalg.pinv(b); T.linalg.matrix_rank(b); a @ a; T.einsum("ij,jk->ik", a, a)
T.linalg.multi_dot([a, a, a]); T.cdist(a, a); F.pdist(a); T.cov(a); T.corrcoef(a); T.kron(b, b[:90, :90])
T.outer(v[:3000], v[:3000]); T.tensordot(a, a, 1); F.embedding_bag(i, T.ones(50, 4), i.new_zeros(1))
F.embedding_bag(i, T.ones(50, 4), i.new_zeros(1), mode="max"); F.embedding(i, T.ones(50, 4))
F.one_hot(i[:100000], 50); T.scatter(v, 0, i, 1.0); v.gather(0, i); v.index_add(0, i, v)
v.scatter_reduce(0, i, v, "amax"); v.index_select(0, i); v.take(i); v[i]; v.put(i, v); F.layer_norm(v, (9000000,))
F.group_norm(v.view(1, 3, -1), 3); F.softmax(v, 0); F.log_softmax(v, 0); F.scaled_dot_product_attention(a, a, a)
F.cross_entropy(a, i[:900]); F.grid_sample(v.view(1, 1, 3000, 3000), T.zeros(1, 900, 900, 2))
F.ctc_loss(a[:, None].log_softmax(2), i[None, :300] % 49 + 1, (900,), (300,)); T.safetensors.save({"v": v})
T.safetensors.save({"v": T.ones(1).expand(2**31)}); T.zeros(range(2**40)); T.tensor(range(2**40)); T.zeros(2**40)
v.clone().resize_(2**40); T.stack([v, v]); T.cat([v, v]); v.diff(); T.trapezoid(v); T.gradient(v)
v.unfold(0, 5, 1).contiguous(); T.nn.init.orthogonal_(T.empty(900, 900)); T.nn.init.dirac_(T.empty(300, 300, 5))
T.randn(9000000); T.multinomial(v.abs()[:100000], 90000); T.bernoulli(v.sigmoid()); F.dropout(v)
T.view_as_complex(v.view(-1, 2)) * 2; T.frombuffer(bytearray(9000000), dtype=T.uint8).clone(); v.diag_embed()
T.block_diag(a, a); T.vander(v[:9000], 900)
"""


def test_a_process_without_memory_lives() -> None:
    """Each call with little address space beyond what the process has: it raises or it answers, and does not end."""
    resource = pytest.importorskip("resource")
    program = f"""
import resource, sys, warnings
import numpy  # its libraries end the process when they are loaded without memory
import rustorch as T, rustorch.nn.functional as F, rustorch.safetensors
warnings.simplefilter("ignore")
T.set_num_threads(2)
v, a, b, i = T.randn(9000000), T.randn(900, 900), T.randn(90, 90), T.arange(9000000) % 50
numbers = list(range(1000000))
(v + v).sum(); a @ a  # threads and their stacks
def space():
    return int(open("/proc/self/statm").read().split()[0]) * 4096
for number, call in enumerate({[c.strip() for c in LARGE.replace(chr(10), ";").split(";") if c.strip()]!r}):
    code = compile(call, call, "eval")
    for more in {SPACES} if {EACH_SPACE} else {SPACES}[number % {len(SPACES)}:][:1]:
        T.empty_cache()
        resource.setrlimit(resource.RLIMIT_AS, (space() + (more << 20), resource.RLIM_INFINITY))
        try:
            eval(code)
        except (MemoryError, T.ShapeMismatchError):
            pass  # sizes beyond any machine's are no shape
        except Exception as e:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
            print("WRONG", call, "with", more, "MiB:", type(e).__name__, str(e)[:300])
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
        last = call, more
    print("did", call, flush=True)
assert (T.ones(3) + 1).tolist() == [2, 2, 2]
print("lived")
"""
    assert resource.getrlimit(resource.RLIMIT_AS)[1] == resource.RLIM_INFINITY or pytest.skip("memory is limited here")
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=900, check=False)
    lines = child.stdout.splitlines()
    assert lines[-1:] == ["lived"], (child.returncode, lines[-1:], child.stderr[-500:])
    assert child.returncode == 0
    wrong = [line for line in lines if line.startswith("WRONG")]
    assert not wrong, "\n".join(wrong)
