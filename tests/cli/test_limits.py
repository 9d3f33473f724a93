"""Files that claim more pixels than is allowed are refused before memory is taken for them."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.errors import MediaError
from vidstyle.media import limits
from vidstyle.media.picture import read_by_opencv
from vidstyle.train.data import Pictures
from vidstyle.ui.table import thumbnail


@pytest.fixture(autouse=True)
def own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line sets the variable."""
    monkeypatch.setenv(limits.VARIABLE, str(limits.MOST))


def bomb(path: Path, width: int, height: int) -> None:
    """A PNG of a few bytes that claims to be large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    start = b"\x89PNG\r\n\x1a\n"
    path.write_bytes(start + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


@pytest.mark.parametrize("what", ["clip", "style", "sequence"])
def test_more_than_allowed_is_refused_by_name(
    vidstyle, shot, style_picture, tmp_path: Path, what: str
) -> None:
    large = tmp_path / "large.png"
    cv2.imwrite(str(large), np.zeros((300, 300, 3), np.uint8))
    source = {"clip": shot.clip, "style": shot.clip, "sequence": large}[what]
    style = large if what == "style" else style_picture
    most = 90 * 160 if what == "clip" else 96 * 160
    outcome = vidstyle(
        "--max-pixels", most, "render", source, "--style", style, "-o", tmp_path / "out.png"
    )
    assert outcome.code == 3
    assert str(shot.clip if what == "clip" else large) in outcome.err
    assert "--max-pixels" in outcome.err


def test_a_picture_that_would_unpack_to_gigabytes_is_refused(
    vidstyle, style_picture, tmp_path: Path
) -> None:
    bomb(tmp_path / "bomb.png", 60_000, 60_000)
    outcome = vidstyle("render", tmp_path / "bomb.png", "--style", style_picture)
    assert outcome.code == 3
    assert "bomb.png" in outcome.err
    assert outcome.err.splitlines()[-1].startswith("vidstyle: ")


@pytest.mark.parametrize("what", ["style", "mask", "thumbnail", "training", "map"])
def test_no_reader_decodes_before_it_looks(vidstyle, shot, style_picture, tmp_path, what) -> None:
    """OpenCV itself takes a thousand million pixels."""
    path = tmp_path / "bomb.png"
    bomb(path, 30_000, 30_000)
    if what in ("style", "mask"):
        style = path if what == "style" else style_picture
        chosen = ["--object", f"mask:{path}"] if what == "mask" else []
        outcome = vidstyle("render", shot.clip, "--style", style, *chosen, "-o", tmp_path / "o.mp4")
        assert outcome.code == 3
        assert "bomb.png: 30000x30000 pixels are more" in outcome.err
        return
    reader = {
        "thumbnail": lambda: thumbnail(path),
        "training": lambda: Pictures([path], 64)[0],
        "map": lambda: read_by_opencv(path, cv2.IMREAD_GRAYSCALE),
    }[what]
    with pytest.raises(MediaError, match=r"bomb\.png: 30000x30000 pixels are more"):
        reader()
