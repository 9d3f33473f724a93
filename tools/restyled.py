"""Frames of a clip, plain and restyled, and the models that tools compare."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vidstyle.errors import WeightsError
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.progress import Silence
from vidstyle.render import Job, render
from vidstyle.style.build import build_style_model
from vidstyle.video.reader import open_clip

Picture = NDArray[np.uint8]

MODELS = ("micro", "vgg19")
"""What is compared unless models are named."""


def usable(models: Sequence[str]) -> dict[str, str]:
    """The models to compare: their labels, and how ``--model`` names each. Without any it is
    :data:`MODELS`, as far as their weights are on this machine.

    Raises:
        click.UsageError: a model that was asked for cannot be loaded.
    """
    found = []
    for model in models or MODELS:
        try:
            build_style_model(model, torch.device("cpu"))
        except WeightsError as error:
            if models:
                raise click.UsageError(str(error)) from None
            click.echo(f"left out: {error}", err=True)
            continue
        found.append(model)
    labels = [Path(model).name for model in found]
    return dict(zip(labels if len({*labels}) == len(found) else found, found, strict=True))


def clip_name(clip: str) -> str:
    """``parkour`` for ``davis/parkour/frames``, ``walk`` for ``walk.mp4``."""
    path = Path(clip)
    return path.parent.name if path.name == "frames" else path.stem


def frame_count(clip: str) -> int:
    reader = open_clip(clip)
    return reader.info.frame_count or sum(1 for _ in reader.frames())


def judged_frames(clip: str, number: int = 1) -> list[int]:
    """The frames that models are judged by, spread evenly over a clip; each has one before it."""
    last = frame_count(clip) - 1
    return [round(1 + (last - 1) * part / (number + 1)) for part in range(1, number + 1)]


def plates(clip: str, first: int, last: int) -> list[Picture]:
    """Frames of a clip as they are, (H, W, 3) RGB each; ``last`` is among them."""
    pictures = []
    for frame in open_clip(clip).frames(first, last + 1):
        deep = frame.image.element_size() > 1
        pixels = frame.image.int() // 257 if deep else frame.image
        pictures.append(np.asarray(pixels, np.uint8))
    return pictures


def restyled(
    clip: str, first: int, last: int, style: Path, options: RenderOptions
) -> list[Picture]:
    """The same frames whole in a style, as a render of them makes it: with the statistics of those
    frames alone, and no temporal step."""
    with tempfile.TemporaryDirectory() as folder:
        job = Job(
            source=clip,
            target=f"{folder}/%06d.png",
            objects=[StyledObject(None, str(style))],
            options=replace(options, first=first, last=last, temporal="off"),
        )
        render(job, Silence())
        files = sorted(Path(folder).iterdir())
        return [np.asarray(cv2.imread(str(f), cv2.IMREAD_COLOR_RGB), np.uint8) for f in files]
