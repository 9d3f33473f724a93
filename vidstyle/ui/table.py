"""What one user has before him while the page is open."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from vidstyle.media.picture import read_by_opencv
from vidstyle.ui.desk import Desk
from vidstyle.ui.history import History
from vidstyle.ui.live import Camera
from vidstyle.ui.selection import Image, Selection, Wish

#: Largest side, in pixels, of a style picture in the gallery.
_THUMBNAIL = 200


@dataclass
class Table:
    """A clip, the styles to choose from, and what was chosen so far.

    Attributes:
        desk: None before a clip is uploaded.
        styles: style pictures to choose from.
        style: the chosen one.
        object: being chosen.
        keys: frames of it that were painted, and their numbers.
        wishes: objects that were chosen before it, with their styles.
        history: what was rendered.
        rival: the style that the chosen one is compared to; None for none.
        camera: the user's own, restyled live.
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

    @property
    def clip(self) -> Desk:
        """The desk.

        Raises:
            ValueError: there is none yet.
        """
        if self.desk is None:
            raise ValueError("upload a clip")
        return self.desk

    def all_wishes(self) -> tuple[Wish, ...]:
        """With the one that is being chosen as the topmost.

        Raises:
            ValueError: what is missing.
        """
        if self.style is None and not self.keys:
            raise ValueError("choose a style picture")
        self.object.spec()
        wishes = (*self.wishes, Wish(self.object, self.style, self.keys))
        if len({wish.style is None for wish in wishes}) > 1:
            raise ValueError("choose a style picture for this object too")
        return wishes

    def can_compare(self) -> bool:
        """Whether there are two."""
        return self.style is not None and self.rival not in (None, self.style)

    def missing(self) -> str | None:
        """What is to be done before something can be rendered; None for nothing. What was painted
        with the brush is seen when a button is pressed."""
        try:
            _ = self.clip
            self.all_wishes()
        except ValueError as error:
            if self.desk and (self.style or self.keys) and self.object.kind == "brush":
                return None
            return str(error)
        return None

    def missing_here(self, frame: int) -> str | None:
        """What else is to be done before a frame can be previewed; None for nothing."""
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
        """The styles made small, and their names.

        Raises:
            MediaError: one cannot be read, or is too large.
        """
        return [thumbnail(path) for path in self.styles]

    def put_clip_away(self) -> None:
        """End what is made of the clip. It goes, unless what was rendered of it is kept."""
        if self.desk is not None:
            self.desk.close()
            self.history.put_away(self.desk, None)
            self.desk = None

    def clear(self) -> None:
        """Remove the user's files."""
        self.put_clip_away()
        self.history.clear()


def thumbnail(path: Path) -> tuple[Image, str]:
    """A style picture made small, (H, W, 3) RGB, and its name in words.

    Raises:
        MediaError: it cannot be read, or is too large.
    """
    picture = read_by_opencv(path, cv2.IMREAD_COLOR_RGB)
    scale = min(1.0, _THUMBNAIL / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), title_of(path)


def title_of(style: Path) -> str:
    """What a style picture is called on the page: its name in words."""
    return style.stem.replace("_", " ")
