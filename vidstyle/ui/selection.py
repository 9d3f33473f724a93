"""What a user points at, as an ``--object`` SPEC."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box
from vidstyle.options import StyledObject
from vidstyle.segment.prompts import is_named
from vidstyle.words import ranges

#: Ways of choosing an object, as named on the page.
KINDS = ("whole frame", "name", "click", "box", "brush")
#: Those that point at a place in one frame.
POINTED = ("click", "box", "brush")

#: A picture, (H, W, 3) RGB, or a matte, (H, W).
Image = NDArray[np.uint8]

#: Colours marking the object, and what is not the object (Okabe & Ito 2008).
_INSIDE, _OUTSIDE = (0, 158, 115), (213, 94, 0)


@dataclass(frozen=True)
class Point:
    """A click on a frame, in pixels; ``outside`` means that the object is not there."""

    x: int
    y: int
    frame: int
    outside: bool = False

    def __str__(self) -> str:
        """As a prompt."""
        return f"{'-' if self.outside else ''}point:{self.x},{self.y}@{self.frame}"


@dataclass(frozen=True)
class Selection:
    """An object being chosen.

    Attributes:
        kind: one of :data:`KINDS`.
        name: of a class, such as ``person`` or ``person#2``.
        points: clicks, in any number of frames; for boxes their corners, two after two.
        mask: file of the painted mask, or None.
        frame: the frame in which it was painted.
    """

    kind: str = KINDS[0]
    name: str = ""
    points: tuple[Point, ...] = field(default=())
    mask: Path | None = None
    frame: int = 0

    @classmethod
    def boxed(cls, boxes: Mapping[int, Box]) -> "Selection":
        """An object that is in these boxes, by frame."""
        corners = [
            Point(x, y, frame)
            for frame, box in boxes.items()
            for x, y in ((box.x0, box.y0), (box.x1 - 1, box.y1 - 1))
        ]
        return cls("box", points=tuple(corners))

    def clicked(self, x: int, y: int, frame: int, *, outside: bool = False) -> "Selection":
        """With another point. A third corner, or one in another frame, starts a new box."""
        if self.kind != "box":
            return replace(self, points=(*self.points, Point(x, y, frame, outside)))
        corners = self.points if len(self.points) == 1 and self.points[0].frame == frame else ()
        return replace(self, points=(*corners, Point(x, y, frame)))

    def undone(self) -> "Selection":
        """Without the last point."""
        return replace(self, points=self.points[:-1])

    @property
    def frames(self) -> list[int]:
        """Frames in which it was pointed at, ascending."""
        if self.kind == "brush":
            return [self.frame] if self.mask else []
        return sorted({point.frame for point in self.points})

    @property
    def places(self) -> str:
        """Those frames in words."""
        return ranges([(frame, frame) for frame in self.frames])

    def within(self, first: int, last: int) -> "Selection":
        """Only what was pointed at in these frames.

        Raises:
            ValueError: that does not identify the object.
        """
        there = replace(self, points=tuple(p for p in self.points if first <= p.frame <= last))
        if not first <= self.frame <= last:
            there = replace(there, mask=None)
        try:
            there.spec()
        except ValueError:
            raise ValueError(
                f"the object was marked in frame {self.places}, which is outside frames "
                f"{first}-{last}; mark it in one of those, or render a different range"
            ) from None
        return there

    def alone(self, frame: int) -> "Selection":
        """The same in a clip that is this one frame.

        Raises:
            ValueError: it was only pointed at in other frames.
        """
        if frame not in self.frames and self.frames:
            raise ValueError(
                f"the object was marked in frame {self.places}, and a render tracks it from there; "
                "to preview, go there, or mark it here too"
            )
        here = tuple(replace(point, frame=0) for point in self.points if point.frame == frame)
        return replace(self, points=here, frame=0)

    def spec(self) -> str | None:
        """The SPEC; None for the whole frame.

        Raises:
            ValueError: nothing was pointed at yet; the message suggests what to do.
        """
        match self.kind:
            case "name":
                return self._chosen(self._named(), "type what to look for, such as person")
            case "click":
                if all(point.outside for point in self.points):
                    raise ValueError("click on the object in the picture")
                return "+".join(map(str, self.points))
            case "box":
                if len(self.points) < 2:
                    raise ValueError("click on two opposite corners of a box around the object")
                return "+".join(map(_box, self.points[::2], self.points[1::2]))
            case "brush":
                painted = f"mask:{self.mask}@{self.frame}" if self.mask else ""
                return self._chosen(painted, "paint over the object with the brush")
        return None

    def drawn(self, picture: Image, frame: int) -> Image:
        """A frame's picture (H, W, 3) with its clicks and boxes marked: a disc for the object, a
        cross for what is not."""
        marked = picture.copy()
        size = max(4, picture.shape[0] // 100)
        here = [point for point in self.points if point.frame == frame]
        for point in here:
            at = point.x, point.y
            if point.outside:
                for width, colour in ((size, (255, 255, 255)), (size // 2, _OUTSIDE)):
                    cv2.drawMarker(marked, at, colour, cv2.MARKER_TILTED_CROSS, 3 * size, width)
            else:
                cv2.circle(marked, at, size, (255, 255, 255), -1, cv2.LINE_AA)
                cv2.circle(marked, at, size - 1, _INSIDE, -1, cv2.LINE_AA)
        if self.kind == "box" and len(here) == 2:
            a, b = here
            cv2.rectangle(marked, (a.x, a.y), (b.x, b.y), _INSIDE, max(1, size // 3))
        return marked

    def _named(self) -> str:
        """The name, validated: any other prompt in its place could read any file on the server."""
        name = self.name.strip()
        if not is_named(name):
            raise ValueError(f"'{name}' is not a name; to mark the object, choose click or box")
        return name

    @staticmethod
    def _chosen(spec: str, otherwise: str) -> str:
        if not spec:
            raise ValueError(otherwise)
        return spec


def _box(a: Point, b: Point) -> str:
    """The prompt of a box with these corners."""
    corners = min(a.x, b.x), min(a.y, b.y), max(a.x, b.x) + 1, max(a.y, b.y) + 1
    return f"box:{','.join(map(str, corners))}@{a.frame}"


@dataclass(frozen=True)
class Wish:
    """An object and the source of its look.

    Attributes:
        style: picture; None if painted frames replace it.
        keys: painted frames, and their numbers.
    """

    object: Selection
    style: Path | None
    keys: tuple[tuple[Path, int], ...] = ()

    def styled(self) -> StyledObject:
        """With its style only, as live pictures need it.

        Raises:
            ValueError: there is no style.
        """
        return StyledObject(self.object.spec(), str(self.styled_after))

    def keyed(self) -> StyledObject:
        """With its painted frames, as a render needs it."""
        style = None if self.style is None else str(self.style)
        return StyledObject(self.object.spec(), style, tuple(f"{p}@{n}" for p, n in self.keys))

    @property
    def styled_after(self) -> Path:
        """The style.

        Raises:
            ValueError: there is none.
        """
        if self.style is None:
            raise ValueError("choose a style picture: painted frames only take effect in a render")
        return self.style
