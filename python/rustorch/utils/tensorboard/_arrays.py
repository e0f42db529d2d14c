"""Arrays of tensors, and images, grids and frames of arrays."""

from __future__ import annotations

import math
from io import BytesIO
from typing import Any

import numpy as np

from rustorch._C import Tensor, bfloat16, float32


def make_np(x: Any) -> Any:
    """An array of a tensor, an array or a number, of which the array has one entry; anything else is a TypeError."""
    if isinstance(x, np.ndarray):
        return x
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        return (x.to(float32) if x.dtype is bfloat16 else x).numpy()
    if np.isscalar(x):
        return np.array([x])
    raise TypeError(f"tensorboard takes tensors, NumPy's arrays and numbers, but got {type(x).__name__}")


def to_bytes(array: Any) -> Any:
    """Pixels from 0 to 255: those of uint8 as they are, others, which are from 0 to 1, times 255."""
    factor = 1 if array.dtype == np.uint8 else 255
    return (array.astype(np.float32) * factor).clip(0, 255).astype(np.uint8)


def make_grid(images: Any, columns: int = 8) -> Any:
    """One image (3, H, W) of several (N, 3, H, W) or (N, 1, H, W), row after row."""
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"a grid is made of images (N, 3, H, W) or (N, 1, H, W), but got shape {images.shape}")
    if images.shape[1] == 1:
        images = np.concatenate([images] * 3, 1)
    count, _, height, width = images.shape
    columns = min(count, columns)
    rows = math.ceil(count / columns)
    canvas = np.zeros((3, height * rows, width * columns), dtype=images.dtype)
    for i, image in enumerate(images):
        top, left = i // columns * height, i % columns * width
        canvas[:, top : top + height, left : left + width] = image
    return canvas


def to_hwc(array: Any, dataformats: str) -> Any:
    """An image (H, W, C) of an array whose dimensions are named by letters, of 'NCHW' a grid; grey becomes colour."""
    letters = dataformats.upper()
    if sorted(letters) not in (sorted("NCHW"), sorted("CHW"), sorted("HW")):
        raise ValueError(
            f"dataformats must name the dimensions N, C, H, W, or C, H, W, or H, W, but got {dataformats!r}"
        )
    if array.ndim != len(letters):
        raise ValueError(f"dataformats is {dataformats!r}, but the image has shape {array.shape}")
    wanted = {4: "NCHW", 3: "HWC", 2: "HW"}[len(letters)]
    array = array.transpose([letters.index(letter) for letter in wanted])
    if array.ndim == 4:
        return make_grid(array).transpose(1, 2, 0)
    if array.ndim == 2:
        array = array[:, :, None]
    return np.concatenate([array] * 3, 2) if array.shape[2] == 1 else array


def frames_of(video: Any) -> Any:
    """Frames (T, H, W, C) of videos (N, T, C, H, W): each frame is a grid of all of them."""
    if video.ndim != 5:
        raise ValueError(f"add_video(): vid_tensor must have shape (N, T, C, H, W), but got {video.shape}")
    video = to_bytes(video)
    count, steps, channels, height, width = video.shape
    rows = 2 ** ((count.bit_length() - 1) // 2)
    columns = -(-(1 << (count - 1).bit_length()) // rows)
    padded = np.zeros((rows * columns, steps, channels, height, width), dtype=np.uint8)
    padded[:count] = video
    grid = padded.reshape(rows, columns, steps, channels, height, width).transpose(2, 0, 4, 1, 5, 3)
    return grid.reshape(steps, rows * height, columns * width, channels)


def encoded(image: Any, **options: Any) -> bytes:
    """An image of Pillow's in a file's bytes."""
    stream = BytesIO()
    image.save(stream, **options)
    return stream.getvalue()


def figure_to_image(figure: Any, close: bool = True) -> Any:
    """A figure of matplotlib's as an array (3, H, W); several of one size as (N, 3, H, W)."""
    from importlib import import_module

    if isinstance(figure, list):
        return np.stack([figure_to_image(one, close) for one in figure])
    backend: Any = import_module("matplotlib.backends.backend_agg")
    pyplot: Any = import_module("matplotlib.pyplot")
    canvas = backend.FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3].transpose(2, 0, 1).copy()
    if close:
        pyplot.close(figure)
    return pixels
