"""The pictures of the guides can be made again."""

import subprocess
import sys
from pathlib import Path

import cv2
import make_gallery
import numpy as np
import pytest
from contact_sheet import LABEL

ROOT = Path(__file__).parents[2]


def test_it_makes_every_strip_of_the_guides() -> None:
    strips = {path.stem for path in (ROOT / "docs/gallery").glob("*.jpg")}
    assert strips == set(make_gallery.STRIPS)


def test_every_picture_is_shown() -> None:
    pages = "".join(page.read_text() for page in [ROOT / "README.md", *ROOT.glob("docs/*.md")])
    assert [path for path in (ROOT / "docs/gallery").iterdir() if path.name not in pages] == []


@pytest.mark.skipif(
    not (ROOT / "models/micro/weights.safetensors").exists(),
    reason="the bundled model is not built",
)
def test_a_strip_shows_what_it_says(tmp_path: Path) -> None:
    tool = (sys.executable, str(ROOT / "tools/make_gallery.py"), str(tmp_path))
    subprocess.run([*tool, "--only", "invert", "--width", "64"], check=True)
    picture = cv2.imread(str(tmp_path / "invert.jpg"))
    assert picture.shape[1] == 3 * 64
    plate, painted, inverted = (
        picture[LABEL:, start : start + 64].astype(int) for start in (0, 64, 128)
    )
    # She stands left of the middle; the upper corners are sky.
    inside, outside = np.s_[20:34, 20:30], np.s_[:8, 48:60]
    for result, changed, kept in ((painted, inside, outside), (inverted, outside, inside)):
        change = np.abs(result - plate)
        assert change[changed].mean() > 4 * change[kept].mean()
