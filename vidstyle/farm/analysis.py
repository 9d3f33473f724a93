"""Filling a work directory with all that is needed to render segments on any machine."""

import logging
from contextlib import closing
from dataclasses import replace

from vidstyle import __version__
from vidstyle.errors import MediaError, UsageError
from vidstyle.farm.frozen import store, verify
from vidstyle.farm.identity import fingerprint, settings_hash, weight_hashes
from vidstyle.farm.manifest import Clip, Manifest, grid, read_manifest, write_manifest
from vidstyle.farm.rendered import forget_others
from vidstyle.farm.work import WorkFolder
from vidstyle.inspect.review import Reviewed, write_review
from vidstyle.inspect.survey import SurveyedObject, draw, encoded, survey
from vidstyle.media.colour_management import manage
from vidstyle.media.video.kept import KeptClip
from vidstyle.media.video.reader import open_clip
from vidstyle.options import DEFAULTS, FARM_SEGMENT, RenderOptions
from vidstyle.pipeline.analysis import find_take
from vidstyle.pipeline.made import style_hash
from vidstyle.pipeline.output import check_fits, check_outputs, matte_targets, write_mattes
from vidstyle.pipeline.parts import build_parts
from vidstyle.pipeline.preparation import Preparation, Request
from vidstyle.pipeline.report import doubt
from vidstyle.runtime.atomic import replacing
from vidstyle.runtime.device import seeded
from vidstyle.runtime.progress import Progress
from vidstyle.runtime.scratch import temporary_folder
from vidstyle.segment.mattes.lost import doubtful_ranges
from vidstyle.segment.prompts import parse_object
from vidstyle.style.model import StyleModel

log = logging.getLogger(__name__)


def analyse_into(
    work: WorkFolder,
    request: Request,
    progress: Progress,
    *,
    matte_target: str | None = None,
    review: bool = False,
    overwrite: bool = False,
) -> Manifest:
    """Analyse a clip into a work directory, unless already done.

    Args:
        request: ``options.segment`` of 0 selects the farm's default grid; flow is not cached.
        matte_target: where to write the mattes, as pictures or video, see
            ``output.matte_targets``; None to skip them.
        review: whether to also make the video of all mattes.
        overwrite: whether another analysis, with its segments, may be replaced.

    Raises:
        VidstyleError: see :mod:`vidstyle.errors`.
    """
    request = _on_the_grid(request)
    targets = matte_targets(matte_target, len(request.objects))
    check_outputs(request.source, None, targets, request.options.codec, overwrite)
    preparation = Preparation(request)
    work.make(work.root)
    work.sweep()
    parts = preparation.parts
    footage = fingerprint(request.source)
    flow = parts.steady.name if parts.steady else None
    hashes = weight_hashes(parts.model, flow, request.options.backend)
    settings = settings_hash(request, footage, parts, hashes)
    there = _there(work, settings, parts.stylizer, overwrite)
    if there is not None and not targets and not review:
        log.info("%s: already analysed", work.root)
        return there
    progress.outline(preparation.stages())
    with (
        temporary_folder() as temporary,
        closing(KeptClip(preparation.reader, temporary)) as kept,
        seeded(request.options.seed),
    ):
        take = preparation.find_take(progress, kept)
        check_fits(take, *targets)
        analyses = preparation.analyse(take, temporary, progress)
        for wanted, analysis in zip(request.objects, analyses, strict=True):
            if runs := doubtful_ranges(analysis.mattes, take.spans):
                log.warning("%s", doubt(wanted.object, runs))
        for analysis, target in zip(analyses, targets, strict=False):
            write_mattes(take, analysis.mattes, target)
        if review:
            objects = [
                Reviewed(
                    wanted.object or "whole frame",
                    found.mattes,
                    found.carried.confidences if found.carried else None,
                )
                for wanted, found in zip(request.objects, analyses, strict=True)
            ]
            write_review(take, objects, str(work.review))
        frames = range(take.start, take.count)
        frozen = [
            store(work, number, found, parts.stylizer, frames)
            for number, found in enumerate(analyses)
        ]
    info = take.reader.info
    # Resolved here, for all machines.
    options = replace(request.options, model=parts.model, flow=flow or request.options.flow)
    manifest = Manifest(
        schema=1,
        vidstyle=__version__,
        settings=settings,
        objects=tuple(request.objects),
        options=options,
        parts=parts.names(),
        weights=hashes,
        styles=tuple(style_hash(wanted) for wanted in request.objects),
        clip=Clip(
            fingerprint=footage,
            width=info.width,
            height=info.height,
            rate=str(info.rate),
            pixel_format=info.pix_fmt,
            shots=tuple(take.spans),
            fades=tuple(take.fades.values()),
        ),
        segments=grid(take.shots, options),
        frozen=tuple(frozen),
    )
    forget_others(work, manifest.checksum)
    write_manifest(work, manifest)
    return manifest


def list_into(
    work: WorkFolder, source: str, options: RenderOptions, progress: Progress
) -> list[SurveyedObject]:
    """List a clip's objects, and write a picture of them to a work directory.

    Raises:
        WeightsError: no detector's weights are on this machine.
        ObjectNotFoundError: the clip shows none.
        VidstyleError: see :mod:`vidstyle.errors`.
    """
    reader = open_clip(source)
    detector = build_parts(options, [parse_object("all", "--list-objects")]).detector
    assert detector is not None
    with closing(KeptClip(reader, None)) as kept:
        take = find_take(kept, options, manage(reader.info, options.colorspace), progress)
        objects = survey(take, detector, progress)
        picture = encoded(draw(take, objects))
    work.make(work.root)
    with replacing(work.objects) as file:
        file.write(picture)
    return objects


def _on_the_grid(request: Request) -> Request:
    """The request with a grid, and without options specific to this machine."""
    if request.options.flow_cache is not None:
        log.warning("--flow-cache: not used by the analysis; give it to segment-render")
    options = replace(request.options, flow_cache=None, flow_cache_size=DEFAULTS.flow_cache_size)
    if not options.segment:
        log.info("grid: segments of %d frames", FARM_SEGMENT)
        options = replace(options, segment=FARM_SEGMENT)
    return replace(request, options=options)


def _there(work: WorkFolder, settings: str, model: StyleModel, overwrite: bool) -> Manifest | None:
    """The existing analysis if it is complete and has these settings; None to make a new one.

    Raises:
        UsageError: one with other settings exists and may not be replaced.
    """
    if not work.manifest.exists():
        return None
    try:
        manifest, _ = read_manifest(work)
        if manifest.settings == settings:
            verify(work, manifest, model)
            return manifest
    except MediaError as error:
        log.warning("%s", error)
        return None
    except UsageError as error:
        if not overwrite:
            raise UsageError(f"{error}; or add --overwrite to analyse again") from None
    if not overwrite:
        raise UsageError(
            f"{work.root}: analysed with different settings, styles, models or footage; "
            "add --overwrite to replace it, or name another folder"
        )
    return None
