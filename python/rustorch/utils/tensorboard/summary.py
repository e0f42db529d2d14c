"""The protocol buffers that TensorBoard reads: one per kind of what is written."""

from __future__ import annotations

import json
from importlib import import_module
from io import BytesIO
from typing import Any

import numpy as np

from rustorch import _C
from rustorch._C import Tensor

from ._arrays import encoded, frames_of, make_np, to_bytes, to_hwc


def _proto(name: str) -> Any:
    return import_module(f"tensorboard.compat.proto.{name}_pb2")


def _plugin(name: str) -> Any:
    return import_module(f"tensorboard.plugins.{name}")


def _summary(tag: str, **content: Any) -> Any:
    summary = _proto("summary").Summary
    return summary(value=[summary.Value(tag=tag, **content)])


def _metadata(plugin: str, content: bytes = b"") -> Any:
    kind = _proto("summary").SummaryMetadata
    return kind(plugin_data=kind.PluginData(plugin_name=plugin, content=content))


def _shape(*sizes: int) -> Any:
    kind = _proto("tensor_shape").TensorShapeProto
    return kind(dim=[kind.Dim(size=size) for size in sizes])


def _tensor(dtype: str, shape: Any, **values: Any) -> Any:
    return _proto("tensor").TensorProto(dtype=dtype, tensor_shape=shape, **values)


def _floats(array: Any) -> Any:
    return _tensor("DT_FLOAT", _shape(*array.shape), float_val=array.reshape(-1).tolist())


def scalar(tag: str, value: Any, new_style: bool = False, double_precision: bool = False) -> Any:
    """One number, which must be one."""
    array = make_np(value)
    if array.size != 1:
        raise ValueError(f"add_scalar(): a scalar has one element, but got shape {tuple(array.shape)}")
    number = float(array.reshape(()))
    if not new_style:
        return _summary(tag, simple_value=number)
    if double_precision:
        tensor = _proto("tensor").TensorProto(dtype="DT_DOUBLE", double_val=[number])
    else:
        tensor = _proto("tensor").TensorProto(dtype="DT_FLOAT", float_val=[number])
    return _summary(tag, tensor=tensor, metadata=_metadata("scalars"))


# What holds the numbers of each dtype.
_FIELDS = {
    _C.float32: ("DT_FLOAT", "float_val"),
    _C.float64: ("DT_DOUBLE", "double_val"),
    _C.int8: ("DT_INT8", "int_val"),
    _C.uint8: ("DT_UINT8", "int_val"),
    _C.int16: ("DT_INT16", "int_val"),
    _C.int32: ("DT_INT32", "int_val"),
    _C.int64: ("DT_INT64", "int64_val"),
    _C.bool: ("DT_BOOL", "bool_val"),
    _C.complex64: ("DT_COMPLEX64", "scomplex_val"),
    _C.complex128: ("DT_COMPLEX128", "dcomplex_val"),
}


def tensor_proto(tag: str, tensor: Tensor) -> Any:
    """A whole tensor, whose dtype TensorBoard knows."""
    if tensor.dtype in (_C.float16, _C.bfloat16):
        if tensor.dtype is _C.float16:
            kind, bits = "DT_HALF", make_np(tensor).reshape(-1).view(np.uint16)
        else:
            # The upper half of a float32.
            kind, bits = "DT_BFLOAT16", make_np(tensor).reshape(-1).view(np.uint32) >> 16
        content = _tensor(kind, _shape(*tensor.shape), half_val=bits.tolist())
    elif tensor.dtype in _FIELDS:
        kind, field = _FIELDS[tensor.dtype]
        array = make_np(tensor).reshape(-1)
        values = array.view(array.real.dtype) if array.dtype.kind == "c" else array
        content = _tensor(kind, _shape(*tensor.shape), **{field: values.tolist()})
    else:
        raise ValueError(f"add_tensor(): {tag} has unsupported tensor dtype {tensor.dtype}")
    return _summary(tag, metadata=_metadata("tensor"), tensor=content)


def histogram_raw(
    tag: str, min: float, max: float, num: float, sum: float, sum_squares: float, bucket_limits: Any, bucket_counts: Any
) -> Any:
    """A histogram whose counts are known."""
    histo = _proto("summary").HistogramProto(
        min=min,
        max=max,
        num=num,
        sum=sum,
        sum_squares=sum_squares,
        bucket_limit=list(bucket_limits),
        bucket=list(bucket_counts),
    )
    return _summary(tag, histo=histo)


