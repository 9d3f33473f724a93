"""The nodes: thin over ``import vidstyle``, tensors in and tensors out.

ComfyUI's IMAGE is (N, H, W, C) in [0, 1], its MASK (N, H, W) in [0, 1]; a batch of images is taken
for the frames of one shot, in order.
"""

import tempfile
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.utils
import cv2
import numpy as np
import torch
from torch import Tensor

import vidstyle

Inputs = dict[str, dict[str, tuple[Any, ...]]]

#: What a model is called with, by its own names.
_LOOK: dict[str, tuple[Any, ...]] = {
    "strength": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.05}),
    "detail": (
        "FLOAT",
        {
            "default": vidstyle.RenderOptions().detail,
            "min": 0.0,
            "max": 1.0,
            "step": 0.05,
            "tooltip": "how much of the plate's fine detail is laid back",
        },
    ),
    "feather": (
        "FLOAT",
        {
            "default": vidstyle.RenderOptions().feather,
            "min": 0.0,
            "max": 100.0,
            "step": 0.5,
            "tooltip": "pixels over which the mask's edge is softened",
        },
    ),
    "steady": (
        "BOOLEAN",
        {"default": True, "tooltip": "steadies each frame along the motion of the one before"},
    ),
}


class LoadStyleModel:
    """``micro``, ``vgg19``, a trained model's folder or a plug-in, on ComfyUI's device."""

    TITLE = "Load style model"
    CATEGORY = "vidstyle"
    RETURN_TYPES = ("VIDSTYLE_MODEL",)
    FUNCTION = "load"

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:  # noqa: N802 - ComfyUI's name
        model = "auto, micro, vgg19, the folder of a model, or the name of a plug-in"
        return {
            "required": {
                "model": ("STRING", {"default": "auto", "tooltip": model}),
                "device": (["default", "cpu"],),
            }
        }

    def load(self, model: str, device: str) -> tuple[vidstyle.Model]:
        if device == "default":
            device = str(comfy.model_management.get_torch_device())
        return (vidstyle.load_model(model.strip() or "auto", device=device),)


class FindObject:
    """Finds an object by name, box, points or the mask of one frame, and tracks it."""

    TITLE = "Find object"
    CATEGORY = "vidstyle"
    RETURN_TYPES = ("MASK",)
    FUNCTION = "find"

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:  # noqa: N802 - ComfyUI's name
        return {
            "required": {
                "images": ("IMAGE",),
                "object": (
                    "STRING",
                    {"default": "person", "tooltip": "a name, or person#2; empty for none"},
                ),
                "box": ("STRING", {"default": "", "tooltip": "x0,y0,x1,y1 in pixels"}),
                "points": (
                    "STRING",
                    {"default": "", "tooltip": "x,y x,y in pixels; -x,y is not the object"},
                ),
                "frame": (
                    "INT",
                    {
                        "default": 0,
                        "min": 0,
                        "max": 999999,
                        "tooltip": "that box, points and mask are in",
                    },
                ),
            },
            "optional": {"mask": ("MASK", {"tooltip": "of the object in that frame"})},
        }

    def find(
        self,
        images: Tensor,
        object: str,
        box: str,
        points: str,
        frame: int,
        mask: Tensor | None = None,
    ) -> tuple[Tensor]:
        prompts = [object.strip()] if object.strip() else []
        if box.strip():
            prompts.append(f"box:{box.replace(' ', '')}@{frame}")
        for point in points.replace(";", " ").split():
            sign = "-" * point.startswith("-")
            prompts.append(f"{sign}point:{point.removeprefix('-')}@{frame}")
        with tempfile.TemporaryDirectory(prefix="vidstyle-mask-") as folder:
            if mask is not None:
                prompts.append(f"mask:{_written(mask, Path(folder))}@{frame}")
            if not prompts:
                raise vidstyle.UsageError("no object: give a name, a box, points or a mask")
            found = vidstyle.find(
                images[..., :3].movedim(-1, 1), "+".join(prompts), on_progress=_Progress()
            )
        return (_as_mask(np.stack([*found]), images),)


class Restyle:
    """Restyles what the mask shows, or whole frames, after a picture."""

    TITLE = "Restyle"
    CATEGORY = "vidstyle"
    RETURN_TYPES = ("IMAGE", "MASK")
    FUNCTION = "restyle"

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:  # noqa: N802 - ComfyUI's name
        return {
            "required": {
                "model": ("VIDSTYLE_MODEL",),
                "images": ("IMAGE",),
                "style": ("IMAGE",),
                "style_scale": (
                    "FLOAT",
                    {
                        "default": 1.0,
                        "min": 0.1,
                        "max": 4.0,
                        "step": 0.1,
                        "tooltip": "size of its strokes",
                    },
                ),
                **_LOOK,
            },
            "optional": {"mask": ("MASK",)},
        }

    def restyle(
        self,
        model: vidstyle.Model,
        images: Tensor,
        style: Tensor,
        style_scale: float,
        mask: Tensor | None = None,
        **wanted: Any,
    ) -> tuple[Tensor, Tensor]:
        frames, masks = images[..., :3].movedim(-1, 1), _masks(mask, len(images))
        look = model.fit(
            frames,
            _one(style, "style"),
            masks=masks,
            style_scale=style_scale,
            on_progress=_Progress(0.0, 0.2),
        )
        styled = model(frames, look, masks=masks, on_progress=_Progress(0.2, 1.0), **wanted)
        if masks is None:
            masks = torch.ones_like(images[..., 0])
        return _with_alpha_of(images, styled), masks


