"""Attention."""

import math
import resource

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn import functional as F
from rustorch.nn.attention import SDPBackend, sdpa_kernel

attention = F.scaled_dot_product_attention


def test_the_kernel_and_the_ops_agree_on_several_tiles() -> None:
    rustorch.manual_seed(0)
    q, k, v = (rustorch.randn(2, n, 8, requires_grad=True) for n in (150, 300, 300))
    allowed = rustorch.rand(150, 300) > 0.3
    allowed[7] = False
    added = rustorch.zeros(150, 300).masked_fill(~allowed, -math.inf)
    grads = []
    for mask in (allowed, added.requires_grad_()):  # a mask with a gradient takes the ops
        out = attention(q, k, v, mask)
        grads.append([out.detach(), *rustorch.autograd.grad((out * out.cos()).sum(), [q, k, v])])
    for kernel, ops in zip(*grads, strict=True):
        np.testing.assert_allclose(kernel.numpy(force=True), ops.numpy(force=True), rtol=1e-4, atol=1e-5)
    assert not grads[0][0][:, 7].any()
    assert added.grad_fn is None


@pytest.mark.rustorch_only
def test_scores_are_never_all_there(device: str) -> None:
    on_cpu = rustorch.device(device).type == "cpu"
    n = 20_000 if on_cpu else 3_000
    x = rustorch.randn(1, n, 2)
    rustorch._C._reset_peak_memory_stats(device)
    before, resident = rustorch.memory_stats(device)["allocated_bytes"], resource.getrusage(resource.RUSAGE_SELF)
    assert bool(attention(x, x, x[..., :1], is_causal=True).isfinite().all())
    scores = 4 * n * n
    assert rustorch.memory_stats(device)["peak_allocated_bytes"] - before < scores / 10
    if on_cpu:  # elsewhere the driver's compiler takes memory of the process
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident.ru_maxrss
        assert grown * 1024 < scores / 4


def test_dropout_and_repeated_heads() -> None:
    rustorch.manual_seed(0)
    ones = rustorch.ones(1, 200, 4)
    out = attention(ones, ones, ones, dropout_p=0.5)
    assert 0.9 < out.mean().item() < 1.1
    assert out.std().item() > 0
    q, k = rustorch.randn(4, 3, 2), rustorch.randn(2, 5, 2)
    want = attention(q, k[[0, 0, 1, 1]], k[[0, 0, 1, 1]])
    np.testing.assert_allclose(
        attention(q, k, k, enable_gqa=True).numpy(force=True), want.numpy(force=True), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda x: attention(x, x, x.double()), "dtype"),
        (lambda x: attention(x.long(), x.long(), x.long()), "dtype|Long|int64"),
        (lambda x: attention(x, x, x, rustorch.ones(3, 3), is_causal=True), "is_causal"),
        (lambda x: attention(x, x[..., :1], x), r"query|size|shape"),
        (lambda x: attention(x, x, x, rustorch.ones(2, 3)), r"mask|expand|size"),
        (lambda x: attention(x.expand(3, 3, 2), x.expand(2, 3, 2), x.expand(2, 3, 2), enable_gqa=True), "heads"),
    ],
)
def test_refusals(act, text: str) -> None:
    with pytest.raises((RuntimeError, ValueError, TypeError), match=text):
        act(rustorch.ones(3, 2))


