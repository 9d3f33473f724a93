"""``vidstyle paint``: from the user's request to painted key files."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from vidstyle.carry.key import KeyName, PaintedFrame, read_key
from vidstyle.errors import UsageError
from vidstyle.media.frame import Frame
from vidstyle.media.pattern import is_pattern, matching, numbered
from vidstyle.media.video.kept import KeptClip
from vidstyle.media.video.target import check_target
from vidstyle.media.video.writer import open_writer
from vidstyle.options import DEFAULTS, PaintOptions, RenderOptions, StyledObject
from vidstyle.painter.easel import Easel
from vidstyle.painter.network import build_network
from vidstyle.painter.painter import STYLE_SIDE, Painter
from vidstyle.painter.wanted import WantedKeys
from vidstyle.pipeline.analysis import Take, style_picture
from vidstyle.pipeline.output import plain
from vidstyle.pipeline.preparation import Preparation, Request
from vidstyle.runtime.claim import claimed
from vidstyle.runtime.device import seeded, select_device
from vidstyle.runtime.leftovers import sweep
from vidstyle.runtime.progress import Progress
from vidstyle.runtime.scratch import temporary_folder
from vidstyle.segment.mattes.store import Mattes
from vidstyle.style.build import BUNDLED

#: File names of keys in a folder.
_IN_FOLDER = "painted.####.png"


@dataclass(frozen=True, kw_only=True)
class PaintJob:
    """A request to paint keys.

    Attributes:
        source: a video file, a sequence pattern, a folder of pictures, or a picture.
        object: an ``--object`` SPEC; None for the whole frame.
        style: path of the style picture.
        keys: as for :meth:`WantedKeys.parsed`.
        target: a PNG file for one key; a pattern of PNG files, or a folder, for any number.
        look: how they are painted.
        options: which frames, how the object is found, and the seed.
        overwrite: whether existing keys may be overwritten.
    """

    source: str
    object: str | None
    style: str
    keys: Sequence[str]
    target: str
    look: PaintOptions = field(default_factory=PaintOptions)
    options: RenderOptions = DEFAULTS
    overwrite: bool = False


def run(job: PaintJob, progress: Progress) -> list[KeyName]:
    """Paint keys, one after the other; each is written as soon as it is complete.

    Returns:
        the painted keys, in that order, as accepted by ``--key`` of a render.

    Raises:
        VidstyleError: see :mod:`vidstyle.errors`. Keys already painted are kept.
    """
    wanted = WantedKeys.parsed(job.keys)
    target = _checked_target(job, wanted)
    for name in wanted.given:
        name.check()
    style = lru_cache(lambda scale: style_picture(job.style, (STYLE_SIDE, STYLE_SIDE), scale))
    style(1.0)
    # Painting uses no style model, so do not search for one.
    options, look = replace(job.options, model=BUNDLED), job.look
    network = build_network(select_device(options.device))
    painter = Painter(style, network, look.strokes, look.structure, options.seed)
    with claimed(target), seeded(options.seed), temporary_folder() as work:
        sweep(Path(target).parent)
        objects = [StyledObject(job.object, None)]
        preparation = Preparation(Request(source=job.source, objects=objects, options=options))
        info = preparation.reader.info
        given = [read_key(name, info.size, options.colorspace) for name in wanted.given]
        progress.outline([*preparation.stages(), "paint"])
        with closing(KeptClip(preparation.reader, work)) as kept:
            take = preparation.find_take(progress, kept)
            _check_frames(wanted, take)
            if not job.overwrite:
                _check_free(wanted, take, target)
            mattes = preparation.analyse(take, work, progress)[0].mattes
            done: list[KeyName] = []

            def keep(frame: Frame, paint: Tensor) -> PaintedFrame:
                path = _path(target, take, frame.index)
                _write(frame, paint, mattes, take, path)
                done.append(KeyName(path, frame.index))
                return read_key(done[-1], info.size, options.colorspace)

            flow = preparation.parts.following
            easel = Easel(take, mattes, painter, flow, keep, work, progress, given)
            easel.check_seen(wanted.frames)
            for number in wanted.frames:
                easel.paint(number)
            if wanted.auto:
                easel.paint_proposed()
    return done


def _checked_target(job: PaintJob, wanted: WantedKeys) -> str:
    """The target as a PNG file, or a pattern of PNG files.

    Raises:
        UsageError: it is neither, cannot be written, or is one file for several keys.
    """
    path = Path(job.target)
    target = str(path / _IN_FOLDER) if path.is_dir() else job.target
    if Path(target).suffix.lower() != ".png":
        raise UsageError(
            f"{target}: keys are PNG; name a file painted.png, a pattern {_IN_FOLDER}, or a folder "
            "that is there"
        )
    check_target(target, job.source)
    if (wanted.auto or len(wanted.frames) > 1) and not is_pattern(target):
        raise UsageError(
            f"{target}: one picture cannot hold several keys; name a pattern such as {_IN_FOLDER}, "
            "or a folder"
        )
    return target


def _check_frames(wanted: WantedKeys, take: Take) -> None:
    for frame in wanted.named:
        if not take.start <= frame < take.count:
            raise UsageError(
                f"--key {frame}: outside the frames that are looked at, "
                f"{take.start}-{take.count - 1}; frames count from 0"
            )


def _check_free(wanted: WantedKeys, take: Take, target: str) -> None:
    """Check that no key exists yet, except the given ones."""
    given = {name.path.resolve() for name in wanted.given}
    files = [file.path for file in matching(target)] if wanted.auto else []
    files += [path for frame in wanted.frames if (path := _path(target, take, frame)).exists()]
    for path in files:
        if path.resolve() not in given:
            raise UsageError(
                f"{path}: exists; use it with --key {path}@N, N being its frame, add --overwrite "
                "to paint it again, or name another output"
            )


def _path(target: str, take: Take, frame: int) -> Path:
    """The path of a frame's key, numbered like the plates if these are pictures."""
    numbers = take.reader.info.numbers
    return numbered(target, numbers[frame] if numbers else frame)


def _write(frame: Frame, paint: Tensor, mattes: Mattes, take: Take, path: Path) -> None:
    """Write a painting with the object's matte as alpha: 16-bit if the clip has more than 8 bits,
    otherwise 8-bit.

    Raises:
        MediaError: it cannot be written.
    """
    white = 65535 if take.reader.info.bits > 8 else 255
    dtype = torch.uint16 if white > 255 else torch.uint8
    picture = (paint[0].movedim(0, -1) * white).round().int().to(dtype).contiguous()
    matte = torch.from_numpy(mattes[frame.index]).int() * (white // 255)
    info = plain(take.reader.info, 16 if white > 255 else 8, alpha=True)
    with open_writer(str(path), info) as writer:
        writer.write(replace(frame, image=picture, alpha=matte.to(dtype), origin=None))
