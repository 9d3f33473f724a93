"""A style model on arrays and tensors: :func:`load_model`.

model = load_model("micro")
look = model.fit(frames, "art.jpg", masks=masks)      # frozen for a shot
out = model(frames, look, masks=masks, strength=0.8)
"""

import os
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.carry.carried import Carried, Outlined
from vidstyle.carry.key import PaintedFrame
from vidstyle.errors import MediaError, ObjectNotFoundError, UsageError
from vidstyle.media.frame import full_scale, unit_range
from vidstyle.media.pictures import Array, Masks, Pictures, code_values, eight_bit_masks, like
from vidstyle.media.video.held import HeldClip
from vidstyle.motion.build import build_flow
from vidstyle.motion.dis import LIGHT
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.options import DEFAULTS, LookOptions, RenderOptions
from vidstyle.pipeline.analysis import freeze, read_style, sampled, to_working_size
from vidstyle.pipeline.carrying import Footage, carry, check_keys
from vidstyle.pipeline.layer import Layer
from vidstyle.pipeline.parts import build_parts
from vidstyle.pipeline.preparation import layer_context
from vidstyle.runtime.device import seeded
from vidstyle.runtime.memory import frames_at_once
from vidstyle.runtime.progress import CancelToken, OnProgress, Progress, Reporting
from vidstyle.runtime.scratch import temporary_folder
from vidstyle.segment.mattes.derived import WholeFrame
from vidstyle.segment.mattes.store import HeldMattes, Mattes
from vidstyle.style.model import ReadStyle
from vidstyle.style.supersampled import Enlarged


class Look:
    """A style, painted keys, or both, frozen for an object in a shot; usable only by the model
    that made it."""

    def __init__(
        self, frozen: Enlarged | None, carried: Carried | None, clip: HeldClip, held: ExitStack
    ) -> None:
        """
        Args:
            clip: the shot.
            held: resources that hold the keys' fields, closed with this object.
        """
        self.frozen, self.carried = frozen, carried
        self._count, self._size = clip.count, clip.size
        self._finalizer = weakref.finalize(self, held.close)

    def outlined(self, masks: Masks | None = None) -> NDArray[np.uint8]:
        """The restyled area of the shot, (N, H, W), 255 inside: the masks it was fitted to, with
        the outlines of the painted keys.

        Raises:
            UsageError: the masks do not fit the shot.
        """
        mattes = self.mattes(masks, self._count, self._size)
        return np.stack([mattes[index] for index in range(self._count)])

    def mattes(self, masks: Masks | None, count: int, size: tuple[int, int]) -> Mattes:
        """The same, for ``count`` frames of ``size`` (H, W).

        Raises:
            UsageError: the masks do not fit the frames, or the frames are not the keys' shot.
        """
        if self.carried is not None and count != self._count:
            raise UsageError(
                f"{count} frames: painted keys were carried through a shot of {self._count}; "
                "give all of them, in order"
            )
        mattes = _mattes(masks, count, size)
        if self.carried is None or not self.carried.is_outlined:
            return mattes
        return Outlined(mattes, self.carried)


def load_model(
    name: str = "auto", *, device: str = "auto", max_memory: int = DEFAULTS.max_memory
) -> "Model":
    """Load a style model.

    Args:
        name: ``micro``, ``vgg19``, a model's folder, a plug-in's name, or ``auto``: ``vgg19`` on
            CUDA if its weights are installed, otherwise ``micro``.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        max_memory: memory limit of the network in MiB; larger frames are tiled.

    Raises:
        WeightsError: no such model, or its weights are missing or corrupt.
        DeviceError: no such device.
    """
    options = replace(DEFAULTS, model=name, device=device, max_memory=max_memory, temporal="off")
    with seeded(options.seed):
        return Model(options)


