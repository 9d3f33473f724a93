"""The sheet that style models are judged by: what stands where, and that it does not change."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from contact_sheet import LABEL
from style_sheet import GAP, main

from vidstyle.media.video.reader import open_clip


@pytest.fixture
def options(style_picture: Path, shot, tiny_model: Path, tmp_path: Path) -> list[str]:
    """Of a sheet of two styles and the same model under two names, at the frame's height."""
    styles, other = tmp_path / "styles", tmp_path / "other"
    styles.mkdir()
    shutil.copy(style_picture, styles / "first.png")
    cv2.imwrite(str(styles / "second.png"), 255 - cv2.imread(str(style_picture)))
    shutil.copytree(tiny_model, other)
    return [
        *(str(shot.clip), "--styles", str(styles), "--only", "first", "--only", "second"),
        *("--model", str(tiny_model), "--model", str(other), "--height", str(shot.size[0])),
    ]


def test_a_page_has_plate_style_and_every_model(options, shot, tmp_path: Path) -> None:
    CliRunner().invoke(main, [str(tmp_path / "sheet"), *options], catch_exceptions=False)
    (page,) = (tmp_path / "sheet").iterdir()
    assert page.name == f"{shot.clip.stem}.png"
    height, width = shot.size
    picture = cv2.imread(str(page), cv2.IMREAD_COLOR_RGB)
    down, across = LABEL + height + GAP, width + GAP
    assert picture.shape == (2 * down, 4 * across, 3)

    def cell(row: int, column: int) -> np.ndarray:
        top, left = row * down + LABEL, column * across
        return picture[top : top + height, left : left + width]

    frames = [frame.image.numpy() for frame in open_clip(str(shot.clip)).frames()]
    for row in (0, 1):
        assert (cell(row, 0) == frames[len(frames) // 2]).all()
        assert (cell(row, 2) == cell(row, 3)).all()
        assert (cell(row, 2) != cell(row, 0)).any()
    assert (cell(0, 2) != cell(1, 2)).any()


def test_pictures_that_were_kept_are_shown(options, tiny_model: Path, tmp_path: Path) -> None:
    """Those of another version, which this one's models cannot make."""
    pages = [tmp_path / name for name in ("made", "shown")]
    kept = tmp_path / "kept"
    CliRunner().invoke(main, [str(pages[0]), *options, "--keep", str(kept)], catch_exceptions=False)
    models = options.index("--model")
    pictures = ["--pictures", str(kept / tiny_model.name), "--pictures", str(kept / "other")]
    shown = [str(pages[1]), *options[:models], *pictures, *options[-2:]]
    CliRunner().invoke(main, shown, catch_exceptions=False)
    made, again = (next(page.iterdir()).read_bytes() for page in pages)
    assert made == again
    next((kept / "other").glob("*.second.png")).unlink()
    outcome = CliRunner().invoke(main, shown)
    assert outcome.exit_code == 2
    assert "other: lacks shot." in outcome.stderr


def test_it_is_the_same_every_time(options, tmp_path: Path) -> None:
    for name in ("sheet", "again"):
        CliRunner().invoke(main, [str(tmp_path / name), *options], catch_exceptions=False)
    one, other = (next((tmp_path / name).iterdir()).read_bytes() for name in ("sheet", "again"))
    assert one == other
