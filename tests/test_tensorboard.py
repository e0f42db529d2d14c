"""What SummaryWriter writes, as the package tensorboard reads it."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rustorch

pytest.importorskip("tensorboard", reason="needs the package tensorboard")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def events(folder: Path) -> list[Any]:
    """The events of the one file in a folder, in order, but for the version."""
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event

    (file,) = sorted(folder.glob("events.out.tfevents.*"))
    return [event for raw in RawEventFileLoader(str(file)).Load() if not (event := Event.FromString(raw)).file_version]


def written(folder: Path, add: Any) -> Any:
    """The one value that an add writes."""
    from rustorch.utils.tensorboard import SummaryWriter

    with SummaryWriter(folder) as writer:
        add(writer)
    (event,) = events(folder)
    (value,) = event.summary.value
    return value


def picture(value: Any) -> np.ndarray:
    image = pytest.importorskip("PIL.Image")
    return np.asarray(image.open(io.BytesIO(value.image.encoded_image_string)))


def test_scalars(tmp_path: Path) -> None:
    from rustorch.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("loss", 0.5, 3, walltime=7.0)
        writer.add_scalar("loss", rustorch.tensor([0.25], requires_grad=True), rustorch.tensor(4))
        writer.add_scalar("new", 1 / 3, 5, new_style=True, double_precision=True)
        writer.flush()
        found = events(tmp_path)
        assert [(e.step, e.summary.value[0].simple_value) for e in found[:2]] == [(3, 0.5), (4, 0.25)]
        assert found[0].wall_time == 7
        assert found[2].summary.value[0].tensor.double_val[:] == [1 / 3]
        assert found[2].summary.value[0].metadata.plugin_data.plugin_name == "scalars"
        with pytest.raises((ValueError, AssertionError), match=r"element"):
            writer.add_scalar("loss", rustorch.zeros(2))
        assert writer.get_logdir() == str(tmp_path) or writer.get_logdir() == tmp_path


def test_several_scalars_have_a_folder_each(tmp_path: Path) -> None:
    from rustorch.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path) as writer:
        writer.add_scalars("run/loss", {"train": 1.0, "test": 2.0}, 1)
        writer.add_scalars("run/loss", {"train": 0.5}, 2)
    values = {
        name: [(e.summary.value[0].tag, e.summary.value[0].simple_value) for e in events(tmp_path / f"run_loss_{name}")]
        for name in ("train", "test")
    }
    assert values == {"train": [("run/loss", 1.0), ("run/loss", 0.5)], "test": [("run/loss", 2.0)]}


def test_a_closed_writer_begins_another_file(tmp_path: Path) -> None:
    from rustorch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(tmp_path, purge_step=2, filename_suffix=".x")
    writer.close()
    (file,) = tmp_path.iterdir()
    assert file.name.endswith(".x")
    (session,) = events(tmp_path)
    assert (session.step, session.session_log.status) == (2, 1)
    file.unlink()
    writer.add_scalar("a", 1.0)
    writer.close()
    assert len(events(tmp_path)) == 1


def test_histograms(tmp_path: Path) -> None:
    value = written(
        tmp_path, lambda w: w.add_histogram("h", rustorch.tensor([1.0, 1.0, -2.0, 4.0]), bins=[-3, 0, 2, 5, 9])
    )
    histo = value.histo
    assert (histo.min, histo.max, histo.num, histo.sum, histo.sum_squares) == (-2, 4, 4, 4, 22)
    # A bin is named by its upper limit; an empty one is before the first.
    assert list(zip(histo.bucket_limit, histo.bucket, strict=True)) == [(-3, 0), (0, 1), (2, 2), (5, 1)]


def test_bins_that_grow(tmp_path: Path) -> None:
    values = rustorch.randn(1000)
    histo = written(tmp_path, lambda w: w.add_histogram("h", values)).histo
    assert sum(histo.bucket) == 1000
    limits = np.array(histo.bucket_limit)
    counts, _ = np.histogram(values.numpy(), bins=limits)
    assert counts.tolist() == list(histo.bucket)[1:]
    positive = limits[limits > 1e-10]
    np.testing.assert_allclose(positive[1:] / positive[:-1], 1.1)


def test_fewer_bins(tmp_path: Path) -> None:
    values = rustorch.arange(10.0)
    histo = written(tmp_path, lambda w: w.add_histogram("h", values, bins=list(range(11)), max_bins=5)).histo
    assert list(histo.bucket) == [0, 2, 2, 2, 2, 2]
    assert list(histo.bucket_limit) == [0, 2, 4, 6, 8, 10]


def test_raw_histograms(tmp_path: Path) -> None:
    histo = written(tmp_path, lambda w: w.add_histogram_raw("h", 0, 3, 4, 6, 14, [1, 2, 3], [1, 1, 2], 1)).histo
    assert (histo.max, list(histo.bucket)) == (3, [1, 1, 2])


def test_images(tmp_path: Path) -> None:
    pixels = rustorch.arange(2 * 4 * 3).reshape(2, 4, 3) / 24
    value = written(tmp_path, lambda w: w.add_image("i", pixels, dataformats="HWC"))
    assert (value.image.height, value.image.width, value.image.colorspace) == (2, 4, 3)
    assert picture(value).tolist() == (pixels.numpy() * np.float32(255)).astype(np.uint8).tolist()


def test_bytes_and_grey_images(tmp_path: Path) -> None:
    grey = rustorch.tensor([[0, 100], [200, 255]], dtype=rustorch.uint8)
    assert (
        picture(written(tmp_path, lambda w: w.add_image("i", grey, dataformats="HW")))[:, :, 1].tolist()
        == grey.tolist()
    )


def test_grids_of_images(tmp_path: Path) -> None:
    images = rustorch.arange(10, dtype=rustorch.uint8).reshape(10, 1, 1, 1) * 20
    grid = picture(written(tmp_path, lambda w: w.add_images("i", images)))
    assert grid.shape == (2, 8, 3)
    assert grid[:, :, 0].tolist() == [[0, 20, 40, 60, 80, 100, 120, 140], [160, 180, 0, 0, 0, 0, 0, 0]]


def test_boxes(tmp_path: Path) -> None:
    boxes = rustorch.tensor([[2, 3, 12, 10]])
    value = written(tmp_path, lambda w: w.add_image_with_boxes("i", rustorch.zeros(3, 16, 16), boxes, rescale=1))
    red = picture(value)[:, :, 0] > 0
    assert red[3, 2:12].all()
    assert not red[6, 5:9].any()


@pytest.mark.rustorch_only  # PyTorch needs moviepy
def test_videos(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    video = rustorch.zeros(3, 2, 3, 4, 5)
    video[0, 1] = 1
    value = written(tmp_path, lambda w: w.add_video("v", video, fps=10))
    frames = image.open(io.BytesIO(value.image.encoded_image_string))
    assert (frames.n_frames, frames.size, frames.info["duration"]) == (2, (20, 4), 100)
    frames.seek(1)
    shown = np.asarray(frames.convert("L"))
    assert shown[:4, :5].min() == 255
    assert shown[:, 5:].max() == 0


def test_sounds(tmp_path: Path) -> None:
    sound = rustorch.tensor([[0.0, 0.5, -0.5, 1.0]])
    value = written(tmp_path, lambda w: w.add_audio("a", sound, sample_rate=8000))
    assert (value.audio.sample_rate, value.audio.length_frames, value.audio.content_type) == (8000, 4, "audio/wav")
    with wave.open(io.BytesIO(value.audio.encoded_audio_string)) as file:
        samples = np.frombuffer(file.readframes(4), dtype="<i2")
    assert samples.tolist() == [0, 16383, -16383, 32767]


def test_texts(tmp_path: Path) -> None:
    value = written(tmp_path, lambda w: w.add_text("t", "**ü**"))
    assert value.tag == "t/text_summary"
    assert value.metadata.plugin_data.plugin_name == "text"
    assert value.tensor.string_val[0].decode() == "**ü**"


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int16", "bool", "complex64"])
def test_tensors(tmp_path: Path, dtype: str) -> None:
    make = pytest.importorskip("tensorboard.util.tensor_util").make_ndarray
    tensor = rustorch.tensor([[0, 1, 0], [3, 0, 5]]).to(getattr(rustorch, dtype))
    value = written(tmp_path, lambda w: w.add_tensor("x", tensor))
    assert value.metadata.plugin_data.plugin_name == "tensor"
    if dtype != "complex64":
        assert make(value.tensor).tolist() == tensor.tolist()
    else:
        assert value.tensor.scomplex_val[:] == [0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 5, 0]


@pytest.mark.rustorch_only  # PyTorch writes the bits of float32, which no reader takes for those of float16
@pytest.mark.parametrize(("dtype", "bits"), [("float16", [0x3C00, 0xC100]), ("bfloat16", [0x3F80, 0xC020])])
def test_tensors_of_half_precision(tmp_path: Path, dtype: str, bits: list[int]) -> None:
    tensor = rustorch.tensor([1.0, -2.5], dtype=getattr(rustorch, dtype))
    value = written(tmp_path, lambda w: w.add_tensor("x", tensor))
    assert value.tensor.half_val[:] == bits


def test_curves_of_precision_and_recall(tmp_path: Path) -> None:
    labels = np.array([0, 1, 1, 0, 1])
    predictions = np.array([0.1, 0.4, 0.8, 0.6, 0.9])
    value = written(tmp_path, lambda w: w.add_pr_curve("p", labels, predictions, num_thresholds=5))
    true, false, true_negative, false_negative, precision, recall = np.reshape(value.tensor.float_val, (6, 5))
    # Thresholds 0, 1/4, 1/2, 3/4, 1.
    assert true.tolist() == [3, 3, 2, 2, 0]
    assert false.tolist() == [2, 1, 1, 0, 0]
    assert true_negative.tolist() == [0, 1, 1, 2, 2]
    assert false_negative.tolist() == [0, 0, 1, 1, 3]
    np.testing.assert_allclose(precision, [3 / 5, 3 / 4, 2 / 3, 1, 0], atol=1e-6)
    np.testing.assert_allclose(recall, [1, 1, 2 / 3, 2 / 3, 0], atol=1e-6)
    assert value.metadata.plugin_data.plugin_name == "pr_curves"


def test_custom_charts(tmp_path: Path) -> None:
    from tensorboard.plugins.custom_scalar.layout_pb2 import Layout

    layout = {"A": {"lines": ["Multiline", ["a", "b"]], "band": ["Margin", ["m", "lo", "hi"]]}}
    value = written(tmp_path, lambda w: w.add_custom_scalars(layout))
    (category,) = Layout.FromString(value.tensor.string_val[0]).category
    assert [chart.title for chart in category.chart] == ["lines", "band"]
    assert list(category.chart[0].multiline.tag) == ["a", "b"]
    assert category.chart[1].margin.series[0].lower == "lo"


def test_meshes(tmp_path: Path) -> None:
    from rustorch.utils.tensorboard import SummaryWriter

    points = rustorch.arange(12.0).reshape(1, 4, 3)
    with SummaryWriter(tmp_path) as writer:
        writer.add_mesh("m", points, faces=rustorch.tensor([[[0, 1, 2]]]))
    (event,) = events(tmp_path)
    assert [value.tag for value in event.summary.value] == ["m_VERTEX", "m_FACE"]
    assert event.summary.value[0].tensor.float_val[:] == list(range(12))


def test_embeddings(tmp_path: Path) -> None:
    from rustorch.utils.tensorboard import SummaryWriter

    image = pytest.importorskip("PIL.Image")
    points = rustorch.arange(6.0).reshape(3, 2)
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(
            points, metadata=["a", "b", "c"], label_img=rustorch.ones(3, 3, 2, 2), tag="x/y", global_step=7
        )
        writer.add_embedding(points, metadata=[[1, 2]] * 3, metadata_header=["p", "q"])
        with pytest.raises((ValueError, AssertionError), match="#labels should equal"):
            writer.add_embedding(points, metadata=["a"], global_step=9)
    folder = tmp_path / "00007" / "x%2fy"
    assert (folder / "tensors.tsv").read_text() == "0.0\t1.0\n2.0\t3.0\n4.0\t5.0\n"
    assert (folder / "metadata.tsv").read_text() == "a\nb\nc\n"
    with image.open(folder / "sprite.png") as sprite:
        assert sprite.size == (4, 4)
    assert (tmp_path / "00000" / "default" / "metadata.tsv").read_text() == "p\tq\n" + "1\t2\n" * 3
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_name: "x/y:00007"' in config
    assert 'tensor_path: "00000/default/tensors.tsv"' in config


def test_hyperparameters(tmp_path: Path) -> None:
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    from rustorch.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams(
            {"lr": 0.1, "name": "adam", "none": None}, {"accuracy": 0.9}, {"name": ["sgd", "adam"]}, run_name="one"
        )
        with pytest.raises(TypeError, match="dictionary"):
            writer.add_hparams([], {})
        with pytest.raises(ValueError, match="value should be one of"):
            writer.add_hparams({"a": []}, {})
    found = events(tmp_path / "one")
    assert found[-1].summary.value[0].tag == "accuracy"
    data = [HParamsPluginData.FromString(e.summary.value[0].metadata.plugin_data.content) for e in found[:3]]
    experiment = data[0].experiment
    assert [
        (info.name, list(info.domain_discrete.values and [v.string_value for v in info.domain_discrete.values]))
        for info in experiment.hparam_infos
    ] == [("lr", []), ("name", ["sgd", "adam"])]
    assert experiment.metric_infos[0].name.tag == "accuracy"
    assert data[1].session_start_info.hparams["lr"].number_value == 0.1
    assert data[2].session_end_info.status == 1


@pytest.mark.rustorch_only
def test_refusals(tmp_path: Path) -> None:
    from rustorch.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path) as writer:
        with pytest.raises(NotImplementedError, match="add_graph"):
            writer.add_graph(rustorch.nn.Linear(1, 1))
        with pytest.raises(ValueError, match="dataformats"):
            writer.add_image("i", rustorch.zeros(3, 2), dataformats="CHW")
        with pytest.raises(TypeError, match="list"):
            writer.add_scalar("a", [1])
