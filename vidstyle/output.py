"""What a render writes: checked before work starts, and opened when there are frames."""

from dataclasses import replace
from pathlib import Path

import torch

from vidstyle.analysis import Take
from vidstyle.errors import UsageError
from vidstyle.options import RenderOptions
from vidstyle.pattern import is_pattern
from vidstyle.segment.mattes import Mattes
from vidstyle.video.clip import ClipInfo
from vidstyle.video.codecs import codec_for
from vidstyle.video.encoder import check_encoder
from vidstyle.video.overlap import WriteBehind
from vidstyle.video.span import Span
from vidstyle.video.target import check_target, is_picture_target, target_exists
from vidstyle.video.writer import open_writer


def check_outputs(
    source: str, target: str | None, matte_target: str | None, codec: str | None, overwrite: bool
) -> None:
    """Refuse what could not be written.

    Args:
        target, matte_target: None for no such output.

    Raises:
        UsageError: see ``check_target`` and ``codec_for``; or an output exists.
    """
    targets = {} if target is None else {target: codec}
    if matte_target is not None:
        if target is not None and Path(matte_target).resolve() == Path(target).resolve():
            raise UsageError(f"--matte-out {matte_target}: is the output; name another file")
        targets[matte_target] = matte_codec(matte_target)
    for name, preset in targets.items():
        check_target(name, source)
        codec_for(preset, name)
        if target_exists(name) and not overwrite:
            raise UsageError(f"{name}: exists; add --overwrite, or name another output")


def check_encodes(target: str, info: ClipInfo, codec: str | None) -> None:
    """Refuse what the encoder would refuse.

    Raises:
        UsageError: see ``check_encoder``.
    """
    preset = codec_for(codec, target)
    if preset is not None:
        check_encoder(preset, info)


def check_fits(take: Take, *targets: str | None) -> None:
    """Refuse one picture for many frames.

    Raises:
        UsageError: the target, and what to name instead.
    """
    for target in filter(None, targets):
        if take.frame_count > 1 and is_picture_target(target) and not is_pattern(target):
            raise UsageError(
                f"{target}: one picture cannot hold {take.frame_count} frames; "
                "name a pattern such as shot.####.png or a video file"
            )


def open_output(target: str, source: str, take: Take, options: RenderOptions) -> WriteBehind:
    """A writer for the take's frames, with the source's sound; it encodes in a thread.

    Raises:
        UsageError, MediaError: see ``open_writer``.
    """
    writer = open_writer(
        target, take.reader.info, codec=options.codec, source=source, span=_span(take, options)
    )
    return WriteBehind(writer, depth=2 * options.batch)


def write_mattes(take: Take, mattes: Mattes, target: str) -> None:
    """Write mattes as grey pictures of the clip's size and times."""
    info = replace(
        take.reader.info, bits=8, audio_streams=0, alpha=False, hdr=None, is_float=False, space=None
    )
    with open_writer(target, info, codec=matte_codec(target)) as writer:
        for frame in take.frames(take.start):
            matte = torch.from_numpy(mattes[frame.index])
            grey = matte[..., None].expand(-1, -1, 3).contiguous()
            writer.write(replace(frame, image=grey, alpha=None, origin=None))


def matte_codec(target: str) -> str | None:
    """Mattes lose nothing where the container allows it."""
    return "ffv1" if Path(target).suffix.lower() == ".mkv" else None


def _span(take: Take, options: RenderOptions) -> Span:
    """The time that the take covers; open where it goes to the clip's own beginning or end."""
    start = end = None
    if take.start > 0:
        start = next(take.frames(take.start, take.start + 1)).time
    if options.last is not None:
        last = next(take.frames(take.count - 1, take.count))
        end = last.time + 1 / take.reader.info.rate
    return Span(start, end)
