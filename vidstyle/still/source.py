"""Finding the pictures to restyle, and reading one with its metadata."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidstyle.errors import MediaError
from vidstyle.media.access import readable
from vidstyle.media.frame import Frame
from vidstyle.media.pattern import PICTURE_SUFFIXES
from vidstyle.media.video.clip import ClipInfo, Damage
from vidstyle.media.video.reader import open_clip
from vidstyle.still.dicom import ALL_SUFFIXES, Window, is_dicom, read_dicom
from vidstyle.still.metadata import Metadata, read_metadata

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Still:
    """A picture in memory, which the parts of a render treat as a clip of one frame."""

    path: Path
    info: ClipInfo
    frame: Frame
    metadata: Metadata
    damage: Damage = Damage()  # noqa: RUF009 - frozen

    @property
    def name(self) -> str:
        """Its name, which its matte and its output share."""
        return name_of(self.path)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See :class:`~vidstyle.media.video.clip.ClipReader`."""
        if start <= 0 and (stop is None or stop > 0):
            yield self.frame


def name_of(path: Path) -> str:
    """A file's name without its suffix, if it has one."""
    return path.stem if path.suffix.lower() in ALL_SUFFIXES else path.name


@readable()
def find_stills(names: Sequence[Path]) -> list[Path]:
    """The files named by pictures and folders of pictures, without duplicates, in order.

    Raises:
        MediaError: a name is missing, or a folder holds no picture.
    """
    found: dict[Path, None] = {}
    for name in names:
        if not name.exists():
            raise MediaError(f"{name}: missing; check the name")
        inside = [name]
        if name.is_dir():
            inside = sorted(path for path in name.iterdir() if _is_still(path))
            if not inside:
                raise MediaError(f"{name}: no pictures in it; name a folder with pictures")
        found.update(dict.fromkeys(inside))
    return list(found)


def read_still(path: Path, window: Window | None = None) -> Still:
    """
    Args:
        window: of a DICOM picture; None for its own.

    Raises:
        MediaError: the file is missing, damaged, or of an unsupported kind.
        UsageError: it requires an extra that is not installed.
    """
    if is_dicom(path):
        return Still(path, *read_dicom(path, window))
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise MediaError(
            f"{path}: not a supported kind of picture; "
            f"convert it to one of {' '.join(PICTURE_SUFFIXES)}"
        )
    if window is not None:
        log.warning("%s: not DICOM, so --window changes nothing", path)
    metadata = read_metadata(path)
    clip = open_clip(str(path))
    if clip.info.is_float:
        raise MediaError(
            f"{path}: floating point, which PNG and JPEG do not hold; use 'vidstyle render' with "
            "an EXR or TIFF output"
        )
    return Still(path, clip.info, next(clip.frames()), metadata)


def _is_still(path: Path) -> bool:
    if path.name.startswith(".") or not path.is_file():
        return False
    return path.suffix.lower() in PICTURE_SUFFIXES or is_dicom(path)
