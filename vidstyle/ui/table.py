"""One user's state while the page is open."""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from vidstyle.media.picture import read_by_opencv
from vidstyle.runtime.progress import CancelToken
from vidstyle.ui.desk import Desk
from vidstyle.ui.history import History
from vidstyle.ui.live import Camera
from vidstyle.ui.selection import Image, Selection, Wish

#: Largest side, in pixels, of a style picture in the gallery.
_THUMBNAIL = 200


@dataclass
class Table:
    """A clip, the available styles, and the choices so far.

    Attributes:
        desk: None before a clip is uploaded.
        styles: available style pictures.
        style: the chosen one.
        object: the object being chosen.
        keys: its painted frames, and their numbers.
        wishes: objects chosen before it, with their styles.
        history: finished renders.
        rival: the style that the chosen one is compared to, or None.
        camera: the user's camera, restyled live.
        turns: of queued searches and renders, oldest first; all can be cancelled.
    """

    desk: Desk | None
    styles: list[Path]
    history: History
    style: Path | None = None
    rival: Path | None = None
    object: Selection = field(default_factory=Selection)
    keys: tuple[tuple[Path, int], ...] = ()
    wishes: tuple[Wish, ...] = ()
    camera: Camera = field(default_factory=Camera)
    turns: deque[CancelToken] = field(default_factory=deque)

    @property
    def clip(self) -> Desk:
        """The desk.

        Raises:
            ValueError: there is none yet.
        """
        if self.desk is None:
            raise ValueError("upload a clip")
        return self.desk

    def take_turn(self) -> None:
        """End the oldest wait.

        Raises:
            Cancelled: it was cancelled.
        """
        if self.turns:
            self.turns.popleft().check()

    def all_wishes(self) -> tuple[Wish, ...]:
        """All objects, the one being chosen on top.

        Raises:
            ValueError: names what is missing.
        """
        if self.style is None and not self.keys:
            raise ValueError("choose a style picture")
        self.object.spec()
        wishes = (*self.wishes, Wish(self.object, self.style, self.keys))
        if len({wish.style is None for wish in wishes}) > 1:
            raise ValueError("choose a style picture for this object too")
        return wishes

    def can_compare(self) -> bool:
        """Whether there are two styles to compare."""
        return self.style is not None and self.rival not in (None, self.style)

    def missing(self) -> str | None:
        """What the user must do before rendering; None for nothing. Brush strokes are only read
        when a button is pressed."""
        try:
            _ = self.clip
            self.all_wishes()
        except ValueError as error:
            if self.desk and (self.style or self.keys) and self.object.kind == "brush":
                return None
            return str(error)
        return None

    def missing_here(self, frame: int) -> str | None:
        """What else the user must do before previewing a frame; None for nothing."""
        if self.style is None:
            return "choose a style picture; painted frames only take effect in a render"
        pointed = self.object.kind != "brush" and self.object.frames
        if pointed and frame not in self.object.frames:
            places = self.object.places
            return f"go to frame {places}, where you marked the object, or mark it here too"
        return None

    def can_play(self) -> bool:
        """Whether the clip can be played live."""
        return self.missing() is None and self.style is not None

    def gallery(self) -> list[tuple[Image, str]]:
        """Thumbnails of the styles, and their names.

        Raises:
            MediaError: one cannot be read, or is too large.
        """
        return [thumbnail(path) for path in self.styles]

    def put_clip_away(self) -> None:
        """Stop work on the clip, and remove it unless a kept render needs it."""
        if self.desk is not None:
            self.desk.close()
            self.history.put_away(self.desk, None)
            self.desk = None

    def clear(self) -> None:
        """Remove the user's files."""
        self.put_clip_away()
        self.history.clear()


def thumbnail(path: Path) -> tuple[Image, str]:
    """Thumbnail of a style picture, (H, W, 3) RGB, and its name in words.

    Raises:
        MediaError: it cannot be read, or is too large.
    """
    picture = read_by_opencv(path, cv2.IMREAD_COLOR_RGB)
    scale = min(1.0, _THUMBNAIL / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), title_of(path)


def title_of(style: Path) -> str:
    """A style picture's title on the page: its name in words."""
    return style.stem.replace("_", " ")
