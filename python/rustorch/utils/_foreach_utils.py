"""Tensors by device and dtype, as optimizers outside of RusTorch ask for them."""

from __future__ import annotations

from collections.abc import Sequence

from rustorch._C import Tensor, device as _device, dtype as _dtype

_Lists = list[list["Tensor | None"]]


def _group_tensors_by_device_and_dtype(
    tensorlistlist: Sequence[Sequence[Tensor | None]], with_indices: bool = False
) -> dict[tuple[_device | None, _dtype | None], tuple[_Lists, list[int]]]:
    """Lists whose n-th entries belong together, split by device and dtype of the first list's entries.

    With each pair: the lists of its entries, and with `with_indices` the places where they were.
    """
    groups: dict[tuple[_device | None, _dtype | None], tuple[_Lists, list[int]]] = {}
    for place, row in enumerate(zip(*tensorlistlist, strict=True)):
        first = row[0]
        if first is None:
            raise ValueError("_group_tensors_by_device_and_dtype(): an entry of the first list is None")
        lists, places = groups.setdefault((first.device, first.dtype), ([[] for _ in tensorlistlist], []))
        for entries, entry in zip(lists, row, strict=True):
            entries.append(entry)
        if with_indices:
            places.append(place)
    return groups


def _get_foreach_kernels_supported_devices() -> list[str]:
    """The kinds of devices whose kernels take lists of tensors: none, lists are taken tensor by tensor."""
    return []


def _get_fused_kernels_supported_devices() -> list[str]:
    """The kinds of devices with kernels of whole optimizer steps that PyTorch's `fused` means: none."""
    return []


def _has_foreach_support(tensors: Sequence[Tensor], device: _device) -> bool:
    """Whether lists of such tensors are taken at once: no."""
    return False


def _device_has_foreach_support(device: _device) -> bool:
    """Whether a device takes lists of tensors at once: no."""
    return False