def histogram(tag: str, values: Any, bins: Any, max_bins: int | None = None) -> Any:
    """How many values lie in each of some bins, from the first to the last that has any."""
    values = make_np(values).astype(float).reshape(-1)
    if values.size == 0:
        raise ValueError("add_histogram(): values has no element")
    counts, limits = np.histogram(values, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        together = len(counts) // max_bins
        starts = np.arange(0, len(counts), together)
        counts, limits = np.add.reduceat(counts, starts), np.append(limits[starts], limits[-1])
    filled = np.flatnonzero(counts)
    if filled.size == 0:
        raise ValueError("add_histogram(): no value lies in any of the bins")
    first, last = int(filled[0]), int(filled[-1])
    # A bin is named by its upper limit; an empty one says where the first begins.
    return histogram_raw(
        tag,
        values.min(),
        values.max(),
        values.size,
        values.sum(),
        values.dot(values),
        limits[first : last + 2].tolist(),
        [0, *counts[first : last + 1].tolist()],
    )


def image(tag: str, tensor: Any, rescale: float = 1, dataformats: str = "NCHW") -> Any:
    """An image, or a grid of several."""
    return _summary(tag, image=make_image(to_bytes(to_hwc(make_np(tensor), dataformats)), rescale))


def image_boxes(
    tag: str, tensor: Any, boxes: Any, rescale: float = 1, dataformats: str = "CHW", labels: list[str] | None = None
) -> Any:
    """An image with rectangles (x0, y0, x1, y1) in it, and their labels."""
    pixels = to_bytes(to_hwc(make_np(tensor), dataformats))
    return _summary(tag, image=make_image(pixels, rescale, make_np(boxes), labels))


def make_image(pixels: Any, rescale: float = 1, boxes: Any = None, labels: list[str] | None = None) -> Any:
    """An image of bytes (H, W, C), in another size and with rectangles, if wanted."""
    pillow: Any = import_module("PIL.Image")
    height, width, channels = pixels.shape
    picture = pillow.fromarray(pixels)
    if boxes is not None:
        draw = import_module("PIL.ImageDraw").Draw(picture)
        for i, (left, top, right, bottom) in enumerate(boxes.tolist()):
            draw.rectangle([left, top, right, bottom], outline="red", width=2)
            if labels is not None:
                draw.text((left + 2, bottom - 12), labels[i], fill="red")
    if rescale != 1:
        picture = picture.resize((int(width * rescale), int(height * rescale)), pillow.Resampling.LANCZOS)
    return _proto("summary").Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=encoded(picture, format="PNG")
    )


def video(tag: str, tensor: Any, fps: float = 4) -> Any:
    """A video, or a grid of several, as an animated GIF."""
    pillow: Any = import_module("PIL.Image")
    frames = frames_of(make_np(tensor))
    _, height, width, channels = frames.shape
    first, *others = (pillow.fromarray(frame[:, :, 0] if channels == 1 else frame) for frame in frames)
    content = encoded(first, format="GIF", save_all=True, append_images=others, duration=1000 / fps, loop=0)
    picture = _proto("summary").Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=content
    )
    return _summary(tag, image=picture)


def audio(tag: str, tensor: Any, sample_rate: int = 44100) -> Any:
    """A sound of one channel, whose amplitudes are from -1 to 1; what is beyond is cut off."""
    import wave

    samples = make_np(tensor).squeeze()
    if samples.ndim != 1:
        raise ValueError(f"add_audio(): snd_tensor must have one dimension, but got shape {samples.shape}")
    samples = (samples.clip(-1, 1) * np.iinfo(np.int16).max).astype("<i2")
    stream = BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(samples.tobytes())
    sound = _proto("summary").Summary.Audio(
        sample_rate=sample_rate,
        num_channels=1,
        length_frames=len(samples),
        encoded_audio_string=stream.getvalue(),
        content_type="audio/wav",
    )
    return _summary(tag, audio=sound)


def text(tag: str, content: str) -> Any:
    """A text in Markdown."""
    data = _plugin("text.plugin_data_pb2").TextPluginData(version=0).SerializeToString()
    tensor = _tensor("DT_STRING", _shape(1), string_val=[content.encode()])
    return _summary(f"{tag}/text_summary", metadata=_metadata("text", data), tensor=tensor)


def custom_scalars(layout: dict[str, dict[str, Any]]) -> Any:
    """Charts of several scalars: by category and title, 'Multiline' or 'Margin', and the tags."""
    layouts = _plugin("custom_scalar.layout_pb2")
    categories = []
    for title, charts in layout.items():
        made = []
        for name, (kind, tags) in charts.items():
            if kind == "Margin":
                if len(tags) != 3:
                    raise ValueError(f"add_custom_scalars(): a margin chart has 3 tags, but {name!r} has {len(tags)}")
                series = layouts.MarginChartContent.Series(value=tags[0], lower=tags[1], upper=tags[2])
                made.append(layouts.Chart(title=name, margin=layouts.MarginChartContent(series=[series])))
            else:
                made.append(layouts.Chart(title=name, multiline=layouts.MultilineChartContent(tag=tags)))
        categories.append(layouts.Category(title=title, chart=made))
    content = layouts.Layout(category=categories).SerializeToString()
    tensor = _tensor("DT_STRING", _shape(), string_val=[content])
    return _summary("custom_scalars__config__", tensor=tensor, metadata=_metadata("custom_scalars"))


