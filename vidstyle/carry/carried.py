"""Painted keys, carried through a clip: the paint in each of its frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vidstyle.carry.field import Field, FieldFolder
from vidstyle.carry.voting import blended, followed, painted, sum_of
from vidstyle.media.frame import Box
from vidstyle.segment.mattes.derived import Derived
from vidstyle.segment.mattes.store import Matte, Mattes, bounding_box

#: How well a key must show something before any of its paint is used over the style, and from where
#: on only paint is used.
LITTLE, ENOUGH = 0.15, 0.45


@dataclass(frozen=True)
class Key:
    """A painted frame, ready to be carried.

    Attributes:
        frame: its number.
        paint: (1, 3, H, W) in [0, 1], defined everywhere.
        outline: (1, 1, H, W) in [−1, 1]: painted outline minus matte; None if the matte is the
            outline.
    """

    frame: int
    paint: Tensor
    outline: Tensor | None = None


class Carried:
    """The paint of one object's keys in every frame.

    A frame depends only on the keys and its own fields, so any segment can be rendered anywhere.
    """

    def __init__(
        self,
        keys: Sequence[Key],
        fields: FieldFolder,
        confidences: Mapping[int, float],
        *,
        alone: bool,
    ) -> None:
        """
        Args:
            fields: for each frame except the keys'.
            confidences: by frame: how well the keys show what is there, 0 to 1.
            alone: paint is used everywhere; no style fills in what no key shows.
        """
        self.keys, self.fields, self.confidences, self.alone = keys, fields, confidences, alone
        self._frames = {key.frame: key for key in keys}

    @property
    def is_outlined(self) -> bool:
        """Whether any key was painted with an outline of its own."""
        return any(key.outline is not None for key in self.keys)

    def is_key(self, frame: int) -> bool:
        return frame in self._frames

    def over(
        self, styled: Tensor, images: Tensor, numbers: Sequence[int], box: Box, strength: float
    ) -> Tensor:
        """Composite the carried paint over styled pictures.

        Args:
            styled: (N, 3, h, w) in [0, 1]; the plates if there is no style.
            images: the plates, of the same shape.
            numbers: of the frames.
            box: the region of the frames that they cover.
            strength: of the paint over the plate, 0 to 1.

        Returns:
            (N, 3, h, w) in [0, 1].
        """
        pictures = []
        for number, base, plate in zip(numbers, styled, images, strict=True):
            found = self.painted(number, box)
            if found is None:
                pictures.append(base)
                continue
            paint, cover = (part[0].to(base.device) for part in found)
            picture = torch.lerp(plate, paint, strength)
            pictures.append(picture if self.alone else torch.lerp(base, picture, cover))
        return torch.stack(pictures)

    def painted(self, number: int, box: Box) -> tuple[Tensor, Tensor] | None:
        """The keys' paint in a box of a frame.

        Returns:
            (1, 3, h, w) in [0, 1], and its opacity over the style, (1, 1, h, w) in [0, 1]; None if
            the object is not in the frame.
        """
        if key := self._frames.get(number):
            paint = key.paint[..., box.rows, box.columns]
            return paint, torch.ones_like(paint[:, :1])
        fields = self.fields.of(number, len(self.keys))
        if not fields:
            return None
        pictures, covers, shares = [], [], []
        for index, field in fields:
            paint, shown = painted(self.keys[index].paint, field, box)
            outline = self._outline(index, field, box)
            if outline is not None:
                # Beyond the matte, only the flow extrapolated from inside is available.
                along, _ = followed(self.keys[index].paint, field, box)
                extra = (outline * 4).clamp(0, 1)
                paint, shown = torch.lerp(paint, along.clamp(0, 1), extra), shown.maximum(extra)
            pictures.append(paint)
            covers.append(((shown - LITTLE) / (ENOUGH - LITTLE)).clamp(0, 1))
            shares.append(field.share)
        return blended(pictures, shares), sum_of(covers, shares)

    def _outline(self, index: int, field: Field, box: Box) -> Tensor | None:
        """A key's outline, carried to a frame: (1, 1, h, w) in [−1, 1]."""
        outline = self.keys[index].outline
        if outline is None:
            return None
        return followed(outline, field, box)[0].clamp(-1, 1)

    def outlined(self, number: int, matte: Matte) -> Matte:
        """The matte of a frame, with the painted outline's additions and removals."""
        whole = Box(0, 0, matte.shape[1], matte.shape[0])
        if key := self._frames.get(number):
            changes = [key.outline]
            shares = [1.0]
        else:
            fields = self.fields.of(number, len(self.keys))
            changes = [self._outline(index, field, whole) for index, field in fields]
            shares = [field.share for _, field in fields]
        total = torch.zeros(1, 1, *matte.shape)
        for change, share in zip(changes, shares, strict=True):
            if change is not None:
                total += share * change
        changed = matte.astype(np.float32) + 255 * total[0, 0].numpy()
        return np.asarray(changed.clip(0, 255).round(), np.uint8)


class Outlined(Derived):
    """An object's mattes, with the outline painted in its keys."""

    def __init__(self, mattes: Mattes, carried: Carried) -> None:
        super().__init__(mattes)
        self._carried = carried

    def __getitem__(self, index: int) -> Matte:
        return self._carried.outlined(index, self._mattes[index])

    def box(self, index: int) -> Box | None:
        if self._mattes.box(index) is None:
            return None
        return bounding_box(self[index])
