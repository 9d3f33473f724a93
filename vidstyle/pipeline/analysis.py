"""Analysis of a clip, required before its frames can be rendered one by one.

Finds the shots, every object's mattes, and its frozen statistics in every shot.
"""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.carry.carried import Carried, Outlined
from vidstyle.carry.key import PaintedFrame
from vidstyle.errors import MediaError, ObjectNotFoundError, UsageError
from vidstyle.media.colour_management import Management, open_seen
from vidstyle.media.cutout import seen_alone
from vidstyle.media.frame import Box, Frame, full_scale, unit_range
from vidstyle.media.video.bars import Bars
from vidstyle.media.video.clip import ClipReader
from vidstyle.media.video.fades import Fade, Impressions, find_fades, without_empty_shots
from vidstyle.media.video.shots import Shot, find_shots
from vidstyle.media.view import SeenClip
from vidstyle.options import RenderOptions, SelectionOptions
from vidstyle.pipeline.carrying import Footage, carry, proposed
from vidstyle.pipeline.fading import Fades, lifted
from vidstyle.pipeline.matte_movie import is_movie, read_movie
from vidstyle.pipeline.parts import Parts
from vidstyle.runtime.progress import Progress
from vidstyle.segment.clip import Clip
from vidstyle.segment.mattes.derived import Excluded, Inverted, WholeFrame, Within
from vidstyle.segment.mattes.lost import lost_ranges
from vidstyle.segment.mattes.store import Mattes
from vidstyle.segment.objects import find_mattes
from vidstyle.segment.prompts import ObjectSpec
from vidstyle.style.borders import without_border
from vidstyle.style.model import ReadStyle, StyleModel
from vidstyle.style.supersampled import Enlarged, Supersampled
from vidstyle.style.windows import seen_through
from vidstyle.words import counted, ranges

#: Number of frames per shot, evenly spaced, from which statistics are gathered.
SAMPLES = 16
#: Least share of its picture, relative to the shot's clearest frame, that a sampled frame shows.
_CLEAR = 0.9
#: Least short side of a usable style picture: smaller ones have no texture to learn.
LEAST_STYLE = 32
#: Least short side that a style picture is scaled to, however small the frames are.
LEAST_STYLE_WORKING = 256

log = logging.getLogger(__name__)


class Take:
    """The part of a clip to render, its frames counted by decoding them.

    Frames keep their numbers in the whole clip. ``count`` is the number of frames up to the end of
    the part. ``damage`` describes what could not be read. ``reader`` delivers the plates,
    ``frames`` their viewed version, ``fades`` are the faded frames, and ``picture`` is the area
    within black bars, if there are any.
    """

    def __init__(
        self,
        reader: ClipReader,
        shots: Sequence[Shot],
        colour: Management,
        fades: Sequence[Fade] = (),
        picture: Box | None = None,
    ) -> None:
        self.reader, self.colour, self.view = reader, colour, colour.view()
        self.fades: Fades = {fade.frame: fade for fade in fades}
        self.picture = picture
        self._seen = SeenClip(reader, self.view)
        self.shots = tuple(shots)
        self.size = reader.info.size
        self.damage = reader.damage
        self.count = self.shots[-1].stop

    @property
    def start(self) -> int:
        return self.shots[0].start

    @property
    def frame_count(self) -> int:
        """Number of frames to render."""
        return self.count - self.start

    @property
    def spans(self) -> list[tuple[int, int]]:
        """First frame and end of each shot."""
        return [(shot.start, shot.stop) for shot in self.shots]

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """The reader's frames, through the view transform."""
        return self._seen.frames(start, self.count if stop is None else min(stop, self.count))


