"""Whole clips from Python: :func:`render`, :func:`find` and :func:`paint`.

Nothing here prints, sets up logging or handles signals, or leaves a count of threads or a random
generator's state changed in the host, and all of it may be called from several threads at once. Log
records go to the logger ``vidstyle``.
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

#: Name of a file, folder or pattern.
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
        style: a picture; one for all objects, or one for each. May be left out where there are
            painted keys.
        key: frames that somebody painted, ``FILE@FRAME``, which are carried through their shots;
            of several objects ``FILE@FRAME#N``, N from 1.
        object: SPECs as of ``--object`` (``person``, ``box:x0,y0,x1,y1@frame``,
            ``matte:m.####.png``), from the lowest layer to the topmost; None for the whole frame.
        output: a video file, a pattern, or a picture; None for ``clip.styled.mp4`` beside
            ``clip.mp4``.
        matte_out: where the mattes go, as pictures (``m.####.png``) or video.
        overwrite: whether ``output`` may exist.
        options: see :class:`RenderOptions`.
        quality: scores the output as well, see :class:`QualityOptions`.
        on_progress: called at each step, from this thread. What it raises ends the run.
        cancel: ends the run from another thread.
        **changes: fields of ``options``: ``strength=0.8``, ``codec="prores"``.

    Returns:
        What was chosen, found and measured. The output stands whole under its name.

    Raises:
        VidstyleError: see :mod:`vidstyle.errors`; nothing stands under the output's name then.
        Cancelled: by ``cancel``; nor then.
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

    They lie in a temporary folder, which goes when this does.

    Attributes:
        first, last: the frames that were looked at; others are empty.
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
            held: what the mattes lie in, closed when this goes.
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
        """How far a matte can be relied on, 0 to 1: about its intersection over union with the
        truth, as the tracker estimates it."""
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
        source: a clip, as of :func:`render`; or its frames, as an array (N, H, W, 3) or a tensor
            (N, 3, H, W), see :class:`~vidstyle.predictor.Model`.
        object: a SPEC as of ``--object``.
        matte_out, overwrite, on_progress, cancel, options, changes: see :func:`render`. Mattes of
            frames in memory are not written.

    Raises:
        ObjectNotFoundError: it is nowhere in the clip.
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
    """Paint frames of a clip after a style, slowly and well, as keys of :func:`render`.

    Args:
        source, options, on_progress, cancel, changes: see :func:`render`.
        style: a picture.
        key: numbers of the frames to paint, from 0, or ``auto``, which chooses them; beside these
            keys that are there already and that others are to agree with, ``FILE@FRAME``.
        output: a PNG file for one key; a pattern (``painted.####.png``) or a folder for any number.
            Alpha is the object's matte.
        object: a SPEC as of ``--object``; None for the whole frame.
        strokes, structure: see :class:`vidstyle.options.PaintOptions`.
        overwrite: whether keys may be there already.

    Returns:
        What was painted, ``FILE@FRAME``, as :func:`render` takes it.

    Raises:
        ObjectNotFoundError: the object is not in a frame that is to be painted.
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
