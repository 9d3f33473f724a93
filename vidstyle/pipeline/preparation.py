"""From the user's request to everything needed to render frames one by one."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidstyle.carry.key import KeyName, read_key
from vidstyle.media.colour_management import manage
from vidstyle.media.video.clip import ClipReader
from vidstyle.media.video.reader import open_clip
from vidstyle.media.view import CodeValues
from vidstyle.models.weights import sha256
from vidstyle.options import LookOptions, RenderOptions, StyledObject, check_inverted
from vidstyle.pipeline.analysis import (
    Analysis,
    Paint,
    Take,
    analyse,
    find_excluded,
    find_take,
    read_style,
)
from vidstyle.pipeline.carrying import check_keys
from vidstyle.pipeline.layer import Layer, LayerContext
from vidstyle.pipeline.parts import Parts, build_parts
from vidstyle.runtime.progress import Progress
from vidstyle.runtime.timing import Stages
from vidstyle.segment.prompts import parse_object
from vidstyle.style.build import model_identity

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to restyle, and how.

    Attributes:
        source: a video file, a sequence pattern, a folder of pictures, or a picture.
        objects: bottom layer first; at least one.
    """

    source: str
    objects: Sequence[StyledObject]
    options: RenderOptions


class Preparation:
    """The steps before the first frame is rendered, fastest first, so that invalid input is
    rejected as early as possible.

    Attributes:
        reader: of the source.
        colour: the source's colour management.
        parts: the models.
        hashes: of the style model, styles and painted keys, by name.
    """

    def __init__(self, request: Request) -> None:
        """Open the clip, choose the parts, and read the styles.

        Raises:
            UsageError: an invalid object or option.
            MediaError, WeightsError, DeviceError: the clip, a style or a part.
        """
        options = request.options
        self._options = options
        for wanted in request.objects:
            check_inverted(wanted.object, options.invert)
        self._specs = [
            None if wanted.object is None else parse_object(wanted.object)
            for wanted in request.objects
        ]
        self._exclusions = [parse_object(text, "--exclude") for text in options.exclude]
        named = [spec for spec in (*self._specs, *self._exclusions) if spec is not None]
        self.reader = open_clip(request.source)
        self.colour = manage(self.reader.info, options.colorspace)
        for spec in named:
            spec.check_inside(self.reader.info.size)
        self.parts = build_parts(options, named)
        size, stylizer = self.reader.info.size, self.parts.stylizer
        self._styles = [
            None
            if wanted.style is None
            else read_style(wanted.style, size, stylizer, options.style_scale)
            for wanted in request.objects
        ]
        key_names = [[KeyName.parsed(text) for text in wanted.keys] for wanted in request.objects]
        self._keys = [
            [read_key(name, size, options.colorspace) for name in names] for names in key_names
        ]
        if any(self._keys) and not any(wanted.style for wanted in request.objects):
            log.info("painted keys only: the style model is not used")
        styles = {wanted.style for wanted in request.objects if wanted.style is not None}
        self.hashes = {
            "model": model_identity(self.parts.model),
            "styles": {style: sha256(Path(style)) for style in sorted(styles)},
            "keys": {str(name.path): sha256(name.path) for names in key_names for name in names},
        }

    def stages(self) -> list[str]:
        """The stages of :meth:`find_take` and :meth:`analyse`, under the names they report."""
        stages = ["cuts", *("mattes" for _ in self._exclusions)]
        for spec, style, keys in zip(self._specs, self._styles, self._keys, strict=True):
            stages += ["mattes"] * (spec is not None)
            stages += ["keys"] * bool(keys)
            stages += ["statistics"] * (style is not None)
        return stages

    def find_take(self, progress: Progress, kept: ClipReader | None = None) -> Take:
        """Count the frames and find the cuts; errors as in ``analysis.find_take``.

        Args:
            kept: a reader of the clip that keeps what it has read; None for :attr:`reader`.
        """
        return find_take(kept or self.reader, self._options, self.colour, progress)

    def analyse(self, take: Take, work: Path, progress: Progress) -> list[Analysis]:
        """Find every object's mattes and freeze its statistics; errors as in
        ``analysis.analyse``.

        Args:
            work: folder for the mattes.
        """
        for style, keys in zip(self._styles, self._keys, strict=True):
            if keys:
                check_keys(keys, take.spans, styled=style is not None)
        excluded = find_excluded(take, self._exclusions, self.parts, work / "excluded", progress)
        return [
            analyse(
                take,
                spec,
                Paint(style, keys),
                self.parts,
                self._options,
                work / str(number),
                progress,
                excluded,
            )
            for number, (spec, style, keys) in enumerate(
                zip(self._specs, self._styles, self._keys, strict=True)
            )
        ]


def layer_context(
    parts: Parts, take: Take | None = None, stages: Stages | None = None
) -> LayerContext:
    """The context shared by all layers of these parts.

    Args:
        take: the clip of the frames; None to view them as code values.
        stages: records the timings; None to skip them.
    """
    view, fades = (take.view, take.fades) if take else (CodeValues(), {})
    return LayerContext(
        parts.stylizer, parts.workers, parts.steady, view, fades, stages or Stages()
    )


def new_layers(
    analyses: Sequence[Analysis], shot: int, look: LookOptions, context: LayerContext
) -> list[Layer]:
    """Fresh layers for one segment of a shot, one for each object in the shot.

    Args:
        shot: number of the shot in its take.
    """
    return [
        Layer(analysis.mattes, transfer, look, context, analysis.carried)
        for analysis in analyses
        if (transfer := analysis.transfers[shot]) is not None or analysis.carried is not None
    ]
