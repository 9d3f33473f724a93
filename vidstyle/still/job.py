"""Many stills: each is read, restyled, measured and written before the next."""

import logging
import mimetypes
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from vidstyle.constraints import check
from vidstyle.errors import (
    MediaError,
    ObjectNotFoundError,
    QualityError,
    UsageError,
    VidstyleError,
)
from vidstyle.evaluate.gate import Threshold
from vidstyle.media.foreground import foreground
from vidstyle.media.frame import full_scale, unit_range
from vidstyle.media.video.target import check_target
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.pipeline.made import Made, fingerprint
from vidstyle.pipeline.preparation import Request
from vidstyle.runtime.extras import needs_extra
from vidstyle.still.dicom import ALL_SUFFIXES, Window
from vidstyle.still.save import SUFFIXES, save_picture
from vidstyle.still.sheet import contact_sheet
from vidstyle.still.source import Still, name_of, read_still
from vidstyle.still.studio import Restyled, Studio
from vidstyle.still.summary import Entry

#: Structure measures, which may be bounded.
MEASURES = ("ssim", "gradient")

#: Errors of one still that do not affect the others.
_OF_ONE = (UsageError, MediaError, ObjectNotFoundError, QualityError)

#: What a target whose name ends like a file's is not: a folder to make.
_MEDIA = ("image", "video")

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class StillJob:
    """Stills to restyle, and how.

    Attributes:
        sources: picture files.
        target: a file for one picture; else a folder.
        kind: suffix of pictures in the folder, one of ``save.SUFFIXES``.
        grid: strengths to show side by side with the plate; empty for ``options.strength`` alone.
        cut_out: keep only the object, the rest transparent.
        window: for DICOM pictures; None for their own.
        bounds: on the measures of :mod:`vidstyle.still.structure`.
        resume: skip outputs already made from the same input with the same options.
        overwrite: existing outputs may be replaced; with ``resume``, those made by vidstyle may
            be replaced anyway.
    """

    sources: Sequence[Path]
    target: Path
    objects: Sequence[StyledObject]
    options: RenderOptions
    kind: str = ".png"
    grid: tuple[float, ...] = ()
    cut_out: bool = False
    window: Window | None = None
    bounds: Sequence[Threshold] = ()
    resume: bool = False
    overwrite: bool = False

    @property
    def strengths(self) -> tuple[float, ...]:
        return self.grid or (self.options.strength,)

    @property
    def measures(self) -> bool:
        """Whether structure is measured."""
        return bool(self.bounds) or self.options.preserve == "structure"

    def outputs(self) -> list[Path]:
        """One for each source.

        Raises:
            UsageError: the target is neither a folder nor a file that can be written, two sources
                share an output, an output is a source, or one exists and neither ``resume`` nor
                ``overwrite`` is set.
        """
        suffix = self.target.suffix.lower()
        kind = (mimetypes.guess_type(self.target.name)[0] or "").partition("/")[0]
        if self.target.is_dir() or (suffix not in ALL_SUFFIXES and kind not in _MEDIA):
            made = [self.target / f"{name_of(source)}{self.kind}" for source in self.sources]
        elif len(self.sources) == 1 and suffix in SUFFIXES:
            made = [self.target]
        else:
            raise UsageError(
                f"{self.target}: name a folder or, for one picture, a {' or '.join(SUFFIXES)} file"
            )
        owners: dict[Path, Path] = {}
        own = {source.resolve() for source in self.sources}
        for source, output in zip(self.sources, made, strict=True):
            if output.resolve() in own:
                raise UsageError(f"{output}: the output is an input; name another folder")
            if (other := owners.setdefault(output, source)) != source:
                raise UsageError(f"{source} and {other}: would both become {output}; rename one")
            if output.exists() and not (self.resume or self.overwrite):
                raise UsageError(f"{output}: exists; add --resume or --overwrite")
        return made


def restyle_stills(
    job: StillJob, on_entry: Callable[[Entry], None]
) -> tuple[Studio, list[Entry], VidstyleError | None]:
    """Run a job.

    Args:
        on_entry: called with each still's result, in order.

    Returns:
        The models, the result of each still, and the first failure, or None.

    Raises:
        UsageError: invalid strengths or outputs.
        MediaError, WeightsError, DeviceError: a style or a part.
    """
    for strength in job.grid:
        check(RenderOptions, "strength", strength)
    if job.cut_out and job.kind != ".png":
        raise UsageError("--cut-out: JPEG holds no transparency; write PNG")
    if job.cut_out and all(wanted.object is None for wanted in job.objects):
        raise UsageError("--cut-out: give an --object to cut out")
    if job.measures:
        with needs_extra("evaluate", "measuring structure"):
            import vidstyle.still.structure  # noqa: F401 - its absence is reported before any work
    outputs = job.outputs()
    studio = Studio(job.objects, job.options)
    _make_folder(outputs[0].parent)
    check_target(str(outputs[0]), None)
    entries: list[Entry] = []
    first: VidstyleError | None = None
    for source, output in zip(job.sources, outputs, strict=True):
        try:
            entry = _made_or_restyled(job, studio, source, output)
        except _OF_ONE as error:
            first = first or error
            log.debug("%s failed", source, exc_info=True)
            entry = Entry(str(source), None, "failed", _named(source, error))
        entries.append(entry)
        on_entry(entry)
    return studio, entries, first


