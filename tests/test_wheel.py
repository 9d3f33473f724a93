"""The wheel holds the product and nothing else, and works away from the checkout."""

import email
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

import vidstyle
from vidstyle.media.video.reader import open_clip

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
    """A program of an environment that the wheel and the example of a plug-in are installed in,
    run in another folder; what it says."""
    fresh, elsewhere = tmp_path_factory.mktemp("fresh"), tmp_path_factory.mktemp("elsewhere")
    venv.create(fresh)
    python = fresh / "bin/python"
    about = sysconfig.get_paths(vars={"base": str(fresh), "platbase": str(fresh)})
    # Only the dependencies are the tests' own: of a folder named here, no .pth file is read, so
    # that an editable vidstyle stays out.
    Path(about["purelib"], "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    plugin = tmp_path_factory.mktemp("plugin") / "source"
    shutil.copytree(ROOT / "examples/vidstyle_onnx", plugin)
    nothing = str(tmp_path_factory.mktemp("nothing"))
    places = dict.fromkeys(("VIDSTYLE_MODEL_PATH", "XDG_CACHE_HOME", "TORCH_HOME"), nothing)
    environment = {**os.environ, **places}
    environment.pop("PYTHONPATH", None)
    for package in (wheel, plugin):
        pip("--python", python, "install", "--no-build-isolation", "--no-index", package)

    def call(program: str, *arguments: object) -> str:
        command = [str(fresh / "bin" / program), *map(str, arguments)]
        done = subprocess.run(
            command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    found = call("python", "-c", "import vidstyle; print(vidstyle.__file__)").strip()
    assert Path(found).is_relative_to(fresh)
    return call


def pip(*arguments: object) -> None:
    options = os.environ | {"PIP_NO_DEPS": "1", "PIP_QUIET": "1"}
    command = [sys.executable, "-m", "pip", *map(str, arguments)]
    subprocess.run(command, check=True, env=options)


def test_the_source_distribution_holds_what_is_tested_and_told(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns(
        *("__pycache__", "*.egg-info", "build", "dist", "runs", ".venv", ".git", "*_cache")
    )
    shutil.copytree(ROOT, tmp_path / "source", ignore=ignored)
    program = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        cwd=tmp_path / "source",
        check=True,
        capture_output=True,
    )
    with tarfile.open(tmp_path / f"vidstyle-{vidstyle.__version__}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    folders = ("vidstyle", "tests", "docs", "examples", "tools")
    wanted = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".egg-info" not in str(path)
    }
    assert wanted <= names
    assert {"README.md", "CHANGELOG.md", "ARCHITECTURE.md", "LICENSE", ".ci/run"} <= names
    assert not any("__pycache__" in name for name in names)


def test_its_metadata_tells_where_it_runs(wheel: Path) -> None:
    about = f"vidstyle-{vidstyle.__version__}.dist-info/METADATA"
    told = email.message_from_bytes(zipfile.ZipFile(wheel).read(about))
    classifiers = set(told.get_all("Classifier"))
    tested = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    versions = tested["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert {f"Programming Language :: Python :: {version}" for version in versions} <= classifiers
    assert any(each.startswith("Operating System ::") for each in classifiers)
    assert told["Author"]


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
    assert vidstyle.__version__ in installed("vidstyle", "--version")
    assert "yolov3-tiny" in installed("vidstyle", "models", "list")


@needs_model
def test_it_renders_with_the_bundled_model(installed, shot, style_picture, tmp_path: Path) -> None:
    target = tmp_path / "styled.mp4"
    options = ("--style", style_picture, "--device", "cpu", "--out", 1, "-o", target)
    installed("vidstyle", "-q", "render", shot.clip, *options)
    assert target.stat().st_size


def test_it_renders_with_an_installed_plug_in(
    installed, shot, negative: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    target, report = tmp_path / "out.%04d.png", tmp_path / "report.json"
    assert "vidstyle-onnx 0.1.0" in installed("vidstyle", "models", "list")
    parts = ("--model", "onnx", "--style", negative, "--device", "cpu", "--temporal", "off")
    installed("vidstyle", "render", shot.clip, *parts, "--out", 1, "-o", target, "--report", report)
    assert "vidstyle-onnx 0.1.0" in report.read_text()
    frames = zip(
        open_clip(str(shot.clip)).frames(0, 2), open_clip(str(target)).frames(), strict=True
    )
    for plate, result in frames:
        off = result.image.numpy().astype(int) - (255 - plate.image.numpy().astype(int))
        assert np.abs(off).max() <= 1
