"""Style distance: nought for the style itself, and by region."""

from pathlib import Path

import cv2
import pytest
import torch

from vidstyle.errors import MediaError
from vidstyle.evaluate.style import StyleDistance
from vidstyle.perceptual.network import MicroPerceptual
from vidstyle.perceptual.statistics import gram, gram_distance

CPU = torch.device("cpu")

#: Of pictures that are as large as the style, or larger.
SIZE = (1000, 1000)


def read(path: Path) -> torch.Tensor:
    return torch.from_numpy(cv2.imread(str(path))[:, :148, ::-1].copy()).movedim(-1, 0)[None] / 255


def test_the_style_itself_is_at_no_distance(style_picture: Path, other_style_picture: Path) -> None:
    distance = StyleDistance(MicroPerceptual(), str(style_picture), SIZE, CPU)
    style, other = read(style_picture), read(other_style_picture)
    for image, low, high in ((style, 0, 1e-9), (other, 0.1, 50)):
        whole = torch.ones_like(image[:, :1])
        for measure in ("gram", "mean_std"):
            assert low <= distance(image, {"all": whole})[measure]["all"] <= high, measure


def test_a_border_is_no_part_of_the_style(style_picture: Path, tmp_path: Path) -> None:
    style = cv2.imread(str(style_picture))[:, :148]
    framed = tmp_path / "framed.png"
    white = (255, 255, 255)
    cv2.imwrite(
        str(framed), cv2.copyMakeBorder(style, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=white)
    )
    distance = StyleDistance(MicroPerceptual(), str(framed), SIZE, CPU)
    image = read(style_picture)[..., 2:-2, 2:-2]
    assert distance(image, {"all": torch.ones_like(image[:, :1])})["gram"]["all"] < 0.05


def test_it_is_the_mean_over_layers_of_the_relative_squared_difference(
    style_picture: Path, other_style_picture: Path
) -> None:
    teacher = MicroPerceptual()
    distance = StyleDistance(teacher, str(style_picture), SIZE, CPU)
    style, other = read(style_picture), read(other_style_picture)
    wanted, seen = teacher(style), teacher(other)
    terms = [gram_distance(gram(seen[layer]), gram(wanted[layer])) for layer in teacher.layers]
    found = distance(other, {"all": torch.ones_like(other[:, :1])})["gram"]["all"]
    assert found == pytest.approx(torch.stack(terms).mean().item(), rel=1e-5)


def test_small_pictures_are_compared_with_the_style_at_their_size(style_picture: Path) -> None:
    """A small copy of the style is the style."""
    small = torch.nn.functional.interpolate(read(style_picture), size=(48, 74), mode="area")
    whole = {"all": torch.ones_like(small[:, :1])}
    alike, larger = (
        StyleDistance(MicroPerceptual(), str(style_picture), size, CPU)(small, whole)["gram"]["all"]
        for size in ((48, 74), SIZE)
    )
    assert alike < 0.2 * larger


def test_only_the_region_counts(style_picture: Path, other_style_picture: Path) -> None:
    distance = StyleDistance(MicroPerceptual(), str(style_picture), SIZE, CPU)
    style = read(style_picture)
    image = torch.cat([style, read(other_style_picture)[..., :100, :]], dim=-1)
    left = torch.zeros_like(image[:, :1])
    left[..., :150] = 1
    scores = distance(image, {"left": left, "right": 1 - left, "none": 0 * left})["gram"]
    assert scores["left"] < 0.05 < scores["right"]
    assert scores["none"] != scores["none"]  # not a number


def test_a_style_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"nothing.png: no such file"):
        StyleDistance(MicroPerceptual(), str(tmp_path / "nothing.png"), SIZE, CPU)
