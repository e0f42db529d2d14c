"""Every op with a gradient has a second one: sampled ops, ops without samples, and both over complex numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rustorch
from rustorch import linalg
from rustorch.nn import functional as F

from tests.finite_differences import check_gradients, check_second_gradients
from tests.op_samples import SAMPLES, WITHOUT_SAMPLE
from tests.sample import Call, Case, Sample
from tests.test_decompositions import FUNCTIONS as DECOMPOSITIONS

Tensors = list[rustorch.Tensor]
Function = Callable[..., Any]
THREE = (3, 4)

# Sampled ops whose gradient cannot be differentiated, and why.
ONCE = {
    "nn.functional.ctc_loss": "neither can PyTorch's; the first gradient is held in test_attention.py",
    "heaviside": "backward raises: PyTorch has no derivative either",
}

# Ops without a sample that have no derivative.
NEVER = {
    "geqrf": "backward raises, as PyTorch's does",
    "linalg.matrix_rank": "an integer",
    "embedding_renorm_": "changes a table outside of the graph",
    "multinomial": "an integer",
    "_histogramdd": "counts, and no derivative by weights in PyTorch either",
    **dict.fromkeys(("empty_strided", "empty_permuted"), "holds no values yet"),
    **dict.fromkeys(("fft.fftfreq", "fft.rfftfreq"), "depends on no tensor"),
    **dict.fromkeys(("poisson", "binomial", "bernoulli", "normal"), "draws, whose derivative is zero"),
}
# Their results depend on no tensor's values.
MADE_FROM_NOTHING = {"test_creation.py", "test_random.py", "test_windows.py", "test_distributions.py"}


def seeded(function: Function) -> Function:
    """Draws the same numbers in each call."""

    def run(*inputs: rustorch.Tensor) -> Any:
        rustorch.manual_seed(5)
        return function(*inputs)

    return run


def written(method: str) -> Function:
    """An op in place, on a copy."""
    return lambda x, *rest: getattr(x.clone(), method)(*rest)


def unpacked(a: rustorch.Tensor) -> Any:
    """The factors of a packed matrix, whose pivots are given."""
    return rustorch.lu_unpack(a, rustorch.tensor([2, 3, 3], dtype=rustorch.int32))[1:]


PLACES = (rustorch.tensor([0, 2, 2]), rustorch.tensor([1, 1, 1]))
SQUARE = [(3, 3)]


def transform(name: str) -> Function:
    """Its result's parts, where that is complex, squared."""
    function = getattr(rustorch.fft, name)
    return lambda x: rustorch.view_as_real(function(x) + 0j) ** 2


WITHOUT: dict[str, tuple[Function, list[tuple[int, ...]]]] = {
    **{
        f"fft.{name}{over}": (transform(name + over), [(3, 4)])
        for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
        for over in ("", "2", "n")
    },
    "fft.fftshift": (lambda x: rustorch.fft.fftshift(x) ** 2, [THREE]),
    "fft.ifftshift": (lambda x: rustorch.fft.ifftshift(x) ** 2, [THREE]),
    "stft": (lambda x, w: rustorch.stft(x, 4, 2, window=w, return_complex=False) ** 2, [(6,), (4,)]),
    "istft": (
        lambda x, w: rustorch.istft(rustorch.view_as_complex(x), 4, 2, window=w) ** 2,
        [(3, 3, 2), (4,)],
    ),
    "rrelu": (seeded(lambda x: F.rrelu(x, training=True)), [THREE]),
    "gumbel_softmax": (seeded(F.gumbel_softmax), [THREE]),
    "dropout": (seeded(F.dropout), [THREE]),
    "feature_dropout": (seeded(lambda x: rustorch.feature_dropout(x, 0.5, True)), [(2, 3, 4)]),
    "alpha_dropout": (seeded(lambda x: rustorch.alpha_dropout(x, 0.5, True)), [THREE]),
    "feature_alpha_dropout": (seeded(lambda x: rustorch.feature_alpha_dropout(x, 0.5, True)), [(2, 3, 4)]),
    "complex": (lambda x, y: rustorch.view_as_real(rustorch.complex(x, y) ** 2), [THREE, THREE]),
    "polar": (lambda x, y: rustorch.view_as_real(rustorch.polar(x, y)), [THREE, THREE]),
    "imag": (lambda x: (rustorch.view_as_complex(x) ** 2).imag, [(3, 2)]),
    "view_as_real": (lambda x: rustorch.view_as_real(x * (1 + 2j)) ** 2, [THREE]),
    "view_as_complex": (lambda x: rustorch.view_as_complex(x).abs(), [(3, 2)]),
    "index_put_": (lambda x, v: written("index_put_")(x, PLACES, v, True) ** 2, [THREE, (3,)]),
    "as_strided": (lambda x: x.as_strided((3, 2), (1, 3), 1) ** 2, [THREE]),
    # By src alone: its derivative by input is refused.
    "as_strided_scatter": (
        lambda v: rustorch.as_strided_scatter(rustorch.ones(3, 4).double(), v, (2, 2), (4, 1), 1) ** 2,
        [(2, 2)],
    ),
    "fill_diagonal_": (lambda x: written("fill_diagonal_")(x, 2.0) ** 2, SQUARE),
    "fill": (lambda x, v: (x * rustorch.fill(x, v)) ** 2, [THREE, ()]),
    "fill_": (lambda x, v: (x * written("fill_")(x, v)) ** 2, [THREE, ()]),
    "zero_": (lambda x: written("zero_")(x) + x**2, [THREE]),
    "copy_": (lambda x, v: written("copy_")(x, v) ** 2 + x, [THREE, (4,)]),
    "cholesky": (lambda a: rustorch.cholesky(a @ a.mT), SQUARE),
    "linalg.cholesky_ex": (lambda a: linalg.cholesky_ex(a @ a.mT)[0], SQUARE),
    "det": (rustorch.det, SQUARE),
    "inverse": (rustorch.inverse, SQUARE),
    "linalg.inv_ex": (lambda a: linalg.inv_ex(a)[0], SQUARE),
    "linalg.eigvalsh": (lambda a: linalg.eigvalsh(a + a.mT), SQUARE),
    "linalg.lu_factor_ex": (lambda a: linalg.lu_factor_ex(a)[0], SQUARE),
    "lu_unpack": (unpacked, SQUARE),
    "orgqr": (rustorch.orgqr, [(4, 3), (2,)]),
    "pinverse": (rustorch.pinverse, [(4, 3)]),
    "qr": (rustorch.qr, [(4, 3)]),
    "slogdet": (lambda a: rustorch.slogdet(a)[1], SQUARE),
    "svd": (rustorch.svd, [(4, 3)]),
}


