"""What a work directory takes for the same footage and settings."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from vidstyle.farm.identity import fingerprint, settings_hash
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.pipeline.parts import Parts
from vidstyle.pipeline.preparation import Request

SIZE = 200_000


def flip(file: Path, place: int) -> None:
    """Change one byte."""
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """200 files of one size."""
    files = [tmp_path / f"plate.{number:04}.dpx" for number in range(200)]
    noise = np.random.default_rng(0)
    for file in files:
        file.write_bytes(noise.bytes(SIZE))
    return files


@pytest.mark.parametrize("place", [0, SIZE // 2, -1])
def test_a_rewritten_frame_makes_other_footage(pictures: list[Path], place: int) -> None:
    pattern = str(pictures[0].with_name("plate.####.dpx"))
    before = fingerprint(pattern)
    assert fingerprint(pattern) == before
    flip(pictures[99], place)
    assert fingerprint(pattern) != before


def test_a_retouched_matte_makes_other_settings(pictures: list[Path]) -> None:
    """Wherever it was touched."""
    parts = cast(Parts, SimpleNamespace(names=dict))
    wanted = StyledObject(f"matte:{pictures[0].parent}", None)
    request = Request(source="clip.mov", objects=[wanted], options=RenderOptions())
    before = settings_hash(request, "", parts, {})
    flip(pictures[99], SIZE // 3)
    assert settings_hash(request, "", parts, {}) != before
