"""Views: they share storage, keep PyTorch's strides, and see each other's writes."""

import numpy as np
import pytest

import rustorch

from tests.finite_differences import check_gradients, check_second_gradients


@pytest.fixture
def x(device: str) -> rustorch.Tensor:
    return rustorch.arange(24, device=device).view(2, 3, 4)


VIEWS = {
    "transpose": (lambda x: x.transpose(0, 2), (4, 3, 2), (1, 4, 12), 0),
    "permute": (lambda x: x.permute(1, 0, 2), (3, 2, 4), (4, 12, 1), 0),
    "select": (lambda x: x[1], (3, 4), (4, 1), 12),
    "negative index": (lambda x: x[:, -1], (2, 4), (12, 1), 8),
    "slice": (lambda x: x[:, 1:, ::2], (2, 2, 2), (12, 4, 2), 4),
    "ellipsis": (lambda x: x[..., 3], (2, 3), (12, 4), 3),
    "new axis": (lambda x: x[:, None, 0], (2, 1, 4), (12, 12, 1), 0),
    "narrow": (lambda x: x.narrow(2, 1, 2), (2, 3, 2), (12, 4, 1), 1),
    "expand": (lambda x: x[:, :1].expand(2, 5, 4), (2, 5, 4), (12, 0, 1), 0),
    "diagonal": (lambda x: x.diagonal(1, 1, 2), (2, 3), (12, 5), 1),
    "unflatten": (lambda x: x.unflatten(2, (2, 2)), (2, 3, 2, 2), (12, 4, 2, 1), 0),
    "flatten": (lambda x: x.flatten(1), (2, 12), (12, 1), 0),
    "squeeze": (lambda x: x[:, :1].squeeze(1), (2, 4), (12, 1), 0),
    "reshape": (lambda x: x.reshape(6, 4), (6, 4), (4, 1), 0),
    "view of a view": (lambda x: x[:, :, :2].view(2, 3, 2, 1), (2, 3, 2, 1), (12, 4, 1, 1), 0),
    "unfold": (lambda x: x.unfold(2, 2, 2), (2, 3, 2, 2), (12, 4, 2, 1), 0),
    "swapaxes": (lambda x: x.swapaxes(0, 1), (3, 2, 4), (4, 12, 1), 0),
    "movedim": (lambda x: x.movedim(0, -1), (3, 4, 2), (4, 1, 12), 0),
    "tensor_split": (lambda x: x.tensor_split(3, 2)[1], (2, 3, 1), (12, 4, 1), 2),
    "dsplit": (lambda x: x.dsplit(2)[1], (2, 3, 2), (12, 4, 1), 2),
    "view_as": (lambda x: x.view_as(rustorch.empty(6, 4)), (6, 4), (4, 1), 0),
    "atleast_3d": (lambda x: rustorch.atleast_3d(x[0]), (3, 4, 1), (4, 1, 1), 0),
    "mT": (lambda x: x.mT, (2, 4, 3), (12, 1, 4), 0),
    "empty": (lambda x: x[:, :0], (2, 0, 4), (12, 4, 1), 0),
}


@pytest.mark.parametrize("name", VIEWS)
def test_layout_and_sharing(name: str, x: rustorch.Tensor) -> None:
    make, shape, strides, offset = VIEWS[name]
    view = make(x)
    assert (tuple(view.shape), view.stride(), view.storage_offset()) == (shape, strides, offset)
    if not view.numel():
        return
    position = (0,) * view.ndim
    assert view.data_ptr() == x.data_ptr() + offset * x.element_size()
    x.view(-1)[offset].fill_(-1)
    assert view[position].item() == -1
    if 0 not in strides:
        view.fill_(70)
        assert (x == 70).sum().item() == view.numel()


def test_lists_of_views(x: rustorch.Tensor) -> None:
    for part in (*x.split(1), *x.chunk(2, 1), *x.unbind(2), *x.split([1, 3], 2)):
        assert x.data_ptr() <= part.data_ptr() < x.data_ptr() + x.numel() * x.element_size()


def test_copies_do_not_share(x: rustorch.Tensor) -> None:
    for copy in (x.clone(), x.transpose(0, 1).contiguous(), x.transpose(0, 1).reshape(-1), x.float(), x + 0):
        copy.fill_(-1)
    assert x.view(-1).tolist() == list(range(24))
    assert x.contiguous() is x


def test_view_refuses_what_needs_a_copy(x: rustorch.Tensor) -> None:
    with pytest.raises((RuntimeError, ValueError)):
        x.transpose(0, 2).view(-1)
    with pytest.raises((RuntimeError, ValueError)):
        x.view(5, 5)
    with pytest.raises((RuntimeError, ValueError)):
        x.view(-1, -1)


