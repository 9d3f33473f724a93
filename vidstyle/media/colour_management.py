"""A clip's colour space, and the view and output conversion that follow from it."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch

from vidstyle.media.ocio import SAME, Config, Pair
from vidstyle.media.video.clip import ClipInfo, ClipReader
from vidstyle.media.video.colour import PICTURE_TAGS, RGB, ColourTags
from vidstyle.media.video.convert import Conversion
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.target import is_picture_target
from vidstyle.media.view import CodeValues, ColourManaged, SeenClip, View

log = logging.getLogger(__name__)

# Picture formats that hold floating point.
_FLOAT = (".exr", ".tif", ".tiff")

# H.273 primaries 9 are BT.2020's, 12 P3's with D65; transfer 13 is sRGB's, 16 PQ, 17 gamma 2.6,
# 18 HLG. sRGB and gamma 2.4 share the tags of PICTURE_TAGS, on which players agree.
_TAGS = {
    **dict.fromkeys(
        ("srgb_display", "srgb_texture", "srgb_tx", "rec1886_rec709_display", "g24_rec709_tx"),
        PICTURE_TAGS,
    ),
    "rec2100_pq_display": ColourTags(RGB, 2, 9, 16),
    "rec2100_hlg_display": ColourTags(RGB, 2, 9, 18),
    "rec1886_rec2020_display": ColourTags(RGB, 2, 9, 14),
    "displayp3_display": ColourTags(RGB, 2, 12, 13),
    "p3d65_display": ColourTags(RGB, 2, 12, 17),
}


@dataclass(frozen=True)
class Management:
    """A clip's colour management.

    Attributes:
        config: None if code values are taken as they are.
        space: of the plates; None likewise.
        target: requested space of the output.
    """

    config: Config | None = None
    space: str | None = None
    target: str | None = None

    def view(self) -> View:
        """How the plates are viewed."""
        if self.config is None or self.space is None:
            return CodeValues()
        if self.config.is_linear(self.space):
            return ColourManaged(SAME, self.config.looked_at(self.space))
        linear = Pair(
            self.config.between(self.space, self.config.linear),
            self.config.between(self.config.linear, self.space),
        )
        if self.config.is_viewable(self.space):
            return ColourManaged(linear, Pair(linear.back, linear.to))
        return ColourManaged(linear, self.config.looked_at(self.config.linear))

    def conversion(self, info: ClipInfo, target: str) -> Conversion | None:
        """The conversion of frames for an output; None if there is none.

        Without ``OUT`` they stay as they are, unless the output cannot hold floating point: then
        they become what the view shows.
        """
        if self.config is None or self.space is None:
            return None
        suffix = Path(target).suffix.lower()
        if self.target is not None:
            transform, space = self.config.between(self.space, self.target), self.target
        elif info.is_float and suffix not in _FLOAT:
            transform, space = self.config.looked_at(self.space).to, self.config.view_space()
            log.info("%s: by the view %s", target, " / ".join(self.config.view))
        else:
            return None
        dtype = torch.uint8 if info.bits <= 8 else torch.uint16
        if suffix == ".exr" or (info.is_float and suffix in _FLOAT):
            dtype = torch.float32
        names = self.config.aliases(space)
        tags = next((_TAGS[name] for name in names if name in _TAGS), None)
        if tags is None and not is_picture_target(target):
            log.warning("%s: no video tags are known for %s; keeping the clip's own", target, space)
        return Conversion(transform, dtype, names[0], tags)

    def record(self) -> dict[str, str | None]:
        """For the report."""
        if self.config is None:
            return {}
        return {
            "config": self.config.name,
            "in": self.space,
            "out": self.target,
            "view": " / ".join(self.config.view),
        }


def manage(info: ClipInfo, colorspace: str | None) -> Management:
    """The colour of a clip: as the user states or, for floating-point pictures, as the files and
    the config state.

    Args:
        colorspace: ``IN[:OUT]``.

    Raises:
        UsageError: no such space, a config that cannot be read, or the ``post`` extra missing.
    """
    if colorspace is None and not info.is_float:
        return Management()
    config = Config()
    if colorspace is not None:
        return Management(config, *config.pair_named(colorspace))
    space = config.space_of_file(info.path, info.space)
    log.info(
        "%s: taken to be %s, viewed through %s (%s); --colorspace sets another",
        info.path,
        space,
        " / ".join(config.view),
        config.name,
    )
    return Management(config, space)


def open_seen(source: str) -> ClipReader:
    """A clip as viewed, for code that only looks at it.

    Raises:
        MediaError, UsageError: see ``open_clip`` and :func:`manage`.
    """
    reader = open_clip(source)
    return SeenClip(reader, manage(reader.info, None).view())
