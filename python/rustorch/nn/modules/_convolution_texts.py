"""What the docstrings of convolutional layers say."""

from __future__ import annotations

# One text describes a layer for one, two and three dimensions; `described` puts in what differs.
CONVOLUTION = """Convolves inputs of {n} with learned windows.

    {formula}

with the stride s, dilation d and padding p of each dimension. c runs over the in_channels / groups channels of k's
group; outside the input stand the values of `padding_mode`. The window is not flipped: in mathematics this is a
cross-correlation. train() and eval() make no difference.

Args:
    in_channels: Channels of the input, a multiple of `groups`.
    out_channels: Channels of the output, each with a window of its own; a multiple of `groups`.
    kernel_size: Size of the window{each}.
    stride: Step between neighbouring windows{each}. Default: 1.
    padding: Positions added at both ends{each}; or 'valid' for none, or
        'same' for as many as keep the size, an odd one at the end, which needs stride 1. Default: 0.
    dilation: Distance between neighbouring positions of a window{each}. Default: 1.
    groups: Parts into which the channels are split; outputs of a part see only its inputs. With groups=in_channels
        each channel is filtered by itself (a depthwise convolution). Default: 1.
    bias: Whether a learned number is added to each output channel. Default: True.
    padding_mode: What stands in the padding: 'zeros', 'reflect' (mirrored without the border), 'replicate' (the border
        itself) or 'circular' (the other end). Default: 'zeros'.
    device, dtype: Where the parameters are and their dtype, which inputs share. Default: None, the default ones.

Shape:
    input: (N, in_channels, {sizes}), or (in_channels, {sizes}) without a batch.
    output: (N, out_channels, {results}), or (out_channels, {results}), where

    {lengths}

Attributes:
    weight: (out_channels, in_channels / groups, {kernel}).
        It starts uniform within ±1/√fan_in, where fan_in is in_channels / groups times the size of the window
        (`init.kaiming_uniform_` with slope √5: He et al., 2015).
    bias: (out_channels), which starts uniform within the same bounds; None with bias=False.

Raises:
    ValueError: `groups` is less than 1 or does not divide in_channels and out_channels; a setting has too few or too
        many numbers; `padding` or `padding_mode` is an unknown word; padding='same' is asked for with a stride above 1.
    ShapeMismatchError: An input has another number of dimensions or channels, or is smaller than the window even with
        its padding.
    DTypeError: An input's dtype is not the weight's.

Example:

{example}
"""

TRANSPOSED = """Adds a learned window, times each input, to outputs of {n}: a transposed convolution.

The linear map is the transpose of a convolution's with the same settings, hence the gradient of that convolution: it
enlarges what the convolution makes smaller, and is not its inverse. The output starts as bias[k]; then each input adds

    {formula}

for all outputs k of its group and all positions in the window, with the stride s, dilation d and padding p of each
dimension. What falls outside the output is dropped. A convolution with a stride gives one size for several sizes of its
input: `output_padding`, or `output_size` in the call `layer(input, output_size=(…))`, chooses among them.
train() and eval() make no difference.

Args:
    in_channels: Channels of the input, a multiple of `groups`.
    out_channels: Channels of the output, a multiple of `groups`.
    kernel_size: Size of the window{each}.
    stride: Step between the windows of neighbouring inputs{each}. Default: 1.
    padding: Positions cut off at both ends of the output{each}. Default: 0.
    output_padding: Positions added at the end of the output{each}; fewer than
        the stride or the dilation. Default: 0.
    groups: Parts into which the channels are split; outputs of a part see only its inputs. Default: 1.
    bias: Whether a learned number is added to each output channel. Default: True.
    dilation: Distance between neighbouring positions of a window{each}. Default: 1.
    padding_mode: Only 'zeros'. Default: 'zeros'.
    device, dtype: Where the parameters are and their dtype, which inputs share. Default: None, the default ones.

Shape:
    input: (N, in_channels, {sizes}), or (in_channels, {sizes}) without a batch.
    output: (N, out_channels, {results}), or (out_channels, {results}), where

    {lengths}

Attributes:
    weight: (in_channels, out_channels / groups, {kernel}).
        It starts uniform within ±1/√fan_in, where fan_in is out_channels / groups times the size of the window
        (`init.kaiming_uniform_` with slope √5: He et al., 2015).
    bias: (out_channels), which starts uniform within the same bounds; None with bias=False.

Raises:
    ValueError: `groups` is less than 1 or does not divide in_channels and out_channels; a setting has too few or too
        many numbers; `padding_mode` is not 'zeros'; the call asks for an `output_size` that no output_padding gives.
    InvalidArgumentError: In the call, `output_padding` is less than neither the stride nor the dilation.
    ShapeMismatchError: An input has another number of dimensions or channels.
    DTypeError: An input's dtype is not the weight's.

Example:

{example}
"""

LENGTH = "⌊({0} + 2·padding{1} - dilation{1}·(kernel_size{1} - 1) - 1) / stride{1}⌋ + 1"
TRANSPOSED_LENGTH = "({0} - 1)·stride{1} - 2·padding{1} + dilation{1}·(kernel_size{1} - 1) + output_padding{1} + 1"


def described(text: str, length: str, names: str, formula: str, example: str) -> str:
    """The text, for layers whose spatial dimensions have these names."""
    n = len(names)
    indices = [""] if n == 1 else [f"[{i}]" for i in range(n)]
    return text.format(
        n="one spatial dimension" if n == 1 else f"{'two' if n == 2 else 'three'} spatial dimensions",
        formula=formula,
        example=example,
        each="" if n == 1 else ", one number or one per dimension",
        sizes=", ".join(names),
        results=", ".join(f"{name}_out" for name in names),
        kernel=", ".join(f"kernel_size{index}" for index in indices),
        lengths="\n    ".join(f"{a}_out = {length.format(a, i)}" for a, i in zip(names, indices, strict=True)),
    )
