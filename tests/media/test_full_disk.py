"""A disk that refuses: one clear reason, no crash, nothing left."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vidstyle.errors import MediaError
from vidstyle.media.frame import Frame
from vidstyle.media.video.writer import open_writer

# A process of its own: what FFmpeg does to a closed container, no exception tells.
NOISE = """
import resource, sys, torch
from fractions import Fraction
from vidstyle.errors import MediaError
from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.colour import ColourTags
from vidstyle.media.video.overlap import WriteBehind
from vidstyle.media.video.writer import open_writer

info = ClipInfo("", 256, 256, Fraction(25), Fraction(1, 25), colour=ColourTags())
image = torch.randint(0, 256, (256, 256, 3), dtype=torch.uint8)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for argument in sys.argv[1:]:
    target, codec = argument.split("=")
    try:
        with WriteBehind(open_writer(target, info, codec=codec), 8) as writer:
            for number in range(60):
                writer.write(Frame(image.roll(number, 0), number, number, info.time_base))
    except MediaError as error:
        print(error, flush=True)
"""
MOVIES = [
    ("out.mp4", "h264"),
    ("out.mkv", "h264"),
    ("out.mov", "prores"),
    ("out.mp4", "hevc"),
    ("out.mkv", "ffv1"),
    ("out.mov", "dnxhr-hqx"),
    ("out.mp4", "av1"),
    ("out.avi", "ffv1"),
]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_what_does_not_fit_is_told_and_crashes_nothing(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root), "SVT_LOG": "1"}
    wanted = [f"{tmp_path / name}={codec}" for name, codec in MOVIES]
    done = subprocess.run(
        [sys.executable, "-c", NOISE, *wanted],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{tmp_path / name}: cannot be written (File too large); "
        "this file system or limit holds no file of that size"
        for name, _ in MOVIES
    ]
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
@pytest.mark.parametrize("suffix", ["png", "exr", "dpx", "tif"])
@pytest.mark.parametrize("short", [1, 20_000])
def test_a_picture_that_is_cut_off_is_told(tmp_path, info, suffix: str, short: int) -> None:
    """Wherever it breaks off: what a library writes last is lost most easily."""
    pytest.importorskip("OpenImageIO", reason="the post extra")
    import resource

    movie = info(128, 128, bits=16)
    noise = torch.randint(0, 65536, (128, 128, 3), dtype=torch.int32).to(torch.uint16)

    def render(name: str) -> None:
        with open_writer(str(tmp_path / name), movie) as writer:
            writer.write(Frame(noise, 0, 0, movie.time_base))

    render(f"whole.{suffix}")
    limit = (tmp_path / f"whole.{suffix}").stat().st_size - short
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(MediaError, match=rf"cut\.{suffix}: cannot be written"):
            render(f"cut.{suffix}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir()] == [f"whole.{suffix}"]


@pytest.mark.parametrize("name", ["out.mp4", "out.%04d.png"])
def test_a_folder_that_has_gone_is_not_called_full(tmp_path, info, pan, name: str) -> None:
    folder, movie = tmp_path / "mounted", info()
    folder.mkdir()

    def render() -> None:
        with open_writer(str(folder / name), movie) as writer:
            frames = pan(movie, 3)
            writer.write(frames[0])
            shutil.rmtree(folder)
            writer.write(frames[1])

    with pytest.raises(MediaError, match="its folder has gone"):
        render()
