"""Pictures that come back from disk as they were."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.farm.lossless import coder
from vidstyle.farm.rendered import FramesWriter, images
from vidstyle.media.frame import Frame

DEPTHS = {torch.uint8: 255, torch.uint16: 65535, torch.float32: 4}


def noise(height: int, width: int, channels: int, dtype: torch.dtype, seed: int = 0) -> Tensor:
    drawn = np.random.default_rng(seed).random((height, width, channels)) * DEPTHS[dtype]
    return torch.from_numpy(drawn.astype(str(dtype).removeprefix("torch.")))


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (180, 321)])
def test_a_picture_comes_back(size, channels: int, dtype: torch.dtype) -> None:
    pictures = [noise(*size, channels, dtype, seed) for seed in range(3)]
    encoder = coder(pictures[0])
    packets = [encoder.encode(picture) for picture in pictures]
    decoder = coder(pictures[0], encoder.header)
    # In any order: each stands for itself.
    for picture, packet in reversed(list(zip(pictures, packets, strict=True))):
        assert torch.equal(decoder.decode(packet), picture)


@pytest.mark.parametrize("dtype", DEPTHS)
def test_damage_is_told(dtype: torch.dtype) -> None:
    picture = noise(48, 64, 3, dtype)
    encoder = coder(picture)
    packet = encoder.encode(picture)
    for damaged in (b"", bytes(40), packet[:-5], packet[5:]):
        with pytest.raises(ValueError, match="a damaged picture"):
            coder(picture, encoder.header).decode(damaged)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
def test_a_photograph_takes_less(dtype: torch.dtype) -> None:
    """Of 16 bits only eight are a photograph's own here: the others are noise, as a sensor's."""
    picture = torch.from_numpy(skimage.data.chelsea())
    if dtype is torch.uint16:
        low = torch.randint(0, 64, picture.shape, generator=torch.Generator().manual_seed(0))
        picture = (picture.int() * 257 + low).clamp(max=65535).to(dtype)
    size = len(coder(picture).encode(picture))
    assert size < 0.75 * picture.numel() * picture.element_size()


def test_a_file_of_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "00000.frames"
    pictures = [noise(48, 64, 3, torch.uint8, seed) for seed in range(2)]
    with path.open("wb") as file, FramesWriter(file) as writer:
        for number, picture in enumerate(pictures):
            writer.write(Frame(picture, number, number, Fraction(1, 25)))
    assert all(map(torch.equal, images(path, 2, pictures[0]), pictures))
    for like in (noise(49, 64, 3, torch.uint8), noise(48, 64, 3, torch.uint16)):
        with pytest.raises(MediaError, match="another size or depth"):
            list(images(path, 2, like))
    with pytest.raises(MediaError, match="cut off"):
        list(images(path, 3, pictures[0]))
