"""Writing a picture with its metadata, atomically."""

import logging
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.runtime.atomic import replacing
from vidstyle.still.metadata import Metadata

#: Output formats: 8 or 16 bits with alpha, and 8 bits without.
SUFFIXES = (".png", ".jpg", ".jpeg")

# Bytes of EXIF that a JPEG's segment holds, beside its length and "Exif\0\0".
_MOST_EXIF = 65535 - 2 - 6

# Full-resolution chroma: the default halves it, which shows along a matte's edge.
_JPEG = [
    *(cv2.IMWRITE_JPEG_QUALITY, 95),
    *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
]

log = logging.getLogger(__name__)


def save_picture(path: Path, pixels: Tensor, metadata: Metadata) -> None:
    """
    Args:
        path: with one of :data:`SUFFIXES`.
        pixels: (H, W, 3) RGB or (H, W, 4) RGBA, ``uint8`` or ``uint16``.

    Raises:
        MediaError: alpha in a JPEG, or the disk write fails.
    """
    values = pixels.numpy()
    is_jpeg = path.suffix.lower() != ".png"
    if is_jpeg and values.shape[2] == 4:
        raise MediaError(f"{path}: JPEG holds no transparency; write PNG")
    if is_jpeg and values.dtype == np.uint16:
        values = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    order = cv2.COLOR_RGBA2BGRA if values.shape[2] == 4 else cv2.COLOR_RGB2BGR
    exif = metadata.exif
    if is_jpeg and exif is not None and len(exif) > _MOST_EXIF:
        log.warning("%s: its EXIF is more than JPEG holds and is left out", path)
        exif = None
    chunks = {
        cv2.IMAGE_METADATA_EXIF: exif,
        cv2.IMAGE_METADATA_ICCP: metadata.profile,
    }
    carried = {kind: np.frombuffer(chunk, np.uint8) for kind, chunk in chunks.items() if chunk}
    done, encoded = cv2.imencodeWithMetadata(
        path.suffix.lower(),
        cv2.cvtColor(values, order),
        list(carried),
        list(carried.values()),
        _JPEG if is_jpeg else [],
    )
    if not done:
        raise MediaError(f"{path}: cannot be encoded")
    with replacing(path) as file:
        file.write(encoded.tobytes())
