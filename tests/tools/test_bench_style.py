"""The yardstick of style models, on a small clip: every pair is scored, and then their means."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from bench_style import Score, distance, main, mean, report
from click.testing import CliRunner

from vidstyle.evaluate.clipping import Clipped
from vidstyle.perceptual.statistics import gram


@pytest.fixture(scope="module")
def styles(style_picture: Path, other_style_picture: Path, tmp_path_factory) -> Path:
    """A folder with two of them: coffee and stars."""
    folder = tmp_path_factory.mktemp("styles")
    shutil.copy(style_picture, folder)
    shutil.copy(other_style_picture, folder)
    return folder


@pytest.fixture
def bench() -> Callable[..., str]:
    """``bench(*arguments)`` returns what it prints."""

    def call(*arguments: object) -> str:
        options = ("--judge", "micro", *map(str, arguments))
        return CliRunner().invoke(main, options, catch_exceptions=False).stdout

    return call


def rows(text: str, heading: str) -> dict[str, list[float]]:
    """The lines below a heading: their names and numbers; the column of the normalised VGG-19 may
    have none."""
    (block,) = [block for block in text.split("\n\n") if block.strip().startswith(f"{heading}\n")]
    cells = [
        (line[:40].strip(), line[40:].replace("/", " ")) for line in block.strip().splitlines()[2:]
    ]
    return {
        name: [float(cell.replace("–", "nan")) for cell in rest.split()]
        for name, rest in cells
        if rest and not name.startswith("too much")
    }


def test_plates_and_models_are_scored_pair_by_pair(bench, shot, styles, tiny_model) -> None:
    text = bench(shot.clip, "--styles", styles, "--all-styles", "--model", tiny_model)
    plates, tiny = rows(text, "plates"), rows(text, "tiny")
    name = shot.clip.stem
    assert plates.keys() == tiny.keys() == {f"{name} 8, coffee", f"{name} 8, stars"}
    for pair, (gram_plate, _, covariance_plate, *likeness, warp) in plates.items():
        gram_ours, _, covariance_ours, content, ssim, *clips, our_warp = tiny[pair]
        assert 0 < gram_ours != gram_plate
        assert 0 < covariance_ours != covariance_plate
        assert likeness[:2] == [1, 1]
        assert ssim < content < 1
        assert our_warp > 0 < warp
        assert clips[1:3] == likeness[3:5]  # white of style and of plate are the same for all
    means = rows(text, "tiny, means")
    assert means["all styles"] == pytest.approx(
        np.mean(list(tiny.values()), axis=0), abs=0.06, nan_ok=True
    )
    assert means["stars"] == pytest.approx(tiny[f"{name} 8, stars"], nan_ok=True)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (("--only", "coffees"), "--only coffees: no such style"),
        (("--model", "macro"), "--model macro: no such style model"),
        (("--judge", "vgg61"), "vgg61: no such file"),
    ],
)
def test_what_is_not_there_is_named(shot, tiny_model, wrong, complaint) -> None:
    options = [str(shot.clip), "--judge", "micro", "--model", str(tiny_model), *wrong]
    outcome = CliRunner().invoke(main, options)
    assert outcome.exit_code == 2
    assert complaint in outcome.stderr


def test_distance_is_a_mean_over_layers_and_unknown_without_any() -> None:
    ones, twos = torch.ones(1, 2, 2), torch.full((1, 2, 2), 2.0)
    assert distance([ones, twos], [twos, twos]) == pytest.approx(1 / 8)
    assert np.isnan(distance([], []))
    picture = torch.rand(1, 3, 8, 8)
    assert distance([gram(picture)], [gram(picture)]) == 0


def test_pairs_that_are_clipped_beyond_style_and_plate_are_named(capsys) -> None:
    style, plate = Clipped(0.1, 0.0), Clipped(0.0, 0.2)
    fine = Score((0.1,) * 5, 1.0, Clipped(0.14, 0.19), style, plate)
    bleached = Score((0.3,) * 5, 3.0, Clipped(0.16, 0.19), style, plate)
    both = mean([fine, bleached])
    assert both.measures == pytest.approx((0.2,) * 5)
    assert (both.warp, both.result) == (2.0, pytest.approx((0.15, 0.19)))
    report("model", {("a 1", "wave"): fine, ("b 2", "wave"): bleached}, ["wave"])
    lines = capsys.readouterr().out.splitlines()
    assert "too much white in 1 of 2: b 2 in wave" in lines
    assert "too much black in 0 of 2: –" in lines
