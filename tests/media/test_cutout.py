"""What can be seen of a picture that is partly transparent."""

import cv2
import numpy as np
import skimage.data

from vidstyle.media.cutout import seen_alone
from vidstyle.pipeline.analysis import style_picture


def astronaut() -> np.ndarray:
    return skimage.data.astronaut()[:240, :300].astype(np.float32) / 255


def test_what_is_hidden_around_is_cut_off():
    picture, alpha = astronaut(), np.zeros((240, 300), np.float32)
    alpha[60:180, 90:210] = 1
    assert np.array_equal(seen_alone(picture, alpha), picture[60:180, 90:210])
    assert seen_alone(picture, 0 * alpha).size == 0
    assert np.array_equal(seen_alone(picture, 0 * alpha + 0.5), picture)


def test_what_is_hidden_within_gets_the_colours_of_what_is_seen():
    """A disc with a hole: black where it is hidden, which must not come through."""
    picture, alpha = astronaut(), np.zeros((240, 300), np.float32)
    cv2.circle(alpha, (150, 120), 100, 1.0, cv2.FILLED)
    cv2.circle(alpha, (170, 130), 30, 0.0, cv2.FILLED)
    black = picture * (alpha[..., None] > 0)
    result = seen_alone(black, alpha)
    seen = alpha[20:221, 50:251] > 0
    assert result.shape == (201, 201, 3)
    assert np.array_equal(result[seen], picture[alpha > 0])
    assert np.abs(result.mean((0, 1)) - picture[alpha > 0].mean(0)).max() < 0.04
    assert np.abs(result.std((0, 1)) - picture[alpha > 0].std(0)).max() < 0.04
    steps = np.abs(np.diff(result, axis=1)).mean()
    assert abs(steps - np.abs(np.diff(picture[20:221, 50:251], axis=1)).mean()) < 0.01


def test_a_cut_out_style_counts_as_its_crop(tmp_path):
    picture = (astronaut()[..., ::-1] * 255).astype(np.uint8)
    alpha = np.zeros((240, 300), np.uint8)
    alpha[60:180, 90:210] = 255
    cut = np.dstack([picture * (alpha[..., None] > 0), alpha])
    cv2.imwrite(str(tmp_path / "cut.png"), cut)
    cv2.imwrite(str(tmp_path / "crop.png"), picture[60:180, 90:210])
    first, second = (style_picture(str(tmp_path / f"{n}.png"), (96, 160)) for n in ("cut", "crop"))
    assert (first == second).all()
