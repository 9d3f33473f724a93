"""The example styles: what they are, that they differ, and that they stay the same."""

import itertools
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What the script writes, by name: (512, 512, 3) BGR."""
    import make_styles

    folder: Path = tmp_path_factory.mktemp("styles")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["make_styles.py", str(folder)])
        make_styles.main()
    return {path.stem: cv2.imread(str(path)) for path in folder.iterdir()}


def test_four_pictures_of_the_stated_size(pictures: dict[str, np.ndarray]) -> None:
    assert set(pictures) == {"nocturne", "facets", "ink", "watercolour"}
    assert {picture.shape for picture in pictures.values()} == {(512, 512, 3)}


def test_palettes_differ(pictures: dict[str, np.ndarray]) -> None:
    """Two may share their paper, but no more of their colour histograms."""
    histograms = {}
    for name, picture in pictures.items():
        histogram = cv2.calcHist([picture], [0, 1, 2], None, [6] * 3, [0, 256] * 3)
        histograms[name] = histogram / histogram.sum()
    for first, second in itertools.combinations(histograms.values(), 2):
        assert np.minimum(first, second).sum() < 0.6


def test_each_has_strokes_that_a_style_can_be_learnt_from(pictures: dict[str, np.ndarray]) -> None:
    for picture in pictures.values():
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
        fine = grey - cv2.GaussianBlur(grey, (0, 0), 3)
        assert fine.std() > 2.5


@pytest.mark.parametrize("name", ["ink", "watercolour"])
def test_painting_again_gives_the_same_picture(pictures: dict[str, np.ndarray], name: str) -> None:
    import make_styles

    np.testing.assert_array_equal(make_styles.STYLES[name]()[..., ::-1], pictures[name])


def test_streamlines_follow_the_field() -> None:
    from brushwork import STEP, streamlines

    down = np.full((64, 64), np.pi / 2, np.float32)
    (line,) = streamlines(np.array([[10.0, 5.0]]), down, 6)
    np.testing.assert_allclose(line[:, 0], 10, atol=1e-5)
    np.testing.assert_allclose(line[:, 1], 5 + STEP * np.arange(6), atol=1e-5)


def test_a_stroke_stays_within_the_brush() -> None:
    from brushwork import Canvas

    canvas = Canvas(np.ones((100, 100, 3), np.float32))
    path = np.stack([np.linspace(20, 80, 30), np.full(30, 50.0)], axis=1)
    paint = np.array([0.8, 0.1, 0.1], np.float32)
    canvas.stroke(path, paint, 12, np.random.default_rng(0))
    painted = (canvas.lit(100) < 200).any(axis=2)
    rows, columns = np.nonzero(painted)
    assert 40 <= rows.min() <= 46
    assert 54 <= rows.max() <= 60
    assert columns.min() >= 17
    assert columns.max() <= 83
    assert canvas.lit(100)[50, 50, 0] > 2 * canvas.lit(100)[50, 50, 1]
