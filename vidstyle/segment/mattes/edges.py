"""How tracked mattes get their edges at the frame's size."""

from collections.abc import Callable

import numpy as np

from vidstyle.choices import EDGES
from vidstyle.errors import UsageError
from vidstyle.runtime.extras import needs_extra
from vidstyle.segment.clip import Image, resized
from vidstyle.segment.mattes.guided import GuidedFilter
from vidstyle.segment.mattes.store import Matte, bounding_box

#: From a small matte (h, w) and its picture (H, W, 3) to a matte of the picture's size.
Edges = Callable[[Matte, Image], Matte]

_EPSILON = 4e-4  # variance, of colours 0 to 1, below which the picture counts as flat


def build_edges(name: str) -> Edges:
    """``guided``: the guided filter; ``closed-form``: matting by ``pymatting``, for hair and blur.

    Raises:
        UsageError: an unknown name, or the ``matting`` extra is not installed.
    """
    match name:
        case "guided":
            return upsample
        case "closed-form":
            with needs_extra("matting", "--edges closed-form"):
                from vidstyle.segment.mattes.matting import closed_form
            return closed_form
    raise UsageError(f"--edges {name}: unknown; use one of {', '.join(EDGES)}")


def upsample(matte: Matte, image: Image) -> Matte:
    """A small matte (h, w) at the size of its picture (H, W, 3).

    A guided filter fits, in windows of about two small pixels, the matte to the picture's colours;
    so the matte's edge falls where the picture has one.
    """
    size = image.shape[:2]
    if matte.shape == size:
        return matte
    large = resized(matte, size)
    box = bounding_box(large)
    if box is None:
        return large
    scale = size[0] / matte.shape[0]
    radius = max(2, round(2 * scale))
    box = box.padded(3 * radius, 1, size)
    smooth = GuidedFilter(image[box.rows, box.columns], radius, _EPSILON)
    part = smooth(large[box.rows, box.columns].astype(np.float32))
    large[box.rows, box.columns] = np.rint(np.clip(part, 0, 255)).astype(np.uint8)
    return large
