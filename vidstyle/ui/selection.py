"""What a user points at, as an ``--object`` SPEC."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.options import StyledObject
from vidstyle.segment.prompts import is_named

#: How an object can be chosen, and what the page calls it.
KINDS = ("whole frame", "name", "click", "box", "brush")
#: Those that point at a place in one frame.
POINTED = ("click", "box", "brush")

#: A picture, (H, W, 3) RGB, or a matte, (H, W).
Image = NDArray[np.uint8]

_MARK = (255, 64, 64)


@dataclass(frozen=True)
class Selection:
    """One object as it is being chosen.

    Attributes:
        kind: one of :data:`KINDS`.
        name: of a class, such as ``person`` or ``person#2``.
        points: clicked, in pixels of the frame; the last two of them are a box's corners.
        mask: file of what was painted; None for nothing.
        frame: in which it was pointed at.
    """

    kind: str = KINDS[0]
    name: str = ""
    points: tuple[tuple[int, int], ...] = field(default=())
    mask: Path | None = None
    frame: int = 0

    def clicked(self, x: int, y: int, frame: int) -> "Selection":
        """With one point more; those of another frame are forgotten, and a third corner begins a
        new box."""
        kept = self.points if frame == self.frame else ()
        if self.kind == "box" and len(kept) >= 2:
            kept = ()
        return replace(self, points=(*kept, (x, y)), frame=frame)

    def spec(self, frame: int | None = None) -> str | None:
        """The SPEC, for the frame in which it was pointed at or for ``frame``; None for the whole
        frame.

        Raises:
            ValueError: nothing was pointed at yet; the message says what to do.
        """
        at = f"@{self.frame if frame is None else frame}"
        match self.kind:
            case "name":
                return self._chosen(self._named(), "type what to look for, such as person")
            case "click":
                return self._chosen(
                    "+".join(f"point:{x},{y}{at}" for x, y in self.points),
                    "click on the object in the picture",
                )
            case "box":
                if len(self.points) < 2:
                    raise ValueError("click on two opposite corners of a box around the object")
                (x0, y0), (x1, y1) = self.points[-2:]
                corners = min(x0, x1), min(y0, y1), max(x0, x1) + 1, max(y0, y1) + 1
                return f"box:{','.join(map(str, corners))}{at}"
            case "brush":
                painted = f"mask:{self.mask}{at}" if self.mask else ""
                return self._chosen(painted, "paint over the object with the brush")
        return None

    def drawn(self, picture: Image) -> Image:
        """The picture (H, W, 3) with what was pointed at marked in it."""
        marked = picture.copy()
        size = max(4, picture.shape[0] // 100)
        for point in self.points:
            cv2.circle(marked, point, size, (255, 255, 255), -1, cv2.LINE_AA)
            cv2.circle(marked, point, size - 1, _MARK, -1, cv2.LINE_AA)
        if self.kind == "box" and len(self.points) >= 2:
            cv2.rectangle(marked, self.points[-2], self.points[-1], _MARK, max(1, size // 3))
        return marked

    def _named(self) -> str:
        """The name. Other prompts in its place could read any file of the machine that serves."""
        name = self.name.strip()
        if not is_named(name):
            raise ValueError(f"'{name}' is no name; to point at the object choose click or box")
        return name

    @staticmethod
    def _chosen(spec: str, otherwise: str) -> str:
        if not spec:
            raise ValueError(otherwise)
        return spec


@dataclass(frozen=True)
class Wish:
    """An object and what it is painted after.

    Attributes:
        style: picture; None where painted frames take its place.
        keys: painted frames, and their numbers.
    """

    object: Selection
    style: Path | None
    keys: tuple[tuple[Path, int], ...] = ()

    def styled(self, frame: int | None = None) -> StyledObject:
        """By its style alone, as single frames and live pictures are; ``frame`` as of
        :meth:`Selection.spec`.

        Raises:
            ValueError: there is no style.
        """
        return StyledObject(self.object.spec(frame), str(self.styled_after))

    def keyed(self) -> StyledObject:
        """With its painted frames, as a render takes it."""
        style = None if self.style is None else str(self.style)
        return StyledObject(self.object.spec(), style, tuple(f"{p}@{n}" for p, n in self.keys))

    @property
    def styled_after(self) -> Path:
        """The style.

        Raises:
            ValueError: there is none.
        """
        if self.style is None:
            raise ValueError("choose a style picture: painted frames are carried by a render only")
        return self.style
