"""Decompositions, solvers, determinants: against NumPy, against themselves, and against finite differences."""

import numpy as np
import pytest
from scipy import linalg as scipy_linalg

import rustorch
from rustorch import linalg

from tests.finite_differences import check_gradients, check_second_gradients

RNG = np.random.default_rng(7)
SHAPES = [(3, 3), (5, 3), (3, 5), (2, 4, 4), (2, 3, 1, 4), (0, 2, 2), (3, 0), (0, 3), (1, 1), (40, 25)]
SQUARE = [(3, 3), (2, 4, 4), (0, 2, 2), (0, 0), (1, 1), (40, 40)]
# Kernels compute in float64 and round once, so float32 is off by the rounding of the input, which is half a unit in the
# last place (6e-8), times the condition of the problem, which these matrices keep small. No op needs more.
TOLERANCE = {"float64": 1e-12, "float32": 2e-6}


def uniform(*shape: int) -> np.ndarray:
    return RNG.uniform(-1, 1, shape)


def dominant(*shape: int) -> np.ndarray:
    """Matrices that are far from singular."""
    return uniform(*shape) + 2 * np.sqrt(shape[-1]) * np.eye(shape[-1])


def positive(*shape: int) -> np.ndarray:
    a = uniform(*shape)
    return a @ np.swapaxes(a, -1, -2) + np.eye(shape[-1])


def tensor(array: np.ndarray, dtype: str) -> rustorch.Tensor:
    return rustorch.from_numpy(np.array(array, dtype)).to(rustorch.get_default_device())


