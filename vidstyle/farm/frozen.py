"""Results of the analysis, stored in the work directory: final mattes and frozen statistics."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import safetensors.torch
import torch
from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python
from safetensors import SafetensorError
from torch import Tensor

from vidstyle.carry.carried import Carried, Key
from vidstyle.carry.field import FieldFolder
from vidstyle.errors import MediaError
from vidstyle.farm.manifest import FrozenObject, Manifest
from vidstyle.farm.sealed import read_sealed, write_sealed
from vidstyle.farm.work import WorkFolder
from vidstyle.media.frame import Box
from vidstyle.pipeline.analysis import Analysis
from vidstyle.runtime.atomic import replacing
from vidstyle.segment.mattes.store import Matte, Mattes
from vidstyle.style.model import Frozen, StyleModel

_Entry = tuple[Annotated[str, Field(pattern="^[0-9a-f]{64}$")], tuple[int, int, int, int]]
_INDEX = TypeAdapter(dict[str, _Entry])


class StoredMattes(Mattes):
    """Mattes of a work directory, each verified when read."""

    def __init__(
        self, folder: Path, size: tuple[int, int], count: int, entries: dict[str, _Entry]
    ) -> None:
        """
        Args:
            folder: holds ``%06d.png``.
            size: (H, W).
            count: number of frames.
            entries: sha256 and box by file name; empty mattes have none.
        """
        self._folder, self._size, self._count, self._entries = folder, size, count, entries

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Matte:
        """Raises MediaError if the file is missing or damaged."""
        entry = self._entries.get(_name(index))
        if entry is None:
            return np.zeros(self._size, np.uint8)
        path = self._folder / _name(index)
        content = _read(path, entry[0])
        matte = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        if matte is None or matte.shape != self._size or matte.dtype != np.uint8:
            raise MediaError(f"{path}: not a matte of this clip; analyse again")
        return np.asarray(matte)

    def box(self, index: int) -> Box | None:
        entry = self._entries.get(_name(index))
        return None if entry is None else Box(*entry[1])


def store(
    work: WorkFolder, number: int, analysis: Analysis, model: StyleModel, frames: range
) -> FrozenObject:
    """Store the analysis of an object.

    Args:
        model: the model that froze it.
        frames: the frames to render.

    Raises:
        MediaError: the disk write fails.
    """
    return FrozenObject(
        lost=analysis.lost,
        mattes=_store_mattes(work, number, analysis.mattes, frames),
        statistics=_store_transfers(work, number, analysis.transfers, model),
        carried=_store_carried(work, number, analysis.carried) if analysis.carried else None,
    )


def load(work: WorkFolder, manifest: Manifest, model: StyleModel) -> list[Analysis]:
    """Load the stored analysis of every object.

    Args:
        model: the model that froze it, on the device that will apply it.

    Raises:
        MediaError: something is missing or damaged.
    """
    return [
        Analysis(
            _load_mattes(work, number, manifest, frozen),
            _load_transfers(work.statistics(number), frozen.statistics, len(manifest.shots), model),
            frozen.lost,
            None if frozen.carried is None else _load_carried(work, number, frozen.carried),
        )
        for number, frozen in enumerate(manifest.frozen)
    ]


def verify(work: WorkFolder, manifest: Manifest, model: StyleModel) -> None:
    """Read everything that :func:`load` and rendering would read.

    Raises:
        MediaError: something is missing or damaged.
    """
    for analysis in load(work, manifest, model):
        for index in range(manifest.segments[0].start, manifest.segments[-1].stop):
            analysis.mattes[index]
            if analysis.carried is not None:
                analysis.carried.fields.of(index, len(analysis.carried.keys))


def _store_mattes(work: WorkFolder, number: int, mattes: Mattes, frames: range) -> str:
    folder = work.make(work.mattes(number))
    entries: dict[str, _Entry] = {}
    for index in frames:
        box = mattes.box(index)
        if box is None:
            continue
        # Level 1, as for the tracker's mattes.
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
        raise MediaError(f"{path}: from another analysis; analyse again")
    count = manifest.segments[-1].stop
    return StoredMattes(work.mattes(number), (height, width), count, entries)


def _store_transfers(
    work: WorkFolder, number: int, transfers: Sequence[Frozen | None], model: StyleModel
) -> str:
    tensors = {
        f"{shot}.{name}": tensor.cpu().contiguous()
        for shot, frozen in enumerate(transfers)
        if frozen is not None
        for name, tensor in model.save(frozen).items()
    }
    content = safetensors.torch.save(tensors)
    path = work.statistics(number)
    work.make(path.parent)
    with replacing(path) as file:
        file.write(content)
    return _sha256(content)


def _load_transfers(
    path: Path, digest: str, shots: int, model: StyleModel
) -> tuple[Frozen | None, ...]:
    """Statistics of each shot; None where the object is not in it."""
    content = _read(path, digest)
    by_shot: dict[str, dict[str, Tensor]] = {}
    try:
        for name, tensor in safetensors.torch.load(content).items():
            shot, _, part = name.partition(".")
            by_shot.setdefault(shot, {})[part] = tensor
        return tuple(
            model.load(by_shot[str(shot)]) if str(shot) in by_shot else None
            for shot in range(shots)
        )
    except (SafetensorError, KeyError, ValueError) as error:
        raise MediaError(f"{path}: damaged ({error}); analyse again") from None


@dataclass(frozen=True)
class _CarriedIndex:
    """Index of the painted keys in a work directory.

    Attributes:
        keys: their frames.
        confidences: see :class:`~vidstyle.carry.carried.Carried`.
        files: sha256 by name.
    """

    alone: bool
    keys: list[int]
    confidences: dict[int, float]
    files: dict[str, Annotated[str, Field(pattern="^[0-9a-f]{64}$")]]


_CARRIED = TypeAdapter(_CarriedIndex)


def _store_carried(work: WorkFolder, number: int, carried: Carried) -> str:
    folder = work.make(work.carried(number))
    files = dict(carried.fields.hashes)
    for name in files:
        with replacing(folder / name) as file:
            file.write(carried.fields.folder.joinpath(name).read_bytes())
    for index, key in enumerate(carried.keys):
        tensors = {"paint": (key.paint * 65535).round().to(torch.uint16).contiguous()}
        if key.outline is not None:
            tensors["outline"] = key.outline.half().contiguous()
        content = safetensors.torch.save(tensors)
        with replacing(folder / _key_name(index)) as file:
            file.write(content)
        files[_key_name(index)] = _sha256(content)
    frames = [key.frame for key in carried.keys]
    told = _CarriedIndex(carried.alone, frames, dict(carried.confidences), files)
    return write_sealed(work.carried_index(number), to_jsonable_python(asdict(told)))


def _load_carried(work: WorkFolder, number: int, digest: str) -> Carried:
    path, folder = work.carried_index(number), work.carried(number)
    try:
        content, found = read_sealed(path, "analyse again")
        index = _CARRIED.validate_python(content)
        if found != digest:
            raise MediaError(f"{path}: from another analysis; analyse again")
        files = dict(index.files)
        keys = [
            _load_key(folder / _key_name(key), frame, files.pop(_key_name(key)))
            for key, frame in enumerate(index.keys)
        ]
    except FileNotFoundError:
        raise MediaError(f"{path}: missing; analyse again") from None
    except (ValidationError, KeyError):
        raise MediaError(f"{path}: damaged; analyse again") from None
    return Carried(keys, FieldFolder(folder, files), index.confidences, alone=index.alone)


def _load_key(path: Path, frame: int, digest: str) -> Key:
    content = _read(path, digest)
    try:
        tensors = safetensors.torch.load(content)
        outline = tensors.get("outline")
        paint = tensors["paint"].float() / 65535
        return Key(frame, paint, None if outline is None else outline.float())
    except (SafetensorError, KeyError, ValueError) as error:
        raise MediaError(f"{path}: damaged ({error}); analyse again") from None


def _key_name(index: int) -> str:
    return f"key.{index}.safetensors"


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
        raise MediaError(f"{path}: damaged (its sha256 differs); analyse again")
    return content
