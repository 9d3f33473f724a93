"""The photographs behind the example shot: scikit-image's, all in the public domain or CC0."""

import cv2
import numpy as np
import scipy.ndimage
import skimage.data
from numpy.typing import NDArray

Array = NDArray[np.float32]

# Drawn by hand around the astronaut, in pixels (x, y) of the 512×512 photograph. Nothing of her
# lies outside the first outline; all inside the other two is hers; GrabCut finds the rest.
_OUTSIDE = [
    (0, 511), (18, 400), (20, 300), (40, 230), (70, 200), (106, 188), (110, 165), (135, 143),
    (176, 142), (176, 132), (150, 112), (146, 60), (152, 25), (180, 8), (240, 5), (295, 18),
    (308, 60), (304, 110), (286, 136), (270, 150), (268, 172), (300, 203), (314, 235), (347, 250),
    (364, 290), (366, 332), (400, 337), (440, 342), (478, 360), (500, 395), (509, 440), (511, 470),
    (511, 511),
]  # fmt: skip
_HEAD = [
    (178, 32), (220, 20), (272, 30), (290, 70), (280, 110), (262, 130), (250, 170), (200, 165),
    (185, 130), (165, 105), (163, 70),
]  # fmt: skip
_BODY = [
    (125, 190), (150, 162), (178, 158), (195, 180), (250, 190), (272, 202), (298, 238), (322, 252),
    (340, 280), (350, 340), (362, 358), (400, 352), (430, 357), (470, 380), (490, 430), (490, 505),
    (45, 505), (45, 420), (50, 330), (75, 250), (120, 215),
]  # fmt: skip


def astronaut(scale: float) -> tuple[Array, Array]:
    """Eileen Collins (NASA), cut out of her portrait, which is cut off at the waist.

    Args:
        scale: of the 512×512 photograph, at most 1.

    Returns:
        Picture (h, w, 3) and matte (h, w), both in [0, 1]. Outside the matte the picture goes on
        with her own colours, so that no fringe of the old background shows.
    """
    photograph = skimage.data.astronaut()
    inside = _grabcut(photograph)
    # Her outermost two pixels hold some of the old background: take colours from further in.
    core = cv2.erode(inside, np.ones((5, 5), np.uint8)) > 0
    rows, columns = scipy.ndimage.distance_transform_edt(
        ~core, return_distances=False, return_indices=True
    )
    picture = photograph[rows, columns].astype(np.float32) / 255
    soft = np.asarray(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.5), np.float32)
    # Half a pixel in from the edge that GrabCut found.
    matte = np.clip((soft - 0.4) / 0.5, 0, 1, dtype=np.float32)
    side = round(512 * scale)
    return _shrink(picture, (side, side)), _shrink(matte, (side, side))


def launch_pad(height: int) -> Array:
    """A rocket on its pad at dusk (SpaceX): (height, w, 3) in [0, 1]."""
    photograph = skimage.data.rocket()
    width = round(photograph.shape[1] * height / photograph.shape[0])
    enlarged = cv2.resize(photograph, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(enlarged / 255, np.float32)


def _grabcut(photograph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(512, 512), 1 where she is."""
    mask = np.full(photograph.shape[:2], cv2.GC_BGD, np.uint8)
    _fill(mask, _OUTSIDE, cv2.GC_PR_BGD)
    within = cv2.erode((mask == cv2.GC_PR_BGD).astype(np.uint8), np.ones((9, 9), np.uint8))
    mask[within > 0] = cv2.GC_PR_FGD
    _fill(mask, _HEAD, cv2.GC_FGD)
    _fill(mask, _BODY, cv2.GC_FGD)
    cv2.setRNGSeed(0)  # GrabCut starts from k-means
    unused = (0, 0, 0, 0)
    background, subject = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = photograph[..., ::-1].copy()
    cv2.grabCut(bgr, mask, unused, background, subject, 8, cv2.GC_INIT_WITH_MASK)
    return np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)


def _fill(mask: NDArray[np.uint8], outline: list[tuple[int, int]], value: int) -> None:
    cv2.fillPoly(mask, [np.array(outline, np.int32)], value)


def _shrink(image: Array, size: tuple[int, int]) -> Array:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)
