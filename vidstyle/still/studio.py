"""Restyling a series of stills with the parts of a render, loaded once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vidstyle.errors import MediaError, ObjectNotFoundError, UsageError
from vidstyle.media.colour_management import Management
from vidstyle.media.composite import feathered
from vidstyle.media.frame import full_scale
from vidstyle.media.video.shots import Shot
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.pipeline.analysis import Analysis, Paint, Take, analyse, find_excluded, read_style
from vidstyle.pipeline.parts import build_parts
from vidstyle.pipeline.preparation import layer_context, new_layers
from vidstyle.runtime.device import seeded
from vidstyle.runtime.progress import Silence
from vidstyle.runtime.scratch import temporary_folder
from vidstyle.segment.mattes.store import Matte
from vidstyle.segment.prompts import MattePrompt, ObjectSpec, parse_object
from vidstyle.still.source import Still


@dataclass(frozen=True)
class Restyled:
    """A restyled still.

    Attributes:
        pictures: (H, W, 3) code values, one for each strength.
        matte: of all objects, (H, W), 255 inside; as found, not feathered.
        alpha: the feathered matte, (H, W) code values.
    """

    pictures: tuple[Tensor, ...]
    matte: Matte
    alpha: Tensor


class Studio:
    """Objects, styles and models, ready for any number of stills."""

    def __init__(self, objects: Sequence[StyledObject], options: RenderOptions) -> None:
        """
        Raises:
            UsageError: an invalid object or option.
            MediaError, WeightsError, DeviceError: a style or a part.
        """
        self._options = replace(options, temporal="off")
        self._objects = objects
        self._specs = [
            None if wanted.object is None else parse_object(wanted.object) for wanted in objects
        ]
        self._exclusions = [parse_object(text, "--exclude") for text in options.exclude]
        named = [spec for spec in (*self._specs, *self._exclusions) if spec is not None]
        self.parts = build_parts(self._options, named)
        self._style = lru_cache(maxsize=64)(
            lambda path, short: read_style(
                path, (short, short), self.parts.stylizer, options.style_scale
            )
        )
        for wanted in objects:
            self._style(wanted.style, 512)

    def __call__(self, still: Still, strengths: Sequence[float]) -> Restyled:
        """
        Raises:
            UsageError, MediaError, ObjectNotFoundError: the objects, in this still.
        """
        take = Take(still, [Shot(0, 1)], Management())
        specs = [spec and _of_still(spec, still) for spec in self._specs]
        exclusions = [_of_still(spec, still) for spec in self._exclusions]
        with temporary_folder() as work, seeded(self._options.seed):
            progress = Silence()
            excluded = find_excluded(take, exclusions, self.parts, work / "excluded", progress)
            analyses = [
                analyse(
                    take,
                    spec,
                    Paint(self._style(wanted.style, min(take.size))),
                    self.parts,
                    self._options,
                    work / str(number),
                    progress,
                    excluded,
                )
                for number, (spec, wanted) in enumerate(zip(specs, self._objects, strict=True))
            ]
            matte: Matte = np.maximum.reduce([analysis.mattes[0] for analysis in analyses])
            if not matte.any():
                raise ObjectNotFoundError(f"{still.path}: no object in it to style")
            pictures = tuple(
                self._painted(still, take, analyses, strength) for strength in strengths
            )
        soft = feathered(torch.from_numpy(matte)[None, None] / 255, self._options.feather)[0, 0]
        white = full_scale(still.frame.image.dtype)
        return Restyled(pictures, matte, (soft * white).round().to(still.frame.image.dtype))

    def _painted(
        self, still: Still, take: Take, analyses: Sequence[Analysis], strength: float
    ) -> Tensor:
        look = replace(self._options, strength=strength)
        context = layer_context(self.parts, take)
        canvas = still.frame.image[None]
        for layer in new_layers(analyses, 0, look, context):
            canvas = layer.render([still.frame], canvas)
        return canvas[0]


def _of_still(spec: ObjectSpec, still: Still) -> ObjectSpec:
    """The object in this still: from a folder of mattes, the one with the still's name.

    Raises:
        UsageError: a prompt outside the still, or mattes that are neither a file nor a folder.
        MediaError: no matte for this still.
    """
    spec.check_inside(still.info.size)
    if spec.given is None or Path(spec.given.pattern).is_file():
        return spec
    folder = Path(spec.given.pattern)
    if not folder.is_dir():
        raise UsageError(f"{spec.option} {spec}: no such file or folder; stills take no patterns")
    found = sorted(path for path in folder.iterdir() if path.stem == still.name)
    if not found:
        raise MediaError(f"{folder}: no matte named {still.name}")
    return ObjectSpec(spec.text, (MattePrompt(str(found[0])),), spec.option)
