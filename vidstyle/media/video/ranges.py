"""Which frames of a clip ``--in``, ``--out`` and ``--handles`` name."""

from vidstyle.errors import UsageError
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.timecodes import frame_at, is_timecode


def frame_range(
    info: ClipInfo, first: str | None, last: str | None, handles: int
) -> tuple[int | None, int | None]:
    """Numbers of the first and the last frame; None for the clip's own.

    Args:
        first, last: a number from 0, or a timecode as the clip counts; ``last`` is rendered too.
        handles: extra frames on either side, as far as the clip goes.

    Raises:
        UsageError: neither a number nor a timecode, or nothing lies between.
    """
    start = None if first is None else _frame("--in", first, info)
    stop = None if last is None else _frame("--out", last, info)
    if start is not None and stop is not None and stop < start:
        raise UsageError(
            f"--in {first} --out {last}: the range is empty; --out is the last frame, inclusive"
        )
    if start is not None:
        start = max(0, start - handles)
    return start, None if stop is None else stop + handles


def _frame(option: str, text: str, info: ClipInfo) -> int:
    if text.isdecimal():
        return int(text)
    if not is_timecode(text):
        raise UsageError(f"{option} {text}: give a frame number, or a timecode (hh:mm:ss:ff)")
    return frame_at(text, info)
