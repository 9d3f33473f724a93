"""Training pictures: decoded on demand, with the same crops for the same seed."""

import difflib
import functools
import hashlib
import logging
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.errors import MediaError, UsageError
from vidstyle.media.picture import read_by_opencv
from vidstyle.media.video.clip import ClipReader
from vidstyle.models.weights import sha256
from vidstyle.style.borders import inside_border
from vidstyle.style.network import GRID
from vidstyle.train.config import DataConfig
from vidstyle.train.masks import Masks, read_masks
from vidstyle.train.pairs import find_clips

SUFFIXES = (".jpg", ".jpeg", ".png")

#: Number of decoded pictures cached per folder.
_CACHED = 256

#: Attempts at drawing a crop that is not flat.
_TRIES = 100

#: Pictures or clips of a kind below which none is held out unless named.
_ENOUGH = 4

Thing = TypeVar("Thing")

log = logging.getLogger(__name__)


class Pictures:
    """Photographs or paintings, all with the same shorter side."""

    def __init__(
        self,
        files: Sequence[Path],
        short_side: int,
        masks: Masks | None = None,
        *,
        framed: bool = False,
    ) -> None:
        """
        Args:
            framed: crop borders around pictures, e.g. of paintings
                (:mod:`vidstyle.style.borders`).
        """
        self.files, self._short_side, self._masks = tuple(files), short_side, masks
        self._framed = framed
        self._read = functools.lru_cache(maxsize=_CACHED)(self._decode)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        """(3, H, W) uint8, or (4, H, W) with the mask as the last channel: 255 inside the object,
        and everywhere in a picture without a mask.

        Raises:
            MediaError: the picture cannot be read.
        """
        return self._read(index)

    @property
    def names(self) -> list[str]:
        return [file.stem for file in self.files]

    def chosen(self, indices: Sequence[int]) -> "Pictures":
        """A subset of the pictures."""
        files = [self.files[index] for index in indices]
        return Pictures(files, self._short_side, self._masks, framed=self._framed)

    def _decode(self, index: int) -> Tensor:
        file = self.files[index]
        picture = read_by_opencv(file, cv2.IMREAD_COLOR_RGB)
        if self._masks is not None:
            mask = self._masks.read(file, (picture.shape[0], picture.shape[1]))
            drawn = np.full(picture.shape[:2], 255, np.uint8)
            if mask is not None:
                drawn = (mask * 255).round().byte().numpy()
            picture = np.dstack([picture, drawn])
        if self._framed:
            inside = inside_border(np.asarray(picture[..., :3] / 255, np.float32))
            picture = picture[inside.rows, inside.columns]
        scale = self._short_side / min(picture.shape[:2])
        mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        resized = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=mode)
        return torch.from_numpy(np.ascontiguousarray(resized)).permute(2, 0, 1)


@dataclass(frozen=True)
class Sources:
    """Locations of the training data.

    Attributes:
        content: a folder of photographs.
        styles: a folder of paintings.
        videos: a folder of clips or of folders with frames.
        masks: of the photographs; see :func:`vidstyle.train.masks.read_masks`.
        domain: a folder of pictures of another domain, whose features should be indistinguishable
            from those of the photographs.
        held_out: stems of pictures and names of clips to hold out; if empty, one in ten of each
            kind is held out.
    """

    content: Path
    styles: Path
    videos: Path | None = None
    masks: Path | None = None
    domain: Path | None = None
    held_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """The pictures of one folder: training and held-out."""

    train: Pictures
    held_out: Pictures


@dataclass(frozen=True)
class Clips:
    """Training and held-out clips."""

    train: list[ClipReader]
    held_out: list[ClipReader]


@dataclass(frozen=True)
class TrainingData:
    """All data of a run; ``digest`` is the sha256 of the list of its files, of which of them are
    held out, and of the masks."""

    content: Split
    styles: Split
    domain: Split | None
    clips: Clips | None
    has_masks: bool
    digest: str


def read_data(sources: Sources, config: DataConfig) -> TrainingData:
    """Find the training data; pictures are decoded on demand.

    Raises:
        MediaError: a folder has no pictures, a file cannot be read, or the masks do not match.
        UsageError: a held-out name is unknown, or nothing is left to train on.
    """
    photographs, paintings = find_pictures(sources.content), find_pictures(sources.styles)
    others = find_pictures(sources.domain) if sources.domain else []
    clips = find_clips(sources.videos) if sources.videos else []
    pictures = [*photographs, *paintings, *others]
    known = {file.stem for file in pictures} | {_clip_name(clip) for clip in clips}
    _check_names(sources.held_out, known)
    masks = read_masks(sources.masks, photographs) if sources.masks else None
    content = _split(photographs, config.content_side, masks, sources.held_out)
    styles = _split(paintings, config.style_side, None, sources.held_out, framed=True)
    domain = _split(others, config.content_side, None, sources.held_out) if others else None
    divided = Clips(*_divided(clips, _clip_name, sources.held_out)) if clips else None
    return TrainingData(
        *(content, styles, domain, divided),
        has_masks=masks is not None,
        digest=_digest([content, styles, *filter(None, [domain])], divided, masks),
    )


def find_pictures(folder: Path) -> list[Path]:
    """Every picture below a folder, sorted.

    Raises:
        MediaError: there is none, or a file is not a picture.
    """
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not files:
        raise MediaError(f"{folder}: no pictures in this folder; give one that has some")
    for file in files:
        if not cv2.haveImageReader(str(file)):
            raise MediaError(f"{file}: is not a picture; remove it from the training data")
    return files


