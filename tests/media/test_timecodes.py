"""Start timecode of a part: SMPTE ST 12-1 counting."""

from fractions import Fraction

import pytest

from vidstyle.media.video.timecodes import advanced

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("timecode", "rate", "frames", "expected"),
    [
        ("10:00:00:00", Fraction(25), 0, "10:00:00:00"),
        ("10:00:59:24", Fraction(25), 1, "10:01:00:00"),
        ("01:00:00:00", Fraction(24000, 1001), 24, "01:00:01:00"),
        # Frames 00 and 01 are dropped each minute, but not each tenth.
        ("00:00:59;29", NTSC, 1, "00:01:00;02"),
        ("00:09:59;29", NTSC, 1, "00:10:00;00"),
        ("00:00:59:29", NTSC, 1, "00:01:00:00"),
    ],
)
def test_counting(timecode, rate, frames, expected):
    assert advanced(timecode, rate, frames) == expected


@pytest.mark.parametrize(
    ("timecode", "rate"),
    [
        ("00:00:59;29", Fraction(30)),
        ("00:00:59;20", Fraction(24000, 1001)),
        ("00:00:59:29", Fraction(25)),
        ("next take", Fraction(25)),
    ],
)
def test_what_does_not_fit_is_left_out_with_a_warning(timecode, rate, caplog):
    assert advanced(timecode, rate, 3) is None
    assert "left out" in caplog.text