def find_take(
    reader: ClipReader, options: SelectionOptions, colour: Management, progress: Progress
) -> Take:
    """Decode the part from ``--in`` to ``--out``, count its frames and find its cuts.

    Raises:
        UsageError: the range is empty or begins after the clip's end.
        MediaError: no frame can be decoded; or, with ``--strict``, the part is damaged.
    """
    first, stop = options.range
    if first < 0 or (stop is not None and stop <= first):
        raise UsageError(
            f"--in {first} --out {options.last}: the range is empty; "
            "--out is the last frame, inclusive"
        )
    progress.stage("cuts", (stop or reader.info.frame_count or 0) - first)
    frames = SeenClip(reader, colour.view()).frames(first, stop)
    seen, bars = Impressions(), Bars()
    watched = bars.watching(seen.watching(frames))
    shots = without_empty_shots(find_shots(_counted(watched, progress)), seen)
    if not shots:
        if first:
            raise UsageError(f"--in {first}: {reader.info.path} has fewer frames")
        raise MediaError(f"{reader.info.path}: no frame can be decoded")
    if reader.damage and options.strict:
        raise MediaError(
            f"{reader.info.path}: {reader.damage}; copy or export it again, or leave out --strict"
        )
    if options.last is not None and shots[-1].stop <= options.last:
        log.info("the clip ends at frame %d, before frame %d", shots[-1].stop - 1, options.last)
    parts = ranges([(shot.start, shot.stop - 1) for shot in shots])
    what = "frames" if sum(shot.stop - shot.start for shot in shots) > 1 else "frame"
    log.info("%s: %s %s", counted(len(shots), "shot"), what, parts)
    fades = find_fades(shots, seen)
    if fades:
        log.info("fades: in %d frames the paint fades with the picture", len(fades))
    picture = bars.picture()
    if picture:
        log.info("black bars around the %dx%d picture, left alone", picture.width, picture.height)
    return Take(reader, shots, colour, fades, picture)


@dataclass(frozen=True)
class Analysis:
    """Everything needed to render one object.

    Attributes:
        mattes: one for each frame of the clip, by frame number.
        transfers: one for each shot; None where the object is not in the shot.
        lost: runs of frames (first, last) in which the object is not seen.
        carried: the object as carried from painted keys; None without keys.
    """

    mattes: Mattes
    transfers: tuple[Enlarged | None, ...]
    lost: tuple[tuple[int, int], ...]
    carried: Carried | None = None


@dataclass(frozen=True)
class Paint:
    """The source of an object's look.

    Attributes:
        style: see :func:`read_style`; None without a style.
        keys: painted frames.
    """

    style: ReadStyle | None
    keys: Sequence[PaintedFrame] = ()


def analyse(
    take: Take,
    spec: ObjectSpec | None,
    paint: Paint,
    parts: Parts,
    options: RenderOptions,
    work: Path,
    progress: Progress,
    excluded: Sequence[Mattes] = (),
) -> Analysis:
    """Find one object's mattes and freeze its statistics.

    Args:
        spec: the object; None for the whole frame.
        work: folder for the mattes.
        excluded: mattes of areas not to style, see :func:`find_excluded`.

    Raises:
        UsageError, MediaError, WeightsError, ObjectNotFoundError: see ``find_mattes``.
        ObjectNotFoundError: with ``--strict``, the object is lost in some frames.
    """
    mattes = find_object(take, spec, parts, work, progress)
    lost = _lost(take, spec, mattes, options)
    if options.invert:
        mattes = Inverted(mattes)
    if take.picture and (spec is None or options.invert):
        mattes = Within(mattes, _inset(take.picture, options.feather, take.size))
    carried = None
    if paint.keys:
        carried = carry(
            paint.keys,
            take.spans,
            Footage(take, mattes, take.fades),
            parts.following,
            work / "keys",
            progress,
            styled=paint.style is not None,
        )
        if more := proposed(carried.confidences):
            log.info(
                "keys: they show little of the object in places; best to paint next: %s %s",
                "frame" if len(more) == 1 else "in this order, frames", ", ".join(map(str, more)),
            )  # fmt: skip
        if carried.is_outlined:
            mattes = Outlined(mattes, carried)
    if excluded:
        mattes = Excluded(mattes, excluded)
    if paint.style is None:
        return Analysis(mattes, (None,) * len(take.shots), lost, carried)
    chosen = [sampled(_clear(shot, mattes, take.fades), mattes) for shot in take.shots]
    progress.stage("statistics", parts.stylizer.passes * sum(map(len, chosen)))
    transfers = tuple(
        freeze(
            take,
            frames,
            mattes,
            paint.style,
            parts.stylizer,
            options.supersample,
            progress.advance,
            take.fades,
        )
        for frames in chosen
    )
    factors = {each.factor for each in transfers if each}
    if max(factors, default=1) > 1:
        times = " and ".join(map(str, sorted(factors)))
        why = "being small" if options.supersample is None else "by --supersample"
        log.info("painted at %s times its size, %s", times, why)
    return Analysis(mattes, transfers, lost, carried)


