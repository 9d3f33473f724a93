"""How plates are viewed: styles work on a view in [0, 1], whatever the plates contain.

Display-referred code values are their own view. Scene-referred ones (linear, camera log) are viewed
through the display transform of an OCIO config, and painted pixels go back through its inverse.
What the view cannot show of the plate is restored: see :func:`recovered`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from vidstyle.media.composite import composite
from vidstyle.media.frame import Frame, full_scale, unit_range
from vidstyle.media.ocio import Colours, Pair
from vidstyle.media.video.clip import ClipReader, Damage

WHITE = 1.0
"""Scene-linear value of a white card at the exposure of the scene."""

HEADROOM = 4.0
"""How much brighter than the plate, or than white, paint may get: two stops."""


class View(Protocol):
    """Maps plates to what styles, detectors and trackers see, and back."""

    def see(self, plates: Tensor) -> Tensor:
        """Plates (N, H, W, 3), any dtype, as (N, 3, H, W) float32 in [0, 1] on their device."""
        ...

    def composite(self, canvas: Tensor, plates: Tensor, styled: Tensor, matte: Tensor) -> Tensor:
        """Composite painted pixels over the canvas.

        Args:
            canvas: (N, H, W, 3) of the plates' dtype, on the CPU; or (N, H, W, 4): a premultiplied
                element being built up.
            plates: (N, H, W, 3), on the CPU.
            styled: (N, 3, H, W), the restyled view of the plates.
            matte: (N, 1, H, W) in [0, 1].

        Returns:
            The new canvas, bit-identical to the old one where the matte is 0.
        """
        ...


class CodeValues:
    """Code values unchanged; they are also blended as such, since their space is unknown."""

    def see(self, plates: Tensor) -> Tensor:
        return unit_range(plates)

    def composite(self, canvas: Tensor, plates: Tensor, styled: Tensor, matte: Tensor) -> Tensor:  # noqa: ARG002
        return composite(canvas, styled, matte)


@dataclass(frozen=True)
class ColourManaged:
    """Plates of a known colour space, blended in linear light.

    Attributes:
        linear: from the plates' space to linear light, and back.
        look: from linear light to the view, and back.
    """

    linear: Pair
    look: Pair

    def see(self, plates: Tensor) -> Tensor:
        """See :class:`View`."""
        seen = self._seen(self.linear.to(_values(plates)))
        return torch.from_numpy(seen).to(plates.device).movedim(-1, -3)

    def composite(self, canvas: Tensor, plates: Tensor, styled: Tensor, matte: Tensor) -> Tensor:
        """See :class:`View`."""
        inside = matte[:, 0] > 0
        over = matte[:, 0][inside].numpy()[:, None]
        plate = self.linear.to(_values(plates[inside]))
        painted = styled.movedim(1, -1)[inside].numpy()
        light = recovered(
            plate, self.look.back(self._seen(plate)), self.look.back(painted.clip(0, 1))
        )
        if canvas.shape[-1] == 4:
            opaque = np.concatenate([self.linear.back(light), np.ones_like(over)], axis=1)
            mixed = _mixed(canvas[inside].numpy(), opaque, over)
        else:
            below = self.linear.to(_values(canvas[inside]))
            mixed = self.linear.back(_mixed(below, light, over))
        codes = torch.from_numpy(mixed)
        if canvas.dtype.is_floating_point:
            result = canvas.clone()
            result[inside] = codes
            return result
        # uint16 does not support masked assignment; int32 holds every code value.
        scale, result = full_scale(canvas.dtype), canvas.int()
        result[inside] = (codes * scale).round_().clamp_(0, scale).int()
        return result.to(canvas.dtype)

    def _seen(self, linear: Colours) -> Colours:
        return np.asarray(np.nan_to_num(self.look.to(linear)).clip(0, 1), np.float32)


def recovered(plate: Colours, shown: Colours, painted: Colours) -> Colours:
    """Painted pixels, with what the view could not show of the plate restored.

    The view clips light brighter than the display and colours outside its gamut. So paint is
    brightened by the ratio of the plate to its view, and keeps the plate's residual (negative
    values, for example) in proportion to its own light. Where paint changes nothing, the plate
    comes back. Where paint is brighter than the plate, it approaches ``HEADROOM`` times the plate
    or white: otherwise the inverse of a filmic view turns every white stroke into a lamp.

    Args:
        plate: (K, 3) linear light.
        shown: (K, 3) the plate after a round trip through the view.
        painted: (K, 3) linear light of the paint, back from the view.
    """
    dark = np.float32(1e-6)
    peak, peak_shown = plate.max(1, keepdims=True), shown.max(1, keepdims=True)
    peak_painted = painted.max(1, keepdims=True)
    gain = np.maximum(1, peak / np.maximum(peak_shown, dark))
    # Some views return slightly lifted blacks, which must not brighten anything.
    gain = np.where(peak_shown > 0.01, gain, 1)
    knee = np.maximum(WHITE, peak_shown)
    room = (HEADROOM - 1) * knee
    excess = np.maximum(peak_painted - knee, 0)
    held = knee + room * -np.expm1(-excess / room)
    painted = np.where(excess > 0, painted * held / np.maximum(peak_painted, dark), painted)
    residual = plate - gain * shown
    kept = np.clip(peak_painted / np.maximum(peak_shown, dark), 0, 1)
    # The residual of a clipped coloured light is large; it must not make colours negative.
    least = np.minimum(np.minimum(plate, painted), 0)
    result = np.maximum(gain * painted + kept * residual, least)
    return np.where(np.isfinite(result), result, plate).astype(np.float32)


class SeenClip:
    """A clip as viewed, for object and cut detection, statistics and scoring."""

    def __init__(self, reader: ClipReader, view: View) -> None:
        self.info = reader.info
        self._reader, self._view = reader, view

    @property
    def damage(self) -> Damage:
        """As the reader's."""
        return self._reader.damage

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """As the reader's; in ``uint16`` where the plates are not their own view."""
        for frame in self._reader.frames(start, stop):
            if isinstance(self._view, CodeValues):
                yield frame
            else:
                image = self._view.see(frame.image[None])[0].movedim(0, -1)
                yield replace(frame, image=(image * 65535).round_().int().to(torch.uint16))


def _values(codes: Tensor) -> Colours:
    """Code values of any dtype, full scale at 1; NaN becomes 0, infinities ±65504."""
    values = codes.cpu().float().numpy() / np.float32(full_scale(codes.dtype))
    return np.asarray(np.nan_to_num(values, posinf=65504, neginf=-65504), np.float32)


def _mixed(below: Colours, above: Colours, over: Colours) -> Colours:
    mixed = below + (above - below) * over
    return np.asarray(np.where(over == 1, above, mixed), np.float32)
