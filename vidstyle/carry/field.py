"""Where in a key each place of a frame lies: what carrying finds out, and keeps on disk."""

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

#: Offsets and trust are kept of every second pixel, offsets in steps of a 32nd of one.
GRAIN, FINENESS = 2, 32


@dataclass(frozen=True)
class Field:
    """One frame as one key shows it. Pixels are those of the working size.

    Attributes:
        share: of this key in the frame, in [0, 1]: over all keys they add up to 1.
        size: (h, w), the working size.
        box: what is known of; its corner lies on the lattice, and is even.
        offset: (2, h', w') float32, of every ``GRAIN``-th pixel of the box: pixel x lies at
            x + offset(x) in the key frame. Channel 0 points right.
        trust: (h', w') float32 in [0, 1]: how far the flow was followed there.
        stride: pixels between the places of the lattice.
        matches: (2, m, n) int16: column and row in the key of the patch that is most like each
            place of the lattice; −1 where the object is not.
        shown: (m, n) float32 in [0, 1]: how far the key shows anything like it.
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
        """For a file."""
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
        """What :meth:`packed` packed.

        Raises:
            ValueError, KeyError, BadZipFile: it is none.
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
    """The fields of an object, a file for each frame and key; memory holds only their names.

    Attributes:
        folder: holds them.
        hashes: sha256 by the name of the file.
    """

    def __init__(self, folder: Path, hashes: Mapping[str, str] | None = None) -> None:
        """
        Args:
            hashes: of what lies there; None for a folder yet to be filled.
        """
        self.folder, self.hashes = folder, dict(hashes or {})
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, frame: int, key: int, field: Field) -> None:
        """Keep a field.

        Raises:
            MediaError: the disk refuses.
        """
        content, name = field.packed(), _name(frame, key)
        with replacing(self.folder / name) as file:
            file.write(content)
        self.hashes[name] = hashlib.sha256(content).hexdigest()

    def of(self, frame: int, keys: int) -> Sequence[tuple[int, Field]]:
        """Number of each key that shows the frame, and how.

        Args:
            keys: how many there are.

        Raises:
            MediaError: a file is gone or damaged.
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