def pr_curve_raw(
    tag: str, tp: Any, fp: Any, tn: Any, fn: Any, precision: Any, recall: Any, num_thresholds: int = 127
) -> Any:
    """A curve of precision and recall whose counts are known, at up to 127 thresholds."""
    data = np.stack([make_np(part) for part in (tp, fp, tn, fn, precision, recall)])
    plugin = _plugin("pr_curve.plugin_data_pb2").PrCurvePluginData(version=0, num_thresholds=min(num_thresholds, 127))
    return _summary(tag, metadata=_metadata("pr_curves", plugin.SerializeToString()), tensor=_floats(data))


def pr_curve(tag: str, labels: Any, predictions: Any, num_thresholds: int = 127, weights: Any = None) -> Any:
    """A curve of precision and recall: labels are 0 or 1, predictions from 0 to 1."""
    thresholds = min(num_thresholds, 127)
    labels, predictions = make_np(labels).astype(np.float64).reshape(-1), make_np(predictions).reshape(-1)
    weight = np.ones_like(labels) if weights is None else make_np(weights).reshape(-1)
    buckets = np.floor(predictions * (thresholds - 1)).astype(np.int64)
    true, false = (
        np.bincount(buckets, weights=part * weight, minlength=thresholds)[::-1].cumsum()[::-1]
        for part in (labels, 1 - labels)
    )
    tiny = 1e-7
    precision = true / np.maximum(tiny, true + false)
    recall = true / np.maximum(tiny, true[0])
    return pr_curve_raw(tag, true, false, false[0] - false, true[0] - true, precision, recall, thresholds)


def mesh(tag: str, vertices: Any, colors: Any, faces: Any, config_dict: dict[str, Any] | None) -> Any:
    """A point cloud (N, points, 3), or the surfaces that faces (N, triangles, 3) make of it, in colours."""
    metadata = _plugin("mesh.metadata")
    kinds = _plugin("mesh.plugin_data_pb2").MeshPluginData
    given = [(vertices, kinds.VERTEX), (faces, kinds.FACE), (colors, kinds.COLOR)]
    parts = [(make_np(part), kind) for part, kind in given if part is not None]
    components = metadata.get_components_bitmask([kind for _, kind in parts])
    config = json.dumps(config_dict or {}, sort_keys=True)
    summary = _proto("summary").Summary
    values = []
    for array, kind in parts:
        about = metadata.create_summary_metadata(tag, None, kind, components, array.shape, None, json_config=config)
        name = metadata.get_instance_name(tag, kind)
        values.append(summary.Value(tag=name, tensor=_floats(array), metadata=about))
    return summary(value=values)


def hparams(
    hparam_dict: dict[str, Any], metric_dict: dict[str, Any], hparam_domain_discrete: dict[str, list[Any]] | None = None
) -> tuple[Any, Any, Any]:
    """Hyperparameters of a run, and the names of what is measured: three summaries, of the experiment, of the run's
    beginning and of its end."""
    api, plugin = _plugin("hparams.api_pb2"), _plugin("hparams.plugin_data_pb2")
    known, structs = _plugin("hparams.metadata"), import_module("google.protobuf.struct_pb2")
    domains = hparam_domain_discrete or {}
    start, infos = plugin.SessionStartInfo(), []
    for name, value in hparam_dict.items():
        if value is None:
            continue
        if isinstance(value, Tensor):
            value = value.item()
        kinds = (
            (bool, "bool_value", "DATA_TYPE_BOOL"),
            ((int, float), "number_value", "DATA_TYPE_FLOAT64"),
            (str, "string_value", "DATA_TYPE_STRING"),
        )
        found = next((kind for kind in kinds if isinstance(value, kind[0])), None)
        if found is None:
            raise ValueError(
                f"add_hparams(): value should be one of int, float, str, bool, or Tensor, but {name!r} is "
                f"{type(value).__name__}"
            )
        _, field, kind = found
        setattr(start.hparams[name], field, value)
        discrete = None
        if name in domains:
            if not all(isinstance(one, type(value)) for one in domains[name]):
                raise TypeError(f"add_hparams(): hparam_domain_discrete[{name!r}] must have the type of {name!r}")
            discrete = structs.ListValue(values=[structs.Value(**{field: one}) for one in domains[name]])
        infos.append(api.HParamInfo(name=name, type=api.DataType.Value(kind), domain_discrete=discrete))
    for name in domains:
        if name not in hparam_dict:
            raise TypeError(f"add_hparams(): hparam_domain_discrete names {name!r}, which is no hyperparameter")
    metrics = [api.MetricInfo(name=api.MetricName(tag=tag)) for tag in metric_dict]
    experiment = api.Experiment(hparam_infos=infos, metric_infos=metrics)
    end = plugin.SessionEndInfo(status=api.Status.Value("STATUS_SUCCESS"))

    def about(tag: str, **content: Any) -> Any:
        data = plugin.HParamsPluginData(version=known.PLUGIN_DATA_VERSION, **content).SerializeToString()
        return _summary(tag, metadata=_metadata(known.PLUGIN_NAME, data))

    return (
        about(known.EXPERIMENT_TAG, experiment=experiment),
        about(known.SESSION_START_INFO_TAG, session_start_info=start),
        about(known.SESSION_END_INFO_TAG, session_end_info=end),
    )
