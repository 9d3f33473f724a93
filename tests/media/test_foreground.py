"""The object's own colours at its edge, where both sides and the matte are known exactly."""

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray

from vidstyle.media.foreground import foreground

SIZE = 200


def sides() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A face, and coffee on a table: (H, W, 3) in [0, 1]."""
    face = skimage.data.astronaut()[20 : 20 + SIZE, 120 : 120 + SIZE]
    cup = skimage.data.coffee()[100 : 100 + SIZE, 150 : 150 + SIZE]
    return face.astype(np.float32) / 255, cup.astype(np.float32) / 255


def soft_disc(blur: float) -> NDArray[np.float32]:
    disc = np.zeros((SIZE, SIZE), np.float32)
    cv2.circle(disc, (SIZE // 2, SIZE // 2), 60, 1.0, cv2.FILLED)
    soft = cv2.GaussianBlur(disc, (0, 0), blur)
    return np.where(soft < 0.004, 0, np.where(soft > 0.996, 1, soft))


def estimated(picture: NDArray[np.float32], matte: NDArray[np.float32]) -> NDArray[np.float32]:
    images = torch.from_numpy(picture).movedim(-1, 0)[None]
    return foreground(images, torch.from_numpy(matte)[None, None])[0].movedim(0, -1).numpy()


@pytest.mark.parametrize(("blur", "share"), [(1.0, 0.4), (3.0, 0.55), (10.0, 0.75)])
@pytest.mark.parametrize("light", [1.0, 40.0], ids=["display", "a lamp behind"])
def test_the_background_goes_from_the_edge(blur, share, light):
    (own, other), matte = sides(), soft_disc(blur)[..., None]
    other = light * other
    mixed = matte * own + (1 - matte) * other
    edge = ((matte > 0.02) & (matte < 1))[..., 0]
    result = estimated(mixed, matte[..., 0])
    # As it counts over another plate: by how much of it shows.
    rim, left = (np.abs(matte * (picture - own))[edge].mean() for picture in (mixed, result))
    assert left < share * rim
    assert np.array_equal(result[matte[..., 0] == 1], mixed[matte[..., 0] == 1])
    assert result.min() >= mixed.min()
    assert result.max() <= mixed.max()


def test_without_a_background_nothing_changes():
    own, _ = sides()
    assert np.array_equal(estimated(own, np.ones((SIZE, SIZE), np.float32)), own)
    assert np.array_equal(estimated(own, np.zeros((SIZE, SIZE), np.float32)), own)


def test_what_is_seen_of_the_surroundings_does_not_matter_inside():
    """A box around the object may be larger in one batch than in the next."""
    (own, other), matte = sides(), soft_disc(3)
    mixed = matte[..., None] * own + (1 - matte[..., None]) * other
    wide, tight = estimated(mixed, matte), estimated(mixed[25:175, 25:175], matte[25:175, 25:175])
    difference = np.abs(wide[25:175, 25:175] - tight) * matte[25:175, 25:175, None]
    assert difference.max() < 0.02
