"""Whole clips from Python: :func:`render`, :func:`find` and :func:`paint`.

These functions do not print, configure logging, handle signals, or change the host's thread counts
or random state, and may be called from several threads at once. Log records go to the logger
``vidstyle``.
"""

import os
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any, overload

from vidstyle.errors import UsageError
from vidstyle.media.colour_management import manage
from vidstyle.media.pictures import Array, code_values
from vidstyle.media.video.clip import ClipReader
from vidstyle.media.video.held import HeldClip, sixteen_bit
from vidstyle.media.video.kept import KeptClip
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.target import default_target
from vidstyle.options import DEFAULTS, PaintOptions, QualityOptions, RenderOptions, pair
from vidstyle.pipeline.analysis import find_object, find_take, lost_frames
from vidstyle.pipeline.job import Job, run
from vidstyle.pipeline.output import check_outputs, write_mattes
from vidstyle.pipeline.parts import build_parts
from vidstyle.pipeline.report import Report
from vidstyle.runtime.device import seeded
from vidstyle.runtime.progress import CancelToken, OnProgress, Reporting
from vidstyle.runtime.scratch import temporary_folder
from vidstyle.segment.mattes.store import Matte, Mattes
from vidstyle.segment.prompts import parse_object

#: Path of a file or folder, or a pattern.
PathLike = str | os.PathLike[str]


def render(
    source: PathLike,
    *,
    style: PathLike | Sequence[PathLike] = (),
    key: str | Sequence[str] = (),  # as --key
    object: str | Sequence[str] | None = None,  # as --object
    output: PathLike | None = None,
    matte_out: PathLike | None = None,
    overwrite: bool = False,
    options: RenderOptions = DEFAULTS,
    quality: QualityOptions | None = None,
    on_progress: OnProgress | None = None,
    cancel: CancelToken | None = None,
    **changes: Any,
) -> Report:
    """Restyle one object of a clip, or several, and leave every other pixel alone.

    Args:
        source: a video file, an image sequence (``shot.%04d.png``, ``shot.####.png``) or a folder.
        style: a picture; one for all objects, or one for each. Optional if there are painted
            keys.
        key: painted keyframes, ``FILE@FRAME``, which are carried through their shots; with
            several objects ``FILE@FRAME#N``, N from 1.
        object: SPECs as for ``--object`` (``person``, ``box:x0,y0,x1,y1@frame``,
            ``matte:m.####.png``), bottom layer first; None for the whole frame.
        output: a video file, a pattern, or a picture; None for ``clip.styled.mp4`` beside
            ``clip.mp4``.
        matte_out: where to write the mattes, as pictures (``m.####.png``) or video.
        overwrite: whether to replace an existing ``output``.
        options: see :class:`RenderOptions`.
        quality: also score the output, see :class:`QualityOptions`.
        on_progress: called at each step, in this thread. An exception from it ends the run.
        cancel: ends the run from another thread.
        **changes: fields of ``options``: ``strength=0.8``, ``codec="prores"``.

    Returns:
        What was chosen, found and measured. The output is complete.

    Raises:
        VidstyleError: see :mod:`vidstyle.errors`; no output is left behind.
        Cancelled: by ``cancel``; no output is left behind.
        TypeError: a field that :class:`RenderOptions` does not have.
    """
    styles = [style] if isinstance(style, str | os.PathLike) else style
    keys = [key] if isinstance(key, str) else key
    objects = [object] if isinstance(object, str) else object or ()
    job = Job(
        source=os.fspath(source),
        target=default_target(os.fspath(source)) if output is None else os.fspath(output),
        objects=pair(objects, [os.fspath(path) for path in styles], keys),
        options=replace(options, **changes),
        matte_target=None if matte_out is None else os.fspath(matte_out),
        overwrite=overwrite,
        quality=quality,
    )
    return run(job, Reporting(on_progress, cancel))


class FoundMattes(Sequence[Matte]):
    """An object's mattes, by frame: ``found[12]`` is (H, W) ``uint8``, 255 inside.

    They are stored in a temporary folder that is removed with this object.

    Attributes:
        first, last: the frames that were analysed; mattes of others are empty.
        size: (H, W).
        lost: runs of frames, first and last, in which the object is not seen.
    """

    def __init__(
        self,
        mattes: Mattes,
        span: tuple[int, int],
        size: tuple[int, int],
        lost: Sequence[tuple[int, int]],
        held: ExitStack,
    ) -> None:
        """
        Args:
            held: resources that hold the mattes, closed with this object.
        """
        self._mattes = mattes
        (self.first, self.last), self.size, self.lost = span, size, tuple(lost)
        self._finalizer = weakref.finalize(self, held.close)

    def __len__(self) -> int:
        """Frames from the clip's first to ``last``."""
        return len(self._mattes)

    @overload
    def __getitem__(self, index: int) -> Matte: ...
    @overload
    def __getitem__(self, index: slice) -> list[Matte]: ...
    def __getitem__(self, index: int | slice) -> Matte | list[Matte]:
        numbers = range(len(self))
        if isinstance(index, slice):
            return [self._mattes[number] for number in numbers[index]]
        return self._mattes[numbers[index]]

    def __iter__(self) -> Iterator[Matte]:
        return (self._mattes[number] for number in range(len(self)))

    def confidence(self, index: int) -> float:
        """Reliability of a matte, 0 to 1: the tracker's estimate of its intersection over union
        with the truth."""
        return self._mattes.confidence(range(len(self))[index])


