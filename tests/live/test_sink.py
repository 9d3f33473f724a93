"""Where live pictures go."""

from fractions import Fraction

import pytest

from vidstyle.errors import MediaError, UsageError
from vidstyle.live.sink import open_sink


def test_a_stream_of_odd_height_is_refused_with_what_to_do():
    with pytest.raises(UsageError, match="even height; add --height 360"):
        open_sink("udp://127.0.0.1:9", (361, 640), Fraction(25))


def test_nothing_is_left_where_no_picture_came(tmp_path):
    with (
        pytest.raises(MediaError, match="before the first picture was ready"),
        open_sink(str(tmp_path / "live.mp4"), (64, 96), Fraction(25)),
    ):
        pass
    assert not list(tmp_path.iterdir())
