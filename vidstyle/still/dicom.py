"""DICOM pictures (CT, MR, X-ray, ultrasound) as displayed, with window and level applied.

They are read-only. The output is a PNG or JPEG that carries no patient data and is marked as not
for diagnosis.
"""

import logging
import warnings
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vidstyle.errors import MediaError, UsageError
from vidstyle.media.access import readable
from vidstyle.media.frame import Frame
from vidstyle.media.limits import check_size
from vidstyle.media.pattern import PICTURE_SUFFIXES
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.colour import PICTURE_TAGS
from vidstyle.runtime.extras import needs_extra
from vidstyle.still.metadata import Metadata

#: Written to the output's metadata.
NOTE = "NOT FOR DIAGNOSIS. Restyled by vidstyle."

SUFFIXES = (".dcm", ".dicom")

#: Of pictures of all kinds. Any other ending may be part of a name: DICOM files are often named by
#: UIDs, such as 1.2.840.113619.2.55.3.
ALL_SUFFIXES = (*SUFFIXES, *PICTURE_SUFFIXES)

# The standard's preamble: 128 arbitrary bytes, then these (PS3.10, 7.1).
_MAGIC_AT, _MAGIC = 128, b"DICM"

_RATE = Fraction(24)  # of a clip of one frame: never used

# Values below and above any from a scanner, which map to the ends of a window.
_BEYOND = np.array([-1e9, 1e9])

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Window:
    """Values displayed between black and white (PS3.3, C.11.2), such as Hounsfield units.

    Attributes:
        centre: also called level.
    """

    centre: float
    width: float

    @classmethod
    def parse(cls, text: str) -> "Window":
        """``40,400``: centre and width.

        Raises:
            UsageError: not two numbers, or a width below 1.
        """
        try:
            centre, width = map(float, text.split(","))
        except ValueError:
            raise UsageError(f"--window {text}: give CENTRE,WIDTH, as 40,400") from None
        if not (np.isfinite(centre) and 1 <= width < np.inf):
            raise UsageError(f"--window {text}: the width must be 1 or more")
        return cls(centre, width)


@readable()
def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM, by its suffix or, without one, by its first bytes."""
    if path.suffix.lower() in ALL_SUFFIXES:
        return path.suffix.lower() in SUFFIXES
    if not path.is_file():
        return False
    with path.open("rb") as file:
        file.seek(_MAGIC_AT)
        return file.read(len(_MAGIC)) == _MAGIC


def read_dicom(path: Path, window: Window | None) -> tuple[ClipInfo, Frame, Metadata]:
    """Read one picture as RGB, in 16 bits if it is grey, else in 8.

    Args:
        window: of a grey picture; None for the file's first, or all values if it has none.

    Raises:
        MediaError: the file is damaged, holds no picture or several, or has an unsupported
            encoding.
        UsageError: the ``dicom`` extra is not installed.
    """
    with needs_extra("dicom", f"{path}: DICOM"):
        import pydicom
    if not path.is_file():
        raise MediaError(f"{path}: missing; check the name")
    try:
        with warnings.catch_warnings(record=True) as complaints:
            warnings.simplefilter("always")
            dataset = pydicom.dcmread(path)
            _check_one_picture(path, dataset)
            pixels = _displayed(path, dataset, window)
    except pydicom.errors.InvalidDicomError:
        what = "not DICOM, or without its header" if path.stat().st_size else "an empty file"
        raise MediaError(f"{path}: {what}; export it again") from None
    except MediaError:
        raise
    except Exception as error:
        # pydicom and its decoders raise arbitrary exceptions on broken or unknown files.
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise MediaError(f"{path}: unreadable DICOM ({reason}); export it again") from None
    for complaint in complaints:
        log.warning("%s: %s", path, complaint.message)
    height, width = pixels.shape[:2]
    bits = pixels.dtype.itemsize * 8
    info = ClipInfo(
        path=str(path),
        width=width,
        height=height,
        rate=_RATE,
        time_base=1 / _RATE,
        frame_count=1,
        duration=1 / _RATE,
        codec="dicom",
        pix_fmt="rgb48le" if bits == 16 else "rgb24",
        bits=bits,
        colour=PICTURE_TAGS,
        is_sequence=True,
    )
    frame = Frame(torch.from_numpy(pixels), 0, 0, info.time_base)
    return info, frame, Metadata().noted(NOTE)


def _check_one_picture(path: Path, dataset: Any) -> None:
    if "Rows" not in dataset or not any(
        name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
    ):
        raise MediaError(f"{path}: DICOM without a picture ({dataset.get('Modality', 'unknown')})")
    check_size(path, int(dataset.get("Columns") or 0), int(dataset.Rows or 0))
    count = int(dataset.get("NumberOfFrames") or 1)
    if count > 1:
        raise MediaError(f"{path}: DICOM of {count} pictures; split it into single ones")


def _displayed(path: Path, dataset: Any, window: Window | None) -> NDArray[Any]:
    """(H, W, 3), ``uint16`` for a grey picture, ``uint8`` for colour."""
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
    from pydicom.pixels.utils import pixel_array

    kind = dataset.PhotometricInterpretation
    if not kind.startswith("MONOCHROME"):
        stored = pixel_array(dataset)
        colours = apply_color_lut(stored, dataset) if kind.startswith("PALETTE") else stored
        if colours.dtype == np.uint16 and kind.startswith("PALETTE"):
            colours = (colours >> 8).astype(np.uint8)
        if colours.dtype != np.uint8:
            raise MediaError(f"{path}: DICOM in colour of {colours.dtype}; convert it to 8 bits")
        return np.ascontiguousarray(colours)
    values = apply_modality_lut(pixel_array(dataset), dataset).astype(np.float64)
    shown = _windowed(path, values, dataset, window)
    if kind == "MONOCHROME1":
        shown = 1 - shown
    grey = np.rint(shown * 65535).astype(np.uint16)
    return np.repeat(grey[..., None], 3, axis=2)


def _windowed(
    path: Path, values: NDArray[np.float64], dataset: Any, window: Window | None
) -> NDArray[np.float64]:
    """Values from black, 0, to white, 1."""
    from pydicom.pixels.processing import apply_voi_lut

    if window is not None:
        dataset.WindowCenter, dataset.WindowWidth = window.centre, window.width
        for own in ("VOILUTSequence", "VOILUTFunction"):
            if own in dataset:
                delattr(dataset, own)
    if "WindowWidth" in dataset or "VOILUTSequence" in dataset:
        flat = np.concatenate([values.ravel(), _BEYOND])
        if "VOILUTSequence" in dataset:
            flat = np.rint(flat).astype(np.int64)
        mapped = np.asarray(apply_voi_lut(flat, dataset), np.float64)
        shown, (low, high) = mapped[:-2].reshape(values.shape), mapped[-2:]
    else:
        shown, low, high = values, float(values.min()), float(values.max())
        log.info("%s: gives no window; values from %g to %g are shown", path, low, high)
    return np.asarray(((shown - low) / max(high - low, 1e-9)).clip(0, 1))
