"""A painted keyframe, as given by ``--key FILE@FRAME``."""

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vidstyle.errors import MediaError, UsageError
from vidstyle.media.colour_management import manage
from vidstyle.media.frame import Frame, full_scale
from vidstyle.media.video.reader import open_clip

#: Alpha from which a pixel is opaque; a picture that is opaque everywhere has no outline.
OPAQUE = 0.98


@dataclass(frozen=True)
class KeyName:
    """The value of ``--key``.

    Attributes:
        path: of the picture.
        frame: the frame that it paints, counted from 0 in the whole clip.
    """

    path: Path
    frame: int

    @classmethod
    def parsed(cls, text: str) -> "KeyName":
        """
        Raises:
            UsageError: no frame is given.
        """
        path, at, frame = text.rpartition("@")
        if not at or not path or not re.fullmatch("[0-9]{1,9}", frame):
            raise UsageError(
                f"--key {text}: no frame given; write FILE@FRAME, such as painted.0020.png@20"
            )
        return cls(Path(path), int(frame))

    def check(self) -> None:
        """
        Raises:
            MediaError: there is no such picture.
        """
        if not self.path.is_file():
            raise MediaError(f"{self}: no such picture; check the name")

    def __str__(self) -> str:
        return f"--key {self.path}@{self.frame}"


@dataclass(frozen=True)
class PaintedFrame:
    """A key that has been read.

    Attributes:
        name: for messages.
        frame: the frame that it paints.
        picture: (1, 3, H, W) in [0, 1], converted for viewing like the plates.
        outline: (1, 1, H, W) in [0, 1], of the painted area; None if the whole frame is painted
            over the plate: then the object's matte is the outline.
    """

    name: str
    frame: int
    picture: Tensor
    outline: Tensor | None

    @classmethod
    def of(cls, name: str, frame: int, picture: Tensor, alpha: Tensor | None) -> "PaintedFrame":
        """
        Args:
            picture: (1, 3, H, W) in [0, 1], with straight alpha.
            alpha: (H, W) in [0, 1], or None.

        Raises:
            MediaError: alpha is below 0.5 everywhere.
        """
        if alpha is None:
            return cls(name, frame, picture, None)
        if float(alpha.max()) < 0.5:
            raise MediaError(f"{name}: entirely transparent; export it with the paint visible")
        outline = None if float(alpha.min()) >= OPAQUE else alpha[None, None]
        return cls(name, frame, picture, outline)


def read_key(name: KeyName, size: tuple[int, int], colorspace: str | None = None) -> PaintedFrame:
    """Read a painted frame.

    Args:
        size: (H, W) of the clip's frames.
        colorspace: of the clip; floating-point pictures are assumed to be in it too.

    Raises:
        MediaError: it does not exist, cannot be read, or its size differs from the clip's.
    """
    name.check()
    reader = open_clip(str(name.path))
    frame = next(reader.frames(0, 1))
    if frame.size != size:
        (height, width), (rows, columns) = frame.size, size
        raise MediaError(
            f"{name}: {width}x{height} pixels, but the clip has {columns}x{rows}; "
            "export the painted frame at the size of the plate"
        )
    floating = frame.image.dtype.is_floating_point
    view = manage(reader.info, colorspace if floating else None).view()
    picture = view.see(_straight(frame)[None])
    return PaintedFrame.of(str(name), name.frame, picture, frame.opacity)


def _straight(frame: Frame) -> Tensor:
    """Unpremultiplied colours."""
    coverage = frame.coverage
    if coverage is None:
        return frame.image
    colours = frame.image.float() / coverage[..., None].clamp_min(1e-3)
    if frame.image.dtype.is_floating_point:
        return colours.to(frame.image.dtype)
    white = full_scale(frame.image.dtype)
    return torch.round(colours.clamp(0, white)).to(frame.image.dtype)
