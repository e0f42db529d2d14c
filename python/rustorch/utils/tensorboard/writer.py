"""Writers of TensorBoard's files."""

from __future__ import annotations

import math
import socket
import time
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np

from . import summary
from ._arrays import encoded, figure_to_image, make_grid, make_np

__all__ = ["FileWriter", "SummaryWriter"]


def _default_bins() -> list[float]:
    """Limits of bins that grow by a tenth each, from 1e-12 to 1e20, and the same below 0."""
    positive, limit = [], 1e-12
    while limit < 1e20:
        positive.append(limit)
        limit *= 1.1
    return [-limit for limit in reversed(positive)] + [0.0, *positive]


class FileWriter:
    """Writes events into a file in a folder, on a thread of its own.

    Args:
        log_dir: the folder, which is made.
        max_queue: how many events wait before an add waits for the file. Default: 10.
        flush_secs: after how many seconds events are in the file at the latest. Default: 120.
        filename_suffix: what the file's name ends with. Default: ''.
    """

    def __init__(self, log_dir: Any, max_queue: int = 10, flush_secs: float = 120, filename_suffix: str = "") -> None:
        events: Any = import_module("tensorboard.summary.writer.event_file_writer")
        self.event_writer = events.EventFileWriter(str(log_dir), max_queue, flush_secs, filename_suffix)

    def get_logdir(self) -> str:
        """The folder."""
        folder: str = self.event_writer.get_logdir()
        return folder

    def add_event(self, event: Any, step: Any = None, walltime: float | None = None) -> None:
        """Writes an event."""
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self.event_writer.add_event(event)

    def add_summary(self, content: Any, global_step: Any = None, walltime: float | None = None) -> None:
        """Writes a summary, as an event."""
        event: Any = import_module("tensorboard.compat.proto.event_pb2")
        self.add_event(event.Event(summary=content), global_step, walltime)

    def flush(self) -> None:
        """Waits until all events are in the file."""
        self.event_writer.flush()

    def close(self) -> None:
        """Ends the file."""
        self.event_writer.close()


