"""Outputs of a render: checked before work starts, opened once there are frames."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from vidstyle.errors import UsageError
from vidstyle.media.colour_management import Management
from vidstyle.media.pattern import is_pattern, is_sequence
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.codecs import CODECS, codec_for
from vidstyle.media.video.companions import check_sound
from vidstyle.media.video.convert import Conversion, ConvertingWriter
from vidstyle.media.video.encoder import check_encoder
from vidstyle.media.video.evenness import check_even
from vidstyle.media.video.overlap import WriteBehind, queue_depth
from vidstyle.media.video.span import Span
from vidstyle.media.video.target import check_free, check_target, is_picture_target
from vidstyle.media.video.writer import open_writer
from vidstyle.options import OutputOptions, RenderOptions, SelectionOptions
from vidstyle.pipeline.analysis import Take
from vidstyle.segment.mattes.store import Mattes

_MATTE_CODECS = {".mkv": "ffv1", ".avi": "ffv1", ".mov": "prores-4444", ".mp4": "h264"}

# Pictures whose alpha is premultiplied by their standard.
_ELEMENTS = (".exr", ".tif", ".tiff")


def check_outputs(
    source: str,
    target: str | None,
    matte_targets: Sequence[str],
    codec: str | None,
    overwrite: bool,
) -> None:
    """Reject outputs that could not be written.

    Args:
        target: None for no output.
        matte_targets: see :func:`matte_targets`.

    Raises:
        UsageError: see ``check_target`` and ``codec_for``; or an output exists.
    """
    targets = {} if target is None else {target: codec}
    for name in matte_targets:
        if target is not None and Path(name).resolve() == Path(target).resolve():
            raise UsageError(f"--matte-out {name}: is the output; name another file")
        targets[name] = matte_codec(name)
    for name, preset in targets.items():
        check_target(name, source)
        codec_for(preset, name)
        check_free(name, overwrite)


def check_encodes(target: str, info: ClipInfo, colour: Management, options: RenderOptions) -> None:
    """Reject what the encoder would reject, an element that would lose its alpha, and what only an
    element has.

    Raises:
        UsageError: see ``check_encoder`` and ``check_even``.
    """
    outgoing = _outgoing(info, colour, target, options)[0]
    preset = codec_for(options.codec, target, outgoing)
    if preset is not None:
        check_encoder(preset, outgoing)
        check_even(target, info, *options.range)
    holds = preset.alpha if preset is not None else Path(target).suffix.lower() in _ELEMENTS
    if options.decontaminate and not options.element:
        raise UsageError("--decontaminate: it changes only an element's edge; add --element")
    if options.element and not holds:
        with_alpha = ", ".join(codec.name for codec in CODECS.values() if codec.alpha)
        raise UsageError(
            f"--element: {target} holds no premultiplied alpha; write "
            f"{', '.join(_ELEMENTS)} pictures, or a movie with --codec {with_alpha}"
        )


def check_carries(source: str, target: str) -> None:
    """Reject a container that cannot hold the source's sound.

    Raises:
        UsageError: see ``check_sound``.
    """
    if not is_picture_target(target) and not is_sequence(source):
        check_sound(source, target)


def check_fits(take: Take, *targets: str | None) -> None:
    """Reject a single picture as the target of many frames.

    Raises:
        UsageError: names the target and an alternative.
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
    info, conversion = _outgoing(take.reader.info, take.colour, target, options)
    writer = open_writer(
        target, info, codec=options.codec, source=source, span=_span(take, options)
    )
    if conversion is not None:
        writer = ConvertingWriter(writer, conversion)
    return WriteBehind(writer, queue_depth(info, options.batch))


def matte_targets(target: str | None, objects: int) -> list[str]:
    """Where each object's mattes go; of several objects, the second's to ``object2.m.####.png``."""
    if target is None:
        return []
    if objects == 1:
        return [target]
    path = Path(target)
    return [str(path.with_name(f"object{number + 1}.{path.name}")) for number in range(objects)]


def _outgoing(
    info: ClipInfo, colour: Management, target: str, options: OutputOptions
) -> tuple[ClipInfo, Conversion | None]:
    """The clip as it is written, and the colour conversion to it."""
    conversion = colour.conversion(info, target)
    if conversion is not None:
        info = conversion.described(info)
    return (replace(info, alpha=True) if options.element else info), conversion


def write_mattes(take: Take, mattes: Mattes, target: str) -> None:
    """Write mattes as grey pictures of the clip's size and times, in 16 bits if the clip has more
    than 8; if the codec holds alpha, they are also written there.

    Raises:
        UsageError, MediaError: see ``open_writer``, or the disk write fails.
    """
    with writing_mattes(take, mattes, target):
        pass


@contextmanager
def writing_mattes(take: Take, mattes: Mattes, target: str) -> Iterator[None]:
    """Like :func:`write_mattes`, but a movie gets its final name when the block ends."""
    bits = 16 if take.reader.info.bits > 8 else 8
    codec = codec_for(matte_codec(target), target)
    with_alpha = codec is not None and codec.alpha
    info = plain(take.reader.info, bits, with_alpha)
    with open_writer(target, info, codec=codec.name if codec else None) as writer:
        for frame in take.reader.frames(take.start, take.count):
            matte = torch.from_numpy(mattes[frame.index])
            if bits == 16:
                matte = (257 * matte.int()).to(torch.uint16)
            grey = matte[..., None].expand(-1, -1, 3).contiguous()
            alpha = matte if with_alpha else None
            writer.write(replace(frame, image=grey, alpha=alpha, origin=None))
        yield


def plain(info: ClipInfo, bits: int, alpha: bool = False) -> ClipInfo:
    """A silent clip of the same size and times, with integer pixels and no HDR metadata."""
    return replace(
        info, bits=bits, audio_streams=0, alpha=alpha, hdr=None, is_float=False, space=None
    )


def matte_codec(target: str) -> str | None:
    """A codec that holds alpha and the clip's size, if the container has one."""
    return _MATTE_CODECS.get(Path(target).suffix.lower())


def _span(take: Take, options: SelectionOptions) -> Span:
    """The time span of the take; open-ended where it reaches the clip's own start or end."""
    start = end = None
    if take.start > 0:
        start = next(take.reader.frames(take.start, take.start + 1)).time
    if options.last is not None:
        last = next(take.reader.frames(take.count - 1, take.count))
        end = last.time + 1 / take.reader.info.rate
    return Span(start, end)
