"""Sequences of different lengths in one batch: padded to the longest, or packed without padding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Self

from rustorch import _C
from rustorch._C import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """Is a batch of sequences of different lengths without padding: what recurrent networks take and give.

    The sequences stand in the order of their lengths, longest first. data has the first elements of all, then the
    second elements of those that have one, and so on; batch_sizes says how many there are at each step. pack_sequence()
    and pack_padded_sequence() make it, and pad_packed_sequence() and unpack_sequence() take it apart. It is a named
    tuple of its four fields, of which data and the indices are on one device and batch_sizes is on the CPU.

    Args:
        data: (Σ lengths, *), the elements, step by step; or a pair of it and batch_sizes.
        batch_sizes: int64, the number of sequences at each step. Default: None, for a pair as `data`.
        sorted_indices: which of the caller's sequences is the longest, the next one, and so on. Default: None, those
            that are in order.
        unsorted_indices: the inverse of sorted_indices. Default: None, it is computed.

    Raises:
        ValueError: where batch_sizes is not on the CPU.
        TypeError: where batch_sizes is left out and data is no pair.

    Example:

    >>> rnn = rustorch.nn.utils.rnn
    >>> packed = rnn.pack_sequence([rustorch.tensor([1, 2]), rustorch.tensor([3, 4, 5])], enforce_sorted=False)
    >>> packed.data, packed.batch_sizes
    (tensor([3, 1, 4, 2, 5]), tensor([2, 2, 1]))
    >>> packed.sorted_indices
    tensor([1, 0])
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise TypeError("PackedSequence: give data and batch_sizes, or a pair of the two as data")
            data, batch_sizes = data
        if batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. pack_sequence() and pack_padded_sequence() make it there"
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _with(self, change: Callable[[Tensor], Tensor], follow: Callable[[Tensor], Tensor]) -> Self:
        """The same sequences: data by `change`, indices by `follow`."""
        data = change(self.data)
        if data is self.data:
            return self
        indices = (None if index is None else follow(index) for index in self[2:])
        return type(self)(data, self.batch_sizes, *indices)

    def pin_memory(self) -> Self:
        """The same sequences in memory from which a device copies without waiting."""
        return self._with(Tensor.pin_memory, Tensor.pin_memory)

    def is_pinned(self) -> bool:
        """Whether data is in such memory."""
        return self.data.is_pinned()

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same sequences with data of another dtype or on another device; arguments as of Tensor.to().

        The indices go to data's device and keep their dtype. batch_sizes stays as it is.
        """
        moved: list[Tensor] = []

        def change(data: Tensor) -> Tensor:
            moved.append(data.to(*args, **kwargs))
            return moved[0]

        return self._with(change, lambda index: index.to(moved[0].device))

    def cuda(self, *args: Any, **kwargs: Any) -> Self:
        """The same sequences on a GPU of NVIDIA's; arguments as of Tensor.cuda()."""
        return self._with(lambda t: t.cuda(*args, **kwargs), lambda t: t.cuda(*args, **kwargs))

    def cpu(self) -> Self:
        """The same sequences on the CPU."""
        return self.to("cpu")

    def double(self) -> Self:
        """The same sequences in float64."""
        return self.to(_C.float64)

    def float(self) -> Self:
        """The same sequences in float32."""
        return self.to(_C.float32)

    def half(self) -> Self:
        """The same sequences in float16."""
        return self.to(_C.float16)

    def bfloat16(self) -> Self:
        """The same sequences in bfloat16."""
        return self.to(_C.bfloat16)

    def long(self) -> Self:
        """The same sequences in int64."""
        return self.to(_C.int64)

    def int(self) -> Self:
        """The same sequences in int32."""
        return self.to(_C.int32)

    def short(self) -> Self:
        """The same sequences in int16."""
        return self.to(_C.int16)

    def char(self) -> Self:
        """The same sequences in int8."""
        return self.to(_C.int8)

    def byte(self) -> Self:
        """The same sequences in uint8."""
        return self.to(_C.uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether data is on a GPU of NVIDIA's."""
        return self.data.is_cuda


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Gives the permutation that undoes another: `inverse[permutation[i]] = i`; None for None.

    Args:
        permutation: the numbers from 0 to n - 1 in any order.

    Example:

    >>> rustorch.nn.utils.rnn.invert_permutation(rustorch.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    places = _C.arange(permutation.numel(), dtype=permutation.dtype, device=permutation.device)
    return _C.empty_like(permutation).scatter_(0, permutation, places)


def _places(steps: int, lengths: Tensor, batch_first: bool) -> Tensor:
    """Where the elements of packed data stand in a padded batch whose first two dimensions are made one."""
    batch = lengths.numel()
    exists = _C.arange(steps, device=lengths.device).unsqueeze(1) < lengths
    places = exists.flatten().nonzero().squeeze(1)
    return places % batch * steps + places.div(batch, rounding_mode="floor") if batch_first else places


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Packs a batch of padded sequences: leaves the padding out.

    Args:
        input: (L, B, *), or (B, L, *) with batch_first; the padding is at the end.
        lengths: the length of each sequence, from 1 to L; on the CPU if it is a tensor.
        batch_first: whether the batch is input's first dimension. Default: False.
        enforce_sorted: whether the sequences are there by descending length, which is then demanded; otherwise they are
            sorted, and the result has the order in sorted_indices. Default: True.

    Raises:
        RuntimeError: where lengths has another number of elements than the batch, they are not within 1 and L, or not
            in descending order with enforce_sorted.

    Example:

    >>> rnn = rustorch.nn.utils.rnn
    >>> padded = rustorch.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]])
    >>> rnn.pack_padded_sequence(padded, [2, 1, 3], batch_first=True, enforce_sorted=False).data
    tensor([4, 1, 3, 5, 2, 6])
    """
    if input.ndim < 2:
        raise IndexError(
            f"pack_padded_sequence: input has steps and a batch as its first dimensions, but got {input.ndim}D input"
        )
    counts = lengths if isinstance(lengths, Tensor) else _C.as_tensor(lengths, dtype=_C.int64, device="cpu")
    if counts.ndim != 1 or counts.device.type != "cpu":
        raise RuntimeError(
            "'lengths' argument should be a 1D CPU int64 tensor, "
            f"but got {counts.ndim}D {counts.device.type} tensor of {counts.dtype}"
        )
    counts = counts.to(_C.int64)
    steps, batch = (input.shape[1], input.shape[0]) if batch_first else (input.shape[0], input.shape[1])
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    if counts.numel() != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {counts.numel()} (batch_size={batch})"
        )
    if int(counts.min()) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if int(counts.max()) > steps:
        raise RuntimeError(
            f"pack_padded_sequence: a sequence is {int(counts.max())} long, but input has {steps} steps; "
            "lengths must be at most that"
        )
    order = None
    if not enforce_sorted:
        counts, order = counts.sort(descending=True)
        order = order.to(input.device)
        input = input.index_select(0 if batch_first else 1, order)
    elif bool((counts[1:] > counts[:-1]).any()):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True; "
            "`enforce_sorted=False` sorts the sequences"
        )
    sizes = (_C.arange(int(counts[0]), device="cpu").unsqueeze(1) < counts).sum(1)
    places = _places(steps, counts, batch_first).to(input.device)
    return PackedSequence(input.flatten(0, 1).index_select(0, places), sizes, order)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """Pads packed sequences to one length: the reverse of pack_padded_sequence().

    Gives the padded batch, in the order in which the sequences were packed, and their lengths.

    Args:
        sequence: the packed sequences.
        batch_first: whether the batch is the result's first dimension, else it is the second. Default: False.
        padding_value: what stands where a sequence has ended. Default: 0.0.
        total_length: the length of the result, at least that of the longest sequence; None is that one, which differs
            between the parts of a batch that is split over devices. Default: None.

    Raises:
        ValueError: where total_length is below the length of the longest sequence.

    Example:

    >>> rnn = rustorch.nn.utils.rnn
    >>> packed = rnn.pack_sequence([rustorch.tensor([1, 2, 3]), rustorch.tensor([4])])
    >>> padded, lengths = rnn.pad_packed_sequence(packed, batch_first=True)
    >>> padded
    tensor([[1, 2, 3],
            [4, 0, 0]])
    >>> lengths
    tensor([3, 1])
    """
    longest = sequence.batch_sizes.numel()
    steps = longest if total_length is None else total_length
    if steps < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {longest}"
        )
    data, batch = sequence.data, int(sequence.batch_sizes[0])
    lengths = (sequence.batch_sizes.unsqueeze(1) > _C.arange(batch, device="cpu")).sum(0)
    places = _places(steps, lengths, batch_first).to(data.device)
    rows = data.new_full((steps * batch, *data.shape[1:]), padding_value)
    padded = rows.index_copy(0, places, data).unflatten(0, (batch, steps) if batch_first else (steps, batch))
    order = sequence.unsorted_indices
    if order is None:
        return padded, lengths
    return padded.index_select(0 if batch_first else 1, order), lengths.index_select(0, order.cpu())


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Makes one batch of sequences of different lengths, each padded to the longest.

    Args:
        sequences: tensors (L_i, *), of the same sizes but for the first.
        batch_first: whether the result is (B, L, *), else (L, B, *). Default: False.
        padding_value: what stands where a sequence has no elements. Default: 0.0.
        padding_side: 'right' pads after the sequences, 'left' before them. Default: 'right'.

    Raises:
        RuntimeError: where there are no sequences, their other sizes differ, or padding_side is another word.

    Example:

    >>> sequences = [rustorch.tensor([1, 2, 3]), rustorch.tensor([4])]
    >>> rustorch.nn.utils.rnn.pad_sequence(sequences, batch_first=True, padding_side="left")
    tensor([[1, 2, 3],
            [0, 0, 4]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    listed = list(sequences)
    if not listed:
        raise RuntimeError("received an empty list of sequences")
    first, rest = listed[0], listed[0].shape[1:]
    for sequence in listed:
        if sequence.ndim == 0 or sequence.shape[1:] != rest:
            raise RuntimeError(
                "pad_sequence: the sequences must have one size but for the first dimension, but got "
                f"{[list(each.shape) for each in listed]}"
            )
    longest = max(sequence.shape[0] for sequence in listed)
    padded = []
    for sequence in listed:
        sequence = sequence.to(first.dtype)
        missing = longest - sequence.shape[0]
        if missing:
            padding = sequence.new_full((missing, *rest), padding_value)
            sequence = _C.cat([sequence, padding] if padding_side == "right" else [padding, sequence])
        padded.append(sequence)
    return _C.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """Takes a padded batch apart: the reverse of pad_sequence().

    Args:
        padded_sequences: (L, B, *), or (B, L, *) with batch_first; the padding is at the end.
        lengths: the length of each sequence.
        batch_first: whether the batch is the first dimension. Default: False.

    Raises:
        ValueError: where lengths has another number of elements than the batch.

    Example:

    >>> padded = rustorch.tensor([[1, 2, 3], [4, 0, 0]])
    >>> rustorch.nn.utils.rnn.unpad_sequence(padded, rustorch.tensor([3, 1]), batch_first=True)
    [tensor([1, 2, 3]), tensor([4])]
    """
    batch = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    counts = [int(length) for length in lengths]
    if len(counts) != batch.shape[0]:
        raise ValueError(f"unpad_sequence: there are {batch.shape[0]} sequences, but {len(counts)} lengths")
    return [sequence[:length] for sequence, length in zip(batch, counts, strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs sequences of different lengths into one batch without padding.

    Args:
        sequences: tensors (L_i, *), of the same sizes but for the first, none of them empty.
        enforce_sorted: whether the sequences are there by descending length, which is then demanded; otherwise they are
            sorted, and the result has the order in sorted_indices. Default: True.

    Raises:
        RuntimeError: where there are no sequences, one is empty, or they are not sorted with enforce_sorted.

    Example:

    >>> rustorch.nn.utils.rnn.pack_sequence([rustorch.tensor([1, 2]), rustorch.tensor([3])]).data
    tensor([1, 3, 2])
    """
    lengths = [sequence.shape[0] for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Takes packed sequences apart: the reverse of pack_sequence().

    Args:
        packed_sequences: the packed sequences.

    Example:

    >>> rnn = rustorch.nn.utils.rnn
    >>> rnn.unpack_sequence(rnn.pack_sequence([rustorch.tensor([1, 2]), rustorch.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    return unpad_sequence(*pad_packed_sequence(packed_sequences, batch_first=True), batch_first=True)
