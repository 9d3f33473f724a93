"""The wheel holds the product and nothing else, and works away from the checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import vidstyle

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "models" / "micro"

needs_model = pytest.mark.skipif(
    not (MODEL / "weights.safetensors").exists(), reason="the bundled model is not built"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the checkout, where no earlier build can leave files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "runs")
    shutil.copytree(ROOT, folder / "source", ignore=ignored)
    pip("wheel", "--no-build-isolation", "--wheel-dir", folder, folder / "source")
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """``python -m vidstyle`` of the installed wheel, run in another folder; what it says."""
    site, elsewhere = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("elsewhere")
    pip("install", "--target", site, wheel)
    nothing = str(tmp_path_factory.mktemp("nothing"))
    places = dict.fromkeys(("VIDSTYLE_MODEL_PATH", "XDG_CACHE_HOME", "TORCH_HOME"), nothing)
    environment = os.environ | places | {"PYTHONPATH": str(site)}

    def call(*arguments: object) -> str:
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(
            command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    found = call("-c", "import vidstyle; print(vidstyle.__file__)").strip()
    assert Path(found).is_relative_to(site)
    return call


def pip(command: str, *arguments: object) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", command, "--quiet", "--no-deps", *map(str, arguments)],
        check=True,
    )


def test_it_holds_every_module_and_nothing_beside_the_package(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "vidstyle").rglob("*.py")}
    assert modules <= names
    assert "vidstyle/py.typed" in names
    about = f"vidstyle-{vidstyle.__version__}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"vidstyle", about}
    assert any(name.startswith(about) and name.endswith("LICENSE") for name in names)


@needs_model
def test_it_holds_the_bundled_model_alone(wheel: Path) -> None:
    files = {
        info.filename: info.file_size
        for info in zipfile.ZipFile(wheel).infolist()
        if info.filename.startswith("vidstyle/_models/")
    }
    folder = "vidstyle/_models/micro/"
    assert files.keys() == {folder + n for n in ("weights.safetensors", "config.toml", "README.md")}
    assert sum(files.values()) < 8e6


def test_it_runs_away_from_the_checkout(installed) -> None:
    assert vidstyle.__version__ in installed("-m", "vidstyle", "--version")
    assert "yolov3-tiny" in installed("-m", "vidstyle", "models", "list")


@needs_model
def test_it_renders_with_the_bundled_model(installed, shot, style_picture, tmp_path: Path) -> None:
    target = tmp_path / "styled.mp4"
    options = ("--style", style_picture, "--device", "cpu", "--out", 1, "-o", target)
    installed("-m", "vidstyle", "-q", "render", shot.clip, *options)
    assert target.stat().st_size
