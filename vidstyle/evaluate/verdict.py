"""A one-sentence verdict for each result."""

import math
from collections.abc import Iterator

import numpy as np

from vidstyle.evaluate.regions import PARTS, WHOLE
from vidstyle.evaluate.scores import PLATE, Scores

#: Ratios within this of 1 count as equal.
_SAME = 0.05
#: SSIM from which the surroundings of the matte count as unchanged.
_UNTOUCHED = 0.999


def main_region(scores: Scores) -> str:
    """Inside the matte, where the style is, if there is one; otherwise the whole frame."""
    inside = PARTS[0]
    return inside if any(name.endswith(f".{inside}") for name in scores.measured()) else WHOLE


def sentences(scores: Scores) -> dict[str, str]:
    """For each result: its flicker and worst frame, its detail and style, and whether its
    surroundings are unchanged."""
    region = main_region(scores)
    found = {}
    for clip in scores.clips[1:]:
        parts = [
            *_flicker(scores, clip, region),
            *_detail(scores, clip, region),
            *_style(scores, clip, region),
            *_surroundings(scores, clip),
        ]
        said = "; ".join(parts) or "nothing could be measured"
        found[clip] = f"{said[:1].upper()}{said[1:]}."
    return found


def _flicker(scores: Scores, clip: str, region: str) -> Iterator[str]:
    """For the smallest gap that was compared."""
    ratios = (name for name in scores.measured() if name.startswith("e_warp_ratio."))
    name = next((name for name in ratios if name.endswith(f".{region}")), None)
    if name is None or not math.isfinite(ratio := scores.mean(clip, name)):
        return
    gap = name.split(".")[1].removeprefix("gap")
    apart = "from one frame to the next" if gap == "1" else f"between frames {gap} apart"
    if abs(ratio - 1) <= _SAME:
        yield f"as steady as the plate {apart}"
    elif ratio < 1:
        yield f"flickers {ratio:.2g} times as much as the plate {apart}, which is less"
    else:
        series = scores.series(clip, name.replace("e_warp_ratio", "e_warp"))
        worst = scores.frames[int(np.nanargmax(series))]
        yield f"flickers {ratio:.2g} times as much as the plate {apart}, most at frame {worst}"


def _detail(scores: Scores, clip: str, region: str) -> Iterator[str]:
    kept = scores.mean(clip, f"detail.{region}")
    if not math.isfinite(kept) or kept == 1:  # the reference itself
        return
    if abs(kept - 1) <= _SAME:
        yield "as detailed as the reference"
    else:
        yield f"{kept:.2g} times the detail of the reference"


def _style(scores: Scores, clip: str, region: str) -> Iterator[str]:
    distance = scores.mean(clip, f"gram.{region}")
    if math.isfinite(distance):
        plate = scores.mean(PLATE, f"gram.{region}")
        yield f"style distance {distance:.2g}, where the plate has {plate:.2g}"


def _surroundings(scores: Scores, clip: str) -> Iterator[str]:
    likeness = scores.mean(clip, f"ssim.{PARTS[2]}")
    if not math.isfinite(likeness):
        return
    if likeness >= _UNTOUCHED:
        yield "outside the matte it is the plate"
    else:
        yield f"outside the matte its likeness to the plate is {likeness:.3f} (SSIM)"
