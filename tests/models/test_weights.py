"""Finding, verifying and loading weights that are on this machine."""

import hashlib
import os
from pathlib import Path

import pytest
import safetensors.torch
import torch

from vidstyle.errors import WeightsError
from vidstyle.models import weights
from vidstyle.models.registry import (
    LIGHT_SET,
    REGISTRY,
    Member,
    NpmMember,
    SamDecoder,
    Url,
    WeightFile,
    Weights,
)

CONTENT = b"a small network"


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Weights:
    """A registry entry of two files, found nowhere yet."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    files = tuple(WeightFile(name, len(CONTENT), digest, ()) for name in ("toy.bin", "toy.cfg"))
    entry = Weights("detector", "MIT", files)
    monkeypatch.setitem(REGISTRY, "toy", entry)
    return entry


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Path]:
    """The searched folders, all of them empty: two listed ones, the cache, torch.hub's."""
    listed = [tmp_path / "listed", tmp_path / "second"]
    monkeypatch.setenv("VIDSTYLE_MODEL_PATH", os.pathsep.join(map(str, listed)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(weights, "cache_folder", lambda: tmp_path / "cache")
    return {
        "listed": listed[0],
        "second": listed[1],
        "cache": tmp_path / "cache",
        "torch": tmp_path / "torch/hub/checkpoints",
    }


def put(folder: Path, names: tuple[str, ...] = ("toy.bin", "toy.cfg")) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(CONTENT)


@pytest.mark.usefixtures("toy")
def test_folders_are_searched_in_the_documented_order(folders: dict[str, Path]) -> None:
    assert weights.find("toy") is None
    for place in ("torch", "cache", "second", "listed"):
        put(folders[place])
        assert weights.find("toy") == folders[place] / "toy.bin"


@pytest.mark.usefixtures("toy")
def test_a_folder_that_lacks_a_companion_is_passed_over(folders: dict[str, Path]) -> None:
    put(folders["listed"], names=("toy.bin",))
    put(folders["cache"])
    assert weights.require("toy") == folders["cache"] / "toy.bin"


@pytest.mark.usefixtures("toy", "folders")
def test_missing_weights_name_the_command_and_the_files() -> None:
    with pytest.raises(WeightsError, match="vidstyle models fetch toy") as caught:
        weights.require("toy")
    assert caught.value.exit_code == 4
    assert "toy.bin and toy.cfg" in str(caught.value)


@pytest.mark.usefixtures("toy")
def test_a_corrupt_companion_is_found_out(folders: dict[str, Path]) -> None:
    put(folders["listed"])
    (folders["listed"] / "toy.cfg").write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match=r"toy\.cfg: corrupt"):
        weights.require("toy")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(WeightsError, match=r"yolo9000.*yolov3-tiny"):
        weights.find("yolo9000")


def test_the_registry_is_sound() -> None:
    names = [file.name for entry in REGISTRY.values() for file in entry.files]
    assert len(names) == len(set(names))
    for entry in REGISTRY.values():
        for file in entry.files:
            assert len(file.sha256) in (8, 64)
            assert int(file.sha256, 16) > 0
            assert file.sources
    # The light set must come through a package mirror alone.
    for name in LIGHT_SET:
        for file in REGISTRY[name].files:
            source = file.sources[0]
            if isinstance(source, SamDecoder):
                source = source.graph
            assert isinstance(source, Member | NpmMember)
    for entry in REGISTRY.values():
        for file in entry.files:
            for source in file.sources:
                if isinstance(source, Url):
                    assert source.address.startswith("https://")
                    assert source.address.endswith(file.name)


def style_model(folder: Path, config: str) -> Path:
    folder.mkdir(parents=True)
    safetensors.torch.save_file({"w": torch.zeros(2)}, folder / "weights.safetensors")
    (folder / "config.toml").write_text(config)
    return folder


def test_a_style_model_is_found_by_path_and_by_name(folders: dict[str, Path]) -> None:
    beside = style_model(folders["second"] / "ink", "")
    assert weights.find_model("ink") == beside
    better = style_model(folders["listed"] / "ink", "")
    assert weights.find_model("ink") == better
    assert weights.find_model(beside) == beside
    assert [model.folder for model in weights.style_models() if model.name == "ink"] == [better]


@pytest.mark.usefixtures("folders")
def test_no_such_style_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="--model oil: no such style model"):
        weights.find_model("oil")
    with pytest.raises(WeightsError, match=r"needs weights\.safetensors and config\.toml"):
        weights.find_model(tmp_path / "somewhere/oil")


def test_a_style_model_is_verified_against_its_config(tmp_path: Path) -> None:
    folder = style_model(tmp_path / "ink", "")
    model = weights.ModelFolder(folder)
    with pytest.raises(WeightsError, match="records None"):
        weights.verify_model(model)
    (folder / "config.toml").write_text(f'sha256 = "{weights.sha256(model.weights)}"')
    weights.verify_model(model)
    (folder / "config.toml").write_text("sha256 = ")
    with pytest.raises(WeightsError, match=r"config\.toml"):
        weights.verify_model(model)


def test_both_formats_load_and_nothing_else_does(tmp_path: Path) -> None:
    tensors = {"w": torch.arange(6.0).reshape(2, 3)}
    safetensors.torch.save_file(tensors, tmp_path / "w.safetensors")
    torch.save(tensors, tmp_path / "w.pth")
    for name in ("w.safetensors", "w.pth"):
        assert torch.equal(weights.load_tensors(tmp_path / name)["w"], tensors["w"])
    torch.save({"epoch": 3, **tensors}, tmp_path / "checkpoint.pth")
    with pytest.raises(WeightsError, match="more than named tensors"):
        weights.load_tensors(tmp_path / "checkpoint.pth")
    with pytest.raises(WeightsError, match=r"absent\.pth"):
        weights.load_tensors(tmp_path / "absent.pth")


class Trap:
    """Pickled, it would make a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_loading_a_pickle_runs_no_code(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    torch.save({"w": Trap(sprung)}, tmp_path / "trap.pth")
    with pytest.raises(WeightsError, match=r"trap\.pth") as caught:
        weights.load_tensors(tmp_path / "trap.pth")
    assert "\n" not in str(caught.value)
    assert not sprung.exists()
