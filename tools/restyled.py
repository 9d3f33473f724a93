"""Frames of a clip, plain and restyled, and the sources that tools compare: models, and existing
pictures."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import click
import cv2
import numpy as np
import torch
from held_out import HELD_OUT
from numpy.typing import NDArray

from vidstyle.errors import WeightsError
from vidstyle.media.video.reader import open_clip
from vidstyle.options import DEFAULTS, RenderOptions, StyledObject
from vidstyle.pipeline.job import Job, run
from vidstyle.runtime.progress import Silence
from vidstyle.style.build import build_style_model

Picture = NDArray[np.uint8]

MODELS = ("micro", "vgg19")
"""The models compared unless others are named."""


#: Restyles a frame of a clip: takes clip, number and style; returns the frame before it and the
#: frame, (H, W, 3) RGB each.
Source = Callable[[str, int, Path], list[Picture]]


@dataclass(frozen=True)
class Rendered:
    """Renders pairs of frames, and keeps them on request."""

    options: RenderOptions
    keep: Path | None

    def __call__(self, clip: str, number: int, style: Path) -> list[Picture]:
        pictures = restyled(clip, number - 1, number, style, self.options)
        if self.keep is not None:
            self.keep.mkdir(parents=True, exist_ok=True)
            for path, picture in zip(_pair(self.keep, clip, number, style), pictures, strict=True):
                if not cv2.imwrite(str(path), picture[..., ::-1]):
                    raise click.ClickException(f"{path}: cannot be written")
        return pictures


@dataclass(frozen=True)
class Kept:
    """Reads pairs of frames that were made earlier."""

    folder: Path

    def __call__(self, clip: str, number: int, style: Path) -> list[Picture]:
        """
        Raises:
            click.UsageError: a picture is missing.
        """
        pictures = []
        for path in _pair(self.folder, clip, number, style):
            if not path.is_file():
                raise click.UsageError(f"--pictures {self.folder}: lacks {path.name}")
            pictures.append(np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8))
        return pictures


def _pair(folder: Path, clip: str, number: int, style: Path) -> list[Path]:
    """``parkour.000049.wave.png`` and the one after it."""
    name = clip_name(clip)
    return [folder / f"{name}.{each:06d}.{style.stem}.png" for each in (number - 1, number)]


def sources(
    models: Sequence[str], pictures: Sequence[Path], keep: Path | None, options: RenderOptions
) -> dict[str, Source]:
    """The sources to compare, by label: existing pictures, then models.

    Args:
        models, pictures: as for ``--model`` and ``--pictures``. Without any, :data:`MODELS` whose
            weights are on this machine.
        keep: for a folder of pictures of each model.
        options: of the renders, except the model.

    Raises:
        click.UsageError: a requested model cannot be loaded, or two share a label.
    """
    found: list[tuple[str, Source]] = [(folder.name, Kept(folder)) for folder in pictures]
    for model in models or (() if pictures else MODELS):
        try:
            build_style_model(model, torch.device("cpu"))
        except WeightsError as error:
            if models:
                raise click.UsageError(str(error)) from None
            click.echo(f"left out: {error}", err=True)
            continue
        label = Path(model).name
        kept = None if keep is None else keep / label
        found.append((label, Rendered(replace(options, model=model), kept)))
    labels = [label for label, _ in found]
    if len({*labels}) < len(labels):
        raise click.UsageError(f"two of {', '.join(labels)} have one name; copy or rename one")
    return dict(found)


Command = TypeVar("Command", bound=Callable[..., object])


def compares(command: Command) -> Command:
    """Add the options shared by comparing tools."""
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    for option in (
        click.option("--styles", "folder", type=folder, help="Folder of style pictures."),
        click.option("--only", multiple=True, default=HELD_OUT, show_default=True,
                     help="Stem of a style, or one of examples/make_styles.py; may repeat."),
        click.option("--model", "models", multiple=True, metavar="NAME|FOLDER",
                     help="May repeat; by default micro, and vgg19 where it is."),
        click.option("--pictures", multiple=True, type=folder,
                     help="What another version or program made, named as --keep does."),
        click.option("--keep", type=click.Path(file_okay=False, path_type=Path),
                     help="Keep renders, a folder a model."),
        *(click.option(f"--{name}", default=default, show_default=True) for name, default in (
            ("strength", DEFAULTS.strength), ("detail", DEFAULTS.detail),
            ("style-scale", DEFAULTS.style_scale))),
    ):  # fmt: skip
        command = option(command)
    return command


def clip_name(clip: str) -> str:
    """``parkour`` for ``davis/parkour/frames``, ``walk`` for ``walk.mp4``."""
    path = Path(clip)
    return path.parent.name if path.name == "frames" else path.stem


def frame_count(clip: str) -> int:
    reader = open_clip(clip)
    return reader.info.frame_count or sum(1 for _ in reader.frames())


def judged_frames(clip: str, number: int = 1) -> list[int]:
    """The frames for judging models, spread evenly over a clip; each has a previous frame."""
    last = frame_count(clip) - 1
    return [round(1 + (last - 1) * part / (number + 1)) for part in range(1, number + 1)]


def plates(clip: str, first: int, last: int) -> list[Picture]:
    """Original frames of a clip, (H, W, 3) RGB each, including ``last``."""
    pictures = []
    for frame in open_clip(clip).frames(first, last + 1):
        deep = frame.image.element_size() > 1
        pixels = frame.image.int() // 257 if deep else frame.image
        pictures.append(np.asarray(pixels, np.uint8))
    return pictures


def restyled(
    clip: str, first: int, last: int, style: Path, options: RenderOptions
) -> list[Picture]:
    """The same frames restyled whole, as rendered with the statistics of those frames alone, and
    without the temporal step."""
    with tempfile.TemporaryDirectory() as folder:
        job = Job(
            source=clip,
            target=f"{folder}/%06d.png",
            objects=[StyledObject(None, str(style))],
            options=replace(options, first=first, last=last, temporal="off"),
        )
        run(job, Silence())
        files = sorted(Path(folder).iterdir())
        return [np.asarray(cv2.imread(str(f), cv2.IMREAD_COLOR_RGB), np.uint8) for f in files]


def read(path: Path) -> Picture:
    """Read a picture, (H, W, 3) RGB."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise click.ClickException(f"{path}: cannot be read")
    return np.asarray(picture, np.uint8)
