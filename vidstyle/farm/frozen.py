"""What analysis found out, kept in the work directory: final mattes, and the maps to each style."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import safetensors.torch
import torch
from pydantic import Field, TypeAdapter, ValidationError
from safetensors import SafetensorError
from torch import Tensor

from vidstyle.analysis import Analysis
from vidstyle.atomic import replacing
from vidstyle.errors import MediaError
from vidstyle.farm.manifest import FrozenObject, Manifest
from vidstyle.farm.sealed import read_sealed, write_sealed
from vidstyle.farm.work import WorkFolder
from vidstyle.frame import Box
from vidstyle.segment.mattes import Matte, Mattes
from vidstyle.style.pyramid import SCALES, Transfer
from vidstyle.style.transform import AffineMap

_MAPS = ("texture", "bands")
_PARTS = ("matrix", "source", "target")

_Entry = tuple[Annotated[str, Field(pattern="^[0-9a-f]{64}$")], tuple[int, int, int, int]]
_INDEX = TypeAdapter(dict[str, _Entry])


class StoredMattes(Mattes):
    """Mattes of a work directory, each checked when it is read."""

    def __init__(
        self, folder: Path, size: tuple[int, int], count: int, entries: dict[str, _Entry]
    ) -> None:
        """
        Args:
            folder: holds ``%06d.png``.
            size: (H, W).
            count: how many frames there are.
            entries: by the name of the file, its sha256 and its box; empty mattes have none.
        """
        self._folder, self._size, self._count, self._entries = folder, size, count, entries

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Matte:
        """Raises MediaError when the file is gone or damaged."""
        entry = self._entries.get(_name(index))
        if entry is None:
            return np.zeros(self._size, np.uint8)
        path = self._folder / _name(index)
        content = _read(path, entry[0])
        matte = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        if matte is None or matte.shape != self._size or matte.dtype != np.uint8:
            raise MediaError(f"{path}: no matte of this clip; analyse again")
        return np.asarray(matte)

    def box(self, index: int) -> Box | None:
        entry = self._entries.get(_name(index))
        return None if entry is None else Box(*entry[1])


def store(work: WorkFolder, number: int, analysis: Analysis, frames: range) -> FrozenObject:
    """Keep what is known of an object.

    Args:
        frames: those that are rendered.

    Raises:
        MediaError: the disk refuses.
    """
    return FrozenObject(
        lost=analysis.lost,
        mattes=_store_mattes(work, number, analysis.mattes, frames),
        statistics=_store_transfers(work, number, analysis.transfers),
    )


def load(work: WorkFolder, manifest: Manifest, device: torch.device) -> list[Analysis]:
    """What was kept of every object.

    Args:
        device: where the maps are to be applied.

    Raises:
        MediaError: something is missing or damaged.
    """
    return [
        Analysis(
            _load_mattes(work, number, manifest, frozen),
            _load_transfers(
                work.statistics(number), frozen.statistics, len(manifest.shots), device
            ),
            frozen.lost,
        )
        for number, frozen in enumerate(manifest.frozen)
    ]


def verify(work: WorkFolder, manifest: Manifest) -> None:
    """Read all that :func:`load` and rendering would.

    Raises:
        MediaError: something is missing or damaged.
    """
    for analysis in load(work, manifest, torch.device("cpu")):
        for index in range(manifest.segments[0].start, manifest.segments[-1].stop):
            analysis.mattes[index]


def _store_mattes(work: WorkFolder, number: int, mattes: Mattes, frames: range) -> str:
    folder = work.make(work.mattes(number))
    entries: dict[str, _Entry] = {}
    for index in frames:
        box = mattes.box(index)
        if box is None:
            continue
        # Level 1: as the tracker's own.
        written, png = cv2.imencode(".png", mattes[index], [cv2.IMWRITE_PNG_COMPRESSION, 1])
        assert written
        content = png.tobytes()
        with replacing(folder / _name(index)) as file:
            file.write(content)
        entries[_name(index)] = (_sha256(content), (box.x0, box.y0, box.x1, box.y1))
    return write_sealed(work.matte_index(number), entries)


def _load_mattes(
    work: WorkFolder, number: int, manifest: Manifest, frozen: FrozenObject
) -> StoredMattes:
    path = work.matte_index(number)
    try:
        content, digest = read_sealed(path, "analyse again")
        entries = _INDEX.validate_python(content)
    except FileNotFoundError:
        raise MediaError(f"{path}: missing; analyse again") from None
    except ValidationError:
        raise MediaError(f"{path}: damaged; analyse again") from None
    height, width = manifest.clip.height, manifest.clip.width
    if digest != frozen.mattes or not all(
        0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height for _, (x0, y0, x1, y1) in entries.values()
    ):
        raise MediaError(f"{path}: of another analysis; analyse again")
    count = manifest.segments[-1].stop
    return StoredMattes(work.mattes(number), (height, width), count, entries)


def _store_transfers(
    work: WorkFolder, number: int, transfers: Sequence[tuple[Transfer, ...] | None]
) -> str:
    tensors = {
        _key(shot, transfer.scale, kind, part): getattr(getattr(transfer, kind), part)
        for shot, levels in enumerate(transfers)
        for transfer in levels or ()
        for kind in _MAPS
        for part in _PARTS
    }
    content = safetensors.torch.save({k: v.cpu().contiguous() for k, v in tensors.items()})
    path = work.statistics(number)
    work.make(path.parent)
    with replacing(path) as file:
        file.write(content)
    return _sha256(content)


def _load_transfers(
    path: Path, digest: str, shots: int, device: torch.device
) -> tuple[tuple[Transfer, ...] | None, ...]:
    content = _read(path, digest)
    try:
        tensors = {k: v.to(device) for k, v in safetensors.torch.load(content).items()}
        return tuple(_transfers(tensors, shot) for shot in range(shots))
    except (SafetensorError, KeyError, ValueError) as error:
        raise MediaError(f"{path}: damaged ({error}); analyse again") from None


def _transfers(tensors: dict[str, Tensor], shot: int) -> tuple[Transfer, ...] | None:
    """A shot's maps, level by level; None where the object is not in it."""
    if _key(shot, SCALES[0], _MAPS[0], _PARTS[0]) not in tensors:
        return None

    def affine(scale: int, kind: str) -> AffineMap:
        return AffineMap(*(tensors[_key(shot, scale, kind, part)] for part in _PARTS))

    return tuple(Transfer(scale, *(affine(scale, kind) for kind in _MAPS)) for scale in SCALES)


def _key(shot: int, scale: int, kind: str, part: str) -> str:
    return f"{shot}.{scale}.{kind}.{part}"


def _name(index: int) -> str:
    return f"{index:06d}.png"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror}); analyse again") from None
    if _sha256(content) != digest:
        raise MediaError(f"{path}: damaged (its sha256 is another); analyse again")
    return content
