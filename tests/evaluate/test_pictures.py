"""Flicker maps, slices, stills and plots."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import torch

from vidstyle.evaluate.footage import Instant
from vidstyle.evaluate.pictures import (
    SLICE_FRAMES,
    FlickerMaps,
    Slices,
    Stills,
    bounded,
    eight_bit,
    middle_row,
)
from vidstyle.evaluate.plot import line_plot


def test_a_flicker_map_is_a_mean_over_the_pairs_that_show_the_pixel() -> None:
    maps = FlickerMaps(2, (1, 3))
    mask = torch.tensor([1.0, 1.0, 0.0]).view(1, 1, 1, 3)
    steady = torch.zeros(1, 1, 1, 3)
    maps.add(torch.cat([steady, steady + 0.04]), mask)
    mask[..., 1] = 0
    maps.add(torch.cat([steady, steady + 0.16]), mask)
    means = maps.means()
    torch.testing.assert_close(means[1, 0, :2], torch.tensor([0.1, 0.04]).double())
    assert means[:, :, 2].isnan().all()
    dark, bright = (picture.sum(axis=-1).astype(int) for picture in maps.pictures())
    assert dark[0, 0] < 20
    assert bright[0, 0] > bright[0, 1] > dark[0, 1]


def instant(index: int, value: int) -> Instant:
    return Instant(index, (torch.full((4, 6, 3), value, dtype=torch.uint8),), None)


def test_a_slice_draws_one_row_of_every_frame_and_no_more_than_fit() -> None:
    slices = Slices(row=2)
    for index in range(SLICE_FRAMES + 20):
        picture = torch.zeros(4, 6, 3, dtype=torch.uint8)
        picture[2] = index % 250
        slices.add(Instant(index, (picture,), None))
    drawn = slices.pictures()[0]
    assert drawn.shape == (SLICE_FRAMES, 6, 3)
    assert drawn[:3, 0, 0].tolist() == [0, 1, 2]


def test_stills_show_the_first_frame_and_the_worst_pair() -> None:
    stills = Stills()
    stills.begin(instant(0, 9))
    for index, error in ((1, 0.1), (2, 0.5), (3, 0.2)):
        difference = torch.zeros(1, 1, 4, 6)
        difference[..., index] = error
        pair = instant(index - 1, 10 * index), instant(index, index)
        stills.add(*pair, error, difference, torch.ones(1, 1, 4, 6))
    assert stills.first is not None
    assert stills.worst is not None
    (_, first), (_, before), (told, now), (_, where) = stills.first, *stills.worst
    assert [int(pictures[0][0, 0, 0]) for pictures in (first, before, now)] == [9, 20, 2]
    assert told == "frame 2"
    brightness = where[0].sum(axis=-1)[0].astype(int)
    assert brightness.argmax() == 2


def test_pictures_become_small_and_of_eight_bits() -> None:
    deep = torch.tensor([[[0, 257 * 7, 65535]]], dtype=torch.int32).to(torch.uint16)
    assert eight_bit(deep).tolist() == [[[0, 7, 255]]]
    assert bounded(np.zeros((1080, 1920, 3), np.uint8)).shape == (405, 720, 3)


def test_the_row_goes_through_the_object() -> None:
    matte = np.zeros((20, 8), np.uint8)
    matte[10:15, 3] = 255
    assert (middle_row(matte, 20), middle_row(0 * matte, 20), middle_row(None, 20)) == (12, 10, 10)


def test_a_plot_has_a_line_for_each_clip_and_breaks_where_values_are_missing() -> None:
    lines = {"<plate>": [0.0, 1.0, 2.0, 3.0], "none": [math.nan] * 4, "b": [1, math.nan, 3, 4]}
    svg = line_plot("e & f", [0, 2, 4, 6], lines)
    tree = ElementTree.fromstring(svg)
    drawn = [path for path in tree.iter("path") if path.get("class") == "line"]
    assert [path.find("title").text for path in drawn] == ["<plate>", "b"]
    numbers = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", drawn[0].get("d"))]
    steps = np.diff(numbers)
    assert (steps < 0).all()  # upwards
    assert np.allclose(steps, steps[0], atol=0.2)
    assert drawn[1].get("d").count("M") == 2


def test_a_plot_of_nothing_but_zeros_or_one_frame() -> None:
    for frames, values in (([3], [0.5]), ([0, 1], [0.0, 0.0])):
        assert "nan" not in line_plot("flat", frames, {"a": values})