def test_masks_of_multihead_attention() -> None:
    rustorch.manual_seed(0)
    layer, x = nn.MultiheadAttention(4, 2), rustorch.randn(3, 2, 4)
    causal = nn.Transformer.generate_square_subsequent_mask(3)
    assert causal.tolist() == [[0, -math.inf, -math.inf], [0, 0, -math.inf], [0, 0, 0]]
    out, weights = layer(x, x, x, attn_mask=causal)
    fast, none = layer(x, x, x, attn_mask=causal, need_weights=False, is_causal=True)
    assert none is None
    np.testing.assert_allclose(fast.detach().numpy(force=True), out.detach().numpy(force=True), rtol=1e-5, atol=1e-6)
    assert (weights.triu(1) == 0).all().item()
    padding = rustorch.tensor([[False, False, True], [False, True, False]])
    _, each = layer(x, x, x, key_padding_mask=padding, average_attn_weights=False)
    assert tuple(each.shape) == (2, 2, 3, 3)
    assert not each[0, :, :, 2].any()
    assert not each[1, :, :, 1].any()
    np.testing.assert_allclose(each.sum(-1).detach().numpy(force=True), 1, rtol=1e-5)
    alone, _ = layer(x[:, 0], x[:, 0], x[:, 0], key_padding_mask=padding[0], need_weights=False)
    batch, _ = layer(x, x, x, key_padding_mask=padding, need_weights=False)
    np.testing.assert_allclose(
        alone.detach().numpy(force=True), batch[:, 0].detach().numpy(force=True), rtol=1e-5, atol=1e-6
    )
    with pytest.raises(RuntimeError, match="2D attn_mask"):
        layer(x, x, x, attn_mask=rustorch.zeros(2, 3))


def test_an_encoder_sees_that_its_mask_is_causal() -> None:
    rustorch.manual_seed(0)
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, 0.0), 2)
    x = rustorch.randn(5, 3, 4)
    causal = nn.Transformer.generate_square_subsequent_mask
    with_mask, longer = encoder(x, causal(5)), encoder(rustorch.cat([x, x]), causal(10))
    np.testing.assert_allclose(
        with_mask.detach().numpy(force=True), longer[:5].detach().numpy(force=True), rtol=1e-4, atol=1e-5
    )
    assert len({id(layer) for layer in encoder.layers}) == 2


@pytest.mark.parametrize(
    "options",
    [{}, {"is_causal": True}, {"scale": 0.3}, {"attn_mask": "bool"}, {"attn_mask": "float"}, {"enable_gqa": True}],
)
def test_kernels_that_are_allowed_agree(options: dict) -> None:
    query, key, value = (rustorch.randn(2, heads, 5, 4, requires_grad=True) for heads in (4, 2, 2))
    if "enable_gqa" not in options:
        key, value = (x.detach().repeat(1, 2, 1, 1).requires_grad_() for x in (key, value))
    if "attn_mask" in options:
        mask = rustorch.randn(5, 5)
        options = {"attn_mask": mask > 0 if options["attn_mask"] == "bool" else mask}
    results = []
    for backends in (SDPBackend.MATH, SDPBackend.FLASH_ATTENTION, [SDPBackend.CUDNN_ATTENTION, SDPBackend.MATH]):
        with sdpa_kernel(backends):
            out = F.scaled_dot_product_attention(query, key, value, **options)
        results.append([out, *rustorch.autograd.grad(out.sin().sum(), (query, key, value))])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            assert rustorch.allclose(one, two, atol=1e-5)


def test_kernels_that_are_not_there_are_refused() -> None:
    x = rustorch.randn(1, 1, 3, 4)
    with sdpa_kernel([SDPBackend.CUDNN_ATTENTION]), pytest.raises(RuntimeError, match=r"No (available|viable)"):
        F.scaled_dot_product_attention(x, x, x)
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION, set_priority=True):
        F.scaled_dot_product_attention(x, x, x)
        with sdpa_kernel([]), pytest.raises(RuntimeError, match=r"No (available|viable)"):
            F.scaled_dot_product_attention(x, x, x)
        with pytest.raises(RuntimeError, match=r"No (available|viable)"):
            F.scaled_dot_product_attention(x, x, x, dropout_p=0.5)
    F.scaled_dot_product_attention(x, x, x, dropout_p=0.5)
    with pytest.raises((TypeError, AssertionError), match="instance of SDPBackend"), sdpa_kernel("math"):
        pass
