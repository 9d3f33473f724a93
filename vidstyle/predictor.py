"""A style model on arrays and tensors: :func:`load_model`.

model = load_model("micro")
look = model.fit(frames, "art.jpg", masks=masks)      # frozen for a shot
out = model(frames, look, masks=masks, strength=0.8)
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.errors import ObjectNotFoundError, UsageError
from vidstyle.media.frame import Frame, full_scale, unit_range
from vidstyle.motion.build import build_flow
from vidstyle.motion.dis import LIGHT
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.options import DEFAULTS, LookOptions, RenderOptions
from vidstyle.pipeline.analysis import freeze, read_style, sampled, to_working_size
from vidstyle.pipeline.layer import Layer
from vidstyle.pipeline.parts import build_parts
from vidstyle.pipeline.preparation import layer_context
from vidstyle.runtime.device import seeded
from vidstyle.runtime.memory import frames_at_once
from vidstyle.segment.mattes.derived import WholeFrame
from vidstyle.segment.mattes.store import HeldMattes, Matte, Mattes
from vidstyle.style.supersampled import Enlarged

#: Pictures as arrays (N, H, W, 3), or as tensors (N, 3, H, W).
Pictures = TypeVar("Pictures", NDArray[np.generic], Tensor)
#: Masks as arrays or tensors (N, H, W), or tensors (N, 1, H, W).
Masks = NDArray[np.generic] | Tensor


@dataclass(frozen=True)
class Look:
    """A style as it was frozen for an object in a shot; only the model that made it reads it."""

    frozen: Enlarged


def load_model(
    name: str = "auto", *, device: str = "auto", max_memory: int = DEFAULTS.max_memory
) -> "Model":
    """Load a style model.

    Args:
        name: ``micro``, ``vgg19``, a model's folder, a plug-in's name, or ``auto``: ``vgg19`` on
            CUDA where its weights are there, else ``micro``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        max_memory: MiB that the network may take at once; larger frames go in tiles.

    Raises:
        WeightsError: no such model, or its weights are missing or corrupt.
        DeviceError: no such device.
    """
    options = replace(DEFAULTS, model=name, device=device, max_memory=max_memory, temporal="off")
    with seeded(options.seed):
        return Model(options)


class Model:
    """A style model, on its device. It may be called from several threads at once.

    Pictures are arrays (N, H, W, 3) or tensors (N, 3, H, W) in RGB: ``uint8``, ``uint16``, or
    floating point with white at 1, of which single precision is kept. Masks have the size and the
    number of the pictures. They are arrays (N, H, W), or tensors (N, H, W) or (N, 1, H, W):
    ``bool``, integers with their largest value inside, or floating point in [0, 1].

    Attributes:
        name: of the model, as it was chosen.
    """

    def __init__(self, options: RenderOptions) -> None:
        """See :func:`load_model`."""
        self._options = options
        self._parts = build_parts(options)
        self.name = self._parts.model

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self._parts.device

    def fit(
        self,
        frames: Pictures,
        style: str | os.PathLike[str] | NDArray[np.generic] | Tensor,
        *,
        masks: Masks | None = None,
        style_scale: float = DEFAULTS.style_scale,
        supersample: int | None = DEFAULTS.supersample,
    ) -> Look:
        """Freeze a style for an object in a shot.

        Args:
            frames: of the shot, at least one; of many, a few are looked at.
            style: a picture file, or one picture (H, W, 3) or (3, H, W).
            masks: where the object is; None for the whole frame.
            style_scale, supersample: see :class:`~vidstyle.options.LookOptions`.

        Raises:
            UsageError: invalid arrays, or an option out of its bounds.
            MediaError: the style cannot be read.
            ObjectNotFoundError: the masks are empty.
        """
        wanted = LookOptions(style_scale=style_scale, supersample=supersample)
        shot = _Shot(frames, masks)
        model = self._parts.stylizer
        if isinstance(style, str | os.PathLike):
            read = read_style(os.fspath(style), shot.size, model, wanted.style_scale)
        else:
            picture = to_working_size(_picture(style), "style", shot.size, wanted.style_scale)
            read = model.read_style(Path("style"), lambda: picture)
        seen = sampled(range(shot.count), shot.mattes)
        frozen = freeze(shot, seen, shot.mattes, read, model, wanted.supersample)
        if frozen is None:
            raise ObjectNotFoundError("masks: empty in every frame; give some with the object")
        return Look(frozen)

    def __call__(
        self,
        frames: Pictures,
        look: Look,
        *,
        masks: Masks | None = None,
        strength: float = DEFAULTS.strength,
        detail: float = DEFAULTS.detail,
        feather: float = DEFAULTS.feather,
        preserve: str = DEFAULTS.preserve,
        steady: bool = False,
    ) -> Pictures:
        """Restyle frames.

        Args:
            frames: any number of them.
            look: from :meth:`fit`.
            masks: what is restyled; None for whole frames. Outside, and farther than ``feather``
                pixels from it, every pixel comes back as it was.
            strength, detail, feather, preserve: see :class:`~vidstyle.options.LookOptions`.
            steady: the frames follow each other: each is steadied along the motion of the one
                before. Without, what a frame becomes depends on that frame alone.

        Returns:
            As ``frames``: the same kind, shape, type and device.

        Raises:
            UsageError: invalid arrays, or an option out of its bounds.
        """
        wanted = LookOptions(strength=strength, detail=detail, feather=feather, preserve=preserve)
        shot = _Shot(frames, masks)
        parts = replace(self._parts, steady=self._flow if steady else None)
        layer = Layer(shot.mattes, look.frozen, wanted, layer_context(parts))
        batch = frames_at_once(self._options.batch, shot.size, self.device)
        with parts.workers:
            return _as(frames, _restyled(shot, layer, batch))

    @cached_property
    def _flow(self) -> FlowEstimator:
        return build_flow(self._options.flow, self.device, self._options.flow_size, None, LIGHT)


class _Shot:
    """Arrays as a clip, see :class:`~vidstyle.segment.clip.Clip`."""

    def __init__(self, frames: NDArray[np.generic] | Tensor, masks: Masks | None) -> None:
        self._images = _images(frames)
        self.count = len(self._images)
        self.size = (self._images.shape[1], self._images.shape[2])
        self.mattes: Mattes = WholeFrame(self.size, self.count)
        if masks is not None:
            self.mattes = HeldMattes([*_mattes(masks, self.count, self.size)])

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        for index in range(self.count)[start:stop]:
            yield Frame(self._images[index], index, index, Fraction(1))


def _restyled(shot: _Shot, layer: Layer, batch: int) -> Tensor:
    """Code values (N, H, W, 3)."""
    done = []
    for start in range(0, shot.count, batch):
        frames = [*shot.frames(start, start + batch)]
        done.append(layer.render(frames, torch.stack([frame.image for frame in frames])))
    return torch.cat(done)


def _images(frames: NDArray[np.generic] | Tensor) -> Tensor:
    """Code values (N, H, W, 3) on the CPU, of a type that a frame may have.

    Raises:
        UsageError: they are not valid.
    """
    images = frames.movedim(1, -1) if isinstance(frames, Tensor) and frames.ndim == 4 else frames
    if images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape:
        wanted = "(N, 3, H, W)" if isinstance(frames, Tensor) else "(N, H, W, 3)"
        raise UsageError(f"frames of shape {tuple(frames.shape)}: give {wanted}")
    codes = (
        images.cpu()
        if isinstance(images, Tensor)
        else torch.from_numpy(np.ascontiguousarray(images))
    )
    if codes.dtype.is_floating_point:
        codes = codes.float()
    elif codes.dtype not in (torch.uint8, torch.uint16):
        raise UsageError(f"frames of {frames.dtype}: give uint8, uint16 or floating point")
    return codes.contiguous()


def _as(frames: Pictures, images: Tensor) -> Pictures:
    """Code values (N, H, W, 3) as ``frames`` are."""
    if isinstance(frames, Tensor):
        return images.movedim(-1, 1).contiguous().to(frames.device, frames.dtype)
    return images.numpy().astype(frames.dtype, copy=False)


def _mattes(masks: Masks, count: int, size: tuple[int, int]) -> Iterator[Matte]:
    """Each (H, W) ``uint8``, 255 inside.

    Raises:
        UsageError: they do not fit the frames.
    """
    planes = masks.cpu() if isinstance(masks, Tensor) else torch.from_numpy(masks)
    if planes.ndim == 4 and planes.shape[1] == 1:
        planes = planes[:, 0]
    if tuple(planes.shape) != (count, *size):
        raise UsageError(
            f"masks of shape {tuple(masks.shape)}: the frames need {(count, *size)}, one for each"
        )
    most = 1 if planes.dtype is torch.bool else full_scale(planes.dtype)
    for plane in planes:
        yield (plane.float() / most * 255).round_().clamp_(0, 255).byte().numpy()


def _picture(style: NDArray[np.generic] | Tensor) -> Tensor:
    """(1, 3, H, W) in [0, 1]."""
    return unit_range(_images(style[None]))