def listed(results: Any) -> Tensors:
    return list(results) if isinstance(results, list | tuple) else [results]


@pytest.mark.parametrize("name", WITHOUT)
def test_ops_without_samples(name: str, device: str) -> None:
    function, shapes = WITHOUT[name]
    rng = np.random.default_rng(11)
    arrays = [rng.uniform(0.2, 1.0, shape) for shape in shapes]
    for array in arrays:
        if array.ndim == 2 and array.shape[0] == array.shape[1]:
            array += np.diag(np.arange(1.0, len(array) + 1))
    check_gradients(lambda inputs: listed(function(*inputs)), arrays, device)
    check_second_gradients(lambda inputs: listed(function(*inputs)), arrays, device)


def test_every_op_without_a_sample_is_differentiated_here_or_has_no_derivative() -> None:
    rest = {name for name, file in WITHOUT_SAMPLE.items() if file not in MADE_FROM_NOTHING}
    assert sorted(rest - WITHOUT.keys() - DECOMPOSITIONS.keys() - NEVER.keys()) == []
    assert sorted(NEVER.keys() - WITHOUT_SAMPLE.keys()) == []


def makes_a_gradient(sample: Sample, device: str) -> bool:
    """Whether a result requires one when every floating argument does."""
    for case in sample.cases_for("float64"):
        call = Call(sample, case, "float64", device)
        tensors = [t.requires_grad_() if t.is_floating_point() else t for t in call.tensors()]
        if any(isinstance(y, rustorch.Tensor) and y.requires_grad for y in call.run(tensors)):
            return True
    return False


@pytest.mark.rustorch_only
def test_every_sampled_gradient_is_differentiated_again(device: str) -> None:
    """test_ops.py does it where a sample says `grad` and `second_grad`; none may leave that out without a reason."""
    held = {s.name for s in SAMPLES if s.grad and s.second_grad and "float64" in s.dtypes}
    rest = [s for s in SAMPLES if s.name not in held and "float64" in s.dtypes]
    assert {s.name for s in rest if makes_a_gradient(s, device)} == ONCE.keys()


def parts(z: rustorch.Tensor) -> rustorch.Tensor:
    return rustorch.view_as_real(z) if z.is_complex() else z


def of_parts(call: Call) -> tuple[Callable[[Tensors], Tensors], list[np.ndarray]]:
    """The call with complex arguments, as a function of their real parts and imaginary parts."""
    smooth = [i for i, spec in enumerate(call.specs) if spec.dtype is None and spec.grad]
    rng = np.random.default_rng(13)
    arrays = [np.stack([call.arrays[i], rng.uniform(-1, 1, call.arrays[i].shape)]) for i in smooth]

    def function(inputs: Tensors) -> Tensors:
        tensors = call.tensors()
        for i, pair in zip(smooth, inputs, strict=True):
            tensors[i] = rustorch.complex(pair[0], pair[1])
        return [parts(y) for y in call.run(tensors)]

    return function, arrays


def small_case(sample: Sample) -> Case | None:
    """A case with few elements, all of whose floating arguments can be complex."""
    for case in sample.cases_for("float64"):
        call = Call(sample, case, "float64", "cpu")
        floats = [spec for spec in call.specs if spec.dtype in (None, "float64")]
        if all(spec.grad and spec.dtype is None for spec in floats) and 1 < sum(map(np.size, call.arrays)) <= 24:
            return case
    return None


@pytest.mark.rustorch_only
@pytest.mark.parametrize(
    "sample",
    [s for s in SAMPLES if s.grad and "float64" in s.dtypes and not s.elementwise and small_case(s)],
    ids=lambda sample: sample.name,
)
def test_complex_numbers(sample: Sample, device: str) -> None:
    """The ops that take them; test_complex.py has the elementwise ones."""
    case = small_case(sample)
    assert case is not None
    function, arrays = of_parts(Call(sample, case, "float64", device))
    try:
        function([rustorch.from_numpy(array).to(device) for array in arrays])
    except rustorch.DTypeError as error:
        pytest.skip(f"no complex numbers: {error}")
    check_gradients(function, arrays, device)
    check_second_gradients(function, arrays, device)
