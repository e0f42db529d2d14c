"""Another thread writes to an index, a mask, a divisor while an op reads it twice: an answer or an error, no crash.

Each group runs in a process of its own, which says what it is about to do. The kernels' own tests leave out the check,
and so do without luck.
"""

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.cpu_only, pytest.mark.rustorch_only]

SECONDS = 0.15

PROGRAM = """
import threading, time
import rustorch as rt
import rustorch.nn.functional as F
n = 1 << 16
x, y, table, rows = rt.ones(n), rt.ones(n), rt.ones(n, 2), rt.ones(n, 2)
numbers, index, mask = rt.ones(n, dtype=rt.int64), rt.zeros(n, dtype=rt.int64), rt.zeros(n, dtype=rt.bool)
divisor = index.clone()
weights, planes = rt.ones(n), rt.ones(1, 1, n)
log_probs = rt.randn(4, 64, 3).log_softmax(2)
targets = rt.ones(64, 2, dtype=rt.int64)
stop = []

def write():
    while not stop:
        for outside in (10**12, -(10**12), -(2**63)):
            index.fill_(outside); index.fill_(0); targets.fill_(outside); targets.fill_(1)
        mask.fill_(True); divisor.fill_(1); weights.fill_(0); weights.fill_(1); mask.fill_(False); divisor.fill_(0)

writer = threading.Thread(target=write)
writer.start()
try:
    for text in OPS:
        print(text, flush=True)
        op = eval("lambda: " + text)
        start = time.perf_counter()
        while time.perf_counter() - start < SECONDS:
            try:
                op()
            except (rt.RusTorchError, RuntimeError, ValueError, IndexError):
                pass
finally:
    stop.append(1)
    writer.join()
print("done")
"""

GROUPS = {
    "reading": [
        "x.gather(0, index)",
        "x.index_select(0, index)",
        "x.take(index)",
        "x.take_along_dim(index)",
        "x[index]",
        "table[index, index % 2]",
        "F.embedding(index, table)",
        "F.embedding_bag(index.view(-1, 4), table)",
        "rt.searchsorted(y, x, sorter=index)",
        "rt.bucketize(x, y)",
    ],
    "writing": [
        "x.scatter_(0, index, 1.0)",
        "x.scatter_add_(0, index, y)",
        "x.scatter_reduce_(0, index, y, 'amax')",
        "x.scatter(0, index, y, reduce='multiply')",
        "x.index_add_(0, index, y)",
        "x.index_copy_(0, index, y)",
        "x.index_fill_(0, index, 1.0)",
        "x.index_reduce_(0, index, y, 'mean')",
        "x.put_(index, y, accumulate=True)",
        "x.index_put_((index,), y)",
        "x.__setitem__(index, 1.0)",
        "F.max_unpool1d(x.view(1, 1, -1), index.view(1, 1, -1), 2)",
    ],
    "classes": [
        "F.nll_loss(table, index)",
        "F.cross_entropy(table, index)",
        "F.multi_margin_loss(table, index)",
        "F.multilabel_margin_loss(x.view(-1, 4), index.view(-1, 4))",
        "F.one_hot(index[:512], 4)",
        "rt.bincount(index, minlength=3) if index.max() < 9 else None",
        "rt.unravel_index(index, (n, 2))",
        "F.ctc_loss(log_probs, targets, [4] * 64, [2] * 64)",
        "rt.multinomial(weights, 9)",
    ],
    "gradients": [
        "rt.autograd.grad(F.embedding(index, t := rows.clone().requires_grad_()).sum(), t)",
        "rt.autograd.grad((t := y.clone().requires_grad_()).gather(0, index).sum(), t)",
        "rt.autograd.grad((t := y.clone().requires_grad_())[index].sum(), t)",
        "rt.autograd.grad(F.nll_loss(t := rows.clone().requires_grad_(), index), t)",
        "rt.autograd.grad(F.ctc_loss(t := log_probs.clone().requires_grad_(), targets, [4] * 64, [2] * 64), t)",
        "rt.autograd.grad(F.max_unpool1d(t := planes.clone().requires_grad_(), index.view(1, 1, -1), 2).sum(), t)",
    ],
    "counting": [
        "mask.nonzero()",
        "mask.view(-1, 8).nonzero(as_tuple=True)",
        "rt.argwhere(mask)",
        "x.masked_select(mask)",
        "x[mask]",
        "x.__setitem__(mask, 1.0)",
        "x.masked_scatter(mask, y)",
        "rt.count_nonzero(mask)",
        "divisor.nonzero()",
        "(x.nonzero(), weights.nonzero())",
    ],
    "dividing": [
        "numbers // divisor",
        "numbers % divisor",
        "rt.fmod(numbers, divisor)",
        "numbers.clone().floor_divide_(divisor)",
        "(numbers * 2) % divisor.int()",
        "(rt.gcd(numbers, divisor), rt.lcm(numbers, divisor))",
    ],
}


@pytest.mark.parametrize("group", GROUPS)
def test_another_thread_writes(group: str) -> None:
    program = f"OPS, SECONDS = {GROUPS[group]!r}, {SECONDS}\n{PROGRAM}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    said = done.stdout.split("\n")
    assert done.returncode == 0, (
        f"exit {done.returncode} at {said[-2] if len(said) > 1 else said}: {done.stderr[-500:]}"
    )
    assert said[-2] == "done"
