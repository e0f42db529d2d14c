"""Small data sets that travel with the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rustorch import safetensors
from rustorch.utils.data import TensorDataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["digits"]


def digits(*, train: bool) -> TensorDataset:
    """The 1,797 handwritten digits of the UCI repository, as pairs of image and label.

    An image is float32 of shape (1, 8, 8) with values from 0 (paper) to 1 (ink); a label is int64, 0 to 9. Every third
    digit is held out for testing: ``train=True`` gives the other 1,198, ``train=False`` those 599.

    Source: E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository, 1998,
    https://doi.org/10.24432/C50P49, CC BY 4.0.
    """
    import numpy as np

    from rustorch import from_numpy

    images, labels = _read_digits(Path(__file__).with_name("digits.safetensors"))
    held_out = np.arange(len(labels)) % 3 == 2
    chosen = ~held_out if train else held_out
    pixels = images[chosen, None].astype(np.float32) / 16
    return TensorDataset(from_numpy(pixels), from_numpy(labels[chosen].astype(np.int64)))


def _read_digits(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Unpacks the file: images (1797, 8, 8) of 0 to 16, labels (1797,). README.md beside it describes the packing."""
    import numpy as np

    packed = {name: tensor.numpy() for name, tensor in safetensors.load_file(path).items()}
    inked = np.unpackbits(packed["mask"]).astype(bool)
    values = np.stack([packed["ink"] >> 4, packed["ink"] & 15], axis=1).reshape(-1) + 1
    pixels = np.zeros(inked.size, dtype=np.uint8)
    pixels[inked] = values[: inked.sum()]
    return pixels.reshape(-1, 8, 8), packed["labels"]