class SummaryWriter:
    """Writes what TensorBoard shows: scalars, histograms, images, sounds, texts, embeddings, hyperparameters.

    Every `add_…` takes a tag, under which it is shown, and a `global_step` and a `walltime`, seconds since 1970, for
    its place on the axis. Tensors, on any device, and NumPy's arrays are taken alike. Closed, a writer begins another
    file at the next add; as a context it is closed at its end.

    Args:
        log_dir: the folder; None for runs/<time>_<host><comment>. Default: None.
        comment: what the name of that folder ends with. Default: ''.
        purge_step: events of an earlier run in the folder from this step on are hidden. Default: None.
        max_queue: how many events wait before an add waits for the file. Default: 10.
        flush_secs: after how many seconds events are in the file at the latest. Default: 120.
        filename_suffix: what the names of files end with. Default: ''.

    Example::

        with SummaryWriter("runs/first") as writer:
            for step in range(100):
                writer.add_scalar("loss/train", loss, step)
    """

    def __init__(
        self,
        log_dir: Any = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
    ) -> None:
        if not log_dir:
            now = datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = Path("runs", f"{now}_{socket.gethostname()}{comment}")
        self.log_dir = str(log_dir)
        self.purge_step = purge_step
        self.max_queue = max_queue
        self.flush_secs = flush_secs
        self.filename_suffix = filename_suffix
        self.default_bins = _default_bins()
        self.all_writers: dict[str, FileWriter] = {}
        self.file_writer: FileWriter | None = None
        self._embeddings: Any = None
        self._layout: dict[str, dict[str, Any]] = {}
        self._get_file_writer()

    def _make_writer(self, folder: str) -> FileWriter:
        return FileWriter(folder, self.max_queue, self.flush_secs, self.filename_suffix)

    def _get_file_writer(self) -> FileWriter:
        """The writer of the folder, another one after `close`."""
        if self.file_writer is None:
            self.file_writer = self._make_writer(self.log_dir)
            self.all_writers = {self.file_writer.get_logdir(): self.file_writer}
            if self.purge_step is not None:
                event: Any = import_module("tensorboard.compat.proto.event_pb2")
                start = event.SessionLog(status=event.SessionLog.START)
                self.file_writer.add_event(event.Event(step=self.purge_step, file_version="brain.Event:2"))
                self.file_writer.add_event(event.Event(step=self.purge_step, session_log=start))
                self.purge_step = None
        return self.file_writer

    def _add(self, content: Any, global_step: Any, walltime: float | None) -> None:
        self._get_file_writer().add_summary(content, global_step, walltime)

    def get_logdir(self) -> str:
        """The folder."""
        return self.log_dir

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: Any = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """Writes a number; `new_style` as a tensor, which loads faster, and `double_precision` that in float64."""
        self._add(summary.scalar(tag, scalar_value, new_style, double_precision), global_step, walltime)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: Any = None, walltime: float | None = None
    ) -> None:
        """Writes several numbers for one chart, each into a folder of its own."""
        walltime = time.time() if walltime is None else walltime
        folder = self._get_file_writer().get_logdir()
        for tag, value in tag_scalar_dict.items():
            own = f"{folder}/{main_tag.replace('/', '_')}_{tag}"
            if own not in self.all_writers:
                self.all_writers[own] = self._make_writer(own)
            self.all_writers[own].add_summary(summary.scalar(main_tag, value), global_step, walltime)

    def add_tensor(self, tag: str, tensor: Any, global_step: Any = None, walltime: float | None = None) -> None:
        """Writes a whole tensor."""
        self._add(summary.tensor_proto(tag, tensor), global_step, walltime)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: Any = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """Writes a histogram; `bins` is 'tensorflow', for bins that grow by a tenth, or those of NumPy's histogram."""
        limits = self.default_bins if isinstance(bins, str) and bins == "tensorflow" else bins
        self._add(summary.histogram(tag, values, limits, max_bins), global_step, walltime)

    def add_histogram_raw(
        self,
        tag: str,
        min: float,
        max: float,
        num: float,
        sum: float,
        sum_squares: float,
        bucket_limits: Any,
        bucket_counts: Any,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Writes a histogram of which everything is known; limits are the upper ones."""
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError("len(bucket_limits) != len(bucket_counts), see the document.")
        content = summary.histogram_raw(tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts)
        self._add(content, global_step, walltime)

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """Writes an image: uint8, or numbers from 0 to 1; letters name its dimensions."""
        self._add(summary.image(tag, img_tensor, dataformats=dataformats), global_step, walltime)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Writes several images as a grid."""
        if isinstance(img_tensor, list):
            img_tensor = np.stack([make_np(image) for image in img_tensor])
        self._add(summary.image(tag, img_tensor, dataformats=dataformats), global_step, walltime)

    def add_image_with_boxes(
        self,
        tag: str,
        img_tensor: Any,
        box_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        rescale: float = 1,
        dataformats: str = "CHW",
        labels: Any = None,
    ) -> None:
        """Writes an image with rectangles (N, 4) of left, top, right and bottom, and a label for each."""
        labels = [labels] if isinstance(labels, str) else labels
        if labels is not None and len(labels) != len(box_tensor):
            raise ValueError(f"add_image_with_boxes(): {len(labels)} labels for {len(box_tensor)} boxes")
        content = summary.image_boxes(tag, img_tensor, box_tensor, rescale, dataformats, labels)
        self._add(content, global_step, walltime)

    def add_figure(
        self, tag: str, figure: Any, global_step: Any = None, close: bool = True, walltime: float | None = None
    ) -> None:
        """Writes a figure of matplotlib's, or a list of them as a grid; `close` closes it."""
        dataformats = "NCHW" if isinstance(figure, list) else "CHW"
        self._add(summary.image(tag, figure_to_image(figure, close), dataformats=dataformats), global_step, walltime)

    def add_video(
        self, tag: str, vid_tensor: Any, global_step: Any = None, fps: float = 4, walltime: float | None = None
    ) -> None:
        """Writes videos (N, T, C, H, W), uint8 or from 0 to 1, as one animated GIF."""
        self._add(summary.video(tag, vid_tensor, fps), global_step, walltime)

    def add_audio(
        self,
        tag: str,
        snd_tensor: Any,
        global_step: Any = None,
        sample_rate: int = 44100,
        walltime: float | None = None,
    ) -> None:
        """Writes a sound of one channel, with amplitudes from -1 to 1."""
        self._add(summary.audio(tag, snd_tensor, sample_rate), global_step, walltime)

    def add_text(self, tag: str, text_string: str, global_step: Any = None, walltime: float | None = None) -> None:
        """Writes a text in Markdown."""
        self._add(summary.text(tag, text_string), global_step, walltime)

    def add_graph(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: what a model computes is not recorded as a graph."""
        raise NotImplementedError("add_graph(): needs the graph of a model, which RusTorch does not record")

    def add_onnx_graph(self, prototxt: Any) -> NoReturn:
        """Refused: models in ONNX are not read."""
        raise NotImplementedError("add_onnx_graph(): RusTorch reads no models in ONNX")

    def add_embedding(
        self,
        mat: Any,
        metadata: Any = None,
        label_img: Any = None,
        global_step: Any = None,
        tag: str = "default",
        metadata_header: list[str] | None = None,
    ) -> None:
        """Writes points (N, D) for the projector, each with a label, or several under a header, and an image."""
        points = make_np(mat)
        step = f"{0 if global_step is None else global_step:0>5}"
        for part, name in ((metadata, "labels"), (label_img, "images")):
            if part is not None and len(part) != len(points):
                raise ValueError(f"add_embedding(): #{name} should equal with #data points, {len(points)}")
        if points.ndim != 2:
            raise ValueError(f"add_embedding(): mat should be 2D, but has shape {points.shape}")
        encoded_tag = tag.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")
        place = f"{step}/{encoded_tag}"
        folder = Path(self._get_file_writer().get_logdir(), place)
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["\t".join(map(str, row)) for row in points.tolist()]
        (folder / "tensors.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        config: Any = import_module("tensorboard.plugins.projector.projector_config_pb2")
        info = config.EmbeddingInfo(tensor_name=f"{tag}:{step}", tensor_path=f"{place}/tensors.tsv")
        if metadata is not None:
            rows = [[str(label)] for label in metadata]
            if metadata_header:
                rows = [list(map(str, row)) for row in [metadata_header, *metadata]]
            content = "\n".join("\t".join(row) for row in rows) + "\n"
            (folder / "metadata.tsv").write_text(content, encoding="utf-8")
            info.metadata_path = f"{place}/metadata.tsv"
        if label_img is not None:
            images = make_np(label_img)
            (folder / "sprite.png").write_bytes(_sprite(images))
            info.sprite.image_path = f"{place}/sprite.png"
            info.sprite.single_image_dim.extend([images.shape[3], images.shape[2]])
        if self._embeddings is None:
            self._embeddings = config.ProjectorConfig()
        self._embeddings.embeddings.extend([info])
        written: Any = import_module("google.protobuf.text_format")
        target = Path(self._get_file_writer().get_logdir(), "projector_config.pbtxt")
        target.write_text(written.MessageToString(self._embeddings), encoding="utf-8")

    def add_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        global_step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Writes a curve of precision and recall: labels are 0 or 1, predictions from 0 to 1."""
        self._add(summary.pr_curve(tag, labels, predictions, num_thresholds, weights), global_step, walltime)

    def add_pr_curve_raw(
        self,
        tag: str,
        true_positive_counts: Any,
        false_positive_counts: Any,
        true_negative_counts: Any,
        false_negative_counts: Any,
        precision: Any,
        recall: Any,
        global_step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Writes a curve of precision and recall of which everything is known; `weights` is not used."""
        del weights
        counts = (true_positive_counts, false_positive_counts, true_negative_counts, false_negative_counts)
        self._add(summary.pr_curve_raw(tag, *counts, precision, recall, num_thresholds), global_step, walltime)

    def add_custom_scalars_multilinechart(
        self, tags: list[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """Shows several scalars in one chart."""
        self._add(summary.custom_scalars({category: {title: ["Multiline", tags]}}), None, None)

    def add_custom_scalars_marginchart(
        self, tags: list[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """Shows a scalar between two others, the lower and the upper margin: three tags."""
        self._add(summary.custom_scalars({category: {title: ["Margin", tags]}}), None, None)

    def add_custom_scalars(self, layout: dict[str, dict[str, Any]]) -> None:
        """Shows charts by category and title, each ['Multiline', tags] or ['Margin', three tags]."""
        self._add(summary.custom_scalars(layout), None, None)

    def add_mesh(
        self,
        tag: str,
        vertices: Any,
        colors: Any = None,
        faces: Any = None,
        config_dict: dict[str, Any] | None = None,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Writes point clouds (N, points, 3), in colours (N, points, 3), or surfaces by faces (N, triangles, 3)."""
        self._add(summary.mesh(tag, vertices, colors, faces, config_dict), global_step, walltime)

    def add_hparams(
        self,
        hparam_dict: dict[str, Any],
        metric_dict: dict[str, Any],
        hparam_domain_discrete: dict[str, list[Any]] | None = None,
        run_name: str | None = None,
        global_step: Any = None,
    ) -> None:
        """Writes hyperparameters and what they led to, as a run of its own in the folder, for the table of runs."""
        if not isinstance(hparam_dict, dict) or not isinstance(metric_dict, dict):
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        contents = summary.hparams(hparam_dict, metric_dict, hparam_domain_discrete)
        with SummaryWriter(Path(self._get_file_writer().get_logdir(), run_name or str(time.time()))) as run:
            for content in contents:
                run._add(content, global_step, None)
            for tag, value in metric_dict.items():
                run.add_scalar(tag, value, global_step)

    def flush(self) -> None:
        """Waits until everything is in the files."""
        for writer in self.all_writers.values():
            writer.flush()

    def close(self) -> None:
        """Ends the files."""
        for writer in self.all_writers.values():
            writer.flush()
            writer.close()
        self.file_writer, self.all_writers = None, {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _sprite(images: Any) -> bytes:
    """Images (N, C, H, W) in one square picture, row after row, as the projector finds them."""
    pillow: Any = import_module("PIL.Image")
    grid = make_grid(images, math.ceil(len(images) ** 0.5)).transpose(1, 2, 0)
    side = max(grid.shape[:2])
    square = np.zeros((side, side, 3), dtype=np.float32)
    square[: grid.shape[0], : grid.shape[1]] = grid
    return encoded(pillow.fromarray((square * 255).clip(0, 255).astype(np.uint8)), format="PNG")