def _inset(picture: Box, feather: float, size: tuple[int, int]) -> Box:
    """The picture within black bars, inset so that a soft edge puts no paint on them; something is
    left of it, however soft the edge."""
    height, width = size
    edge = min(math.ceil(feather), (min(picture.width, picture.height) - 1) // 2)
    return Box(
        picture.x0 + edge * (picture.x0 > 0),
        picture.y0 + edge * (picture.y0 > 0),
        picture.x1 - edge * (picture.x1 < width),
        picture.y1 - edge * (picture.y1 < height),
    )


def _clear(shot: Shot, mattes: Mattes, fades: Fades) -> list[int]:
    """Frames of a shot that are not faded, or hardly more than its clearest frame with the object
    in it; never those faded out entirely."""
    shares = {
        index: 1.0 if (fade := fades.get(index)) is None else fade.share
        for index in range(shot.start, shot.stop)
    }
    most = max((share for index, share in shares.items() if mattes.box(index)), default=0.0)
    return [index for index, share in shares.items() if 0 < share >= _CLEAR * most]


def sampled(frames: Sequence[int], mattes: Mattes) -> set[int]:
    """Frames to gather statistics from, spread evenly over those in which the object is seen."""
    seen = [index for index in frames if mattes.box(index)]
    return {seen[i * len(seen) // SAMPLES] for i in range(SAMPLES)} if seen else set()


def freeze(
    clip: Clip,
    frames: set[int],
    mattes: Mattes,
    style: ReadStyle,
    model: Supersampled,
    supersample: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
    fades: Fades | None = None,
) -> Enlarged | None:
    """Freeze an object's statistics.

    Args:
        frames: frames to sample, see :func:`sampled`; if empty, the result is None.
        style: see :func:`read_style`.
        supersample: see ``LookOptions.supersample``.
        advance: called after each sample, in each of the model's passes.
        fades: the clip's faded frames.
    """
    if not frames:
        return None
    factor = model.factor(_largest_box(frames, mattes), supersample)
    samples = partial(_samples, clip, frames, mattes, model.grid, advance, fades or {})
    return model.transfer(samples, style, factor)


def _largest_box(frames: set[int], mattes: Mattes) -> int:
    """Area of the largest box, in pixels."""
    return max(box.area for index in frames if (box := mattes.box(index)))


def find_excluded(
    take: Take, specs: Sequence[ObjectSpec], parts: Parts, work: Path, progress: Progress
) -> list[Mattes]:
    """Mattes of what ``--exclude`` names. Where it is not seen, nothing is protected from the
    style; this is logged.

    Args:
        work: folder for the mattes.

    Raises:
        UsageError, MediaError, WeightsError, ObjectNotFoundError: see ``find_mattes``.
    """
    found = []
    for number, spec in enumerate(specs):
        found.append(find_object(take, spec, parts, work / str(number), progress))
        if lost := lost_frames(take, found[-1]):
            log.warning("%s %s: not seen in frames %s", spec.option, spec, ranges(lost))
    return found


def read_style(
    path: str, size: tuple[int, int], model: StyleModel, scale: float = 1.0
) -> ReadStyle:
    """A style as read by the model; arguments and errors as in :func:`style_picture`."""
    return model.read_style(Path(path), partial(style_picture, path, size, scale))


def style_picture(path: str, size: tuple[int, int], scale: float = 1.0) -> Tensor:
    """A style picture, (1, 3, H, W) in [0, 1], scaled to about the size (H, W) of the frames.

    A stroke is thus as large relative to the frame as to the picture. Transparent areas are
    ignored (:mod:`vidstyle.media.cutout`), and a border around the painting is cropped
    (:mod:`vidstyle.style.borders`).

    Args:
        scale: multiple of that size, see ``LookOptions.style_scale``.

    Raises:
        MediaError: the picture is missing, unreadable, or too small.
    """
    if not Path(path).is_file():
        raise MediaError(f"{path}: no such style picture; check the name")
    frame = next(open_seen(path).frames(0, 1))
    picture = unit_range(frame.image)
    if frame.alpha is not None:
        alpha = frame.alpha.float() / full_scale(frame.alpha.dtype)
        seen = seen_alone(picture.movedim(0, -1).numpy(), alpha.numpy())
        picture = torch.from_numpy(seen).movedim(-1, 0)
    if picture.numel():
        picture = without_border(picture, path)
    return to_working_size(picture[None], path, size, scale)


def to_working_size(
    picture: Tensor, name: str, size: tuple[int, int], scale: float = 1.0
) -> Tensor:
    """Scale a style picture, (1, 3, H, W) in [0, 1], to about the size (H, W) of the frames.

    Args:
        name: of the picture.
        scale: multiple of that size.

    Raises:
        MediaError: it is too small.
    """
    height, width = picture.shape[2:]
    short = min(height, width)
    if short < LEAST_STYLE:
        raise MediaError(
            f"{name}: a style picture of {width}x{height} pixels has no texture; give one of which "
            f"at least {LEAST_STYLE}x{LEAST_STYLE} can be seen"
        )
    target = min(short, max(LEAST_STYLE_WORKING, min(size)))
    target = max(LEAST_STYLE, round(target * scale))
    if target != short:
        picture = F.interpolate(
            picture, scale_factor=target / short, mode="bicubic", antialias=True
        ).clamp(0, 1)
    return picture


def find_object(
    take: Take, spec: ObjectSpec | None, parts: Parts, work: Path, progress: Progress
) -> Mattes:
    """An object's mattes.

    Args:
        spec: the object; None for the whole frame.
        work: folder for the mattes.

    Raises:
        UsageError, MediaError, WeightsError, ObjectNotFoundError: see ``find_mattes``.
    """
    if spec is None:
        return WholeFrame(take.size, take.count)
    progress.stage("mattes", take.frame_count)
    if spec.given is not None and is_movie(spec.given.pattern):
        return read_movie(spec.given.pattern, take, take.start, work, progress)
    return find_mattes(
        spec,
        take,
        take.spans,
        parts,
        work,
        progress.advance,
        parts.edges,
        take.reader.info.numbers or None,
    )


def _lost(
    take: Take, spec: ObjectSpec | None, mattes: Mattes, options: SelectionOptions
) -> tuple[tuple[int, int], ...]:
    """Report where the object is lost; the run continues unless ``--strict``."""
    lost = () if spec is None else lost_frames(take, mattes)
    if lost and options.strict:
        raise ObjectNotFoundError(
            f"--object {spec}: lost in frames {ranges(lost)}; give a box, point or mask there, "
            "or leave out --strict"
        )
    if lost:
        log.warning("object %s: not seen in frames %s", spec, ranges(lost))
    return lost


def lost_frames(take: Take, mattes: Mattes) -> tuple[tuple[int, int], ...]:
    """Runs of frames (first, last) in which an object is not seen."""
    return tuple(lost_ranges(mattes, take.spans))


def _samples(
    clip: Clip,
    chosen: set[int],
    mattes: Mattes,
    grid: int,
    advance: Callable[[int], None],
    fades: Fades,
) -> Iterator[tuple[Tensor, Tensor]]:
    """The object in the chosen frames, large ones split into windows: (1, 3, h, w) and its matte
    (1, 1, h, w), in [0, 1]."""
    numbers = {index: number for number, index in enumerate(sorted(chosen))}
    for frame in clip.frames(min(chosen), max(chosen) + 1):
        box = mattes.box(frame.index)
        if frame.index not in chosen or box is None:
            continue
        area = box.padded(grid, grid, frame.size)
        matte = torch.from_numpy(mattes[frame.index][area.rows, area.columns])
        picture = unit_range(frame.image[area.rows, area.columns])[None]
        picture = lifted(picture, [frame], fades)
        inside = matte.float()[None, None] / 255
        yield from seen_through(picture, inside, numbers[frame.index], len(chosen))
        advance(1)


def _counted(frames: Iterator[Frame], progress: Progress) -> Iterator[Frame]:
    for frame in frames:
        yield frame
        progress.advance(1)
