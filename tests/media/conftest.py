"""Photographic clips made on the spot, and real ones where the data is at hand."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.colour import ColourTags

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def real() -> Callable[[str], str]:
    """The path of a real clip or folder below the data folder; skips without it."""

    def path(name: str) -> str:
        if not (DATA / name).exists():
            pytest.skip(f"no {name} on this machine")
        return str(DATA / name)

    return path


@pytest.fixture(scope="session")
def info() -> Callable[..., ClipInfo]:
    """A description of an 8-bit BT.709 clip; fields can be set."""

    def make(height: int = 72, width: int = 96, **fields: object) -> ClipInfo:
        values: dict[str, object] = {
            "path": "generated",
            "width": width,
            "height": height,
            "rate": Fraction(25),
            "time_base": Fraction(1, 12800),
            "start_pts": 0,
            "frame_count": None,
            "duration": None,
            "codec": "h264",
            "pix_fmt": "yuv420p",
            "bits": 8,
            "colour": ColourTags(1, 1, 1, 1),
        }
        return ClipInfo(**(values | fields))  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def pan() -> Callable[..., list[Frame]]:
    """A camera move over a bundled photograph, as frames of the given description."""

    def make(info: ClipInfo, count: int, photo: str = "astronaut", step: int = 3) -> list[Frame]:
        picture = getattr(skimage.data, photo)()
        tick = round(1 / (info.rate * info.time_base))
        frames = []
        for i in range(count):
            crop = picture[40 : 40 + info.height, i * step : i * step + info.width]
            if info.bits > 8:
                crop = crop.astype(np.uint16) * 257
            image = torch.from_numpy(np.ascontiguousarray(crop))
            frames.append(Frame(image, i, info.start_pts + i * tick, info.time_base))
        return frames

    return make
