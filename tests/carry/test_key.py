"""Painted frames as they are delivered."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidstyle.carry.key import KeyName, read_key
from vidstyle.errors import MediaError, UsageError

SIZE = (24, 32)


def written(path: Path, alpha: float | None, premultiplied: bool = False) -> Path:
    """An orange picture whose left half is opaque and whose right half has ``alpha``."""
    channels = 3 if alpha is None else 4
    picture = np.zeros((*SIZE, channels), np.float32)
    picture[..., :3] = np.float32([0.2, 0.5, 0.9])  # BGR
    if alpha is not None:
        picture[..., 3] = 1
        picture[:, 16:, 3] = alpha
        if premultiplied:
            picture[..., :3] *= picture[..., 3:]
    match path.suffix:
        case ".exr":
            import OpenImageIO

            spec = OpenImageIO.ImageSpec(SIZE[1], SIZE[0], channels, "float")
            output = OpenImageIO.ImageOutput.create(str(path))
            output.open(str(path), spec)
            order = [2, 1, 0, 3][:channels]
            output.write_image(np.ascontiguousarray(picture[..., order]))
            output.close()
        case ".tif":
            cv2.imwrite(str(path), (picture * 65535).round().astype(np.uint16))
        case _:
            cv2.imwrite(str(path), (picture * 255).round().astype(np.uint8))
    return path


@pytest.mark.parametrize("name", ["k.png", "k.tif", "k.jpg"])
def test_a_picture_over_the_plate_has_no_outline(tmp_path: Path, name: str) -> None:
    key = read_key(KeyName(written(tmp_path / name, None), 3), SIZE)
    assert key.outline is None
    assert key.picture.shape == (1, 3, *SIZE)
    assert torch.allclose(key.picture[0, :, 12, 8], torch.tensor([0.9, 0.5, 0.2]), atol=0.03)


@pytest.mark.parametrize("name", ["k.png", "k.tif"])
def test_alpha_is_the_outline(tmp_path: Path, name: str) -> None:
    key = read_key(KeyName(written(tmp_path / name, 0.0), 3), SIZE)
    assert key.outline is not None
    assert key.outline[..., 8].min() == 1
    assert key.outline[..., 24].max() == 0
    opaque = read_key(KeyName(written(tmp_path / f"o{name}", 1.0), 3), SIZE)
    assert opaque.outline is None


def test_colours_of_a_premultiplied_picture_are_what_was_painted(tmp_path: Path) -> None:
    path = written(tmp_path / "k.exr", 0.5, premultiplied=True)
    key = read_key(KeyName(path, 3), SIZE)
    assert key.outline is not None
    assert torch.allclose(key.picture[..., 24], key.picture[..., 8], atol=0.01)


@pytest.mark.parametrize("text", ["k.png", "k.png@", "@3", "k.png@-1", "k.png@x"])
def test_a_key_names_its_frame(text: str) -> None:
    with pytest.raises(UsageError, match="no frame given"):
        KeyName.parsed(text)


def test_a_name_may_hold_the_sign() -> None:
    assert KeyName.parsed("a@b.png@12") == KeyName(Path("a@b.png"), 12)


def test_unusable_pictures_are_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"32x24 pixels, but the clip has 64x48"):
        read_key(KeyName(written(tmp_path / "k.png", None), 3), (48, 64))
    with pytest.raises(MediaError, match="no such picture"):
        read_key(KeyName(tmp_path / "none.png", 3), SIZE)
    cv2.imwrite(str(tmp_path / "clear.png"), np.zeros((*SIZE, 4), np.uint8))
    with pytest.raises(MediaError, match="transparent"):
        read_key(KeyName(tmp_path / "clear.png", 3), SIZE)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(MediaError, match=r"text\.png"):
        read_key(KeyName(tmp_path / "text.png", 3), SIZE)
