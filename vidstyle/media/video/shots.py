"""Where a clip cuts, so that nothing is tracked, warped or averaged across."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector, ContentDetector

from vidstyle.media.frame import Frame

# Threshold of both detectors: mean change of hue, saturation and value, in 8-bit levels.
_LEAST_CHANGE = 15.0
# Frames on each side of a cut that the detector averages over and that must all differ across it.
_REACH = 2
_THUMBNAIL = 256
# The detectors count in frames; the rate only lets them print times.
_ANY_RATE = 24.0


@dataclass(frozen=True)
class Shot:
    """Frames ``start ≤ index < stop`` of a clip, between two cuts."""

    start: int
    stop: int


def find_shots(frames: Iterable[Frame]) -> list[Shot]:
    """The shots of a clip; one if there are no cuts, none if there are no frames."""
    seen: list[int] = []

    def watched() -> Iterator[Frame]:
        for frame in frames:
            seen[:] = [seen[0] if seen else frame.index, frame.index]
            yield frame

    cuts = find_cuts(watched())
    if not seen:
        return []
    bounds = [seen[0], *cuts, seen[1] + 1]
    return [Shot(start, stop) for start, stop in pairwise(bounds)]


def find_cuts(frames: Iterable[Frame]) -> list[int]:
    """Indices of the frames that begin a new shot, ascending; the first frame is not among them.

    PySceneDetect's adaptive detector, which takes a change for a cut if it stands out from those
    around it, so that fast pans do not count. To exclude flashes, none of the three frames before
    may look like any of the three after. Dissolves are not found, nor are cuts in the first or last
    two frames of a clip.
    """
    detector = AdaptiveDetector(min_scene_len=1, window_width=_REACH, min_content_val=_LEAST_CHANGE)
    recent: deque[tuple[int, NDArray[np.uint8]]] = deque(maxlen=2 * (_REACH + 1))
    cuts: list[int] = []
    for frame in frames:
        thumbnail = _thumbnail(frame)
        recent.append((frame.index, thumbnail))
        for found in detector.process_frame(FrameTimecode(frame.index, _ANY_RATE), thumbnail):
            cut = found.frame_num
            before = [picture for index, picture in recent if index < cut]
            after = [picture for index, picture in recent if index >= cut]
            if all(_differ(a, b) for a in before for b in after):
                cuts.append(cut)
    return cuts


def _thumbnail(frame: Frame) -> NDArray[np.uint8]:
    """(h, w, 3) 8-bit BGR, at most 256 pixels wide."""
    height, width = frame.size
    scale = min(1.0, _THUMBNAIL / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(frame.image.numpy(), size, interpolation=cv2.INTER_AREA)
    if small.dtype == np.uint16:
        small = cv2.convertScaleAbs(small, alpha=1 / 257)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _differ(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    detector = ContentDetector(threshold=_LEAST_CHANGE, min_scene_len=0)
    detector.process_frame(FrameTimecode(0, _ANY_RATE), before)
    return bool(detector.process_frame(FrameTimecode(1, _ANY_RATE), after))