def test_shape_queries(x: rustorch.Tensor) -> None:
    assert (x.ndim, x.dim(), x.numel(), x.nelement(), len(x), x.size(-1)) == (3, 3, 24, 24, 2, 4)
    assert (x.size(), x.element_size(), x.itemsize) == (x.shape, 8, 8)
    assert isinstance(x.shape, tuple)
    assert repr(x.shape).endswith("Size([2, 3, 4])")
    assert x.shape.numel() == 24
    assert not x.transpose(0, 1).is_contiguous()
    assert x[0].T.tolist() == np.arange(12).reshape(3, 4).T.tolist()
    with pytest.raises(TypeError):
        len(x[0, 0, 0])


def test_inplace_through_a_view(x: rustorch.Tensor) -> None:
    want = np.arange(24).reshape(2, 3, 4)
    x[:, 1].mul_(10)
    want[:, 1] *= 10
    x.transpose(0, 2)[2].add_(rustorch.tensor([[1], [2], [3]], device=x.device))
    want.T[2] += np.array([[1], [2], [3]])
    assert x.tolist() == want.tolist()


def test_inplace_on_overlapping_memory_is_refused(device: str) -> None:
    x = rustorch.ones(1, 3, device=device)
    with pytest.raises((RuntimeError, ValueError)):
        x.expand(4, 3).add_(1)


def test_inplace_with_itself_shifted(device: str) -> None:
    """The right-hand side is read as it was, or the overlap is refused: never something between."""
    x = rustorch.arange(6.0, device=device)
    try:
        x[1:].add_(x[:-1])
    except (RuntimeError, ValueError):
        assert x.tolist() == [0, 1, 2, 3, 4, 5]
    else:
        assert x.tolist() == [0, 1, 3, 5, 7, 9]
    y = rustorch.arange(4.0, device=device)
    assert y.add_(y).tolist() == [0, 2, 4, 6]


def test_as_strided_shows_the_storage(device: str) -> None:
    base = np.arange(12.0)
    x = rustorch.tensor(base, device=device, requires_grad=True)
    for size, stride, offset in (((2, 3), (4, 1), 1), ((2, 3), (1, 2), 0), ((3, 3), (1, 1), 2), ((0, 2), (1, 1), 0)):
        x.grad = None
        y = rustorch.as_strided(x, size, stride, offset)
        positions = offset + sum(
            np.arange(n).reshape([-1 if i == d else 1 for i in range(2)]) * s
            for d, (n, s) in enumerate(zip(size, stride, strict=True))
        )
        np.testing.assert_array_equal(y.detach().numpy(force=True), base[positions])
        (y * 2).sum().backward()
        # Elements that the window shows several times get the sum.
        np.testing.assert_array_equal(x.grad.numpy(force=True), 2 * np.bincount(positions.reshape(-1), minlength=12))
    with pytest.raises(rustorch.ShapeMismatchError, match="beyond a storage of 12"):
        rustorch.as_strided(x, (3, 3), (5, 1), 0)


def test_as_strided_scatter(device: str) -> None:
    """What writing through the view leaves behind, also where the input's own strides are not row-major."""
    x = rustorch.arange(12.0, device=device).view(3, 4)
    src = rustorch.tensor([[50.0, 51.0], [52.0, 53.0]], device=device)
    for tensor, offset in ((x, 1), (x.t(), 1), (x[1:], 5), (x[1:], None)):
        want = x.clone()
        written = tensor.clone() if tensor.is_contiguous() else want.t()
        start = (tensor.storage_offset() if offset is None else offset) - (4 if tensor.shape == (2, 4) else 0)
        written.as_strided((2, 2), (1, 3), start).copy_(src)
        got = tensor.as_strided_scatter(src, (2, 2), (1, 3), offset)
        assert got.tolist() == written.tolist()
    with pytest.raises(rustorch.ShapeMismatchError, match="as_strided_scatter"):
        x[1:].as_strided_scatter(src, (2, 2), (1, 3), 0)
    with pytest.raises(rustorch.ShapeMismatchError, match="as_strided_scatter"):
        x.as_strided_scatter(src, (2, 3), (1, 3), 0)
    y, z = x.clone().requires_grad_(), src.clone().requires_grad_()
    weight = rustorch.arange(12.0, device=device).view(3, 4)
    (x.as_strided_scatter(z, (2, 2), (1, 3), 1) * weight).sum().backward()
    assert z.grad is not None
    assert z.grad.tolist() == [[1, 4], [2, 5]]
    with pytest.raises(rustorch.AutogradError, match=r"as_strided_scatter.*input.*as_strided"):
        y.as_strided_scatter(z, (2, 2), (1, 3), 1).sum().backward()


