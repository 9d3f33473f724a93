"""Refining the edges of tracked mattes at the frame's size."""

from collections.abc import Callable

from vidstyle.choices import EDGES
from vidstyle.errors import UsageError
from vidstyle.runtime.extras import needs_extra
from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.guided import upsample
from vidstyle.segment.mattes.store import Matte

#: From a small matte (h, w) and its picture (H, W, 3) to a matte of the picture's size.
Edges = Callable[[Matte, Image], Matte]


def build_edges(name: str) -> Edges:
    """``guided``: the guided filter; ``closed-form``: matting by ``pymatting``, for hair and blur.

    Raises:
        UsageError: the name is unknown, or the ``matting`` extra is not installed.
    """
    match name:
        case "guided":
            return upsample
        case "closed-form":
            with needs_extra("matting", "--edges closed-form"):
                from vidstyle.segment.mattes.matting import closed_form
            return closed_form
    raise UsageError(f"--edges {name}: unknown; use one of {', '.join(EDGES)}")
