"""Where a clip's clock starts."""

from fractions import Fraction
from pathlib import Path

from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.probe import open_video

# FFmpeg's names of MPEG's transport and program streams, which count from anywhere.
_ANYWHERE = ("mpegts", "mpeg")


def clock_start(info: ClipInfo) -> Fraction:
    """What a recording's clock shows, in seconds, when its picture or sound begins.

    In a broadcast that is hours after zero, which another container would take for a gap before the
    picture. Of all other clips it is zero: a late start is meant there.
    """
    if info.is_sequence or not Path(info.path).is_file():
        return Fraction(0)
    with open_video(info.path) as container:
        if container.format.name not in _ANYWHERE:
            return Fraction(0)
        starts = [info.start_pts * info.time_base]
        for sound in container.streams.audio:
            if sound.start_time is not None and sound.time_base is not None:
                starts.append(sound.start_time * sound.time_base)
        return min(starts)
