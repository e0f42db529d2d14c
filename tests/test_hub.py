"""Files of parameters are fetched once, whole, and with the digest that their name says."""

import hashlib
import sys
from pathlib import Path

import pytest

import rustorch
from rustorch import hub
from rustorch.safetensors import save

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_dir", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))


def published(folder: Path, *, digits: str | None = None) -> str:
    """A file of parameters whose name says its digest, or other digits; gives its URL."""
    content = save({"weight": rustorch.arange(3.0)})
    digits = hashlib.sha256(content).hexdigest()[:8] if digits is None else digits
    file = folder / f"net-{digits}.safetensors"
    file.write_bytes(content)
    return file.as_uri()


def test_the_folder_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert hub.get_dir() == str(tmp_path / "home/hub")
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert hub.get_dir() == "/cache/torch/hub"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert hub.get_dir() == str(Path("~/.cache/torch/hub").expanduser())
    hub.set_dir(tmp_path / "own")
    assert hub.get_dir() == str(tmp_path / "own")


def test_a_state_is_fetched_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = published(tmp_path)
    state = hub.load_state_dict_from_url(url, check_hash=True)
    assert state["weight"].tolist() == [0, 1, 2]
    assert "Downloading" in capsys.readouterr().err
    Path(url.removeprefix("file://")).unlink()
    assert rustorch.utils.model_zoo.load_url(url, progress=False)["weight"].tolist() == [0, 1, 2]
    assert capsys.readouterr().err == ""
    assert [file.name for file in Path(hub.get_dir(), "checkpoints").iterdir()] == [url.rpartition("/")[2]]


def test_a_file_with_another_digest_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    url = published(tmp_path, digits="0123abcd")
    with pytest.raises(RuntimeError, match=r'invalid hash value .expected "0123abcd", got "[0-9a-f]{64}"'):
        hub.load_state_dict_from_url(url, check_hash=True, progress=False)
    assert list(Path(hub.get_dir(), "checkpoints").iterdir()) == []
    assert hub.load_state_dict_from_url(url, progress=False, file_name="own.safetensors", model_dir=str(tmp_path / "m"))
    assert (tmp_path / "m/own.safetensors").exists()


def test_a_missing_file_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        hub.load_state_dict_from_url((tmp_path / "nowhere.safetensors").as_uri(), progress=False)
    assert list(Path(hub.get_dir(), "checkpoints").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="about rights of files")
def test_a_fetched_file_has_the_rights_of_new_files(tmp_path: Path) -> None:
    target = tmp_path / "fetched"
    hub.download_url_to_file(published(tmp_path), str(target), progress=False)
    (tmp_path / "new").touch()
    assert target.stat().st_mode == (tmp_path / "new").stat().st_mode