class RestyleWithPaintedKeys:
    """Carries frames that somebody painted through the shot; a style, where there is one, paints
    what they do not show."""

    TITLE = "Restyle with painted keys"
    CATEGORY = "vidstyle"
    RETURN_TYPES = ("IMAGE", "MASK")
    FUNCTION = "restyle"

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:  # noqa: N802 - ComfyUI's name
        numbers = "of the frames that were painted, in the order of the keys: 0, 24"
        return {
            "required": {
                "model": ("VIDSTYLE_MODEL",),
                "images": ("IMAGE",),
                "keys": ("IMAGE",),
                "key_frames": ("STRING", {"default": "0", "tooltip": numbers}),
                **_LOOK,
            },
            "optional": {
                "mask": ("MASK",),
                "outlines": (
                    "MASK",
                    {"tooltip": "what of each key was painted; else the mask is its outline"},
                ),
                "style": ("IMAGE",),
            },
        }

    def restyle(
        self,
        model: vidstyle.Model,
        images: Tensor,
        keys: Tensor,
        key_frames: str,
        mask: Tensor | None = None,
        outlines: Tensor | None = None,
        style: Tensor | None = None,
        **wanted: Any,
    ) -> tuple[Tensor, Tensor]:
        painted = _keys(keys, key_frames, outlines)
        frames, masks = images[..., :3].movedim(-1, 1), _masks(mask, len(images))
        look = model.fit(
            frames,
            None if style is None else _one(style, "style"),
            masks=masks,
            keys=painted,
            on_progress=_Progress(0.0, 0.5),
        )
        styled = model(frames, look, masks=masks, on_progress=_Progress(0.5, 1.0), **wanted)
        return _with_alpha_of(images, styled), _as_mask(look.outlined(masks), images)


NODES = (LoadStyleModel, FindObject, Restyle, RestyleWithPaintedKeys)


class _Progress:
    """Shows the steps of a call on the node's bar, and ends the call when somebody presses stop."""

    def __init__(self, start: float = 0.0, end: float = 1.0) -> None:
        """
        Args:
            start, end: what part of the bar the call has.
        """
        self._start, self._share = start, end - start
        self._bar = comfy.utils.ProgressBar(1000)

    def __call__(self, step: vidstyle.Step) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        self._bar.update_absolute(round(1000 * (self._start + self._share * step.fraction)))


def _keys(keys: Tensor, numbers: str, outlines: Tensor | None) -> dict[int, Tensor]:
    """Painted frames (C, H, W) by number."""
    try:
        frames = [int(number) for number in numbers.replace(",", " ").split()]
    except ValueError:
        raise vidstyle.UsageError(
            f"key_frames {numbers}: give numbers from 0, such as 0, 24"
        ) from None
    if len(frames) != len(keys) or len({*frames}) != len(frames):
        raise vidstyle.UsageError(
            f"key_frames {numbers}: {len(keys)} keys need as many different numbers"
        )
    painted = keys[..., :3].movedim(-1, 1)
    if outlines is not None:
        if outlines.shape != keys.shape[:3]:
            raise vidstyle.UsageError(
                f"outlines of shape {tuple(outlines.shape)}: the keys need "
                f"{tuple(keys.shape[:3])}, one for each"
            )
        painted = torch.cat([painted, outlines[:, None].to(painted)], dim=1)
    return dict(zip(frames, painted, strict=True))


def _one(images: Tensor, name: str) -> Tensor:
    """(3, H, W) of a batch of one."""
    if len(images) != 1:
        raise vidstyle.UsageError(f"{name}: {len(images)} pictures; give one")
    return images[0, ..., :3].movedim(-1, 0)


def _masks(mask: Tensor | None, count: int) -> Tensor | None:
    """(N, H, W); one mask serves all frames."""
    if mask is None:
        return None
    masks = mask[None] if mask.ndim == 2 else mask
    return masks.expand(count, *masks.shape[1:]) if len(masks) == 1 else masks


def _written(mask: Tensor, folder: Path) -> Path:
    """One mask as a picture, which prompts name; mattes have 8 bits."""
    if mask.ndim == 3 and len(mask) != 1:
        raise vidstyle.UsageError(
            f"mask: {len(mask)} masks; give that of one frame, or, where there is one for each, "
            "give them to Restyle"
        )
    path = folder / "mask.png"
    levels = (mask.reshape(mask.shape[-2:]) * 255).round().clamp(0, 255).byte().cpu().numpy()
    path.write_bytes(cv2.imencode(".png", levels)[1].tobytes())
    return path


def _as_mask(mattes: np.ndarray[Any, np.dtype[np.uint8]], images: Tensor) -> Tensor:
    return torch.from_numpy(mattes).to(images.device, images.dtype) / 255


def _with_alpha_of(images: Tensor, styled: Tensor) -> Tensor:
    """Frames (N, 3, H, W) as ComfyUI has them, with the alpha that the images had."""
    return torch.cat([styled.movedim(1, -1), images[..., 3:]], dim=-1)
