"""Correspondence fields from a frame to a key: the result of carrying, stored on disk."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.media.frame import Box
from vidstyle.runtime.atomic import replacing

#: Offsets and trust are stored for every second pixel, offsets in steps of 1/32 pixel.
GRAIN, FINENESS = 2, 32


@dataclass(frozen=True)
class Field:
    """The correspondence from one frame to one key, in pixels of the working size.

    Attributes:
        share: of this key in the frame, in [0, 1]; the shares of all keys add up to 1.
        size: (h, w), the working size.
        box: the region covered; its corner lies on the lattice, and is even.
        offset: (2, h', w') float32, for every ``GRAIN``-th pixel of the box: pixel x lies at
            x + offset(x) in the key frame. Channel 0 points right.
        trust: (h', w') float32 in [0, 1]: how reliably the flow could be followed there.
        stride: pixels between lattice points.
        matches: (2, m, n) int16: column and row, in the key, of the patch most similar to each
            lattice point; −1 outside the object.
        shown: (m, n) float32 in [0, 1]: how well the key shows anything similar.
    """

    share: float
    size: tuple[int, int]
    box: Box
    offset: Tensor
    trust: Tensor
    stride: int
    matches: Tensor
    shown: Tensor

    def packed(self) -> bytes:
        """Serialised, for a file."""
        file = io.BytesIO()
        box = self.box
        bound = 32767 / FINENESS
        np.savez_compressed(
            file,
            share=np.float64(self.share),
            frame=np.array([*self.size, box.x0, box.y0, box.x1, box.y1, self.stride], np.int32),
            offset=(self.offset.clamp(-bound, bound) * FINENESS).round().short().numpy(),
            trust=(self.trust * 255).round().byte().numpy(),
            matches=self.matches.numpy(),
            shown=(self.shown * 255).round().byte().numpy(),
        )
        return file.getvalue()

    @classmethod
    def unpacked(cls, content: bytes) -> Self:
        """The inverse of :meth:`packed`.

        Raises:
            ValueError, KeyError, BadZipFile: the content is not a field.
        """
        with np.load(io.BytesIO(content), allow_pickle=False) as told:
            height, width, *corners, stride = map(int, told["frame"])
            return cls(
                float(told["share"]),
                (height, width),
                Box(*corners),
                torch.from_numpy(told["offset"]).float() / FINENESS,
                torch.from_numpy(told["trust"]).float() / 255,
                stride,
                torch.from_numpy(told["matches"]),
                torch.from_numpy(told["shown"]).float() / 255,
            )


class FieldFolder:
    """The fields of an object, one file per frame and key; only names and hashes are held in
    memory.

    Attributes:
        folder: where they are stored.
        hashes: sha256 by file name.
    """

    def __init__(self, folder: Path, hashes: Mapping[str, str] | None = None) -> None:
        """
        Args:
            hashes: of the existing files; None for a new folder.
        """
        self.folder, self.hashes = folder, dict(hashes or {})
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, frame: int, key: int, field: Field) -> None:
        """Store a field.

        Raises:
            MediaError: it cannot be written.
        """
        content, name = field.packed(), _name(frame, key)
        with replacing(self.folder / name) as file:
            file.write(content)
        self.hashes[name] = hashlib.sha256(content).hexdigest()

    def of(self, frame: int, keys: int) -> Sequence[tuple[int, Field]]:
        """The index of each key that shows the frame, with its field.

        Args:
            keys: how many there are.

        Raises:
            MediaError: a file is missing or damaged.
        """
        return [
            (key, self._read(_name(frame, key)))
            for key in range(keys)
            if _name(frame, key) in self.hashes
        ]

    def _read(self, name: str) -> Field:
        path = self.folder / name
        try:
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() != self.hashes[name]:
                raise ValueError("its sha256 differs")
            return Field.unpacked(content)
        except OSError as error:
            raise MediaError(f"{path}: cannot be read ({error.strerror}); run it again") from None
        except (ValueError, KeyError, BadZipFile) as error:
            raise MediaError(f"{path}: damaged ({error}); run it again") from None


def _name(frame: int, key: int) -> str:
    return f"{frame:06d}.{key}.npz"
