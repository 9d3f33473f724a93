"""Which of a file's video streams is the clip."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from vidstyle.errors import MediaError

# Packets read to tell moving pictures from a still.
_READ = 500

# Brands of the format in which phones and cameras store photographs (ISO/IEC 23008-12).
_STILL_BRANDS = {"heic", "heix", "heim", "heis", "mif1", "mif2", "avif"}


def choose_stream(container: InputContainer, path: str) -> VideoStream | None:
    """The stream of moving pictures: of several, the file's default or else the first. Cover art
    never counts; stills count only if there is nothing else.

    Returns:
        None if there is none.

    Raises:
        MediaError: a photograph in tiles, or several in one file.
    """
    attached = av.stream.Disposition.attached_pic
    streams = [s for s in container.streams.video if not s.disposition & attached]
    if len(streams) > 1 and container.metadata.get("major_brand", "") in _STILL_BRANDS:
        raise MediaError(
            f"{path}: a photograph in {len(streams)} tiles or parts, as phones keep them "
            "(HEIC, AVIF); save it as JPEG or PNG first"
        )
    if len(streams) < 2:
        return streams[0] if streams else None
    usable = [s for s in streams if s.codec_context is not None] or streams
    moving = _moving(path, {s.index for s in usable})
    usable = [s for s in usable if s.index in moving] or usable
    default = av.stream.Disposition.default
    return next((s for s in usable if s.disposition & default), usable[0])


def position(container: InputContainer, stream: VideoStream) -> str:
    """Position of a stream among the video streams: ``2 of 3``."""
    streams: Sequence[VideoStream] = container.streams.video
    return f"{[s.index for s in streams].index(stream.index) + 1} of {len(streams)}"


def _moving(path: str, indices: set[int]) -> set[int]:
    """The streams with more than one picture, judged by the first packets of the file."""
    seen: Counter[int] = Counter()
    with av.open(str(Path(path).absolute()), "r", metadata_errors="replace") as container:
        streams = [container.streams[index] for index in indices]
        try:
            for packet in islice(container.demux(streams), _READ):
                seen[packet.stream.index] += packet.size > 0
        except av.error.FFmpegError:
            pass  # whoever decodes it will report it
    return {index for index, count in seen.items() if count > 1}