def test_writing_through_as_strided_has_a_gradient(device: str) -> None:
    """What the error of `as_strided_scatter` recommends."""
    f64 = {"dtype": rustorch.float64, "device": device}
    x, src = rustorch.arange(12.0, **f64).view(3, 4), rustorch.tensor([[50.0, 51.0], [52.0, 53.0]], **f64)
    weight = rustorch.arange(12.0, **f64).view(3, 4)

    def written(x: rustorch.Tensor, src: rustorch.Tensor) -> rustorch.Tensor:
        y = x.clone()
        y.as_strided((2, 2), (1, 3), 1).copy_(src)
        return y

    x.requires_grad_()
    src.requires_grad_()
    assert written(x, src).tolist() == x.as_strided_scatter(src, (2, 2), (1, 3), 1).tolist()
    (written(x, src) * weight).sum().backward()
    assert src.grad is not None
    assert src.grad.tolist() == [[1, 4], [2, 5]]
    assert x.grad is not None
    assert x.grad.tolist() == [[0, 0, 0, 3], [0, 0, 6, 7], [8, 9, 10, 11]]
    assert rustorch.autograd.gradcheck(lambda x, src: written(x, src) ** 2, (x, src))


def test_fill_diagonal(device: str) -> None:
    x = rustorch.zeros(7, 2, device=device)
    assert x.fill_diagonal_(3) is x
    assert x.nonzero().tolist() == [[0, 0], [1, 1]]
    want = np.zeros((7, 2))
    np.fill_diagonal(want, 5, wrap=True)
    assert x.fill_diagonal_(5, wrap=True).tolist() == want.tolist()
    cube = rustorch.zeros(3, 3, 3, device=device).fill_diagonal_(1)
    assert cube.nonzero().tolist() == [[0, 0, 0], [1, 1, 1], [2, 2, 2]]
    for shape in ((3,), (2, 3, 3)):
        with pytest.raises(rustorch.ShapeMismatchError, match="fill_diagonal_"):
            rustorch.zeros(shape).fill_diagonal_(1)


def test_writing_through_a_view_that_is_differentiated(device: str) -> None:
    """The gradient knows what an in-place op on a view has overwritten, or scaled."""
    views = {
        "unfold": lambda x: x.unfold(1, 2, 2),
        "diagonal": lambda x: x.diagonal(1),
        "tensor_split": lambda x: x.tensor_split(2, 1)[1],
        "movedim": lambda x: x.movedim(0, 1),
        "unflatten": lambda x: x.unflatten(1, (2, 2)),
        "select": lambda x: x[1],
    }
    for view in views.values():
        x = rustorch.arange(12.0, device=device).view(3, 4).requires_grad_()
        y = x * 1
        view(y).mul_(3)
        y.sum().backward()
        want = rustorch.ones(3, 4, device=device)
        view(want).fill_(3)
        assert x.grad is not None
        assert x.grad.tolist() == want.tolist()


@pytest.mark.parametrize(
    ("shape", "function"),
    [
        ((6,), lambda x: x.as_strided((3, 2), (1, 1))),
        ((6,), lambda x: x.as_strided((3, 2), (0, 2), 1)),
        ((2, 3), lambda x: x.t().as_strided((2, 2), (3, 1), 1)),
        ((2, 4), lambda x: x[:, ::2].as_strided((2, 2), (2, 4), 0)),
        ((4,), lambda x: x.expand(3, 4).as_strided((2, 3), (1, 1))),
        ((4,), lambda x: x.expand(3, 4).as_strided((3, 4), (0, 1))),
        ((6,), lambda x: x.as_strided((3, 3), (1, 1)).as_strided((2, 2), (2, 1))),
        ((3, 1), lambda x: x.expand(3, 2).as_strided((3,), (1,))),
        ((), lambda x: x.as_strided((2, 2), (0, 0))),
        ((0, 3), lambda x: x.as_strided((0, 2), (1, 1))),
        ((4,), lambda x: (x * 1)[1:].as_strided((2,), (2,), 1)),
    ],
)
def test_gradients_of_as_strided(shape: tuple[int, ...], function, device: str) -> None:
    """It sees the storage: inputs may be transposed, have gaps, or lie on themselves."""
    values = [np.random.default_rng(0).uniform(0.5, 2, shape)]

    def cubed(inputs: list[rustorch.Tensor]) -> list[rustorch.Tensor]:
        return [function(inputs[0]) ** 3]

    check_gradients(cubed, values, device)
    check_second_gradients(cubed, values, device)
