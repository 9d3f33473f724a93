"""The pictures of the guides can be made again."""

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(
    not (ROOT / "models/micro/weights.safetensors").exists(),
    reason="the bundled model is not built",
)
def test_it_makes_what_the_guides_show(tmp_path: Path) -> None:
    tool = (sys.executable, str(ROOT / "tools/make_gallery.py"), str(tmp_path))
    subprocess.run([*tool, "--style", "ink", "--frame", "0", "--width", "64"], check=True)
    pictures = {path.name: cv2.imread(str(path)) for path in tmp_path.iterdir()}
    assert pictures.keys() == {path.name for path in (ROOT / "docs/gallery").iterdir()}
    # Plate, matte and style; plate, half and full strength. A label of 24 pixels stands above each.
    assert {picture.shape[1:] for picture in pictures.values()} == {(3 * 64, 3)}
    assert len({picture.shape[0] for picture in pictures.values()}) == 1
    plate, half, full = (
        pictures["strength.jpg"][24:, start : start + 64].astype(int) for start in (0, 64, 128)
    )
    matte = pictures["styles.jpg"][24:, 64:128] > 250
    assert 0.1 < matte.mean() < 0.9
    assert 0 < abs(half - plate)[matte].mean() < abs(full - plate)[matte].mean()