def find(
    source: PathLike | Array,
    object: str,  # as --object
    *,
    matte_out: PathLike | None = None,
    overwrite: bool = False,
    options: RenderOptions = DEFAULTS,
    on_progress: OnProgress | None = None,
    cancel: CancelToken | None = None,
    **changes: Any,
) -> FoundMattes:
    """Find an object in a clip and track it.

    Args:
        source: a clip, as for :func:`render`; or its frames, as an array (N, H, W, 3) or a tensor
            (N, 3, H, W), see :class:`~vidstyle.predictor.Model`.
        object: a SPEC as for ``--object``.
        matte_out, overwrite, on_progress, cancel, options, changes: see :func:`render`. Mattes of
            frames in memory are not written.

    Raises:
        ObjectNotFoundError: the object is not found in the clip.
        VidstyleError, Cancelled, TypeError: see :func:`render`.
    """
    chosen = replace(options, temporal="off", **changes)
    targets = [] if matte_out is None else [os.fspath(matte_out)]
    reader: ClipReader
    if isinstance(source, str | os.PathLike):
        check_outputs(os.fspath(source), None, targets, chosen.codec, overwrite)
        spec, reader = parse_object(object), open_clip(os.fspath(source))
    elif targets:
        raise UsageError("matte_out: mattes of frames in memory are not written; leave it out")
    else:
        spec, reader = parse_object(object), HeldClip(sixteen_bit(code_values(source)))
    spec.check_inside(reader.info.size)
    with seeded(chosen.seed):
        parts = build_parts(chosen, [spec])
    progress = Reporting(on_progress, cancel)
    progress.outline(["cuts", "mattes"])
    with ExitStack() as held:
        folder = held.enter_context(temporary_folder())
        with closing(KeptClip(reader, folder)) as kept:
            take = find_take(kept, chosen, manage(reader.info, chosen.colorspace), progress)
            mattes = find_object(take, spec, parts, folder, progress)
            for target in targets:
                write_mattes(take, mattes, target)
        span, lost = (take.start, take.count - 1), lost_frames(take, mattes)
        return FoundMattes(mattes, span, take.size, lost, held.pop_all())


def paint(
    source: PathLike,
    *,
    style: PathLike,
    key: int | str | Sequence[int | str],  # as --key
    output: PathLike,
    object: str | None = None,  # as --object
    strokes: float = PaintOptions.strokes,
    structure: float = PaintOptions.structure,
    overwrite: bool = False,
    options: RenderOptions = DEFAULTS,
    on_progress: OnProgress | None = None,
    cancel: CancelToken | None = None,
    **changes: Any,
) -> list[str]:
    """Paint frames of a clip in a style, slowly and carefully, as keys for :func:`render`.

    Args:
        source, options, on_progress, cancel, changes: see :func:`render`.
        style: a picture.
        key: numbers of the frames to paint, from 0, or ``auto`` to have them chosen; plus any
            existing keys that the new ones should match, ``FILE@FRAME``.
        output: a PNG file for one key; a pattern (``painted.####.png``) or a folder for any number.
            Alpha is the object's matte.
        object: a SPEC as for ``--object``; None for the whole frame.
        strokes, structure: see :class:`vidstyle.options.PaintOptions`.
        overwrite: whether to replace existing keys.

    Returns:
        The painted keys, ``FILE@FRAME``, in the form that :func:`render` takes.

    Raises:
        ObjectNotFoundError: the object is not visible in a frame to be painted.
        WeightsError: those of ``vgg19`` are not on this machine.
        VidstyleError, Cancelled, TypeError: see :func:`render`. Keys painted before stay.
    """
    from vidstyle.painter import job as painting  # torchvision takes two seconds

    keys = [key] if isinstance(key, int | str) else key
    job = painting.PaintJob(
        source=os.fspath(source),
        object=object,
        style=os.fspath(style),
        keys=[str(each) for each in keys],
        target=os.fspath(output),
        look=PaintOptions(strokes, structure),
        options=replace(options, **changes),
        overwrite=overwrite,
    )
    done = painting.run(job, Reporting(on_progress, cancel))
    return [f"{name.path}@{name.frame}" for name in done]