class Model:
    """A style model on its device. Thread-safe.

    Pictures are arrays (N, H, W, 3) or tensors (N, 3, H, W) in RGB: ``uint8``, ``uint16``, or
    floating point with white at 1, kept at single precision. Masks match the pictures in size and
    number. They are arrays (N, H, W), or tensors (N, H, W) or (N, 1, H, W):
    ``bool``, integers with their largest value inside, or floating point in [0, 1].

    Attributes:
        name: name of the chosen model.
    """

    def __init__(self, options: RenderOptions) -> None:
        """See :func:`load_model`."""
        self._options = options
        self._parts = build_parts(options)
        self.name = self._parts.model

    @property
    def device(self) -> torch.device:
        """The device that the network runs on."""
        return self._parts.device

    def fit(
        self,
        frames: Array,
        style: str | os.PathLike[str] | Array | None = None,
        *,
        masks: Masks | None = None,
        keys: Mapping[int, Array] | None = None,
        style_scale: float = DEFAULTS.style_scale,
        supersample: int | None = DEFAULTS.supersample,
        on_progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> Look:
        """Freeze a style for an object in a shot, and carry painted keys through it.

        Args:
            frames: the shot, at least one frame. Fitting a style samples a few of them; keys are
                carried through all, in order.
            style: a picture file, or one picture (H, W, 3) or (3, H, W). Optional if there are
                keys; given both, it paints whatever the keys do not show.
            masks: where the object is; None for the whole frame.
            keys: painted frames by number, from 0: pictures of the frames' size, (H, W, C) or
                (C, H, W). With 4 channels, straight alpha gives the key its own outline.
            style_scale, supersample: see :class:`~vidstyle.options.LookOptions`.
            on_progress: called at each step, in this thread. An exception from it ends the call.
            cancel: ends the call from another thread.

        Raises:
            UsageError: invalid arrays, an option out of its bounds, or neither style nor keys.
            MediaError: the style cannot be read, or a key is of another size or transparent.
            ObjectNotFoundError: the masks are empty, or are in a frame that was painted.
            Cancelled: by ``cancel``.
        """
        wanted = LookOptions(style_scale=style_scale, supersample=supersample)
        if style is None and not keys:
            raise UsageError("neither style nor keys: give one of them, or both")
        clip = HeldClip(code_values(frames))
        mattes = _mattes(masks, clip.count, clip.size)
        read = None if style is None else self._read(style, clip.size, wanted.style_scale)
        painted = [_painted(number, key, clip.size) for number, key in (keys or {}).items()]
        check_keys(painted, [(0, clip.count)], styled=style is not None)
        progress = Reporting(on_progress, cancel)
        progress.outline(["keys"] * bool(painted) + ["statistics"] * (read is not None))
        with ExitStack() as held:
            carried = None
            if painted:
                folder = held.enter_context(temporary_folder())
                carried = self._carried(painted, clip, mattes, folder, progress, read is not None)
                if carried.is_outlined:
                    mattes = Outlined(mattes, carried)
            frozen = None if read is None else self._frozen(read, clip, mattes, wanted, progress)
            return Look(frozen, carried, clip, held.pop_all())

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
        on_progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> Pictures:
        """Restyle frames.

        Args:
            frames: any number; for a look with painted keys, the frames it was fitted to.
            look: from :meth:`fit`.
            masks: the area to restyle; None for whole frames. Pixels more than ``feather`` pixels
                outside it are unchanged.
            strength, detail, feather, preserve: see :class:`~vidstyle.options.LookOptions`.
            steady: treat the frames as consecutive and steady each along its motion from the one
                before; if False, each result depends on its own frame alone.
            on_progress, cancel: see :meth:`fit`.

        Returns:
            The restyled frames, of the same kind, shape, type and device as ``frames``.

        Raises:
            UsageError: invalid arrays, or an option out of its bounds.
            Cancelled: by ``cancel``.
        """
        wanted = LookOptions(strength=strength, detail=detail, feather=feather, preserve=preserve)
        clip = HeldClip(code_values(frames))
        mattes = look.mattes(masks, clip.count, clip.size)
        parts = replace(self._parts, steady=self._flow if steady else None)
        layer = Layer(mattes, look.frozen, wanted, layer_context(parts), look.carried)
        batch = frames_at_once(self._options.batch, clip.size, self.device)
        progress = Reporting(on_progress, cancel)
        progress.outline(["render"])
        with parts.workers:
            return like(frames, _restyled(clip, layer, batch, progress))

    def _read(
        self, style: str | os.PathLike[str] | Array, size: tuple[int, int], scale: float
    ) -> ReadStyle:
        model = self._parts.stylizer
        if isinstance(style, str | os.PathLike):
            return read_style(os.fspath(style), size, model, scale)
        seen = unit_range(code_values(style[None], "style"))
        picture = to_working_size(seen, "style", size, scale)
        return model.read_style(Path("style"), lambda: picture)

    def _frozen(
        self,
        style: ReadStyle,
        clip: HeldClip,
        mattes: Mattes,
        look: LookOptions,
        progress: Progress,
    ) -> Enlarged:
        model, seen = self._parts.stylizer, sampled(range(clip.count), mattes)
        progress.stage("statistics", model.passes * len(seen))
        frozen = freeze(clip, seen, mattes, style, model, look.supersample, progress.advance)
        if frozen is None:
            raise ObjectNotFoundError("masks: empty in every frame; give some with the object")
        return frozen

    def _carried(
        self,
        keys: Sequence[PaintedFrame],
        clip: HeldClip,
        mattes: Mattes,
        folder: Path,
        progress: Progress,
        styled: bool,
    ) -> Carried:
        footage, flow = Footage(clip, mattes, {}), self._parts.following
        shot = [(0, clip.count)]
        return carry(keys, shot, footage, flow, folder, progress, styled=styled)

    @cached_property
    def _flow(self) -> FlowEstimator:
        return build_flow(self._options.flow, self.device, self._options.flow_size, None, LIGHT)


def _restyled(clip: HeldClip, layer: Layer, batch: int, progress: Progress) -> Tensor:
    """Code values (N, H, W, 3)."""
    done = []
    progress.stage("render", clip.count)
    for start in range(0, clip.count, batch):
        frames = [*clip.frames(start, start + batch)]
        done.append(layer.render(frames, torch.stack([frame.image for frame in frames])))
        progress.advance(len(frames))
    return torch.cat(done)


def _mattes(masks: Masks | None, count: int, size: tuple[int, int]) -> Mattes:
    if masks is None:
        return WholeFrame(size, count)
    return HeldMattes([*eight_bit_masks(masks, count, size)])


def _painted(number: int, key: Array, size: tuple[int, int]) -> PaintedFrame:
    name = f"keys[{number}]"
    codes = code_values(key[None], name, channels=(3, 4))
    (height, width), given = size, codes.shape[1:3]
    if given != size:
        raise MediaError(
            f"{name}: {given[1]}x{given[0]} pixels, but the frames have {width}x{height}; "
            "paint over a frame of that size"
        )
    alpha = codes[0, ..., 3].float() / full_scale(codes.dtype) if codes.shape[3] == 4 else None
    return PaintedFrame.of(name, number, unit_range(codes[..., :3]), alpha)