def close(got: rustorch.Tensor, want: np.ndarray, dtype: str) -> None:
    assert str(got.dtype) == f"rustorch.{dtype}"
    np.testing.assert_allclose(got.numpy(force=True), want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def orthonormal(columns: rustorch.Tensor, dtype: str) -> None:
    identity = np.broadcast_to(np.eye(columns.shape[-1]), (*columns.shape[:-2], *[columns.shape[-1]] * 2))
    close(columns.mT @ columns, identity, dtype)


both = pytest.mark.parametrize("dtype", ["float64", "float32"])


@both
@pytest.mark.parametrize("shape", SHAPES)
def test_factors_give_back_the_matrix(shape, dtype) -> None:
    a = uniform(*shape)
    x = tensor(a, dtype)
    k = min(shape[-2:])
    p, lower, upper = linalg.lu(x)
    close(p @ lower @ upper, a, dtype)
    assert (lower.tril() == lower).all()
    assert (upper.triu() == upper).all()
    packed, pivots, info = linalg.lu_factor_ex(x)
    assert (pivots.dtype, info.dtype) == (rustorch.int32, rustorch.int32)
    assert (tuple(pivots.shape), tuple(info.shape)) == ((*shape[:-2], k), shape[:-2])
    close(packed.tril(-1) + packed.triu(), packed.numpy(force=True), dtype)
    for mode, width in (("reduced", k), ("complete", shape[-2])):
        q, r = linalg.qr(x, mode)
        assert q.shape[-1] == width
        orthonormal(q, dtype)
        close(q @ r, a, dtype)
        assert (r.triu() == r).all()
    for full in (True, False):
        u, s, vh = linalg.svd(x, full_matrices=full)
        orthonormal(u, dtype)
        orthonormal(vh.mT, dtype)
        close(u[..., :k] * s[..., None, :] @ vh[..., :k, :], a, dtype)
        close(s, np.linalg.svd(a, compute_uv=False), dtype)
    reflections, tau = rustorch.geqrf(x)
    close(rustorch.ormqr(reflections, tau, x, transpose=True), reflections.triu().numpy(force=True), dtype)
    if shape[-2] >= shape[-1]:
        close(linalg.householder_product(reflections, tau) @ reflections.triu()[..., : shape[-1], :], a, dtype)
    close(linalg.pinv(x), np.linalg.pinv(a), dtype)


@both
@pytest.mark.parametrize("shape", SQUARE)
def test_square_matrices(shape, dtype) -> None:
    a, spd, b = dominant(*shape), positive(*shape), uniform(*shape[:-1], 2)
    x, y = tensor(a, dtype), tensor(b, dtype)
    inverse = np.linalg.inv(a)
    close(linalg.inv(x), inverse, dtype)
    close(linalg.solve(x, y), inverse @ b, dtype)
    close(linalg.solve(x, y.mT, left=False), np.swapaxes(b, -1, -2) @ inverse, dtype)
    if shape[-1] <= 4:
        close(linalg.det(x), np.linalg.det(a), dtype)
    sign, size = linalg.slogdet(-x)
    close(sign, np.linalg.slogdet(-a)[0], dtype)
    close(size, np.linalg.slogdet(-a)[1], dtype)
    close(rustorch.logdet(tensor(spd, dtype)), np.linalg.slogdet(spd)[1], dtype)
    lower = linalg.cholesky(tensor(spd, dtype))
    close(lower @ lower.mT, spd, dtype)
    close(linalg.cholesky_ex(tensor(spd, dtype), upper=True).L, lower.mT.numpy(force=True), dtype)
    close(rustorch.cholesky_inverse(lower), np.linalg.inv(spd), dtype)
    close(rustorch.cholesky_solve(y, lower.mT, upper=True), np.linalg.inv(spd) @ b, dtype)
    packed, pivots = linalg.lu_factor(x)
    for adjoint, matrix in ((False, inverse), (True, np.swapaxes(inverse, -1, -2))):
        close(linalg.lu_solve(packed, pivots, y, adjoint=adjoint), matrix @ b, dtype)
        right = np.swapaxes(b, -1, -2) @ matrix
        close(linalg.lu_solve(packed, pivots, y.mT, left=False, adjoint=adjoint), right, dtype)
    values, vectors = linalg.eigh(tensor(spd, dtype))
    orthonormal(vectors, dtype)
    close(vectors * values[..., None, :] @ vectors.mT, spd, dtype)
    close(linalg.eigvalsh(tensor(np.triu(spd), dtype), "U"), np.linalg.eigvalsh(spd), dtype)
    for upper, triangle in ((True, np.triu(a)), (False, np.tril(a))):
        close(linalg.solve_triangular(x, y, upper=upper), np.linalg.inv(triangle) @ b, dtype)
    close(linalg.matrix_power(x, -2), inverse @ inverse, dtype)
    small = uniform(*shape) * 3
    if shape[-1] <= 4:
        close(rustorch.matrix_exp(tensor(small, dtype)) / 10, scipy_linalg.expm(small) / 10, dtype)


def lower_triangle(x: rustorch.Tensor) -> rustorch.Tensor:
    return x.tril() + 2 * rustorch.eye(x.shape[-1], dtype=x.dtype)


def symmetric(x: rustorch.Tensor) -> rustorch.Tensor:
    return x + x.mT


PIVOTS = rustorch.tensor([2, 3, 3], dtype=rustorch.int32)
FUNCTIONS = {
    "linalg.lu": (lambda a: linalg.lu(a)[1:], [(3, 3), (3, 5), (5, 3), (2, 3, 3)]),
    "linalg.lu_factor": (lambda a: [linalg.lu_factor(a)[0]], [(3, 3)]),
    "linalg.qr": (linalg.qr, [(3, 3), (4, 3), (3, 5), (2, 3, 3)]),
    "complete qr": (lambda a: linalg.qr(a, "complete"), [(3, 5)]),
    "linalg.cholesky": (lambda a: [linalg.cholesky(a @ a.mT)], [(3, 3), (2, 2, 2)]),
    "upper cholesky": (lambda a: [rustorch.cholesky(a @ a.mT, upper=True)], [(3, 3)]),
    "linalg.eigh": (lambda a: linalg.eigh(symmetric(a)), [(3, 3), (2, 2, 2)]),
    "linalg.svd": (lambda a: linalg.svd(a, full_matrices=False), [(3, 3), (4, 3), (3, 4), (2, 2, 2)]),
    "linalg.svdvals": (lambda a: [linalg.svdvals(a)], [(4, 3)]),
    "linalg.inv": (lambda a: [linalg.inv(a)], [(3, 3), (2, 2, 2)]),
    "linalg.det": (lambda a: [linalg.det(a)], [(3, 3), (2, 2, 2), (1, 1)]),
    "linalg.slogdet": (lambda a: [linalg.slogdet(a)[1]], [(3, 3), (2, 2, 2)]),
    "logdet": (lambda a: [rustorch.logdet(a @ a.mT)], [(3, 3)]),
    "linalg.pinv": (lambda a: [linalg.pinv(a)], [(3, 3), (4, 3), (2, 4)]),
    "pinv of rank 1": (lambda a: [linalg.pinv(a[:, :1] @ a[:1], rtol=1e-6)], [(3, 3)]),
    "hermitian pinv": (lambda a: [linalg.pinv(symmetric(a), hermitian=True)], [(3, 3)]),
    "linalg.solve": (lambda a, b: [linalg.solve(a, b)], [((3, 3), (3, 2)), ((2, 2, 2), (2, 2)), ((2, 2), (3, 2, 1))]),
    "linalg.solve_ex": (lambda a, b: [linalg.solve_ex(a, b, left=False)[0]], [((3, 3), (2, 3))]),
    "linalg.solve_triangular": (
        lambda a, b: [
            linalg.solve_triangular(a, b, upper=True),
            linalg.solve_triangular(a, b.mT, upper=False, left=False),
        ],
        [((3, 3), (3, 2))],
    ),
    "unit triangles": (
        lambda a, b: [linalg.solve_triangular(a, b, upper=upper, unitriangular=True) for upper in (True, False)],
        [((3, 3), (3, 2))],
    ),
    "triangular_solve": (
        lambda b, a: [rustorch.triangular_solve(b, a, transpose=True)[0]],
        [((3, 2), (3, 3))],
    ),
    "cholesky_solve": (lambda b, a: [rustorch.cholesky_solve(b, lower_triangle(a))], [((3, 2), (3, 3))]),
    "cholesky_inverse": (lambda a: [rustorch.cholesky_inverse(lower_triangle(a).mT, upper=True)], [(3, 3)]),
    "lu_solve": (lambda b, a: [rustorch.lu_solve(b, a, PIVOTS)], [((3, 2), (3, 3))]),
    "linalg.lu_solve": (lambda b, a: [linalg.lu_solve(a, PIVOTS, b, adjoint=True)], [((3, 2), (3, 3))]),
    "linalg.householder_product": (
        lambda a, tau: [linalg.householder_product(a, tau)],
        [((4, 3), (2,)), ((2, 3, 2), (2, 2))],
    ),
    "ormqr": (
        lambda a, tau, c: [rustorch.ormqr(a, tau, c), rustorch.ormqr(a, tau, c.mT, left=False)],
        [((4, 2), (2,), (4, 3))],
    ),
    "linalg.tensorinv": (lambda a: [linalg.tensorinv(a.reshape(2, 2, 4))], [(4, 4)]),
    "linalg.tensorsolve": (lambda a, b: [linalg.tensorsolve(a.reshape(2, 2, 4), b)], [((4, 4), (2, 2))]),
    "linalg.lstsq": (lambda a, b: linalg.lstsq(a, b, driver="gelsd")[:2], [((4, 2), (4, 3)), ((4, 2), (4,))]),
    "matrix_exp": (lambda a: [rustorch.matrix_exp(a)], [(3, 3), (2, 2, 2)]),
    "linalg.cond": (lambda a: [linalg.cond(a), linalg.cond(a, 1), linalg.cond(a, "fro")], [(3, 3)]),
    "norms": (lambda a: [linalg.matrix_norm(a, 2), linalg.matrix_norm(a, "nuc", keepdim=True)], [(3, 4)]),
    "matrix_power": (lambda a: [linalg.matrix_power(lower_triangle(a), -3)], [(3, 3)]),
}
CASES = [pytest.param(f, shapes, id=f"{name}-{shapes}") for name, (f, all_) in FUNCTIONS.items() for shapes in all_]


@pytest.mark.parametrize(("function", "shapes"), CASES)
def test_gradients_agree_with_differences(function, shapes, device) -> None:
    shapes = shapes if isinstance(shapes[0], tuple) else (shapes,)
    rng = np.random.default_rng(3)
    arrays = [rng.uniform(-1, 1, shape) for shape in shapes]
    for array in arrays:
        if array.ndim > 1 and array.shape[-1] == array.shape[-2]:
            array += np.diag(np.arange(1.0, array.shape[-1] + 1))
    check_gradients(lambda inputs: list(function(*inputs)), arrays, device)
    check_second_gradients(lambda inputs: list(function(*inputs)), arrays, device)


def test_the_determinant_of_a_singular_matrix_has_cofactors_as_gradient(device) -> None:
    a = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])
    check_gradients(lambda inputs: [linalg.det(inputs[0])], [a], device)
    zeros = rustorch.zeros(1, 1, requires_grad=True)
    assert rustorch.autograd.grad(linalg.det(zeros).sum(), zeros)[0].item() == 1


