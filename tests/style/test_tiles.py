"""Tiles: they cover a picture once, keep to their bound, and leave no trace."""

from functools import partial

import pytest
import torch
from torch import Tensor

from vidstyle.models import weights
from vidstyle.style.build import build_stylizer
from vidstyle.style.network import GRID
from vidstyle.style.tiles import tiles, with_halo

CPU = torch.device("cpu")
HALO = 96
PIXELS = 100_000


@pytest.mark.parametrize("size", [(480, 854), (2160, 3840), (4320, 7680), (97, 2001), (5, 3)])
@pytest.mark.parametrize("pixels", [200_000, 2_000_000])
def test_they_cover_the_picture_once_within_the_bound(size: tuple[int, int], pixels: int) -> None:
    covered = torch.zeros(size, dtype=torch.int32)
    for tile in tiles(size, pixels, HALO):
        assert tile.x0 % GRID == tile.y0 % GRID == 0
        covered[tile.rows, tile.columns] += 1
        seen = with_halo(tile, size, HALO)
        assert seen.height * seen.width <= pixels
    assert (covered == 1).all()


def test_a_picture_that_fits_is_one_tile() -> None:
    assert len(tiles((480, 854), 480 * 854, HALO)) == 1


@pytest.mark.parametrize(
    ("model", "size"),
    [("micro", (477, 710)), pytest.param("vgg19", (245, 510), marks=pytest.mark.weights)],
)
def test_the_result_is_the_untiled_one(
    photograph: Tensor, model: str, size: tuple[int, int]
) -> None:
    """Within half a level, though statistics were gathered in tiles as well; strokes and maps are
    those of models that have learned."""
    if model == "vgg19" and weights.find(model) is None:
        pytest.skip("no vgg19 on this machine")
    plate = torch.nn.functional.interpolate(photograph, scale_factor=3, mode="bicubic").clamp(0, 1)
    plate = plate[..., : size[0], : size[1]]
    painting, mask = plate.flip(-1) ** 2, torch.ones_like(plate[:, :1])
    mask[..., :100, :] = 0
    results = []
    for pixels in (None, PIXELS):
        stylizer = build_stylizer(model, CPU)
        if pixels:
            memory = pixels * stylizer.network.pixel_bytes
            stylizer = build_stylizer(model, CPU, memory=memory)
        samples = partial(list, [(plate, mask)])
        transfer = stylizer.transfer(samples, stylizer.style(painting))
        results.append(stylizer(plate, transfer))
    assert len(tiles(size, PIXELS, stylizer.network.reach)) > 1
    assert (results[0] - plate).abs().mean() > 0.05
    assert 255 * (results[0] - results[1]).abs().max() < 0.5
