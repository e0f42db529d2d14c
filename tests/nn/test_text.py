"""What modules show of themselves."""

import pytest

from rustorch import nn


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: nn.Linear(5, 3, bias=False), "Linear(in_features=5, out_features=3, bias=False)"),
        (
            lambda: nn.Conv2d(3, 6, 3, 2, 1, groups=3, bias=False),
            "Conv2d(3, 6, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), groups=3, bias=False)",
        ),
        (lambda: nn.Conv1d(1, 2, 3), "Conv1d(1, 2, kernel_size=(3,), stride=(1,))"),
        (lambda: nn.Dropout(0.25), "Dropout(p=0.25, inplace=False)"),
        (lambda: nn.Embedding(6, 4, padding_idx=1), "Embedding(6, 4, padding_idx=1)"),
        (lambda: nn.ReLU(), "ReLU()"),
        (lambda: nn.ReLU(inplace=True), "ReLU(inplace=True)"),
        (lambda: nn.Softmax(dim=1), "Softmax(dim=1)"),
        (lambda: nn.MaxPool2d(2), "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"),
        (lambda: nn.AvgPool2d(3, 2), "AvgPool2d(kernel_size=3, stride=2, padding=0)"),
        (lambda: nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)"),
        (lambda: nn.CrossEntropyLoss(), "CrossEntropyLoss()"),
        (lambda: nn.Identity(), "Identity()"),
        (
            lambda: nn.Sequential(nn.Linear(2, 3), nn.ModuleList([nn.Tanh(), nn.Tanh()])),
            "Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=True)\n"
            "  (1): ModuleList(\n    (0-1): 2 x Tanh()\n  )\n)",
        ),
    ],
)
def test_repr(build, text: str) -> None:
    assert repr(build()) == text


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.ConstantPad1d(2, 3.5), "ConstantPad1d(padding=(2, 2), value=3.5)"),
        (nn.ZeroPad2d((1, 2, 3, 4)), "ZeroPad2d((1, 2, 3, 4))"),
        (nn.ReflectionPad2d(1), "ReflectionPad2d((1, 1, 1, 1))"),
        (
            nn.ConvTranspose2d(3, 4, 3, 2, 1, 1, 1),
            "ConvTranspose2d(3, 4, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), output_padding=(1, 1))",
        ),
        (
            nn.ConvTranspose2d(2, 4, 3, output_padding=0, dilation=2, groups=2, bias=False),
            "ConvTranspose2d(2, 4, kernel_size=(3, 3), stride=(1, 1), dilation=(2, 2), groups=2, bias=False)",
        ),
        (
            nn.Conv2d(1, 2, 3, padding_mode="circular", padding=1),
            "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), padding_mode=circular)",
        ),
        (nn.AdaptiveMaxPool2d((2, None)), "AdaptiveMaxPool2d(output_size=(2, None))"),
        (nn.MaxUnpool2d(2), "MaxUnpool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))"),
        (nn.FractionalMaxPool2d(2, output_size=3), "FractionalMaxPool2d()"),
        (nn.LPPool2d(2, 3), "LPPool2d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)"),
        (nn.Upsample(scale_factor=2), "Upsample(scale_factor=2.0, mode='nearest')"),
        (
            nn.Upsample(size=(2, 3), mode="bilinear", align_corners=True),
            "Upsample(size=(2, 3), mode='bilinear')",
        ),
        (nn.UpsamplingNearest2d(2), "UpsamplingNearest2d(size=2, mode='nearest')"),
        (nn.Unfold(2), "Unfold(kernel_size=2, dilation=1, padding=0, stride=1)"),
        (nn.Fold((4, 4), 2), "Fold(output_size=(4, 4), kernel_size=2, dilation=1, padding=0, stride=1)"),
        (nn.LocalResponseNorm(2), "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)"),
        (
            nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
            "InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
        ),
        (nn.RMSNorm(3), "RMSNorm((3,), eps=None, elementwise_affine=True)"),
        (nn.PixelShuffle(2), "PixelShuffle(upscale_factor=2)"),
        (nn.PixelUnshuffle(2), "PixelUnshuffle(downscale_factor=2)"),
        (nn.ChannelShuffle(2), "ChannelShuffle(groups=2)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_texts(module: nn.Module, text: str) -> None:
    assert repr(module) == text