def test_ranks_condition_numbers_and_least_squares() -> None:
    a = rustorch.tensor([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    assert linalg.matrix_rank(a).item() == 1
    assert linalg.matrix_rank(rustorch.eye(3), tol=1.5).item() == 0
    assert linalg.matrix_rank(rustorch.eye(3)[None], atol=rustorch.tensor([0.5])).tolist() == [3]
    assert linalg.matrix_rank(-rustorch.eye(3), hermitian=True).item() == 3
    assert linalg.cond(rustorch.zeros(2, 2), 1).item() == float("inf")
    x, b = uniform(6, 3), uniform(6, 2)
    want, squares, rank, values = np.linalg.lstsq(x, b, rcond=None)
    got = linalg.lstsq(tensor(x, "float64"), tensor(b, "float64"), driver="gelsd")
    for one, other in zip(got, (want, squares, rank, values), strict=True):
        np.testing.assert_allclose(one.numpy(force=True), other, rtol=1e-9)
    assert [t.numel() for t in linalg.lstsq(a, rustorch.ones(3, 1))[1:]] == [0, 1, 0]


def test_vectors_have_the_signs_of_lapack() -> None:
    """Square, nearly square, far from square (by way of QR), and both triangles; the signs are those PyTorch gives."""

    def matrix(m: int, n: int, dtype: rustorch.dtype = rustorch.float64) -> rustorch.Tensor:
        return rustorch.tensor(np.cos(np.arange(m * n) ** 2.0).reshape(m, n)).to(dtype)

    for uplo, dtype, signs in (
        ("L", rustorch.float64, [-1, -1, -1, 1, 1, -1]),
        ("L", rustorch.float32, [1, 1, -1, 1, 1, -1]),
        ("U", rustorch.float64, [-1, 1, 1, -1, 1, 1]),
        ("U", rustorch.float32, [-1, 1, 1, -1, 1, 1]),
    ):
        assert linalg.eigh(matrix(6, 6, dtype), UPLO=uplo).eigenvectors[0].sign().tolist() == signs, (uplo, dtype)
    for m, n, left, right in (
        (5, 5, [-1, -1, 1, 1, 1], [-1, -1, 1, 1, -1]),
        (6, 5, [-1, 1, 1, 1, 1, 1], [-1, -1, 1, 1, 1]),
        (9, 4, [1, 1, 1, -1, -1, 1, 1, 1, 1], [-1, 1, 1, -1]),
        (5, 6, [1, -1, -1, 1, -1], [1, -1, 1, -1, -1, -1]),
        (4, 9, [1, 1, -1, -1], [1, 1, -1, -1, 1, -1, -1, 1, -1]),
    ):
        u, _, vh = linalg.svd(matrix(m, n))
        assert u[0].sign().tolist() == left, (m, n)
        assert vh[:, 0].sign().tolist() == right, (m, n)


def test_what_is_not_finite() -> None:
    assert rustorch.isnan(linalg.eigh(rustorch.full((2, 2), float("nan"))).eigenvectors).all()
    assert rustorch.isnan(linalg.svdvals(rustorch.full((2, 2), float("inf")))).all()
    with pytest.raises(rustorch.LinAlgError, match=r"svd.*element 1.*non-finite"):
        linalg.svd(rustorch.stack([rustorch.eye(2), rustorch.full((2, 2), float("nan"))]))


def test_the_gradient_of_eigh_is_symmetric() -> None:
    for uplo in "LU":
        a = tensor(uniform(4, 4), "float64").requires_grad_()
        (linalg.eigh(a, UPLO=uplo).eigenvectors * tensor(uniform(4, 4), "float64")).sum().backward()
        assert a.grad is not None
        np.testing.assert_allclose(a.grad.numpy(force=True), a.grad.mT.numpy(force=True), rtol=0, atol=1e-14)


def test_torch_lu_and_svd_have_their_older_forms() -> None:
    a = rustorch.rand(3, 3)
    assert len(rustorch.lu(a)) == 2
    assert rustorch.lu(rustorch.zeros(2, 2), get_infos=True)[2].item() == 1
    u, s, v = rustorch.svd(a)
    np.testing.assert_allclose((u * s @ v.mT).numpy(force=True), a.numpy(force=True), atol=1e-5)
    assert rustorch.svd(a, compute_uv=False).U.abs().sum().item() == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: linalg.inv(rustorch.zeros(2, 2)), "singular"),
        (lambda: linalg.inv(rustorch.stack([rustorch.eye(2), rustorch.zeros(2, 2)])), "Batch element 1"),
        (lambda: linalg.solve(rustorch.zeros(2, 2), rustorch.ones(2)), "singular"),
        (lambda: linalg.cholesky(-rustorch.eye(2)), "minor of order 1"),
        (lambda: linalg.lu_factor(rustorch.zeros(2, 2)), r"U\[1,1\]"),
    ],
)
def test_what_has_no_answer_says_so(call, message) -> None:
    with pytest.raises(linalg.LinAlgError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: linalg.det(rustorch.ones(2, 3)), "square"),
        (lambda: linalg.det(rustorch.ones(2, 2, dtype=rustorch.int64)), "float"),
        (lambda: linalg.svd(rustorch.ones(2)), "at least 2"),
        (lambda: linalg.svd(rustorch.full((2, 2), float("nan"))), "non-finite"),
        (lambda: linalg.eigh(rustorch.eye(2), UPLO="X"), "UPLO"),
        (lambda: linalg.qr(rustorch.eye(2), mode="z"), "mode"),
        (lambda: linalg.solve(rustorch.eye(2), rustorch.ones(3)), "incompatible"),
        (lambda: linalg.lstsq(rustorch.eye(2), rustorch.eye(2), driver="x"), "driver"),
        (lambda: linalg.tensorinv(rustorch.ones(2, 3)), "product|square|ind"),
        (
            lambda: linalg.lu_solve(rustorch.eye(2), rustorch.tensor([1, 9], dtype=rustorch.int32), rustorch.eye(2)),
            "pivots",
        ),
        (lambda: rustorch.ormqr(rustorch.eye(2), rustorch.ones(3), rustorch.eye(2)), "do not fit"),
    ],
)
def test_errors_name_the_cause(call, message) -> None:
    with pytest.raises((ValueError, TypeError, RuntimeError), match=message):
        call()
