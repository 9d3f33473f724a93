"""Masks of pictures: binary PNGs, Labelme's polygons, COCO's instances.

A mask belongs to the picture with the same stem, regardless of folders.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.segment.mattes.matte_picture import read_matte
from vidstyle.train.annotations import check_labels, read_coco, read_labelme

#: Draws a mask for a picture of size (H, W): uint8, 255 inside.
Draw = Callable[[tuple[int, int]], NDArray[np.uint8]]

log = logging.getLogger(__name__)


class Masks:
    """The masks of a set of pictures, read or drawn on demand."""

    def __init__(self, draw: Mapping[str, Draw], files: Iterable[Path]) -> None:
        """
        Args:
            draw: {stem of a picture: function that draws its mask}.
            files: from which they are drawn.
        """
        self._draw, self.files = draw, tuple(files)

    def __len__(self) -> int:
        """How many pictures have a mask."""
        return len(self._draw)

    def read(self, picture: Path, size: tuple[int, int]) -> Tensor | None:
        """The mask of a picture: (H, W) float32 in [0, 1], 1 inside the object.

        None if there is no mask or it is empty.

        Args:
            picture: its file; only the stem is used.
            size: (H, W) of the picture, as it is in the file.

        Raises:
            MediaError: the mask is invalid, or not of this size.
        """
        draw = self._draw.get(picture.stem)
        mask = None if draw is None else draw(size)
        return torch.from_numpy(mask).float() / 255 if mask is not None and mask.any() else None


def read_masks(
    source: Path, pictures: Sequence[Path], labels: Collection[str] | None = None
) -> Masks:
    """Find the masks of ``pictures``.

    Args:
        source: a folder with PNG files (8 or 16 bits, white inside; or 0 and 1), a folder with
            Labelme's JSON files (which may lie among the pictures), or COCO's JSON file.
        pictures: files of the pictures.
        labels: what to read from annotations: Labelme's labels or COCO's category names. None
            reads everything.

    Raises:
        MediaError: no mask belongs to the pictures, names are ambiguous, a file is invalid, or
            labels are not in it.
    """
    stems = {picture.stem for picture in pictures}
    files: Iterable[Path]
    if source.is_file():
        coco = read_coco(source, stems, labels)
        draw: dict[str, Draw] = {stem: annotation.draw for stem, annotation in coco.items()}
        files, kind = [source], "COCO annotations"
    elif annotations := _by_stem(source, ".json", stems):
        draw = _labelme(source, annotations, labels)
        files, kind = annotations.values(), "Labelme annotations"
    else:
        if labels is not None:
            raise MediaError(f"{source}: PNG masks have no labels to choose by; leave labels out")
        pictured = _by_stem(source, ".png", stems)
        draw = {stem: partial(_read_png, file) for stem, file in pictured.items()}
        files, kind = pictured.values(), "PNG masks"
    if not draw:
        raise MediaError(
            f"{source}: no mask in it belongs to one of the {len(pictures)} pictures; "
            "name masks as the pictures are named, or give COCO's file itself"
        )
    for stem, count in Counter(picture.stem for picture in pictures).items():
        if count > 1 and stem in draw:
            raise MediaError(
                f"{source}: {count} pictures are named {stem}, so it is ambiguous which of "
                "them this mask belongs to; give each its own name"
            )
    log.info("%s: %s for %d of %d pictures", source, kind, len(draw), len(stems))
    return Masks(draw, files)


def _by_stem(folder: Path, suffix: str, stems: Collection[str]) -> dict[str, Path]:
    """The files below a folder that belong to pictures of these stems."""
    if not folder.is_dir():
        raise MediaError(f"{folder}: no such file or folder of masks; check the name")
    found: dict[str, Path] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() == suffix and file.stem in stems:
            if file.stem in found:
                raise MediaError(
                    f"{file}: a second mask by this name, after {found[file.stem]}; give each "
                    "picture and its mask a name of their own"
                )
            found[file.stem] = file
    return found


def _labelme(
    source: Path, files: Mapping[str, Path], labels: Collection[str] | None
) -> dict[str, Draw]:
    # All are read up front: a run should not fail after hours because of an invalid file.
    draw: dict[str, Draw] = {}
    found: set[str] = set()
    for stem, file in files.items():
        annotation, names = read_labelme(file, labels)
        found |= names
        if annotation.shapes:
            draw[stem] = annotation.draw
    check_labels(source, labels, found)
    return draw


def _read_png(file: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    return read_matte(file, size)
