"""How much of its structure a still has kept, and the required minimum."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vidstyle.errors import QualityError
from vidstyle.evaluate.gate import Threshold
from vidstyle.evaluate.metrics import masked_mean
from vidstyle.evaluate.structure import gradient_correlation, ssim_map
from vidstyle.media.frame import unit_range
from vidstyle.segment.mattes.store import Matte, bounding_box

_WINDOW = 11  # of SSIM, in pixels


@dataclass(frozen=True)
class Structure:
    """Similarity to the input inside the object; NaN where it cannot be measured.

    Attributes:
        ssim: structural similarity.
        gradient: correlation of the gradients.
    """

    ssim: float = math.nan
    gradient: float = math.nan

    @classmethod
    def of(cls, result: Tensor, plate: Tensor, matte: Matte) -> "Structure":
        """
        Args:
            result, plate: (H, W, 3) code values.
            matte: (H, W), not empty.
        """
        box = bounding_box(matte)
        assert box is not None
        area = box.padded(_WINDOW, 1, (matte.shape[0], matte.shape[1]))
        if min(area.width, area.height) < _WINDOW:
            return cls()
        ours, theirs = (
            unit_range(picture[area.rows, area.columns])[None] for picture in (result, plate)
        )
        inside = torch.from_numpy(matte[area.rows, area.columns])[None, None].float() / 255
        values, whole = ssim_map(ours, theirs)
        return cls(
            float(masked_mean(values, whole * inside)),
            gradient_correlation(ours, theirs, inside),
        )

    def check(self, bounds: Sequence[Threshold]) -> None:
        """
        Raises:
            QualityError: a bound is violated; a missing measurement violates every bound.
        """
        for bound in bounds:
            value = getattr(self, bound.measure)
            if not bound.keeps(value):
                was = "cannot be measured" if math.isnan(value) else f"is {value:.3f}"
                raise QualityError(
                    f"{bound.measure} {was}, wanted at least {bound.limit:g}; use a smaller "
                    "--strength"
                )