def _made_or_restyled(job: StillJob, studio: Studio, source: Path, output: Path) -> Entry:
    record, request = Made.beside(str(output)), _request(job, source, output)
    if job.resume and record.holds(request):
        return Entry(str(source), str(output), "kept")
    if not job.overwrite and record.unknown([str(output)]):
        raise UsageError(
            f"{output}: exists, and there is no record of how it was made; add --overwrite"
        )
    return _restyle(job, studio, source, output, record.making(request, [str(output)]))


def _request(job: StillJob, source: Path, output: Path) -> str:
    """Fingerprint of everything that a still's output depends on."""
    objects = [replace(wanted, object=_own(wanted.object, source)) for wanted in job.objects]
    return fingerprint(
        Request(source=str(source), objects=objects, options=job.options),
        output=output.name,
        grid=job.grid,
        cut_out=job.cut_out,
        bounds=[asdict(bound) for bound in job.bounds],
        window=None if job.window is None else asdict(job.window),
    )


def _own(spec: str | None, source: Path) -> str | None:
    """For a folder of mattes, the SPEC of this still's matte only: the others do not affect it."""
    kind, _, name = (spec or "").partition(":")
    if kind != "matte" or not Path(name).is_dir():
        return spec
    return f"matte:{next((f for f in Path(name).iterdir() if f.stem == name_of(source)), name)}"


def _restyle(
    job: StillJob,
    studio: Studio,
    source: Path,
    output: Path,
    writing: AbstractContextManager[None],
) -> Entry:
    """
    Args:
        writing: context in which the output is written.
    """
    started = time.monotonic()
    still = read_still(source, job.window)
    done = studio(still, job.strengths)
    ssim = gradient = None
    if job.measures:
        from vidstyle.still.structure import Structure

        strongest = max(range(len(job.strengths)), key=lambda n: job.strengths[n])
        measured = Structure.of(done.pictures[strongest], still.frame.image, done.matte)
        measured.check(job.bounds)
        ssim, gradient = _known(measured.ssim), _known(measured.gradient)
    with writing:
        save_picture(output, _composed(job, still, done), still.metadata)
    return Entry(
        str(source),
        str(output),
        "done",
        size=still.info.size,
        covered=round(float((done.matte > 127).mean()), 4),
        ssim=ssim,
        gradient=gradient,
        seconds=round(time.monotonic() - started, 3),
    )


def _composed(job: StillJob, still: Still, done: Restyled) -> Tensor:
    alpha = still.frame.alpha
    pictures = [still.frame.image, *done.pictures] if job.grid else list(done.pictures)
    if job.cut_out:
        pictures = [_alone(picture, done.alpha) for picture in pictures]
        alpha = done.alpha if alpha is None else _product(alpha, done.alpha)
    cells = [_with_alpha(picture, alpha) for picture in pictures]
    if not job.grid:
        return cells[0]
    return contact_sheet(cells, ["plate", *(f"{s:g}" for s in job.grid)])


def _alone(picture: Tensor, alpha: Tensor) -> Tensor:
    """Without the background's colour at the edge."""
    white = full_scale(picture.dtype)
    own = foreground(unit_range(picture[None]), unit_range(alpha[None, ..., None]))
    return (own[0].movedim(0, -1) * white).round().to(picture.dtype)


def _with_alpha(picture: Tensor, alpha: Tensor | None) -> Tensor:
    if alpha is None:
        return picture
    # torch cannot concatenate uint16, so go through int32 at twice the memory.
    return torch.dstack([picture.int(), alpha.int()]).to(picture.dtype)


def _product(first: Tensor, second: Tensor) -> Tensor:
    white = full_scale(first.dtype)
    return (first.float() * second.float() / white).round().to(first.dtype)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made ({error.strerror})") from None


def _named(source: Path, error: VidstyleError) -> str:
    """The error message, including the still's name."""
    reason = " ".join(str(error).split())
    return reason if str(source) in reason else f"{source}: {reason}"


def _known(value: float) -> float | None:
    return round(value, 4) if value == value else None