class Crops:
    """Random square crops: scaled, mirrored, and for styles also rotated and recoloured."""

    def __init__(self, pictures: Sequence[Pictures], side: int, zoom: tuple[float, float]) -> None:
        """
        Args:
            pictures: of several folders; all pictures are equally likely.
            side: of a crop, in pixels.
            zoom: range of a crop's extent in the picture, in multiples of ``side``.
        """
        self._places = [(folder, index) for folder in pictures for index in range(len(folder))]
        self._side, self._zoom = side, zoom

    def plain(self, random: np.random.Generator) -> Tensor:
        """(3, side, side) in [0, 1]; (4, …) with the mask last if there are masks.

        Flat or dark crops are redrawn: they teach nothing, and a transform that gives flat ones a
        style's variance has an enormous gain.

        Raises:
            MediaError: the pictures are flat or dark, or one cannot be read.
        """
        for _ in range(_TRIES):
            crop = self._any(random)
            if crop[:3].std() > 0.1 and crop[:3].mean() > 0.1:
                return crop
        folder = self._places[0][0].files[0].parent
        raise MediaError(
            f"{folder}: its pictures are dark or flat; give photographs and paintings with detail"
        )

    def varied(
        self, random: np.random.Generator, whole: tuple[float, float] | None = None
    ) -> Tensor:
        """Like :meth:`plain`, without a mask; randomly rotated, with permuted channels, inverted,
        or with different contrast.

        Augmentation keeps the network from memorising the few available styles.

        Args:
            whole: return a whole picture, (3, H, W), instead of a crop: range of its shorter side
                in multiples of a crop's; sides are rounded to multiples of 8.
        """
        crop = self.plain(random)[:3] if whole is None else self._whole(random, whole)
        if random.random() < 0.3:
            crop = crop[torch.from_numpy(random.permutation(3))]
        if random.random() < 0.3:
            crop = crop.rot90(1, (1, 2))
        if random.random() < 0.1 and crop.mean() < 0.8:
            crop = 1 - crop
        if random.random() < 0.25:
            contrast, light = random.uniform(0.6, 1.3), random.uniform(-0.12, 0.12)
            crop = ((crop - 0.5) * contrast + 0.5 + light).clamp(0, 1)
        return crop.contiguous()

    def _picture(self, random: np.random.Generator) -> Tensor:
        folder, index = self._places[int(random.integers(len(self._places)))]
        return folder[index]

    def _whole(self, random: np.random.Generator, sizes: tuple[float, float]) -> Tensor:
        picture = self._picture(random)[None, :3].float() / 255
        scale = self._side * random.uniform(*sizes) / min(picture.shape[2:])
        sides = [GRID * round(scale * side / GRID) for side in picture.shape[2:]]
        resized: Tensor = F.interpolate(picture, sides, mode="bilinear", antialias=True)
        return resized[0]

    def _any(self, random: np.random.Generator) -> Tensor:
        picture = self._picture(random)
        height, width = picture.shape[1:]
        extent = min(round(self._side * random.uniform(*self._zoom)), height, width)
        top, left = random.integers(height - extent + 1), random.integers(width - extent + 1)
        crop = picture[:, top : top + extent, left : left + extent].float()[None] / 255
        crop = F.interpolate(crop, (self._side, self._side), mode="bilinear", antialias=True)[0]
        return crop.flip(2) if random.random() < 0.5 else crop


def _split(
    files: Sequence[Path],
    short_side: int,
    masks: Masks | None,
    held_out: Collection[str],
    *,
    framed: bool = False,
) -> Split:
    train, kept = _divided(files, lambda file: file.stem, held_out)
    pictures = partial(Pictures, short_side=short_side, masks=masks, framed=framed)
    return Split(pictures(train), pictures(kept))


def _divided(
    things: Sequence[Thing], name: Callable[[Thing], str], held_out: Collection[str]
) -> tuple[list[Thing], list[Thing]]:
    """The training and the held-out part."""
    names = [name(thing) for thing in things]
    kept = set(names) & set(held_out)
    if not held_out and len(things) >= _ENOUGH:
        # By a hash of the name, so that adding a picture does not change those held out.
        by_hash = sorted(set(names), key=lambda each: hashlib.sha256(os.fsencode(each)).digest())
        kept = set(by_hash[: max(1, len(things) // 10)])
    train = [thing for thing, each in zip(things, names, strict=True) if each not in kept]
    if not train:
        raise UsageError(f"--held-out: nothing is left of {', '.join(sorted(kept))}; name fewer")
    if not kept:
        log.warning("none of %s … is held out: validation uses the training data", names[0])
        return train, train
    return train, [thing for thing, each in zip(things, names, strict=True) if each in kept]


def _clip_name(clip: ClipReader) -> str:
    """``walk`` for ``walk.mp4``, ``parkour`` for ``parkour`` and ``parkour/frames``."""
    path = Path(clip.info.path)
    return path.parent.name if path.name == "frames" else path.stem


def _check_names(names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = ", ".join(difflib.get_close_matches(name, known)) or "the name without suffix"
            raise UsageError(f"--held-out {name}: nothing has this name; try {near}")


def _digest(splits: Sequence[Split], clips: Clips | None, masks: Masks | None) -> str:
    listed = []
    for part in ("train", "held_out"):
        files = [file for split in splits for file in getattr(split, part).files]
        listed += [f"{part} {file.parent.name}/{file.name} {file.stat().st_size}" for file in files]
        for clip in getattr(clips, part) if clips else []:
            listed.append(f"{part} {_clip_name(clip)} {clip.info.frame_count}")
    listed += [f"mask {file.name} {sha256(file)}" for file in masks.files] if masks else []
    return hashlib.sha256(os.fsencode("\n".join(listed))).hexdigest()
