"""--in, --out and --handles, in frames and in timecode."""

from fractions import Fraction

import pytest

from vidstyle.errors import UsageError
from vidstyle.media.video.ranges import frame_range

FILM = Fraction(24000, 1001)
NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("start", "rate", "first", "last", "expected"),
    [
        (None, Fraction(25), "7", "9", (7, 9)),
        (None, Fraction(25), None, "9", (None, 9)),
        # A clip without timecode counts from zero.
        (None, Fraction(24), "00:00:01:00", "00:00:02:00", (24, 48)),
        ("01:00:00:00", FILM, "01:00:10:05", "01:00:10:05", (245, 245)),
        # Over the minute, at which 00 and 01 are dropped, and the tenth, at which not.
        ("00:00:59;20", NTSC, "00:01:00;02", None, (10, None)),
        ("00:09:59;20", NTSC, "00:10:00;00", None, (10, None)),
        ("00:00:59:20", NTSC, "00:01:00:02", None, (12, None)),
        # The clip knows how it counts.
        ("00:00:59;20", NTSC, "00:01:00:02", "00:01:00.03", (10, 11)),
        ("00:00:59;20", 2 * NTSC, "00:01:00;04", None, (40, None)),
        # Past midnight.
        ("23:59:59:20", Fraction(25), "00:00:00:05", None, (10, None)),
        ("23:59:59;20", NTSC, "00:00:00;05", None, (15, None)),
        # Numbers and timecodes together.
        ("01:00:00:00", FILM, "3", "01:00:01:00", (3, 24)),
    ],
)
def test_frames_and_timecodes(info, start, rate, first, last, expected):
    clip = info(timecode=start, rate=rate)
    assert frame_range(clip, first, last, 0) == expected


def test_handles_reach_as_far_as_the_clip(info):
    assert frame_range(info(), "20", "30", 8) == (12, 38)
    assert frame_range(info(), "5", None, 8) == (0, None)
    assert frame_range(info(), None, "30", 8) == (None, 38)


@pytest.mark.parametrize(
    ("start", "rate", "first", "message"),
    [
        (None, Fraction(25), "-3", "--in -3: give a frame number, or a timecode"),
        (None, Fraction(25), "1:2:3", "give a frame number, or a timecode"),
        ("01:00:00:00", FILM, "01:00:00:24", "does not exist at 23.976 frames/s"),
        ("01:00:00:00", FILM, "01:00:61:00", "does not exist"),
        ("00:00:00;00", NTSC, "00:01:00;01", "does not exist at 29.97 frames/s"),
        ("01:00:00:00", NTSC, "01:00:00;10", "non-drop; write 01:00:00:10"),
        ("01:00:00;00", FILM, "01:00:00:10", "drops frames, which does not fit 23.976"),
    ],
)
def test_what_names_no_frame(info, start, rate, first, message):
    with pytest.raises(UsageError, match=message):
        frame_range(info(timecode=start, rate=rate), first, None, 0)


def test_a_timecode_outside_the_clip_tells_where_the_clip_is(info):
    clip = info(timecode="01:00:00:00", frame_count=50)
    for outside in ("00:59:59:24", "01:00:02:00"):
        with pytest.raises(UsageError, match="goes from 01:00:00:00 to 01:00:01:24"):
            frame_range(clip, outside, None, 0)


def test_a_range_the_wrong_way_round(info):
    with pytest.raises(UsageError, match="--in 9 --out 8: the range is empty"):
        frame_range(info(), "9", "8", 5)
