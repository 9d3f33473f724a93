"""YOLOv3-tiny on real pictures, and its files."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from vidstyle.errors import WeightsError
from vidstyle.models.weights import find
from vidstyle.segment.detectors.coco import NAMES
from vidstyle.segment.detectors.yolo import YoloTiny

DAVIS = Path(__file__).parents[3] / "shared" / "data" / "davis"


@pytest.fixture(scope="module")
def yolo():
    weights = find("yolov3-tiny")
    if weights is None:
        pytest.skip("yolov3-tiny is not fetched (VIDSTYLE_MODEL_PATH)")
    return YoloTiny(weights.with_suffix(".cfg"), weights)


def davis(clip: str, frame: int) -> np.ndarray:
    path = DAVIS / clip / "frames" / f"{frame:05d}.jpg"
    if not path.exists():
        pytest.skip("DAVIS is not here")
    return cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)


@pytest.mark.weights
def test_finds_the_car(yolo):
    found = [d for d in yolo.detect(davis("car-shadow", 0)) if d.name == "car"]
    assert found
    best = found[0]
    assert best.score > 0.5
    # The true mask's box is 313,88,655,282.
    assert abs(best.box.x0 - 313) < 40
    assert abs(best.box.x1 - 655) < 40
    assert abs(best.box.y1 - 282) < 40


@pytest.mark.weights
def test_several_scales_find_the_astronaut(yolo):
    assert "person" in {d.name for d in yolo.detect(skimage.data.astronaut())}


@pytest.mark.weights
def test_what_is_not_clear_is_seen_faintly(yolo):
    swan = davis("blackswan", 2)
    assert "bird" not in {d.name for d in yolo.detect(swan)}
    faint = [d for d in yolo.detect(swan, faint=True) if d.name == "bird"]
    assert faint
    assert 0.05 <= faint[0].score < 0.25


@pytest.mark.weights
@pytest.mark.parametrize("size", [(480, 854), (33, 700), (16, 16)])
def test_boxes_lie_inside_pictures_of_any_size(yolo, size):
    picture = cv2.resize(davis("car-shadow", 0), size[::-1])
    for d in yolo.detect(picture):
        assert 0 <= d.box.x0 < d.box.x1 <= size[1]
        assert 0 <= d.box.y0 < d.box.y1 <= size[0]
        assert d.name in NAMES
        assert 0 < d.score <= 1


def test_missing_files_say_how_to_get_them(tmp_path):
    with pytest.raises(WeightsError, match="models fetch"):
        YoloTiny(tmp_path / "yolov3-tiny.cfg", tmp_path / "yolov3-tiny.weights")


@pytest.mark.parametrize("length", [40, 35_434_956])
def test_damaged_files_are_bad_weights(tmp_path, length):
    cfg, weights = tmp_path / "a.cfg", tmp_path / "a.weights"
    cfg.write_text("no network")
    weights.write_bytes(bytes(length))
    with pytest.raises(WeightsError, match=r"a\.weights"):
        YoloTiny(cfg, weights)
